"""Drives written in formats of others."""

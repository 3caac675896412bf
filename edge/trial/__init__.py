"""Triggers judged on recorded drives: cards, labels, campaigns and their back-test."""

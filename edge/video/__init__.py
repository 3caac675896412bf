"""Cameras: files of pictures, each on its own clock; encoding, and cutting without encoding."""

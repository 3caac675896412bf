"""A drive as one HTML page that opens from disk."""

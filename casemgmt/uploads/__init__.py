"""Files that arrive in pieces over a bad network: tus 1.0, ending in evidence like every other file."""

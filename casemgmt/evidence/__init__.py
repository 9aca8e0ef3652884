"""Files: received once, never changed, checked again, and every reading of them recorded."""

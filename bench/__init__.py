"""What casemgmt costs, measured against the plain way of doing the same. Run with ``python -m bench``."""

"""The demonstration: a cast of agencies, units and people, and a few records of their work."""

from casemgmt.demo.setup import ensure_demo

__all__ = ["ensure_demo"]

"""The main job as a script over HTTP: the cast signs in, works, is refused where it must be, and verifies."""

from casemgmt.walkthrough.command import main

__all__ = ["main"]

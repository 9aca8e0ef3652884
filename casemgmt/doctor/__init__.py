"""``casemgmt doctor``: looks at the running installation and says what is really so."""

from casemgmt.doctor.command import main

__all__ = ["main"]

"""What lies in a package's ``verify/``."""

from __future__ import annotations

from importlib.resources import files as resources
from string import Template

from casemgmt.trust.checkpoint import Checkpoint


def guides(number: str, checkpoint: Checkpoint) -> dict[str, bytes]:
    """By path below ``verify/``."""
    template = Template(resources("casemgmt.trust").joinpath("VERIFY.md").read_text("utf-8"))
    return {"VERIFY.md": template.substitute(package=number, origin=checkpoint.origin, size=checkpoint.size).encode()}

"""Two photographs for the demonstration and the walkthrough: real JPEG files of drawn scenes."""

from __future__ import annotations

from importlib.resources import files

NAMES = ("bags-sealed.jpg", "container.jpg")


def photo(name: str) -> bytes:
    """The bytes of one of NAMES, about 130 KB."""
    return files("casemgmt.demo").joinpath("photos", name).read_bytes()

"""What lies in a package's ``verify/``: everything needed to check the package without us.

A guide in three languages, three shell scripts that need only sh, coreutils, cmp, awk, sed and openssl, and one page
that opens in a browser from a USB stick.  How they are made: docs/design/verification-kit.md.
"""

import hashlib
from importlib.resources import files as resources
from string import Template

GUIDE = "VERIFY.md"
PAGE = "verify.html"
SCRIPTS = ("verify_proof.sh", "verify_passkey.sh", "verify_all.sh")


def documents(package: str, origin: str, size: int) -> dict[str, bytes]:
    """By path below ``verify/``.  `origin` and `size` are those of the checkpoint of the package's proofs."""
    guide = Template(tool(GUIDE).decode()).substitute(package=package, origin=origin, size=size)
    return {GUIDE: guide.encode(), **{name: tool(name) for name in (*SCRIPTS, PAGE)}}


def tool(name: str) -> bytes:
    """The bytes of a script or of the page, the same in every package of this release."""
    return resources(__name__).joinpath(name).read_bytes()


def sha256(name: str) -> str:
    """What to compare a copy with, in hex."""
    return hashlib.sha256(tool(name)).hexdigest()

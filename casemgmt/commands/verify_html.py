"""Writes verify.html, as this release has it, to a file: for a USB stick or an agency's own web site."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from casemgmt.trust import kit


def main(argv: Sequence[str] | None = None) -> int:
    """Answers 0 when it was written, 2 when it could not be."""
    parser = argparse.ArgumentParser(
        prog="casemgmt verify-html", description="Writes the page that checks packages, and prints its SHA-256."
    )
    parser.add_argument("file", type=Path, nargs="?", default=Path(kit.PAGE), help="where to (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        options.file.write_bytes(kit.tool(kit.PAGE))
    except OSError as error:
        sys.stderr.write(f"casemgmt: cannot write {options.file}: {error.strerror}\n")
        return 2
    sys.stdout.write(f"{kit.sha256(kit.PAGE)}  {options.file}\n")
    return 0

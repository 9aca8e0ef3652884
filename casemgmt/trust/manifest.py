"""The four text files of a BagIt 1.0 bag (RFC 8493), written and read in one strict form."""

import re
from collections.abc import Iterable, Mapping

from casemgmt.trust.encoding import from_utf8, is_hash_hex, shown
from casemgmt.trust.errors import ManifestError

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAYLOAD = "data/"

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
"""The whole of bagit.txt."""

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_MAX_PATH = 240
_LABEL = re.compile(r"[A-Za-z0-9-]+", re.ASCII)


def check_path(path: str) -> str:
    """A path every file system can hold and no reader can misread.

    ASCII letters, digits, dot, dash and underscore in parts that begin and end with a letter or digit: no
    "..", no leading "/", nothing a shell, Windows or a percent-encoding reader treats specially.
    """
    if len(path) > _MAX_PATH or not _PATH.fullmatch(path):
        raise ManifestError(f"not a path inside a bag: {shown(path)}")
    return path


def write_manifest(hashes: Mapping[str, str]) -> bytes:
    """``<sha256>  <path>`` lines in order of path, from path to lowercase hexadecimal SHA-256.

    `sha256sum -c` reads the same file.
    """
    return "".join(f"{hashes[path]}  {check_path(path)}\n" for path in sorted(hashes)).encode("ascii")


def parse_manifest(data: bytes) -> dict[str, str]:
    """Path to SHA-256.  Refuses a path named twice and any other spacing or spelling."""
    hashes: dict[str, str] = {}
    for line in _lines(data):
        value, _, path = line.partition("  ")
        if not is_hash_hex(value):
            raise ManifestError(f"not a manifest line: {shown(line)}")
        if check_path(path) in hashes:
            raise ManifestError(f"listed twice: {path}")
        hashes[path] = value
    return hashes


def write_info(pairs: Iterable[tuple[str, str]]) -> bytes:
    """``Label: value`` lines in the order given."""
    lines = []
    for label, value in pairs:
        if not _LABEL.fullmatch(label) or not value or value != value.strip() or not value.isprintable():
            raise ManifestError(f"not a bag-info line: {shown(label)}: {shown(value)}")
        lines.append(f"{label}: {value}\n")
    return "".join(lines).encode("utf-8")


def parse_info(data: bytes) -> dict[str, str]:
    """Label to value.  Refuses repeated labels and continued lines, which BagIt allows and nobody needs here."""
    info: dict[str, str] = {}
    for line in _lines(data):
        label, _, value = line.partition(": ")
        if write_info([(label, value)]) != line.encode() + b"\n" or label in info:
            raise ManifestError(f"not a bag-info line, or its label again: {shown(line)}")
        info[label] = value
    return info


def payload_oxum(sizes: Iterable[int]) -> str:
    """``<bytes>.<files>`` of the payload: what a reader can check before any hash."""
    every = list(sizes)
    return f"{sum(every)}.{len(every)}"


def _lines(data: bytes) -> list[str]:
    text = from_utf8(data)
    if text and not text.endswith("\n"):
        raise ManifestError("the last line is cut off")
    return text.split("\n")[:-1]

"""The signature inside a PDF (PAdES): which bytes it covers, and the signature itself.

Only as much of PDF is read as that needs: the one ``/ByteRange`` of the file.
"""

import re
from typing import NamedTuple

from casemgmt.trust.errors import SignatureInvalidError

_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]")
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")


class SignedPdf(NamedTuple):
    """`covered` is every byte of the file but those of `signature` (CMS, DER)."""

    covered: bytes
    signature: bytes


def signed_pdf(pdf: bytes) -> SignedPdf:
    """Raises `SignatureInvalidError` unless one signature covers the whole file but itself."""
    ranges = _RANGE.findall(pdf)
    if len(ranges) != 1:
        raise SignatureInvalidError(f"the PDF has {len(ranges)} signatures, not one")
    first, length, second, rest = (int(number) for number in ranges[0])
    hole = _HEX.fullmatch(pdf[length:second]) if length < second else None
    if first != 0 or second + rest != len(pdf) or hole is None or len(hole[1]) % 2:
        raise SignatureInvalidError("the signature of the PDF does not cover the whole file")
    padded = bytes.fromhex(hole[1].decode("ascii"))
    signature = padded[: _der_length(padded)]
    if padded[len(signature) :].strip(b"\0"):
        raise SignatureInvalidError("something follows the signature of the PDF")
    return SignedPdf(pdf[:length] + pdf[second:], signature)


def _der_length(data: bytes) -> int:
    """Bytes of the DER value that `data` begins with."""
    if len(data) < 2 or data[0] != 0x30:
        raise SignatureInvalidError("the signature of the PDF is not DER")
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")

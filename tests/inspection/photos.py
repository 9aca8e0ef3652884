"""Photographs for the tests: honest ones, ones signed with C2PA, and hostile ones. Pictures are made with Pillow, which
only tests and the looking process import."""

from __future__ import annotations

import io
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

PEM = serialization.Encoding.PEM


@cache
def camera(
    *, taken: str = "2026:11:20 09:15:00", offset: str = "+06:00", place: bool = True, orientation: int = 1
) -> bytes:
    """A JPEG of 1200 x 800 as a phone writes it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131], exif[0x0112] = "TestPhone", "X1", "Camera 1.0", orientation
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = taken
    if offset:
        inner[0x9011] = offset
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (42.0, 52.0, 29.3), 3: "E", 4: (74.0, 36.0, 43.9)})
    return _saved(Image.effect_noise((1200, 800), 60).convert("RGB"), "JPEG", exif=exif)


@cache
def plain() -> bytes:
    return _saved(Image.effect_noise((320, 200), 60).convert("RGB"), "JPEG")


def _saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


# ---- C2PA


@cache
def signers() -> tuple[str, str, bytes]:
    """PEM of a demonstration authority, of a signer's chain, and the signer's key."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test Camera CA", "Test Camera CA", ca_key.public_key(), ca_key, authority=True)
    signer = _certificate("Test Camera", "Test Camera CA", key.public_key(), ca_key, authority=False)
    ca_pem, signer_pem = (found.public_bytes(PEM).decode() for found in (ca, signer))
    secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca_pem, signer_pem + ca_pem, secret


def _certificate(
    name: str, issuer: str, public: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        names = {NameOID.COMMON_NAME: text, NameOID.ORGANIZATION_NAME: "Tests"}
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])

    now = datetime.now(UTC)
    may = x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name)).issuer_name(named(issuer)).public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(may, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )  # fmt: skip
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(by, hashes.SHA256())


@cache
def signed(source: str = "digitalCapture") -> bytes:
    """A photograph with a C2PA manifest."""
    _, chain, key = signers()
    manifest = {
        "claim_generator_info": [{"name": "evidence capture", "version": "0.1"}],
        "title": "photo.jpg",
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": f"http://cv.iptc.org/newscodes/digitalsourcetype/{source}",
                        }
                    ]
                },
            }
        ],
    }
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain.encode(), private_key=key, ta_url=None)
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(manifest)) as builder:
        builder.sign(signer, "image/jpeg", io.BytesIO(camera()), out)
    return out.getvalue()


def tampered() -> bytes:
    data = bytearray(signed())
    data[-5000] ^= 1
    return bytes(data)


# ---- hostile files


def _jpeg_with(tiff: bytes) -> bytes:
    block = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", min(len(block) + 2, 65535)) + block + b"\xff\xd9"


def _ifd(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


TIFF = b"II*\0\x08\0\0\0"


def self_containing() -> bytes:
    """GPS and EXIF directories that are the first directory, which follows itself."""
    return _jpeg_with(TIFF + _ifd((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), following=8))


def endless_chain(count: int = 100_000) -> bytes:
    """A TIFF of directories that each name the next one."""
    size = 6
    return TIFF + b"".join(struct.pack("<HI", 0, 8 + size * (n + 1)) for n in range(count)) + b"\0" * 6


def billion_entries() -> bytes:
    """65,535 fields that each claim to be four thousand million letters, all of them the whole file."""
    entries = b"".join(struct.pack("<HHII", 0xC000 + n % 0x3FFF, 2, 0xFFFFFFFF, 8) for n in range(65535))
    return TIFF + struct.pack("<H", 65535) + entries + b"\0" * 4 + b"A" * (1 << 20)


def wide_png(side: int = 50_000) -> bytes:
    """A PNG of a few hundred KiB that says it has ``side`` squared pixels, and has them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(9), b"\0" * (side // 8 + 1)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def wide_tiff() -> bytes:
    """A TIFF that says it has 2 ** 40 pixels in one strip."""
    side = 1 << 20
    return TIFF + _ifd(
        (256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
        (277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, 0xFFFFFFFF),
    )  # fmt: skip


def wide_jpeg() -> bytes:
    """A JPEG whose header says 65,535 x 65,535."""
    data = bytearray(plain())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return bytes(data)


def nested_boxes(depth: int = 4000) -> bytes:
    """JUMBF boxes in boxes, where a C2PA manifest would be."""
    body = b""
    for _ in range(depth):
        body = struct.pack(">I", len(body) + 8) + b"jumb" + body
        if len(body) > 60000:
            break
    segment = b"JP\0\x01\0\0\0\x01" + body
    return b"\xff\xd8\xff\xeb" + struct.pack(">H", len(segment) + 2) + segment + plain()[2:]


def polyglot() -> bytes:
    """A photograph that is a web page and an archive as well."""
    return camera() + b"<html><script>alert(1)</script></html>PK\x03\x04" + b"\0" * 200 + b"PK\x05\x06" + b"\0" * 18


HOSTILE = {
    "truncated in the picture": lambda: camera()[: len(camera()) // 2],
    "truncated in the EXIF": lambda: camera()[:60],
    "directories that contain themselves": self_containing,
    "a chain of directories": endless_chain,
    "fields of four thousand million letters": billion_entries,
    "a wide PNG": wide_png,
    "a wide TIFF": wide_tiff,
    "a wide JPEG": wide_jpeg,
    "boxes in boxes": nested_boxes,
    "also a web page and an archive": polyglot,
    "C2PA cut off": lambda: signed()[:20_000],
    "nothing": lambda: b"\0",
    "zeros": lambda: bytes(1 << 20),
    "the start of everything": lambda: b"\xff\xd8\xff\xe1\xff\xffExif\0\0MM\0*" + b"\xff" * 70_000,
}

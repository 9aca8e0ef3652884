"""The plain loops the product is measured against: what anybody would write first, in one thread."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

from bench.harness import Stopwatch

BLOCK = 1 << 20


def keep(source: Path, target: Path) -> float:
    """Seconds to read, hash (SHA-256 and CRC-32), write and fsync the bytes of ``source``; ``target`` is removed."""
    with Stopwatch() as watch:
        sha256, crc32 = hashlib.sha256(), 0
        reader = os.open(source, os.O_RDONLY)
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        while block := os.read(reader, BLOCK):
            sha256.update(block)
            crc32 = zlib.crc32(block, crc32)
            os.write(writer, block)
        os.fsync(writer)
        os.close(writer)
        os.close(reader)
    if target.stat().st_size != source.stat().st_size:
        raise RuntimeError("the plain loop wrote less than it read")
    target.unlink()
    return watch.seconds


def read_and_hash(path: Path) -> tuple[float, str]:
    """Seconds to read and SHA-256 a file, and the hash in hex."""
    with Stopwatch() as watch:
        sha256 = hashlib.sha256()
        reader = os.open(path, os.O_RDONLY)
        while block := os.read(reader, BLOCK):
            sha256.update(block)
        os.close(reader)
    return watch.seconds, sha256.hexdigest()

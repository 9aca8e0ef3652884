"""The plain loops the product is measured against: what anybody would write first, in one thread."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
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


def hash_members(archive: Path) -> float:
    """Seconds to read and SHA-256 every file inside a stored ZIP archive, on all cores."""
    with zipfile.ZipFile(archive) as opened:
        members = sorted(opened.infolist(), key=lambda member: -member.file_size)
    reader = os.open(archive, os.O_RDONLY)

    def one(member: zipfile.ZipInfo) -> None:
        sha256, at = hashlib.sha256(), member.header_offset + 30 + len(member.filename)
        left = member.file_size
        while left:
            block = os.pread(reader, min(BLOCK, left), at)
            sha256.update(block)
            at, left = at + len(block), left - len(block)
        sha256.digest()

    with Stopwatch() as watch, ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, members))
    os.close(reader)
    return watch.seconds

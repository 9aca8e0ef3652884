"""Small means for the storage tests."""

import hashlib
import uuid
import zlib

from casemgmt.storage.contract import Store, Stored

MIB = 1 << 20


def new_key() -> str:
    return str(uuid.uuid4())


def put(store: Store, key: str, data: bytes, length: int | None = None) -> Stored:
    """Store the bytes as the ingest does: in blocks, several parts each."""
    sink = store.create(key, length)
    for start in range(0, len(data), MIB):
        block = data[start : start + MIB]
        sink.write([block[:1000], block[1000:]])
    return sink.commit(hashlib.sha256(data).hexdigest(), zlib.crc32(data), len(data))


def get(store: Store, key: str, start: int = 0, end: int | None = None, version: str | None = None) -> bytes:
    with store.open(key, start, end, version) as reader:
        return b"".join(iter(lambda: reader.read(MIB), b""))

"""Merkle tree hashes of RFC 6962 section 2.1 (the same in RFC 9162): SHA-256, leaves and nodes kept apart."""

import hashlib
from collections.abc import Sequence

from casemgmt.trust.errors import TreeError

HASH_SIZE = 32

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one log entry: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold_perfect(hashes: Sequence[bytes]) -> bytes:
    """Root of a perfect subtree given its 2^k nodes of one height, left to right."""
    count = len(hashes)
    if count == 0 or count & (count - 1):
        raise TreeError(f"a perfect subtree has 1, 2, 4, 8 ... nodes, not {count}")
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]

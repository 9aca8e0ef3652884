"""Witness programs of the tests: each in a directory of its own, in this process or as the real program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import NOTE, SigningKey
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.witness import request
from casemgmt.witness.keeping import Keeper, enrol, keeping, make_key

NOW = 1_800_000_000
LOG = SigningKey("ledger.example/2027", NOTE, bytes(range(32)))
TREE = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(300))
REWRITTEN = MerkleTree(leaf_hash(b"entry %d" % i if i != 3 else b"other") for i in range(300))


def asking(old: int, size: int, tree: MerkleTree = TREE, log: SigningKey = LOG) -> bytes:
    """The body of a request with the right proof of ``tree``."""
    proof = tree.consistency(old, size) if 0 < old < size else ()
    return request(old, proof, Checkpoint(log.name, size, tree.root(size)).signed(log), log.verifier)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A witness with a key that knows LOG and has cosigned nothing."""
    made = tmp_path / "police"
    make_key(made, "police.example/witness")
    assert enrol(made, LOG.verifier, lambda: NOW) is True
    return made


@pytest.fixture
def keeper(directory: Path) -> Iterator[Keeper]:
    with keeping(directory) as opened:
        yield opened

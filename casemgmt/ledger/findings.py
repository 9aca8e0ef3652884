"""What a recomputation found, and who it is known from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

MOST_FAULTS = 50

BYTES = "its own bytes"
ENTRY = "the bytes of its ledger entry"
ROWS = "the rows beside it"
CHAIN = "the chain of its stream"
TREE = "the stored tree"
CHECKPOINT = "the signed checkpoint"
PUBLISHED = "the published checkpoint"
KEY = "the published key"
STORE = "the write-once store"
SIGNER = "the signer's record"

_ENTRY = """
select e.id, e.stream, e.stream_seq from ledger.leaf l join ledger.entry e on e.id = l.entry_id
 where l.leaf_index = $1"""


@dataclass
class Findings:
    """What was read, and every fault, at most MOST_FAULTS of a kind. ``objects``: batches read from the store."""

    entries: int = 0
    checkpoints: int = 0
    streams: int = 0
    objects: int = 0
    waiting: int = 0
    root: bytes = b""
    _rewritten: list[str] = field(default_factory=list)
    _others: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Entries that are not what was sequenced come first, in their order; then what follows from it."""
        return self._rewritten + self._others

    def add(self, fault: str, *, by: str, rewritten: bool = False) -> None:
        """``by``: who knows better than the database."""
        faults = self._rewritten if rewritten else self._others
        if len(faults) < MOST_FAULTS:
            faults.append(f"{fault} [known from {by}]")


def name(row: Mapping[str, Any]) -> str:
    return f"entry {row['id']} (event {row['stream_seq']} of {row['stream']})"


async def name_of(connection: asyncpg.Connection[Any], index: int) -> str:
    """How the entry with this place is called in a fault."""
    row = await connection.fetchrow(_ENTRY, index)
    return f"leaf {index}" if row is None else f"leaf {index}, {name(row)},"

"""The ledger's other copies against the database: the write-once store, and what was published with cosignatures.

The store is read by the names its objects must have, one after the other from entry 0; what the database says of them
is compared, never believed. One object's hashes are in memory at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from casemgmt.ledger import beside
from casemgmt.ledger.findings import PUBLISHED, STORE, Findings, name_of
from casemgmt.storage.contract import NotStored, Store
from casemgmt.trust.batch import BatchReader, Header, batch_key
from casemgmt.trust.beside import Beside
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.tiles import Tile, TileFrontier

_KEPT = """
select b.size, b.root, a.object_key, a.version, a.size as bytes, a.sha256,
       (select c.note from ledger.checkpoint c where c.size = b.first) as before
  from ledger.batch b left join ledger.archived a on a.first = b.first where b.first = $1"""
_BODIES = """
select l.leaf_index, e.body from ledger.leaf l join ledger.entry e on e.id = l.entry_id
 where l.leaf_index >= $1 and l.leaf_index < $2 order by l.leaf_index"""
_RETURNED = """
select l.leaf_index as place, r.line::text as line from ledger.leaf l join ledger.returned r on r.first = l.entry_id
 where l.leaf_index >= $1 and l.leaf_index < $2"""
_PUBLISHED = """
select x.size, x.note, c.note as signed, p.text from ledger.published x
  join ledger.checkpoint c on c.size = x.size join ledger.policy p on p.version = x.policy order by x.policy, x.size"""


@dataclass(frozen=True, slots=True)
class _Object:
    """What one object of the store holds: its head, the hash of each entry, its tiles, and its own hash."""

    header: Header
    leaves: Sequence[bytes]
    tiles: Sequence[bytes]
    beside: Sequence[Beside]
    size: int
    sha256: bytes


async def check_archive(connection: asyncpg.Connection[Any], store: Store, key: VerifierKey, found: Findings) -> None:
    """Every object from entry 0 on, against the entries of the database; then that the store has no more than it."""
    first, tree = 0, TileFrontier()
    while True:
        kept = await connection.fetchrow(_KEPT, first)
        version = kept["version"] if kept else None
        try:
            read = await _on(store, _read, store, batch_key(key.name, first), version)
        except NotStored:
            if kept is not None and (kept["sha256"] is not None or kept["size"] < found.entries):
                found.add(f"the object of the entries from {first} on is not in the store", by=STORE)
            elif kept is None and first < found.entries:
                found.add(f"the entries from {first} on are in no batch and not in the store", by=STORE)
            return
        except TrustError as error:
            found.add(f"the object of the entries from {first} on is damaged: {error}", by=STORE)
            return
        found.objects += 1
        head = read.header
        if first >= found.entries:
            found.add(
                f"the store holds {head.count} entries from {first} on, which the database does not have", by=STORE
            )
            return
        _check_head(found, first, head, key, tree, kept)
        if kept is not None and kept["sha256"] not in (None, read.sha256):
            found.add(f"the object of the entries from {first} on is another one than was stored", by=STORE)
        tree, changed = await asyncio.to_thread(tree.extended, read.leaves)
        if tree.root() != head.root or list(read.tiles) != _full(changed):
            found.add(f"the tiles of the object of the entries from {first} on are not those of its entries", by=STORE)
        await _compare(connection, first, read.leaves, found)
        await _compare_beside(connection, head, read.beside, found)
        first = head.size


def _check_head(
    found: Findings, first: int, head: Header, key: VerifierKey, tree: TileFrontier, kept: asyncpg.Record | None
) -> None:
    what = f"the object of the entries from {first} on"
    if (head.origin, head.first) != (key.name, first):
        found.add(f"{what} is another one: {head.origin} from {head.first} on", by=STORE)
    try:
        head.before.require(key)
        before = Checkpoint.parse(head.before.text)
    except TrustError as error:
        found.add(f"{what} does not begin with a checkpoint of this log: {error}", by=STORE)
        return
    if (before.size, before.root) != (first, tree.root()):
        found.add(f"{what} begins with the checkpoint of another tree than the objects before it make", by=STORE)
    if kept is None:
        found.add(f"no batch from {first} on is in the database, and the store holds one", by=STORE)
    elif (kept["size"], kept["root"]) != (head.size, head.root) or kept["before"] != str(head.before):
        found.add(f"the batch from {first} on is another one in the database than in the store", by=STORE)


async def _compare(connection: asyncpg.Connection[Any], first: int, leaves: Sequence[bytes], found: Findings) -> None:
    """Names the first entry that differs."""
    there = {}
    async for row in connection.cursor(_BODIES, first, first + len(leaves), prefetch=2_000):
        there[row["leaf_index"]] = leaf_hash(row["body"])
    for index, stored in enumerate(leaves, first):
        if there.get(index) != stored:
            what = (
                f"{await name_of(connection, index)} is not what was stored"
                if index in there
                else f"leaf {index} is gone"
            )
            found.add(what, by=STORE, rewritten=True)
            return


async def _compare_beside(
    connection: asyncpg.Connection[Any], head: Header, stored: Sequence[Beside], found: Findings
) -> None:
    """Signatures and keys as they were when their entries were stored. An object from before they were kept there has
    none; those of records that a recovery could not bring back are beside the recovery."""
    if not stored:
        return
    there = await beside.of_entries(connection, head.first, head.size)
    back = {row["place"]: json.loads(row["line"]) for row in await connection.fetch(_RETURNED, head.first, head.size)}
    for one in stored:
        kept = one in there or back.get(one.entries[0]) == one.members
        if not kept:
            what = {"signature": "the signature", "key": "the key", "agreement": "the agreement"}.get(
                str(one.members["what"]), "what stands beside"
            )
            changed = any(one.entries[0] in other.entries for other in there)
            found.add(
                f"{what} of {await name_of(connection, one.entries[0])} is "
                f"{'another one than was' if changed else 'not in the database, and was'} stored", by=STORE,
            )  # fmt: skip
    places = {place for one in stored for place in one.entries}
    for one in there:
        if strange := [place for place in one.entries if place not in places]:
            found.add(f"a signature or key of {await name_of(connection, strange[0])} was not stored with it", by=STORE)


async def check_published(connection: asyncpg.Connection[Any], found: Findings) -> None:
    """Every published note is the signed checkpoint with the cosignatures its policy asks for."""
    async for row in connection.cursor(_PUBLISHED, prefetch=200):
        try:
            note = Note.parse(row["note"])
            Policy.parse(row["text"]).accept(note)
        except TrustError as error:
            found.add(f"the published checkpoint of {row['size']} entries is not accepted: {error}", by=PUBLISHED)
            continue
        if note.text != Note.parse(row["signed"]).text:
            found.add(f"another tree of {row['size']} entries was cosigned and published than is signed", by=PUBLISHED)


def _full(changed: Sequence[Tile]) -> list[bytes]:
    return [tile.data for tile in sorted(changed) if tile.width == 256]


def _read(store: Store, key: str, version: str | None) -> _Object:
    """Blocks. Raises NotStored, and BatchError for every form that is not the format's."""
    digest, size = hashlib.sha256(), 0
    with store.open(key, version=version) as opened:

        def read(count: int) -> bytes:
            nonlocal size
            block = opened.read(count)
            digest.update(block)
            size += len(block)
            return block

        batch = BatchReader(read)
        leaves = [leaf_hash(entry) for entry in batch.entries()]
        tiles = [data for _, data in batch.tiles()]
        for _ in batch.rows():
            pass
        beside = list(batch.beside())
        batch.end()
    return _Object(batch.header, leaves, tiles, beside, size, digest.digest())


async def _on(store: Store, work: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(store.readers, work, *arguments)

"""Proofs for readers: which place an event has, and the hashes that tie it to a signed checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.ledger.models import Leaf, Log, SignedCheckpoint, Tile
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof
from casemgmt.trust.tiles import StoredTree, TileId, tiles_for_consistency, tiles_for_inclusion


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as the log signed it."""

    size: int
    note: Note


async def latest_checkpoint(db: AsyncSession) -> Signed:
    """Raises NotSequencedYet before the log has begun."""
    row = (await db.scalars(select(SignedCheckpoint).order_by(SignedCheckpoint.size.desc()).limit(1))).first()
    if row is None:
        raise NotSequencedYet
    return Signed(row.size, Note.parse(row.note))


async def checkpoint_at(db: AsyncSession, size: int) -> Signed:
    """A checkpoint that was signed earlier. Raises NoResultFound when none was signed at this size."""
    note = (await db.execute(select(SignedCheckpoint.note).where(SignedCheckpoint.size == size))).scalar_one()
    return Signed(size, Note.parse(note))


async def policy_text(db: AsyncSession) -> str:
    """What a verifier is to believe: this installation's log, and no witnesses. Raises NotSequencedYet."""
    vkey = await db.scalar(select(Log.vkey))
    if vkey is None:
        raise NotSequencedYet
    return str(Policy((VerifierKey.parse(vkey),)))


async def leaf_indexes(db: AsyncSession, entry_ids: Collection[int]) -> dict[int, int]:
    """Place in the tree by entry id; entries that are not sequenced yet are left out."""
    rows = await db.execute(select(Leaf.entry_id, Leaf.leaf_index).where(Leaf.entry_id.in_(entry_ids)))
    return {row.entry_id: row.leaf_index for row in rows}


async def inclusion(db: AsyncSession, indexes: Collection[int], at: Signed) -> dict[int, Proof]:
    """A proof at one checkpoint for each leaf index, all of which must be below its size."""
    wanted = {tile for index in indexes for tile in tiles_for_inclusion(index, at.size)}
    tree = StoredTree(at.size, await _tiles(db, wanted))
    return {index: Proof(index, tuple(tree.inclusion(index)), at.note) for index in indexes}


async def growth(db: AsyncSession, old: int, at: Signed) -> list[bytes]:
    """The consistency proof that the ledger of ``at`` begins with that of size ``old``."""
    tree = StoredTree(at.size, await _tiles(db, tiles_for_consistency(old, at.size)))
    return tree.consistency(old)


async def proof_of_entry(db: AsyncSession, entry_id: int) -> Proof:
    """The proof of one entry at the newest checkpoint. Raises NotSequencedYet while it has no place."""
    index = (await leaf_indexes(db, [entry_id])).get(entry_id)
    if index is None:
        raise NotSequencedYet
    at = await latest_checkpoint(db)
    return (await inclusion(db, [index], at))[index]


async def _tiles(db: AsyncSession, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
    """In one query. A tile may have grown wider since the checkpoint; its first hashes stay what they were."""
    by_number = {(tile.level, tile.number): tile for tile in wanted}
    if not by_number:
        return {}
    query = select(Tile.level, Tile.n, Tile.data).where(tuple_(Tile.level, Tile.n).in_(by_number))
    return {by_number[row.level, row.n]: row.data for row in await db.execute(query)}

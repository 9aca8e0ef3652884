"""Proofs for readers: which place an event has, and the hashes that tie it to a published checkpoint.

What goes out (proofs, pages, packages) is at the newest *published* checkpoint: signed by the log and cosigned to the
quorum of the policy in force. Where the policy asks for no witness, what is signed is published.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.i18n import N_
from casemgmt.ledger.errors import HistoryDisputed, NotSequencedYet, QuorumNotMet
from casemgmt.ledger.models import Leaf, SignedCheckpoint
from casemgmt.ledger.policy import in_force
from casemgmt.ledger.standing import quorum_words, silent_words, standing
from casemgmt.ledger.tiles import BY_NUMBER
from casemgmt.trust.note import Note
from casemgmt.trust.proof import Proof
from casemgmt.trust.tiles import StoredTree, TileId, tiles_for_consistency, tiles_for_inclusion

_NEWEST = text("select size, note from ledger.newest_published()")
_TILES = text(BY_NUMBER.format(levels="cast(:levels as int[])", numbers="cast(:numbers as bigint[])"))
_NOT_PINNED = text(
    "select true from ledger.pinned n"
    " where n.text is distinct from (select p.text from ledger.policy p order by p.version desc limit 1)"
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as the log signed it, and as far as the policy asks, as the witnesses cosigned it."""

    size: int
    note: Note


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands. ``published`` is the size of the checkpoint its proof is at, None while there is none.

    ``witnesses`` are asked for and ``cosigned`` of them have cosigned a tree with this event; both 0 without witnesses.
    """

    index: int
    published: int | None
    cosigned: int = 0
    witnesses: int = 0


async def latest_checkpoint(db: AsyncSession) -> Signed:
    """The newest published one. Raises NotSequencedYet before the log has begun, QuorumNotMet when nothing was
    published under the policy in force yet."""
    found = await _newest(db)
    if found is None:
        raise await _why_nothing_newer(db)
    return found


async def checkpoint_at(db: AsyncSession, size: int) -> Signed:
    """A checkpoint that was signed earlier. Raises NoResultFound when none was signed at this size."""
    note = (await db.execute(select(SignedCheckpoint.note).where(SignedCheckpoint.size == size))).scalar_one()
    return Signed(size, Note.parse(note))


async def policy_text(db: AsyncSession) -> str:
    """What a verifier is to believe: this installation's log, and the witnesses of the policy in force.

    Raises NotSequencedYet.
    """
    return str((await in_force(db)).policy)


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
    """The proof of one entry at the newest published checkpoint.

    Raises NotSequencedYet while it has no place, QuorumNotMet while too few witnesses have cosigned a tree with it.
    """
    index = (await leaf_indexes(db, [entry_id])).get(entry_id)
    if index is None:
        raise NotSequencedYet
    at = await published_above(db, [index])
    return (await inclusion(db, [index], at))[index]


async def published_above(db: AsyncSession, indexes: Collection[int]) -> Signed:
    """The newest published checkpoint, when all these leaves are under it. Raises as ``proof_of_entry``."""
    at = await _newest(db)
    if at is None or any(index >= at.size for index in indexes):
        raise await _why_nothing_newer(db)
    return at


async def place_of(db: AsyncSession, entry_id: int) -> Place | None:
    """Where the entry stands; None while it is not sequenced. Raises nothing: this is for a page."""
    index = (await leaf_indexes(db, [entry_id])).get(entry_id)
    if index is None:
        return None
    at = await _newest(db)
    if at is not None and index < at.size:
        return Place(index, at.size)
    witnesses = await standing(db)
    cosigned = sum(witness.size is not None and witness.size > index for witness in witnesses)
    return Place(index, None, cosigned, len(witnesses))


async def _newest(db: AsyncSession) -> Signed | None:
    row = (await db.execute(_NEWEST)).first()
    return None if row is None else Signed(row.size, Note.parse(row.note))


async def _why_nothing_newer(db: AsyncSession) -> NotSequencedYet:
    """What keeps the newest signed checkpoint from being published, in words."""
    force = await in_force(db)
    if await db.scalar(_NOT_PINNED):
        return QuorumNotMet(
            N_(
                "The witness policy in force is not the one in this installation's policy file. Nothing goes out until "
                "an administrator has put it in force on the page of the ledger."
            )
        )
    signed = await db.scalar(select(SignedCheckpoint.size).order_by(SignedCheckpoint.size.desc()).limit(1))
    if not force.witnessed or signed is None:
        return NotSequencedYet()
    witnesses = await standing(db, force)
    if disputing := [witness.name for witness in witnesses if witness.alarm]:
        words = N_(
            "%(names)s says that this ledger is not the one it saw. Nothing goes out until that is cleared up: tell "
            "the administrator and the auditor.",
            names=", ".join(disputing),
        )
        return HistoryDisputed(words)
    cosigned = sum(witness.size is not None and witness.size >= signed for witness in witnesses)
    quorum, silent = quorum_words(force.policy), silent_words(witnesses)
    if not silent:
        return QuorumNotMet(
            N_(
                "Waiting for witnesses: %(cosigned)s of %(all)s have cosigned, and the policy asks for %(quorum)s. "
                "Try again in a moment.",
                cosigned=cosigned, all=len(witnesses), quorum=quorum,
            )
        )  # fmt: skip
    return QuorumNotMet(
        N_(
            "Too few witnesses have cosigned the ledger for this to go out: %(cosigned)s of %(all)s, and the policy "
            "asks for %(quorum)s. Silent: %(silent)s. Work goes on; this resumes by itself when they answer.",
            cosigned=cosigned, all=len(witnesses), quorum=quorum, silent=silent,
        )
    )  # fmt: skip


async def _tiles(db: AsyncSession, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
    """In one query. A tile may have grown wider since the checkpoint; its first hashes stay what they were."""
    by_number = {(tile.level, tile.number): tile for tile in wanted}
    if not by_number:
        return {}
    places = {"levels": [level for level, _ in by_number], "numbers": [n for _, n in by_number]}
    return {by_number[row.level, row.n]: row.data for row in await db.execute(_TILES, places)}

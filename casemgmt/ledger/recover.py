"""Brings a database that is older than the log back to the log, from the write-once store, without a fork.

What comes back whole is the ledger: every entry with its bytes, its stream, its number and its place, and the signed
checkpoints. Of the other tables, custody of exhibits that the backup has is made up for from the entries' bytes, with
its signatures; people's keys are enrolled and revoked, and numbers reserved, as the entries say. The rest (seizures,
exhibits, cases, files, people that are newer than the backup) is listed by number, and is entered again by people, as
new events. ``docs/guide/administrator.md`` is the runbook.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from casemgmt.ledger import batches
from casemgmt.ledger.archive import Archive, Archived
from casemgmt.ledger.batches import Batch, Entry
from casemgmt.ledger.cosigning import Cosigned, Disputed, ask_about
from casemgmt.ledger.errors import ForkError, LedgerError
from casemgmt.ledger.reimport import Recovered, Reimport
from casemgmt.ledger.sequencer import LOCK, keep_checkpoint, proof_since, require_key, restored
from casemgmt.ledger.signer import LogSigner
from casemgmt.storage.contract import NotStored, Store
from casemgmt.trust.batch import BatchReader, Header
from casemgmt.trust.beside import Beside
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.tiles import TileFrontier


@dataclass(frozen=True, slots=True)
class _Read:
    header: Header
    entries: Sequence[Entry]
    tiles: bytes
    beside: Sequence[Beside]
    stored: Archived


async def recover(
    owner: asyncpg.Connection[Any],
    connection: asyncpg.Connection[Any],
    signer: LogSigner,
    store: Store,
    *,
    retention: timedelta,
    known: Sequence[Note] = (),
    policy: Policy | None = None,
) -> Recovered:
    """``owner`` is signed in as owner_login, ``connection`` as sequencer. Safe to repeat after a crash at any point.

    ``known``: checkpoints that others hold (witnesses, packages); the store must reach every one of them. The witnesses
    of ``policy``, or of the newest policy the backup has, are asked themselves. Raises LedgerError, having left
    everything as it is up to the last whole batch.
    """
    await _lock(connection)
    await connection.execute("set plan_cache_mode = force_custom_plan")
    key = await signer.verifier()
    await require_key(connection, key)
    tree, signed = await restored(connection, key)
    if signed is None:
        raise LedgerError("this database has never had a ledger: restore a backup of it first")
    archive = Archive(store, key.name, retention)
    work = _Recovery(owner, connection, signer, archive, key, tree, signed)
    await work.run()
    await work.reach(known)
    await work.ask_witnesses(policy or await _policy(connection))
    await work.finish()
    return work.done


class _Recovery:
    """One run: object after object from the last signed size on."""

    def __init__(
        self,
        owner: asyncpg.Connection[Any],
        connection: asyncpg.Connection[Any],
        signer: LogSigner,
        archive: Archive,
        key: VerifierKey,
        tree: TileFrontier,
        signed: Note,
    ) -> None:
        self._owner, self._db = owner, connection
        self._signer, self._archive, self._key = signer, archive, key
        self._tree, self._signed = tree, signed
        self.done = Recovered(Checkpoint.parse(signed.text).size)
        self._entries = Reimport(owner, connection, self.done)

    async def run(self) -> None:
        at = self.done.before
        upcoming = await self._read(at)
        while upcoming is not None:
            batch, upcoming = upcoming, await self._read(upcoming.header.size)
            await self._take(batch, upcoming.header.before if upcoming else None)
        self.done.after = Checkpoint.parse(self._signed.text).size

    async def reach(self, known: Sequence[Note]) -> None:
        """The store, and so the database now, holds everything that the signer or anybody else has seen signed."""
        last = await self._signer.last()
        seen = [] if last is None else [("the signer", last)]
        for note in known:
            note.require(self._key)
            seen.append(("a checkpoint that was given", Checkpoint.parse(note.text)))
        for who, checkpoint in seen:
            if checkpoint.size > self.done.after:
                raise _incomplete(who, checkpoint.size, self.done.after)
            root = await self._root_at(checkpoint.size)
            if root is not None and root != checkpoint.root:
                raise ForkError(f"{who} knows another tree of {checkpoint.size} entries than the store holds")

    async def ask_witnesses(self, policy: Policy | None) -> None:
        """Whoever cosigned a larger tree, or another one, says so now and not when people work again."""
        if policy is None or not self.done.after:
            return
        asked = await ask_about(self._db, policy, self._key, self._signed, self.done.after)
        for name, outcome in asked.items():
            match outcome:
                case Cosigned():
                    self.done.confirmed.append(name)
                case Disputed(told=int(told)) if told > self.done.after:
                    raise _incomplete(f"the witness {name}", told, self.done.after)
                case Disputed():
                    raise ForkError(
                        f"the witness {name} knows another tree than the store holds ({outcome.status}: "
                        f"{outcome.detail}): backup, store or signer are not those of the ledger it cosigned"
                    )
                case _:
                    self.done.silent[name] = str(outcome)

    async def finish(self) -> None:
        """What follows from the entries: numbers are not given again, custody is made up for, the halt is lifted."""
        async with self._owner.transaction():
            ids = [self._entries.highest.get(kind) for kind in ("entry", "seizure", "exhibit", "case")]
            await self._owner.execute("select ledger.raise_ids($1, $2, $3, $4)", *ids)
            await self._keys("ledger.bring_back_keys()", "lost-key")
            await self._agreements("ledger.bring_back_agreements()")
            for row in await self._owner.fetch("select exhibit, behind, reason from ledger.catch_up()"):
                if row["reason"] is None:
                    self.done.caught_up += 1
                else:
                    self.done.behind[row["exhibit"]] = row["reason"]
            # after the signatures: what was signed with a key before it was revoked is signed
            await self._keys("ledger.bring_back_revocations()", "key")
            await self._agreements("ledger.bring_back_outcomes()")
            for row in await self._owner.fetch("select stream, stream_seq from ledger.unsigned()"):
                self.done.name("signature", f"{row['stream']} {row['stream_seq']}")
            await self._owner.execute(
                "select ledger.end_recovery($1, $2, $3)",
                self.done.before, self.done.after, json.dumps(self.done.missing()),
            )  # fmt: skip

    async def _keys(self, call: str, missing: str) -> None:
        for row in await self._owner.fetch(f"select stream, key, done from {call}"):  # noqa: S608 - our own two
            if row["done"]:
                self.done.keys += 1
            else:
                self.done.name(missing, f"{row['stream'].partition(':')[2]} {row['key']}")

    async def _agreements(self, call: str) -> None:
        for row in await self._owner.fetch(f"select stream, done from {call}"):  # noqa: S608 - our own two
            if not row["done"]:
                self.done.name("agreement", row["stream"].partition(":")[2])

    async def _read(self, first: int) -> _Read | None:
        """The object of the entries from ``first`` on, checked by itself; None when there is none."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._archive.store.readers, self._parse, first)
        except NotStored:
            return None
        except TrustError as error:
            raise LedgerError(f"the object of the entries from {first} on is damaged: {error}") from error
        if (found.header.origin, found.header.first) != (self._key.name, first):
            raise LedgerError(f"the object of the entries from {first} on belongs elsewhere")
        return found

    def _parse(self, first: int) -> _Read:
        key, digest, size = self._archive.key(first), hashlib.sha256(), 0
        info = self._archive.store.stat(key)
        with self._archive.store.open(key, version=info.version) as opened:

            def read(count: int) -> bytes:
                nonlocal size
                block = opened.read(count)
                digest.update(block)
                size += len(block)
                return block

            batch = BatchReader(read)
            bodies = list(batch.entries())
            tiles = b"".join(data for _, data in batch.tiles())
            rows = list(batch.rows())
            beside = list(batch.beside())
            batch.end()
        entries = [Entry(body, leaf_hash(body), row) for body, row in zip(bodies, rows, strict=True)]
        stored = Archived(key, info.version, size, digest.digest(), info.retained_until)
        return _Read(batch.header, entries, tiles, beside, stored)

    async def _take(self, read: _Read, following: Note | None) -> None:
        """Import one batch: entries, then leaves and tiles, then the checkpoint over it."""
        head = read.header
        before = Checkpoint.parse(self._signed.text)
        if head.before.text != self._signed.text:
            raise ForkError(
                f"the object of the entries from {head.first} on continues another tree than this database has: the "
                "backup was changed, or belongs to another installation"
            )
        batch = Batch(head.first, head.size, head.root, self._signed, read.entries, read.tiles, read.beside)
        if self._tree.size == before.size:
            await self._entries.take(read.header.first, read.entries, read.beside)
            hashes = [entry.leaf_hash for entry in read.entries]
            tree, tiles = await asyncio.to_thread(self._tree.extended, hashes)
            if tree.root() != head.root or batches.full(tiles) != read.tiles:
                raise LedgerError(f"the object of the entries from {head.first} on does not have the root it says")
            await batches.keep(self._db, batch, [entry.id for entry in read.entries], tiles)
            self._tree = tree
        elif (self._tree.size, self._tree.root()) != (head.size, head.root):
            raise ForkError(f"the database has another batch from {head.first} on than the store")
        note = await self._note(head, following)
        async with self._db.transaction():
            await batches.note_archived(self._db, batch, read.stored)
            await keep_checkpoint(self._db, Checkpoint(self._key.name, head.size, head.root), note)
        self._signed = note

    async def _note(self, head: Header, following: Note | None) -> Note:
        """The checkpoint over a batch: as the next object has it, or for the last one from the signer."""
        checkpoint = Checkpoint(self._key.name, head.size, head.root)
        if following is not None:
            with suppress(TrustError):
                following.require(self._key)
                if following.text == checkpoint.body:
                    return following
            raise ForkError(f"the object after {head.size} entries continues another tree than the one before it makes")
        last = await self._signer.last()
        if last is not None and last.size > head.size:
            raise _incomplete("the signer", last.size, head.size)
        return await self._signer.sign(
            checkpoint, last.size if last else 0, await proof_since(self._db, last, head.size)
        )

    async def _root_at(self, size: int) -> bytes | None:
        root: bytes | None = await self._db.fetchval("select root from ledger.checkpoint where size = $1", size)
        return root


async def _lock(connection: asyncpg.Connection[Any]) -> None:
    for _ in range(100):
        if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
            return
        await asyncio.sleep(0.1)
    raise LedgerError("a worker is sequencing this ledger: stop it first")


async def _policy(connection: asyncpg.Connection[Any]) -> Policy | None:
    text = await connection.fetchval("select text from ledger.policy order by version desc limit 1")
    return None if text is None else Policy.parse(text)


def _incomplete(who: str, known: int, there: int) -> LedgerError:
    return LedgerError(
        f"{who} knows of {known} entries, and the store holds {there}: objects of the store are missing. Find them "
        "first; the log stays stopped"
    )

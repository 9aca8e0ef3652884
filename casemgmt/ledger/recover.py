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
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from casemgmt.ledger import batches
from casemgmt.ledger.archive import Archive, Archived
from casemgmt.ledger.batches import Batch, Entry
from casemgmt.ledger.cosigning import Cosigned, Disputed, ask_about
from casemgmt.ledger.errors import ForkError, LedgerError
from casemgmt.ledger.sequencer import LOCK, keep_checkpoint, proof_since, require_key, restored
from casemgmt.ledger.serials import RESERVED, reserved_block, serials_in
from casemgmt.ledger.signer import LogSigner
from casemgmt.storage.contract import NotStored, Store
from casemgmt.trust.batch import BatchReader, Header
from casemgmt.trust.beside import Beside
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.tiles import TileFrontier

LISTED = 1_000  # numbers of each kind that are kept beside the recovery; all of them are counted

_THERE = "select id, event_id, body from ledger.entry where id = any ($1::bigint[]) or event_id = any ($2::uuid[])"
_REIMPORT = "select ledger.reimport($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"


class ConflictError(LedgerError):
    """The database has events that have no place in the log, because somebody worked with the restored backup."""


@dataclass
class Recovered:
    """``numbers``: what the entries speak of and the database has no rows for, by kind of record. ``confirmed``: the
    witnesses that cosigned the recovered tree; ``silent``: those that could not be asked, with the reason."""

    before: int
    after: int = 0
    entries: int = 0
    caught_up: int = 0
    keys: int = 0
    confirmed: list[str] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, list[str]] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)

    def missing(self) -> dict[str, Any]:
        """What is kept beside the recovery: all counts, and the first numbers of each kind."""
        return {
            "numbers": {kind: found[:LISTED] for kind, found in self.numbers.items()},
            "counts": {kind: len(found) for kind, found in self.numbers.items()},
            "events": dict(self.types),
            "custody_behind": dict(list(self.behind.items())[:LISTED]),
        }


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
        self._highest: dict[str, int] = {}

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
            ids = [self._highest.get(kind) for kind in ("entry", "seizure", "exhibit", "case")]
            await self._owner.execute("select ledger.raise_ids($1, $2, $3, $4)", *ids)
            await self._keys("ledger.bring_back_keys()", "lost-key")
            for row in await self._owner.fetch("select exhibit, behind, reason from ledger.catch_up()"):
                if row["reason"] is None:
                    self.done.caught_up += 1
                else:
                    self.done.behind[row["exhibit"]] = row["reason"]
            # after the signatures: what was signed with a key before it was revoked is signed
            await self._keys("ledger.bring_back_revocations()", "key")
            for row in await self._owner.fetch("select stream, stream_seq from ledger.unsigned()"):
                self._name("signature", f"{row['stream']} {row['stream_seq']}")
            await self._owner.execute(
                "select ledger.end_recovery($1, $2, $3)",
                self.done.before, self.done.after, json.dumps(self.done.missing()),
            )  # fmt: skip

    async def _keys(self, call: str, missing: str) -> None:
        for row in await self._owner.fetch(f"select stream, key, done from {call}"):  # noqa: S608 - our own two
            if row["done"]:
                self.done.keys += 1
            else:
                self._name(missing, f"{row['stream'].partition(':')[2]} {row['key']}")

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
            async with self._owner.transaction():
                await self._import(read.entries)
                await self._take_beside(read)
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

    # Entries: with their old ids, streams and times.

    async def _import(self, entries: Sequence[Entry]) -> None:
        ids, event_ids = [entry.row.id for entry in entries], [UUID(entry.row.event_id) for entry in entries]
        there = {row["id"]: row for row in await self._db.fetch(_THERE, ids, event_ids)}
        fresh = []
        for entry in entries:
            row = there.get(entry.row.id)
            if row is None:
                fresh.append(entry)
            elif (str(row["event_id"]), row["body"]) != (entry.row.event_id, entry.body):
                raise _conflict(f"entry {entry.row.id} of the database is another one than was stored")
        known = await self._known(fresh)
        columns: list[list[Any]] = [[] for _ in range(12)]
        for entry in fresh:
            values = self._values(entry, known)
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        try:
            if fresh:
                await self._owner.execute(_REIMPORT, *columns)
        except asyncpg.PostgresError as error:
            if error.sqlstate in ("23505", "CM001"):  # the number, or the place in its stream, is taken
                raise _conflict(str(error)) from error
            raise
        events = [Event.parse(entry.body) for entry in fresh]
        await self._note_serials(events)
        await self._bring_back_blocks([entry.row.event_id for entry in fresh], events)
        self.done.entries += len(fresh)

    async def _take_beside(self, read: _Read) -> None:
        """Signatures and keys, by the entries they belong to; they are made use of at the end."""
        ids = {place: entry.row.id for place, entry in enumerate(read.entries, read.header.first)}
        lines = [
            {"entries": [ids[place] for place in one.entries], "line": dict(one.members)} for one in read.beside
        ]  # fmt: skip
        if lines:
            await self._owner.execute("select ledger.take_beside($1::jsonb)", json.dumps(lines))

    async def _bring_back_blocks(self, event_ids: Sequence[str], events: Sequence[Event]) -> None:
        found = [
            (event_id, *block)
            for event_id, event in zip(event_ids, events, strict=True)
            if (block := reserved_block(event)) is not None
        ]
        if found:
            await self._owner.execute(
                "select ledger.bring_back_blocks($1, $2, $3, $4, $5, $6)", *zip(*found, strict=True)
            )

    async def _known(self, entries: Sequence[Entry]) -> dict[tuple[str, int], str]:
        ids = [
            list({getattr(entry.row, name) for entry in entries} - {None})
            for name in ("seizure_id", "exhibit_id", "case_id")
        ]
        rows = await self._owner.fetch("select kind, id, number from ledger.known($1, $2, $3)", *ids)
        return {(row["kind"], row["id"]): row["number"] for row in rows}

    def _values(self, entry: Entry, known: dict[tuple[str, int], str]) -> tuple[Any, ...]:
        row, event = entry.row, _event(entry.body)
        subject, _, number = event.stream.partition(":")
        kept: dict[str, int | None] = {}
        for kind, id_ in (("seizure", row.seizure_id), ("exhibit", row.exhibit_id), ("case", row.case_id)):
            found = known.get((kind, id_)) if id_ is not None else None
            # the same id may have been given to another record since the backup was restored
            kept[kind] = id_ if found is not None and (subject != kind or found == number) else None
            if id_ is not None:
                self._highest[kind] = max(self._highest.get(kind, 0), id_)
        self._highest["entry"] = max(self._highest.get("entry", 0), row.id)
        detached = (kept["seizure"], kept["exhibit"], kept["case"]) != (row.seizure_id, row.exhibit_id, row.case_id)
        self._list(event, kept, detached=detached)
        return (
            row.id, UUID(row.event_id), event.stream, event.seq, event.type, kept["seizure"], kept["exhibit"],
            kept["case"], row.actor_id, datetime.fromisoformat(row.at), entry.body, detached,
        )  # fmt: skip

    def _list(self, event: Event, kept: dict[str, int | None], *, detached: bool) -> None:
        """What an entry speaks of and the database will not have a row for."""
        self.done.types[event.type] += 1
        subject, _, number = event.stream.partition(":")
        if event.type.startswith("custody:handover:") and kept["exhibit"] is not None:
            return  # made up for at the end
        if subject == "passkeys" or event.type == RESERVED:
            return  # brought back, or named at the end
        if detached and subject in ("seizure", "exhibit", "case"):
            self._name(subject, number)
        if event.type == "evidence:file:received":
            self._name("file", f"{event.data.get('file')} of {number}, SHA-256 {event.data.get('sha256')}")
        elif not detached:
            self._name("change", f"{event.type} {event.stream} {event.seq}")

    def _name(self, kind: str, number: str) -> None:
        found = self.done.numbers.setdefault(kind, [])
        if not found or found[-1] != number:
            found.append(number)

    async def _note_serials(self, events: Sequence[Event]) -> None:
        found = serials_in(events)
        if found:
            await self._owner.execute("select ledger.raise_serials($1, $2, $3, $4)", *zip(*found, strict=True))


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


def _event(body: bytes) -> Event:
    try:
        return Event.parse(body)
    except EventError as error:
        raise LedgerError(f"the store holds an entry that is no event: {error}") from error


def _conflict(what: str) -> ConflictError:
    return ConflictError(
        f"{what}. Somebody worked with the restored backup before it was recovered: what they recorded has no place in "
        "the log. Write it down, restore the backup once more, recover before anybody signs in, and enter it again"
    )

"""Entries on their way back into the database: with their old ids, streams and times, and what belongs to them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from casemgmt.ledger.batches import Entry
from casemgmt.ledger.errors import LedgerError
from casemgmt.ledger.serials import RESERVED, reserved_block, serials_in
from casemgmt.trust.beside import Beside
from casemgmt.trust.errors import EventError
from casemgmt.trust.events import Event

_CAUGHT_UP = ("custody:handover:", "custody:exhibit:disputed", "custody:exhibit:resolved")
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

    def name(self, kind: str, number: str) -> None:
        found = self.numbers.setdefault(kind, [])
        if not found or found[-1] != number:
            found.append(number)


class Reimport:
    """One recovery's entries. ``highest``: the largest id of each kind of record that they name."""

    def __init__(self, owner: asyncpg.Connection[Any], connection: asyncpg.Connection[Any], done: Recovered) -> None:
        self._owner, self._db, self.done = owner, connection, done
        self.highest: dict[str, int] = {}

    async def take(self, first: int, entries: Sequence[Entry], beside: Sequence[Beside]) -> None:
        """One batch, as a whole or not at all: entries, the numbers they give away, and what belongs to them, which is
        made use of at the end. What is there already must be the same; raises ConflictError."""
        async with self._owner.transaction():
            await self._import(entries)
            await self._take_beside(first, entries, beside)

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

    async def _take_beside(self, first: int, entries: Sequence[Entry], beside: Sequence[Beside]) -> None:
        ids = {place: entry.row.id for place, entry in enumerate(entries, first)}
        lines = [{"entries": [ids[place] for place in one.entries], "line": dict(one.members)} for one in beside]
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
                self.highest[kind] = max(self.highest.get(kind, 0), id_)
        self.highest["entry"] = max(self.highest.get("entry", 0), row.id)
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
        if event.type.startswith(_CAUGHT_UP) and kept["exhibit"] is not None:
            return  # made up for at the end
        if subject in ("passkeys", "agreement") or event.type == RESERVED:
            return  # brought back, or named at the end
        if detached and subject in ("seizure", "exhibit", "case"):
            self.done.name(subject, number)
        if event.type == "evidence:file:received":
            self.done.name("file", f"{event.data.get('file')} of {number}, SHA-256 {event.data.get('sha256')}")
        elif not detached:
            self.done.name("change", f"{event.type} {event.stream} {event.seq}")

    async def _note_serials(self, events: Sequence[Event]) -> None:
        found = serials_in(events)
        if found:
            await self._owner.execute("select ledger.raise_serials($1, $2, $3, $4)", *zip(*found, strict=True))


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

"""Asks the witnesses of the policy to cosign what the log signed, and publishes what the quorum has cosigned.

Interface with the rest of the ledger: rows of ``ledger.checkpoint`` are signed by the log; rows of ``ledger.published``
are cosigned to the quorum of a policy version. Work never waits for this, and one witness never for another: each has
its own last size and its own pace after a failure. A witness that says it saw another history stops all publishing
until it cosigns again or an administrator takes it out of the policy; nothing is ever repaired here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from casemgmt.core.waiting import stopped_within, woken_within
from casemgmt.ledger.cosigning import PATIENCE, Cosigned, Disputed, Failed, History, Outcome, Overtaken, ask
from casemgmt.ledger.sequencer import SIGNED
from casemgmt.ledger.standing import STANDING, joined, keys_of
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.trust.errors import SignatureInvalidError
from casemgmt.trust.keys import Signature, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy, Witness
from casemgmt.trust.tiles import StoredTree, tiles_for_consistency

LOCK = 0x776974  # "wit"
LOOK = 0.1  # seconds between two looks for a new checkpoint or a new policy that nobody told of
PACE = 0.25  # seconds between two rounds while there is always something new
GRACE = 0.25  # seconds the others get once the quorum holds: more cosignatures are worth that much
FIRST_BACKOFF, LAST_BACKOFF = 1.0, 60.0  # seconds a silent witness is left alone, doubling

log = structlog.get_logger()

_POLICY = "select version, text, witnessed from ledger.policy order by version desc limit 1"
_NEWEST = "select size, note from ledger.checkpoint where size > 0 order by size desc limit 1"
_SIGNATURES = "select vkey, signature from ledger.cosignature where size = $1 and vkey = any ($2)"
_PIN = """
insert into ledger.pinned(single, text) values (true, $1)
on conflict (single) do update set text = excluded.text, at = now() where ledger.pinned.text <> excluded.text"""
_STATE = """
insert into ledger.witness_state as s (vkey, failing_since, problem, detail)
values ($1, case when $2::text <> 'clock' then now() end, $2, $3)
on conflict (vkey) do update set problem = excluded.problem, detail = excluded.detail, at = now(),
  failing_since = case when excluded.problem is null or excluded.problem = 'clock' then null
                       else coalesce(s.failing_since, excluded.failing_since) end"""
_ALARM = """
insert into ledger.alarm(vkey, status, asked, told, detail)
select $1, $2, $3, $4, $5
 where not exists (
   select from (select a.* from ledger.alarm a where a.vkey = $1 order by a.id desc limit 1) a
    where a.status = $2 and a.told is not distinct from $4
      and not exists (select from ledger.cosignature c where c.vkey = $1 and c.at > a.at))
returning id"""


@dataclass(slots=True)
class _Witness:
    """One witness as this process knows it. ``size`` is what to ask from; ``due`` is a time of the event loop."""

    name: str
    witness: Witness
    size: int
    failures: int = 0
    due: float = 0.0
    said: str | None = None  # the problem last written down
    asking: asyncio.Task[Outcome] | None = None
    asked: int = 0

    @property
    def vkey(self) -> str:
        return str(self.witness.key)


@dataclass(slots=True)
class _Force:
    version: int
    policy: Policy
    witnesses: dict[str, _Witness] = field(default_factory=dict)


class Witnessing:
    """Rounds over one connection of role sequencer, held by one process at a time (see ``run_witnessing``)."""

    def __init__(self, connection: asyncpg.Connection[Any], log_key: VerifierKey, pinned: Policy | None = None) -> None:
        self._db, self._log, self._pinned = connection, log_key, pinned
        self._one = asyncio.Lock()  # the connection does one thing at a time, and witnesses are asked side by side
        self._force: _Force | None = None
        self._warned: set[tuple[int, str]] = set()  # of one size
        self._history = History(self._growth, self._largest)

    async def prepare(self) -> None:
        """Write down which policy file this installation was given, or that there is none."""
        if self._pinned is None:
            await self._db.execute("delete from ledger.pinned")
        else:
            await self._db.execute(_PIN, str(self._pinned))

    async def run(self, stop: asyncio.Event) -> None:
        """Rounds until ``stop`` is set."""
        await self.prepare()
        woken = asyncio.Event()
        await self._db.add_listener(SIGNED, lambda *_: woken.set())
        try:
            while not stop.is_set():
                worked = await self.round()
                await (stopped_within(stop, PACE) if worked else woken_within(stop, woken, LOOK))
        finally:
            await self._abandon()

    async def round(self) -> bool:
        """Ask whoever is due about the newest checkpoint and publish it when the quorum holds; False: nothing to do."""
        force = await self._in_force()
        newest = await self._fetchrow(_NEWEST)
        if force is None or newest is None:
            return False
        size, note = newest["size"], Note.parse(newest["note"])
        begun = await self._begin(force, size, note)
        if not begun and not any(one.asking for one in force.witnesses.values()):
            return False
        await self._collect(force, size, note)
        return True

    async def _begin(self, force: _Force, size: int, note: Note) -> bool:
        """Start asking every witness that is free, due and has not cosigned this size."""
        now, begun = _clock(), False
        for one in force.witnesses.values():
            if one.asking is None and one.size < size and now >= one.due and one.witness.url:
                one.asked = size
                asking = ask(one.witness, self._log, note, size, one.size, self._history)
                one.asking = asyncio.create_task(asking)
                begun = True
        return begun

    async def _collect(self, force: _Force, size: int, note: Note) -> None:
        """Take answers as they come; publish as soon as the quorum holds and the others had their moment of grace."""
        end, published = _clock() + PATIENCE, False
        while asking := [one.asking for one in force.witnesses.values() if one.asking is not None]:
            left = end - _clock()
            if left <= 0:
                break
            await asyncio.wait(asking, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await self._settle(force)
            if not published and force.policy.met_by(await self._signatures(force, size, note.text)):
                published, end = True, min(end, _clock() + GRACE)
        await self._publish(force, size, note)

    async def _settle(self, force: _Force) -> None:
        for one in force.witnesses.values():
            if one.asking is not None and one.asking.done():
                outcome, one.asking = one.asking.result(), None
                await self._write_down(one, outcome)

    async def _write_down(self, one: _Witness, outcome: Outcome) -> None:
        match outcome:
            case Cosigned(signature, apart, forgot):
                await self._execute(
                    "insert into ledger.cosignature(size, vkey, signature) values ($1, $2, $3) on conflict do nothing",
                    one.asked, one.vkey, signature.value,
                )  # fmt: skip
                one.size, one.failures, one.due = one.asked, 0, 0.0
                await self._say(one, "clock" if apart is not None else None, f"{apart} s" if apart is not None else "")
                if forgot is not None:
                    log.warning("ledger.witness_forgot", witness=one.name, named=forgot)
            case Overtaken(known):
                one.size = known
            case Failed(problem, detail, known):
                one.size = one.size if known is None else known
                self._wait(one)
                await self._say(one, problem, detail)
            case Disputed(status, asked, told, detail):
                self._wait(one)
                await self._say(one, "other-history", detail)
                if await self._fetchrow(_ALARM, one.vkey, status, asked, told, detail):
                    log.error(
                        "ledger.history_disputed", witness=one.name, status=status, asked=asked, told=told,
                        detail=detail, consequence="nothing is published until this is cleared up",
                    )  # fmt: skip

    def _wait(self, one: _Witness) -> None:
        one.due = _clock() + min(FIRST_BACKOFF * 2.0 ** min(one.failures, 16), LAST_BACKOFF)
        one.failures += 1

    async def _say(self, one: _Witness, problem: str | None, detail: str) -> None:
        """Write down how it goes when that changed; a failure also with every try, for its words."""
        if problem == one.said and problem in (None, "clock"):
            return
        if problem != one.said:
            log.warning("ledger.witness", witness=one.name, problem=problem or "none", detail=detail)
        one.said = problem
        await self._execute(_STATE, one.vkey, problem, detail)

    async def _publish(self, force: _Force, size: int, note: Note) -> None:
        signatures = await self._signatures(force, size, note.text)
        if not force.policy.met_by(signatures):
            return
        if self._pinned is not None and str(self._pinned) != str(force.policy):
            return  # ``newest_published`` says nothing either, and the page and the doctor say why
        if await self._disputed(force):
            return
        whole = Note(note.text, tuple(s for s in note.signatures if self._log.made(s)))
        whole = whole.with_signatures(signatures[name] for name in force.policy.witnesses if name in signatures)
        force.policy.accept(whole)  # as any reader will
        await self._execute(
            "insert into ledger.published(policy, size, note) values ($1, $2, $3) on conflict do nothing",
            force.version, size, str(whole),
        )  # fmt: skip

    async def _signatures(self, force: _Force, size: int, text: str) -> dict[str, Signature]:
        """Those that fit ``text``, by the witness's name in the policy.

        A row that does not fit came from nobody this process asked. It counts for nothing, and stops nothing.
        """
        keys = {str(witness.key): (name, witness.key) for name, witness in force.policy.witnesses.items()}
        found = {}
        for row in await self._fetch(_SIGNATURES, size, list(keys)):
            name, key = keys[row["vkey"]]
            signature = Signature(key.name, key.key_id, row["signature"])
            try:
                key.verify(text, signature)
            except SignatureInvalidError as error:
                self._warn_of(size, name, error)
            else:
                found[name] = signature
        return found

    def _warn_of(self, size: int, name: str, error: SignatureInvalidError) -> None:
        """Say it once: the rows of a size are read several times."""
        if (size, name) not in self._warned:
            self._warned = {(size, name)} | {pair for pair in self._warned if pair[0] == size}
            log.error("ledger.cosignature_invalid", witness=name, size=size, error=str(error))

    async def _disputed(self, force: _Force) -> bool:
        rows = await self._fetch(STANDING.format(keys="$1"), keys_of(force.policy))
        return any(witness.alarm for witness in joined(force.policy, rows))

    async def _in_force(self) -> _Force | None:
        """The policy when it asks for witnesses; what was learnt about them is kept as long as it stands."""
        row = await self._fetchrow(_POLICY)
        if row is None or not row["witnessed"]:
            return None
        if self._force is None or self._force.version != row["version"]:
            await self._abandon()
            force = _Force(row["version"], Policy.parse(row["text"]))
            rows = await self._fetch(STANDING.format(keys="$1"), keys_of(force.policy))
            for seen in joined(force.policy, rows):
                witness = force.policy.witnesses[seen.name]
                force.witnesses[seen.name] = _Witness(seen.name, witness, seen.size or 0, said=seen.problem)
            self._force = force
            if newest := await self._fetchrow(_NEWEST):
                await self._publish(force, newest["size"], Note.parse(newest["note"]))  # what is there may be enough
        return self._force

    async def _abandon(self) -> None:
        asking = [one.asking for one in self._force.witnesses.values() if one.asking] if self._force else []
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)

    async def _growth(self, old: int, new: int) -> list[bytes]:
        async with self._one:
            tiles = await fetch_tiles(self._db, tiles_for_consistency(old, new))
        return StoredTree(new, tiles).consistency(old)

    async def _largest(self) -> int:
        row = await self._fetchrow(_NEWEST)
        return row["size"] if row else 0

    async def _execute(self, sql: str, *arguments: object) -> None:
        async with self._one:
            await self._db.execute(sql, *arguments)

    async def _fetch(self, sql: str, *arguments: object) -> list[Any]:
        async with self._one:
            return list(await self._db.fetch(sql, *arguments))

    async def _fetchrow(self, sql: str, *arguments: object) -> Any:
        async with self._one:
            return await self._db.fetchrow(sql, *arguments)


async def run_witnessing(dsn: str, log_key: VerifierKey, stop: asyncio.Event, pinned: Policy | None = None) -> None:
    """Until ``stop`` is set. Waits while another process does it; raises when the database fails."""
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
            if await stopped_within(stop, 1.0):
                return
        await Witnessing(connection, log_key, pinned).run(stop)
    finally:
        await connection.close(timeout=5)


def _clock() -> float:
    return asyncio.get_running_loop().time()

"""Sealing: a package is put together from what the ledger proves, and the ledger then says that it was.

Two steps, because the seal's own proof needs a later checkpoint than the package's other proofs. The first transaction
writes the package, its parts and the sealing event; the second, as soon as the event has its place in the tree, adds
the one part that was missing. Whoever looks at the package in between completes it, so a crash delays that and nothing
else.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Collection, Sequence
from datetime import tzinfo

import structlog
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases import queries as case_queries
from casemgmt.cases.models import CaseFile
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import SentBefore
from casemgmt.ledger import proofs
from casemgmt.ledger.errors import NotSequencedYet, QuorumNotMet
from casemgmt.ledger.queries import entry_id_of
from casemgmt.packages import gathering, queries, rules
from casemgmt.packages.errors import LedgerBehind, NotSealable
from casemgmt.packages.gathering import Gathered
from casemgmt.packages.guides import guides
from casemgmt.packages.models import Package, Part
from casemgmt.packages.rules import Choice
from casemgmt.packages.schemas import NewPackage
from casemgmt.reference import numbers
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.contents import Accompanying
from casemgmt.trust.errors import TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.package import SEAL_PROOF, Prepared, prepare
from casemgmt.trust.proof import Proof, pack_hashes
from casemgmt.trust.seal import SEALED, check_seal

PATIENCE = 10.0  # seconds to wait for the sequencer
LOOK = 0.05

NARROWED = "packages:package:narrowed"

log = structlog.get_logger()

_WAIT_FOR_REPEAT = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_NEXT_SERIAL = text("select accounts.next_serial(:unit, 'package', :year)")


async def seal(
    database: Database,
    actor: Actor,
    case_id: int,
    data: NewPackage,
    wanted: Collection[int] | None,
    zone: tzinfo,
    *,
    patience: float = PATIENCE,
) -> Package:
    """Seal the wanted exhibits of the case (ids; None: all the actor sees) and everything recorded about them.

    The same ``client_id`` again answers with the package of the first time. Raises NotFound, Forbidden, Invalid,
    LedgerBehind when the sequencer has not caught up, QuorumNotMet when too few witnesses have cosigned it, NotSealable
    when the records do not prove themselves. May return a package whose seal is not proved yet: see ``complete``.
    """
    case, choices, gathered = await _gathered(database, actor, case_id, data, wanted, patience)
    async with database.begin(actor) as db:
        await db.execute(_WAIT_FOR_REPEAT, {"name": f"package:{actor.id}:{data.client_id}"})
        package = await queries.package_sent_as(db, actor.id, data.client_id)
        if package is None:
            package = await _write(db, actor, case, data, choices, gathered, zone)
        elif package.case_id != case.id:
            raise SentBefore
    await complete(database, actor, package, patience=patience)
    return package


async def complete(database: Database, actor: Actor, package: Package, *, patience: float = PATIENCE) -> bool:
    """Add the seal's proof unless it is there; False when the ledger has not got to it within ``patience`` seconds."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            async with database.begin(actor) as db:
                await _prove_seal(db, package)
        except NotSequencedYet:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(LOOK)
        else:
            return True


async def _gathered(
    database: Database,
    actor: Actor,
    case_id: int,
    data: NewPackage,
    wanted: Collection[int] | None,
    patience: float,
) -> tuple[CaseFile, list[Choice], Gathered]:
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            async with database.begin(actor) as db:
                case = await case_queries.case(db, case_id)
                rules.sealing_post(actor, case)
                choices = rules.choose(await gathering.offered(db, case), wanted, data.reason)
                return case, choices, await gathering.gather(db, choices)
        except NotSequencedYet as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise error if isinstance(error, QuorumNotMet) else LedgerBehind() from None
            await asyncio.sleep(LOOK)
        except TrustError as error:
            raise _not_sealable(case_id, error) from error


async def _write(
    db: AsyncSession,
    actor: Actor,
    case: CaseFile,
    data: NewPackage,
    choices: Sequence[Choice],
    gathered: Gathered,
    zone: tzinfo,
) -> Package:
    number = await _next_number(db, actor, case, zone)
    today = utcnow().astimezone(zone).date()
    at = Checkpoint.parse(gathered.events[0].proof.checkpoint.text)
    beside = Accompanying(guides=guides(number, at), graph=b"{}\n")
    try:
        prepared = await asyncio.to_thread(
            prepare, number, bagged_on=today, files=gathered.files, events=gathered.events, policy=gathered.policy,
            beside=beside,
        )  # fmt: skip
    except TrustError as error:
        raise _not_sealable(case.id, error) from error
    row = insert(Package).values(
        client_id=data.client_id, number=number, case_id=case.id, ledger_size=prepared.checkpoint.size,
        seizure_ids=[choice.seizure.id for choice in choices if choice.chosen],
        tagmanifest_sha256=hashlib.sha256(prepared.tag_manifest).digest(),
    )  # fmt: skip
    package = (await db.scalars(row.returning(Package))).one()
    stream = f"case:{case.number}"
    for choice in choices:
        if choice.left_out:
            said = {
                "package": number,
                "seizure": choice.seizure.number,
                "left_out": [exhibit.number for exhibit in choice.left_out],
                "reason": data.reason.strip(),
            }
            # one event for each seizure: it is seen by those who see that seizure, and by nobody else
            await events.record(db, actor, NARROWED, stream, said, case_id=case.id, seizure_id=choice.seizure.id)
    body = await events.record(db, actor, SEALED, stream, prepared.seal_data(), case_id=case.id)
    await db.execute(insert(Part), _parts(package, prepared, body, gathered.file_ids))
    return package


def _parts(package: Package, prepared: Prepared, body: bytes, file_ids: dict[str, int]) -> list[dict[str, object]]:
    """Rows for everything there is; place 0 stays free for the seal's proof."""
    return [
        {
            "package_id": package.id, "ord": place, "path": entry.path, "size": entry.size, "crc32": entry.crc32,
            "sha256": bytes.fromhex(entry.sha256),
            "data": entry.source if isinstance(entry.source, bytes) else None,
            "file_id": file_ids[entry.source] if isinstance(entry.source, str) else None,
        }
        for place, entry in enumerate(prepared.unproven(body), 1)
    ]  # fmt: skip


async def _next_number(db: AsyncSession, actor: Actor, case: CaseFile, zone: tzinfo) -> str:
    post, year = rules.sealing_post(actor, case), utcnow().astimezone(zone).year
    serial = (await db.execute(_NEXT_SERIAL, {"unit": post.unit_id, "year": year})).scalar_one()
    return numbers.make(numbers.Kind.PACKAGE, year=year, unit=post.unit_code or "", serial=serial)


async def _prove_seal(db: AsyncSession, package: Package) -> None:
    """Raises NotSequencedYet while the sealing event has no place in the tree."""
    if await queries.is_complete(db, package):
        return
    body = await queries.seal_event(db, package)
    event = Event.parse(body)
    entry_id = await entry_id_of(db, event.stream, event.seq)
    plain = await proofs.proof_of_entry(db, entry_id)
    at = proofs.Signed(Checkpoint.parse(plain.checkpoint.text).size, plain.checkpoint)
    growth = await proofs.growth(db, package.ledger_size, at)
    proof = Proof(plain.index, plain.path, plain.checkpoint, pack_hashes(growth))
    earlier = await proofs.checkpoint_at(db, package.ledger_size)
    checkpoints = Checkpoint.parse(earlier.note.text), Checkpoint.parse(at.note.text)
    check_seal(body, event.data, proof, *checkpoints)
    content = str(proof).encode()
    row = upsert(Part).values(
        package_id=package.id, ord=0, path=f"{package.number}/{SEAL_PROOF}", size=len(content),
        crc32=zlib.crc32(content), sha256=hashlib.sha256(content).digest(), data=content,
    )  # fmt: skip
    await db.execute(row.on_conflict_do_nothing())


def _not_sealable(case_id: int, error: TrustError) -> NotSealable:
    log.error("packages.not_sealable", case=case_id, error=str(error))
    return NotSealable()

"""Sealing: a package is put together from what the ledger proves, and the ledger then says that it was.

Four steps, because signing and stamping may take their time and no transaction waits for them, and because the seal's
own proof needs a later checkpoint than the package's other proofs: gather at one published checkpoint; draw the number;
make everything outside the database; write package, parts and sealing event in one transaction. As soon as the event
has its place in the published tree, the one part that was missing is added. Whoever looks at the package in between
completes it, so a crash delays that and nothing else.

What was sent once is sealed once, also when it is sent again at once or after a crash: the number belongs to what was
sent, and the last transaction looks first whether the package is there.
"""

from __future__ import annotations

import asyncio
import zlib
from hashlib import sha256

import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases import queries as case_queries
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import SentBefore
from casemgmt.ledger import proofs
from casemgmt.ledger.errors import NotSequencedYet, QuorumNotMet
from casemgmt.ledger.queries import entry_id_of
from casemgmt.packages import gathering, previews, queries, rules, writing
from casemgmt.packages.errors import LedgerBehind, NotSealable
from casemgmt.packages.gathering import Sealing
from casemgmt.packages.making import Plan, make
from casemgmt.packages.models import Package, Part
from casemgmt.packages.ordering import Order
from casemgmt.packages.reporting import about_signing, report_for
from casemgmt.packages.workshop import Workshop
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import PolicyError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.package import SEAL_PROOF
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof, pack_hashes
from casemgmt.trust.seal import check_seal

PATIENCE = 10.0  # seconds to wait for the sequencer, and for witnesses
LOOK = 0.05

log = structlog.get_logger()

_PUBLISHED = "select size from ledger.newest_published()"
_WAIT_FOR_REPEAT = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def seal(workshop: Workshop, actor: Actor, case_id: int, order: Order, *, patience: float = PATIENCE) -> Package:
    """Seal what was ordered of the case, and everything recorded about it.

    The same ``client_id`` again answers with the package of the first time, or raises SentBefore when something else
    was ordered. Raises NotFound, Forbidden, Invalid; LedgerBehind when the sequencer has not caught up, QuorumNotMet
    when too few witnesses have; NotSealable when the records do not prove themselves; NoTimestamp and NotSigned. May
    return a package whose seal is not proved yet: see ``complete``.
    """
    database = workshop.database
    async with database.begin(actor) as db:
        package = await _sealed_before(db, actor, case_id, order)
    if package is None:
        try:
            sealing = await _gathered(workshop, actor, case_id, order, patience)
            prepared = await make(workshop, await _planned(workshop, actor, order, sealing))
        except TrustError as error:
            log.exception("packages.not_sealable", case=case_id)
            raise NotSealable from error
        async with database.begin(actor) as db:
            await db.execute(_WAIT_FOR_REPEAT, {"name": f"package:{actor.id}:{order.client_id}"})
            package = await _sealed_before(db, actor, case_id, order)
            if package is None:
                package = await writing.write(db, actor, order, sealing, prepared)
    await complete(database, actor, package, patience=patience)
    return package


async def complete(database: Database, actor: Actor, package: Package, *, patience: float = PATIENCE) -> bool:
    """Add the seal's proof unless it is there; False when the ledger or its witnesses have not got to it within
    ``patience`` seconds."""
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


async def _sealed_before(db: AsyncSession, actor: Actor, case_id: int, order: Order) -> Package | None:
    package = await queries.package_sent_as(db, actor.id, order.client_id)
    if package is not None and (package.case_id != case_id or package.asked not in (None, order.asked)):
        raise SentBefore
    return package


async def _gathered(workshop: Workshop, actor: Actor, case_id: int, order: Order, patience: float) -> Sealing:
    """Tried again only when something new was published: reading all of it takes longer than a look."""
    clock, tried = asyncio.get_running_loop().time, False
    deadline, error, seen = clock() + patience, NotSequencedYet(), None
    while True:
        published = await workshop.database.call(_PUBLISHED)
        if not tried or published != seen:
            try:
                return await _gathered_now(workshop.database, actor, case_id, order)
            except NotSequencedYet as raised:
                error, tried, seen = raised, True, published
        if clock() >= deadline:
            if isinstance(error, QuorumNotMet):
                raise error
            raise LedgerBehind from None
        await asyncio.sleep(LOOK)


async def _gathered_now(database: Database, actor: Actor, case_id: int, order: Order) -> Sealing:
    async with database.begin(actor) as db:
        case = await case_queries.case(db, case_id)
        rules.sealing_post(actor, case)
        choices = rules.choose(await gathering.offered(db, case), order.exhibits, order.reason)
        gathered = await gathering.gather(db, choices, order.withheld)
        return Sealing(case, await queries.agency_of(db, case), choices, gathered)


async def _planned(workshop: Workshop, actor: Actor, order: Order, sealing: Sealing) -> Plan:
    """Draws the number and reads what else the report says."""
    about = await asyncio.to_thread(about_signing, workshop)
    pictures = await previews.pictures(workshop, sealing.gathered)
    async with workshop.database.begin(actor) as db:
        number = await writing.number_of(db, actor, sealing.case, order, workshop.zone)
        report = await report_for(db, workshop, actor, number, sealing, about, pictures)
        observed = await previews.observations(db, sealing.gathered)
    today = utcnow().astimezone(workshop.zone).date()
    return Plan(number, today, sealing, report, order.languages, observed)


async def _prove_seal(db: AsyncSession, package: Package) -> None:
    """Raises NotSequencedYet while the sealing event has no place in the published tree."""
    if await queries.is_complete(db, package):
        return
    body = await queries.seal_event(db, package)
    event = Event.parse(body)
    entry_id = await entry_id_of(db, event.stream, event.seq)
    plain = await proofs.proof_of_entry(db, entry_id)
    try:
        accepted = Policy.parse(await queries.policy(db, package)).accept(plain.checkpoint)
    except PolicyError as error:  # the policy was changed since: what it now asks for may not do for this package
        log.warning("packages.policy_changed", package=package.number, error=str(error))
        raise NotSequencedYet from error
    at = proofs.Signed(accepted.checkpoint.size, plain.checkpoint)
    growth = await proofs.growth(db, package.ledger_size, at)
    proof = Proof(plain.index, plain.path, plain.checkpoint, pack_hashes(growth))
    earlier = await proofs.checkpoint_at(db, package.ledger_size)
    check_seal(body, event.data, proof, Checkpoint.parse(earlier.note.text), accepted.checkpoint)
    content = str(proof).encode()
    row = upsert(Part).values(
        package_id=package.id, ord=0, path=f"{package.number}/{SEAL_PROOF}", size=len(content),
        crc32=zlib.crc32(content), sha256=sha256(content).digest(), data=content,
    )  # fmt: skip
    await db.execute(row.on_conflict_do_nothing())

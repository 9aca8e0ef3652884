"""A few days of the cast's work, done through the same actions as the pages use."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from casemgmt.cases import actions as cases
from casemgmt.cases.models import CaseFile
from casemgmt.cases.schemas import NewCase
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.custody import actions as custody
from casemgmt.custody.schemas import Answer, Decision, NewOffer, OfferedExhibit
from casemgmt.demo.photos import NAMES, photo
from casemgmt.evidence.actions import receive
from casemgmt.evidence.schemas import NewFile
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.intake.actions import Registered, register
from casemgmt.intake.schemas import Registration
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.schemas import NewConveyance, NewParticipant
from casemgmt.settings import Settings
from casemgmt.sharing import actions as sharing
from casemgmt.sharing.receivers import Receiver
from casemgmt.sharing.schemas import NewGrant, NewReferral
from casemgmt.storage.contract import Store


@dataclass(frozen=True, slots=True)
class Office:
    """What the work is done with, and by whom."""

    database: Database
    store: Store
    codes: Codes
    settings: Settings
    cast: dict[str, Actor]


async def make_records(office: Office) -> None:
    """Four seizures at two posts, hand-overs in every state, two linked cases, one referral."""
    aida, timur = office.cast["aida"], office.cast["timur"]
    truck = await _seize(office, aida, _truck(), hours_ago=30)
    falcons = await _seize(office, aida, _falcons(), hours_ago=20)
    await _seize(office, aida, _cigarettes(), hours_ago=2)
    tobacco = await _seize(office, timur, _tobacco(), hours_ago=26)
    for name in NAMES:
        await _photograph(office, aida, truck, name)
    await _to_the_store(office, truck)
    await _offer(office, aida, list(falcons.exhibits))
    await _investigate(office, truck.seizure, tobacco.seizure)


def _truck() -> Registration:
    return _registration(
        [
            NewExhibit(
                category="DRUG", quantity=Decimal(1981), unit="g", basis="gross", seal="A1234567",
                description="Resin-like substance in two bags held by magnets under the trailer",
            ),
            NewExhibit(category="CURR", quantity=Decimal(125), unit="pcs", seal="A7654321", description="Banknotes"),
        ],
        place="Ak-Tilek, lane 2", ground="Customs examination",
        participants=[NewParticipant(role="seized_from", name="Bolot Kasymov", document="AN1234567")],
        conveyances=[
            NewConveyance(kind="container", identifier="CSQU3054383"),
            NewConveyance(kind="truck", identifier="01KG123ABC", country="KG"),
        ],
    )  # fmt: skip


def _falcons() -> Registration:
    return _registration(
        [NewExhibit(category="CITES", quantity=Decimal(2), unit="heads", description="Live falcons, hooded")],
        place="Ak-Tilek, passenger hall", ground="No CITES permit shown",
    )  # fmt: skip


def _cigarettes() -> Registration:
    return _registration([NewExhibit(category="TOBA", quantity=Decimal(40), unit="cartons", seal="A1234600")])


def _tobacco() -> Registration:
    return _registration(
        [NewExhibit(category="TOBA", quantity=Decimal(400), unit="cartons", seal="T0000001")],
        place="Torugart", conveyances=[NewConveyance(kind="container", identifier="СSQU 305438-3")],
    )  # fmt: skip


def _registration(exhibits: list[NewExhibit], **more: object) -> Registration:
    return Registration(client_id=uuid.uuid4(), seized_at=utcnow(), exhibits=exhibits, **more)  # type: ignore[arg-type]


async def _seize(office: Office, officer: Actor, data: Registration, *, hours_ago: int) -> Registered:
    data.seized_at = utcnow() - timedelta(hours=hours_ago)
    async with office.database.begin(officer) as db:
        return await register(db, officer, data, office.settings.zone)


async def _photograph(office: Office, officer: Actor, registered: Registered, name: str) -> None:
    data = photo(name)

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    file = NewFile(
        client_id=uuid.uuid4(), seizure_id=registered.seizure.id, exhibit_id=registered.exhibits[0].id, kind="photo",
        name=name, declared_type="image/jpeg", declared_sha256=hashlib.sha256(data).hexdigest(), size=len(data),
    )  # fmt: skip
    await receive(
        office.database, office.store, officer, file, chunks(),
        limit=office.settings.max_upload_bytes, retention=office.settings.retention,
    )  # fmt: skip


async def _to_the_store(office: Office, registered: Registered) -> None:
    """The custodian accepts the first exhibit and refuses the second, whose seal number differs."""
    first, second = registered.exhibits
    handover = await _offer(office, office.cast["aida"], [first, second])
    exhibit = office.codes.encode
    items = [
        Decision(exhibit=exhibit("exhibit", first.id), decision="accepted", seal="A1234567", seal_state="intact"),
        Decision(
            exhibit=exhibit("exhibit", second.id), decision="refused", reason="seal_differs", seal="A7654322",
            seal_state="intact", note="The seal reads A7654322",
        ),
    ]  # fmt: skip
    await custody.answer(office.database, office.cast["nurlan"], handover, Answer(items=items), office.codes)


async def _offer(office: Office, giver: Actor, exhibits: list[Exhibit]) -> int:
    offered = [
        OfferedExhibit(
            exhibit=office.codes.encode("exhibit", e.id), seq=e.last_seq, prev=e.last_hash.hex(), seal=e.seal_no or ""
        )
        for e in exhibits
    ]
    to = office.codes.encode("person", office.cast["nurlan"].id)
    data = NewOffer(client_id=uuid.uuid4(), to=to, purpose="storage", exhibits=offered, place="Ak-Tilek")
    return await custody.offer(office.database, giver, data, office.codes)


async def _investigate(office: Office, truck: Seizure, tobacco: Seizure) -> None:
    elena, marat = office.cast["elena"], office.cast["marat"]
    police = await _open(office, elena, "Trafficking through Ak-Tilek")
    customs = await _open(office, marat, "Tobacco from Torugart")
    await _grant(office, "saule", truck, elena, onward=True)
    await _grant(office, "gulnara", tobacco, marat, onward=False)
    for actor, case, seizure in ((elena, police, truck), (marat, customs, tobacco)):
        async with office.database.begin(actor) as db:
            await cases.add_seizure(db, actor, case, seizure, "Found at the post")
    bakyt = office.cast["bakyt"]
    async with office.database.begin(bakyt) as db:
        to = Receiver("person", elena.id, elena.name)
        terms = NewGrant("investigation", person=elena.login, endless=True, with_seizures=True)
        await sharing.grant_case(db, bakyt, customs, to, terms, zone=office.settings.zone)
    async with office.database.begin(elena) as db:
        await cases.link(db, elena, police, customs, "same_container", note="CSQU3054383")
    prosecutors = next(a.unit_id for a in office.cast["dinara"].appointments if a.unit_id)
    async with office.database.begin(elena) as db:
        data = NewReferral(client_id=uuid.uuid4(), unit="", seizures=[])
        await sharing.refer(
            db, elena, await db.get_one(CaseFile, police.id), data, unit_id=prosecutors, seizure_ids=[truck.id]
        )


async def _open(office: Office, actor: Actor, title: str) -> CaseFile:
    async with office.database.begin(actor) as db:
        case, _ = await cases.open_case(db, actor, NewCase(uuid.uuid4(), title), office.settings.zone)
    return case


async def _grant(office: Office, giver: str, seizure: Seizure, to: Actor, *, onward: bool) -> None:
    actor = office.cast[giver]
    async with office.database.begin(actor) as db:
        terms = NewGrant("investigation", person=to.login, endless=True, onward=onward)
        receiver = Receiver("person", to.id, to.name)
        await sharing.grant_seizure(db, actor, seizure, receiver, terms, zone=office.settings.zone)

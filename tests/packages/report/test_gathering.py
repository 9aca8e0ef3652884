"""A report made from records as the database has them: the sealed bytes decide what it says."""

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import rfc8785

from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.ledger import timestamps
from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.ledger.timestamping import stamp_news
from casemgmt.packages import gathering, rules
from casemgmt.packages.report.gathering import Sealing, report_of
from casemgmt.packages.report.model import Person, Report
from casemgmt.packages.report.model import Why as Reason
from casemgmt.packages.report.render import render
from casemgmt.packages.withholding import NOTHING
from casemgmt.settings import Settings
from casemgmt.signing.authority import Authorities
from casemgmt.trust.contents import Why
from tests.cast import World
from tests.packages.conftest import Scene
from tests.packages.report.looking import text_of


@pytest.fixture
async def sealing(scene: Scene, database: Database, world: World, sequenced: None) -> Sealing:
    while True:
        async with database.begin(world.saule.actor) as db:
            choices = rules.choose(await gathering.offered(db, scene.case), None, "")
            with suppress(NotSequencedYet):
                gathered = await gathering.gather(db, choices, NOTHING)
                break
        await asyncio.sleep(0.05)
    return Sealing(
        number="2026-0412-9-00001-2", case_number=scene.case.number, case_title=scene.case.title, made_at=utcnow(),
        made_by=Person(name=world.saule.name), agency="Customs", zone=ZoneInfo("Asia/Bishkek"),
        seizures=[choice.seizure for choice in choices], files=gathered.files, events=gathered.events,
        policy=gathered.policy,
    )  # fmt: skip


async def made(sealing: Sealing, database: Database, world: World) -> Report:
    async with database.begin(world.saule.actor) as db:
        return await report_of(db, sealing)


async def test_it_says_what_the_sealed_events_say(
    sealing: Sealing, scene: Scene, database: Database, world: World
) -> None:
    report = await made(sealing, database, world)
    exhibits = [e for registered in scene.seizures for e in registered.exhibits]
    assert {e.number for e in report.exhibits} == {e.number for e in exhibits}
    assert all(exhibit.unbroken and exhibit.holder.name == world.aida.name for exhibit in report.exhibits)
    assert {exhibit.seal.number for exhibit in report.exhibits} == {"B-1001", "B-1002", "B-2001"}
    assert {file.sha256 for file in report.files} == {hashlib.sha256(c).hexdigest() for c in scene.contents}
    devices = {seizure.number: seizure.device_at for seizure in sealing.seizures}
    assert all(exhibit.chain[0].claimed_at == devices[exhibit.seizure] for exhibit in report.exhibits)
    bodies = {hashlib.sha256(entry.body).hexdigest(): entry.proof.index for entry in sealing.events}
    for exhibit in report.exhibits:
        for step in exhibit.chain:
            assert bodies[step.sha256] == step.index
    text = text_of(render(report, "en"))
    for file in report.files:
        assert file.sha256 in text
        assert file.path in text
    assert report.ledger.root in text


async def test_people_who_were_present_are_named_as_the_sealer_sees_them(
    sealing: Sealing, database: Database, world: World
) -> None:
    report = await made(sealing, database, world)
    names = {person.name for seizure in report.seizures for person in seizure.present}
    async with database.begin(world.saule.actor) as db:
        from casemgmt.seizures.queries import participants

        expected = {row.name for seizure in sealing.seizures for row in await participants(db, seizure.id)}
    assert names == expected


async def test_a_missing_first_event_breaks_the_chain_in_the_report(
    sealing: Sealing, database: Database, world: World
) -> None:
    def second(entry):
        body = json.loads(entry.body)
        if not body["stream"].startswith("exhibit:"):
            return entry
        return replace(entry, body=rfc8785.dumps(body | {"seq": 2, "prev": "0" * 64}), known=None)

    forged = replace(sealing, events=[second(entry) for entry in sealing.events])
    assert not any(exhibit.unbroken for exhibit in (await made(forged, database, world)).exhibits)


async def test_a_withheld_entry_and_file_tell_only_their_place_hash_and_reason(
    sealing: Sealing, database: Database, world: World
) -> None:
    why = Why("informant", "a source must not be named")
    first = next(e for e in sealing.events if json.loads(e.body)["stream"].startswith("exhibit:"))
    events = [replace(e, withheld=why) if e is first else e for e in sealing.events]
    files = [replace(sealing.files[0], withheld=why), *sealing.files[1:]]
    report = await made(replace(sealing, events=events, files=files), database, world)
    number = json.loads(first.body)["data"]["exhibit"]
    exhibit = next(e for e in report.exhibits if e.number == number)
    assert exhibit.chain[0].withheld == Reason(code="informant", words="a source must not be named")
    assert exhibit.chain[0].actor == Person(name="")
    assert (exhibit.holder.name, exhibit.seal.number, exhibit.description) == ("", None, "")
    assert report.files[0].name == ""
    assert report.files[0].withheld


async def test_the_newest_timestamp_below_its_checkpoint_is_named(
    sealing: Sealing, database: Database, world: World, settings: Settings, authorities: Authorities
) -> None:
    connection = await asyncpg.connect(settings.sequencer_dsn)
    await stamp_news(connection, authorities, timedelta(0))
    await connection.close()
    report = await made(sealing, database, world)
    assert report.ledger.stamp is not None
    assert report.ledger.stamp.size == report.ledger.size
    assert f"{report.ledger.size} entries at" in " ".join(text_of(render(report, "en")).split())
    async with database.begin(world.saule.actor) as db:
        assert await timestamps.up_to(db, 0) is None


async def test_a_photograph_is_said_to_show_what_its_events_say_last(
    sealing: Sealing, database: Database, world: World
) -> None:
    def claiming(entry, why=None):
        body = json.loads(entry.body)
        if body["type"] != "evidence:file:received":
            return entry
        claimed = body["data"]["claimed"] | {"shows": "left_inside"}
        changed = rfc8785.dumps(body | {"data": body["data"] | {"claimed": claimed}})
        return replace(entry, body=changed, known=None, withheld=why)

    told = await made(replace(sealing, events=[claiming(entry) for entry in sealing.events]), database, world)
    assert {file.shows.point for file in told.files if file.shows} == {"left_inside"}
    assert "said to show “What was left inside, or the empty hold, with the number plate” by" in " ".join(
        text_of(render(told, "en")).split()
    )
    why = Why("informant", "a source must not be named")
    silent = await made(replace(sealing, events=[claiming(entry, why) for entry in sealing.events]), database, world)
    assert not any(file.shows for file in silent.files)

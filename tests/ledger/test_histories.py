"""Real witness programs, and a log that was rewritten, restored, recovered, run twice, or forgotten by one of them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
import structlog

from casemgmt.ledger import proofs
from casemgmt.ledger.errors import HistoryDisputed
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import SigningKey
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.witnessed import (
    NAMES,
    House,
    answers,
    copy_entries,
    published_or_none,
    restored,
    rewrite_everything,
    until,
)
from tests.witness.programs import Program, policy_of

pytestmark = pytest.mark.usefixtures("hasty")


async def test_the_tree_rebuilt_and_signed_again_with_the_logs_own_key_is_refused_by_all_three(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """As database superuser who also holds the log's key: an old entry is another one, everything above is computed
    anew and signed. Nothing in the database shows it; the three witnesses answer 422, and nothing is published."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=10)
    await sequencer.advance()
    await house.work.round()
    published = await house.published()
    await rewrite_everything(writer.connection, key)
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    disputed = [entry for entry in logs if entry["event"] == "ledger.history_disputed"]
    assert sorted(entry["witness"] for entry in disputed) == sorted(NAMES)
    assert {entry["status"] for entry in disputed} == {422}
    assert all(entry["log_level"] == "error" for entry in disputed)
    assert all(witness.alarm and witness.alarm.status == 422 for witness in (await house.standing()).values())
    async with house.database.begin(house.people.admin.actor) as db:
        entry = await writer.connection.fetchval("select max(id) from ledger.entry")
        with pytest.raises(HistoryDisputed):
            await proofs.proof_of_entry(db, entry)
    assert await house.published() == published
    alarms = await writer.connection.fetchval("select count(*) from ledger.alarm")
    await asyncio.sleep(0.06)
    await house.work.round()
    assert await writer.connection.fetchval("select count(*) from ledger.alarm") == alarms  # said once, not for ever


async def test_a_restored_old_backup_is_told_a_larger_size_and_publishes_nothing(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    backed_up = sequencer.size
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    seen = await house.published()
    async with restored(elsewhere, writer.connection, key, backed_up, tmp_path) as (old, behind, later):
        await later.write("exhibit:two")
        await behind.advance()
        assert behind.size < seen
        with structlog.testing.capture_logs() as logs:
            await old.work.round()
        assert {e["witness"] for e in logs if e["event"] == "ledger.history_disputed"} == set(NAMES)
        police = (await old.standing())["police"]
        assert police.alarm is not None
        assert (police.alarm.status, police.alarm.told) == (409, seen)
        with pytest.raises(HistoryDisputed):
            await old.published()
        # longer than what the witnesses saw, it is still not what they saw
        await later.write("exhibit:two", count=20)
        await behind.advance()
        await asyncio.sleep(0.06)
        await old.work.round()
        police = (await old.standing())["police"]
        assert police.alarm is not None
        assert police.alarm.status == 422
        with pytest.raises(HistoryDisputed):
            await old.published()


async def test_a_recovered_ledger_goes_on_by_itself(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    """An old backup first, the alarm; then the missing entries come back, and the same witnesses cosign."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    backed_up = sequencer.size
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    async with restored(elsewhere, writer.connection, key, backed_up, tmp_path) as (old, behind, later):
        await old.work.round()
        with pytest.raises(HistoryDisputed):
            await old.published()
        await copy_entries(writer.connection, later.connection, backed_up, 1000)
        await behind.advance()
        await later.write("exhibit:two")
        await behind.advance()
        await until(old.work.round, lambda: answers(lambda: published_or_none(old), behind.size))
        assert not any(witness.alarm for witness in (await old.standing()).values())


async def test_of_two_instances_with_one_key_one_wins(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    """Two databases that begin alike and go on differently, each with the log's key, ask at the same moment."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    async with restored(elsewhere, writer.connection, key, sequencer.size, tmp_path) as (other, theirs, second):
        await writer.write("exhibit:one", count=3)
        await second.write("exhibit:two", count=5)
        await sequencer.advance()
        await theirs.advance()
        for _ in range(2):
            await asyncio.gather(house.work.round(), other.work.round())
            await asyncio.sleep(0.06)
        sizes = [{name: w.size for name, w in (await one.standing()).items()} for one in (house, other)]
        for name in NAMES:  # each witness is with one of them and with one only
            assert [size[name] for size in sizes].count(None) == 1
        published = [await published_or_none(one) for one in (house, other)]
        assert published.count(None) == 1
        loser = (house, other)[published.index(None)]
        assert any(witness.alarm for witness in (await loser.standing()).values())


async def test_a_witness_that_forgot_is_asked_from_what_it_remembers(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer, tmp_path: Path
) -> None:
    """Its agency restored an old state: its cosignature is good, and that it forgot is said in the log."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    police = programs[1]
    old = shutil.copytree(police.directory, tmp_path / "backup")
    await writer.write(count=3)
    await sequencer.advance()
    await house.work.round()
    await police.stop_here()
    shutil.rmtree(police.directory)
    shutil.copytree(old, police.directory)
    await police.start_here()
    await writer.write(count=3)
    await sequencer.advance()
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    assert [(e["witness"], e["named"]) for e in logs if e["event"] == "ledger.witness_forgot"] == [
        ("police", sequencer.size - 6)
    ]
    assert (await house.standing())["police"].size == sequencer.size

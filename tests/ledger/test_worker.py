from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from casemgmt import worker
from casemgmt.doctor.records import examine_records
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.ledger.watching import watch
from casemgmt.settings import SettingError
from casemgmt.storage.local import LocalStore
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from tests.cast import settings_for
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain


async def until(connection: asyncpg.Connection[Any], question: str) -> None:
    async with asyncio.timeout(20):
        while not await connection.fetchval(question):
            await asyncio.sleep(0.05)


async def test_the_worker_sequences_and_stops_when_told(
    ledger: Dsn, writer: Writer, tmp_path: Path, store: LocalStore
) -> None:
    settings = settings_for(ledger, tmp_path)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_worker(settings, stop))
    await writer.write(count=3)
    await until(writer.connection, "select exists (select from ledger.checkpoint where size = 3)")
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_the_worker_goes_on_when_its_connection_is_cut(
    ledger: Dsn, writer: Writer, tmp_path: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_RETRY", 0.05)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_worker(settings_for(ledger, tmp_path), stop))
    try:
        await until(writer.connection, "select exists (select from ledger.checkpoint)")
        with structlog.testing.capture_logs() as logs:
            await writer.connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'sequencer' and datname = current_database()"
            )
            await writer.write()
            await until(writer.connection, "select exists (select from ledger.checkpoint where size = 1)")
        assert any(entry["event"] == "worker.failed" and entry["task"] == "sequencer" for entry in logs)
    finally:
        stop.set()
        await running


async def test_a_task_that_fails_is_tried_again_and_said(ledger: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_RETRY", 0.01)
    stop, tries = asyncio.Event(), []

    async def work(_: object) -> None:
        tries.append(1)
        if len(tries) == 2:
            stop.set()
        raise ArithmeticError("no luck")

    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(
            worker.repeat(worker.Task("luck", 99, timedelta(days=1), work), ledger.sequencer, stop), 10
        )
    assert [entry["task"] for entry in logs] == ["luck", "luck"]
    assert logs[0]["error"] == "ArithmeticError: no luck"


async def test_of_two_workers_one_does_a_task(ledger: Dsn) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def work(_: object) -> None:
        entered.set()
        await leave.wait()

    task = worker.Task("slow", 98, timedelta(days=1), work)
    first = asyncio.create_task(worker.once(task, ledger.sequencer))
    await entered.wait()
    assert await worker.once(task, ledger.sequencer) is False
    leave.set()
    assert await first is True


async def test_every_scheduled_task_runs_as_the_sequencer_role(
    ledger: Dsn, tmp_path: Path, store: LocalStore, writer: Writer, sequencer: Sequencer, signer: FileSigner
) -> None:
    await writer.write(count=3)
    await drain(sequencer, 3)
    with structlog.testing.capture_logs() as logs:
        for task in worker.tasks(settings_for(ledger, tmp_path), store, signer):
            assert await worker.once(task, ledger.sequencer) is True
    assert [entry["event"] for entry in logs] == ["ledger.verified"]
    kept = await writer.connection.fetchrow("select entries, objects, faults from ledger.verification")
    assert tuple(kept or ()) == (3, 1, [])


async def test_a_ledger_that_does_not_hold_is_an_error_and_stays_visible(
    ledger: Dsn, store: LocalStore, writer: Writer, sequencer: Sequencer, signer: FileSigner
) -> None:
    await writer.write(count=3)
    await drain(sequencer, 3)
    await writer.connection.execute("alter table ledger.entry disable trigger no_change")
    await writer.connection.execute("update ledger.entry set type = 'custody:exhibit:other' where stream_seq = 2")
    connection = await asyncpg.connect(ledger.sequencer)
    with structlog.testing.capture_logs() as logs:
        await watch(connection, store, signer, timedelta(hours=1))
        assert await watch(connection, store, signer, timedelta(hours=1)) is None, "it is not due again"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("ledger.not_verified", "error")]
    findings = [str(finding) async for finding in examine_records(connection)]
    await connection.close()
    assert any(text.startswith("FAULT  the ledger did not hold when it was recomputed") for text in findings)


async def test_expired_sessions_are_purged_and_live_ones_stay(ledger: Dsn, writer: Writer) -> None:
    await writer.connection.execute(
        "with p as (insert into accounts.principal(kind) values ('person') returning id),"
        " q as (insert into accounts.person(id, login, name) select id, 'x', 'X' from p returning id)"
        " insert into accounts.session(token_hash, person_id, csrf, expires_at)"
        " select sha256(x.h::bytea), q.id, 'c', now() + x.i"
        " from q, (values ('old', interval '-1 s'), ('new', '1 h')) x(h, i)"
    )
    connection = await asyncpg.connect(ledger.sequencer)
    await worker.purge(connection)
    await connection.close()
    left = await writer.connection.fetch("select token_hash from accounts.session")
    assert len(left) == 1


async def test_drift_is_reported_as_an_error(ledger: Dsn, writer: Writer) -> None:
    await writer.connection.execute(
        "with a as (insert into accounts.principal(kind) values ('agency') returning id),"
        " b as (insert into accounts.principal(kind) values ('unit') returning id),"
        " c as (insert into accounts.principal(kind) values ('person') returning id),"
        " d as (insert into accounts.agency(id, code, kind, name) select id, 'a', 'customs', 'A' from a),"
        " e as (insert into accounts.unit(id, agency_id, code, name) select b.id, a.id, '0001', 'U' from a, b),"
        " f as (insert into accounts.person(id, login, name) select id, 'p', 'P' from c),"
        " s as (insert into seizures.seizure(client_id, number, agency_id, unit_id, created_by, seized_at)"
        "   select gen_random_uuid(), 'n', a.id, b.id, c.id, now() from a, b, c returning id)"
        " insert into access.reach(principal, seizure_id) select c.id, s.id from c, s"
    )
    connection = await asyncpg.connect(ledger.sequencer)
    with structlog.testing.capture_logs() as logs:
        await worker.look_for_drift(connection)
    await connection.close()
    assert [(entry["event"], entry["function"], entry["rows"]) for entry in logs] == [
        ("access.drift", "access.drift", 1)
    ]


@pytest.mark.parametrize("content", [b"\xff", b"", b"-----BEGIN PRIVATE KEY-----"])
async def test_a_file_that_is_no_log_key_is_refused_without_repeating_it(
    ledger: Dsn, tmp_path: Path, content: bytes
) -> None:
    settings = settings_for(ledger, tmp_path)
    assert settings.log_key_file is not None
    settings.log_key_file.write_bytes(content)
    with pytest.raises(SettingError) as refused:
        await worker.run_worker(settings, asyncio.Event())
    assert "PRIVATE" not in str(refused.value)


async def test_a_witness_key_is_not_taken_for_a_log_key(ledger: Dsn, tmp_path: Path) -> None:
    settings = settings_for(ledger, tmp_path)
    assert settings.log_key_file is not None
    settings.log_key_file.write_text(SigningKey.generate("w", COSIGNATURE).to_text())
    with pytest.raises(SettingError, match="witness"):
        await worker.run_worker(settings, asyncio.Event())

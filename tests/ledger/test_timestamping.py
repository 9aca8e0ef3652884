"""The ledger is timestamped while there is news; an outage of the authorities stops nothing and is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from casemgmt import worker
from casemgmt.core.db import Database
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.timestamping import stamp_news
from casemgmt.settings import Settings, TimestampAuthority
from casemgmt.signing.authority import Authorities, HttpAuthority
from casemgmt.signing.demonstration import Demonstration
from casemgmt.trust.note import Note
from tests.cast import Api, World
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.running import sequenced
from tests.records import register_seizure
from tests.servers import free_port
from tests.signing.conftest import authorities, demo, run, trusted

__all__ = ["authorities", "demo", "sequenced"]

AT_ONCE, HOUR = timedelta(0), timedelta(hours=1)


@pytest.fixture
async def connection(ledger: Dsn) -> AsyncIterator[asyncpg.Connection[Any]]:
    """As the worker has it."""
    found = await asyncpg.connect(ledger.sequencer)
    yield found
    await found.close()


@pytest.fixture
def away(demo: Demonstration) -> Authorities:
    """Authorities nobody answers for."""
    return Authorities([HttpAuthority(f"http://127.0.0.1:{free_port()}/tsr", trusted(demo), None, 5.0)])


async def test_a_timestamp_is_over_the_published_checkpoint_and_openssl_verifies_it(
    connection: asyncpg.Connection[Any], sequencer: Sequencer, writer: Writer, authorities: Authorities,
    demo: Demonstration, tmp_path: Path,
) -> None:  # fmt: skip
    await writer.write(count=3)
    await sequencer.advance()
    assert await stamp_news(connection, authorities, HOUR) is not None
    row = await connection.fetchrow("select * from ledger.timestamp")
    assert row["size"] == 3
    assert Note.parse(row["note"]).text.splitlines()[1] == "3"
    (tmp_path / "checkpoint").write_bytes(row["note"].encode())
    (tmp_path / "checkpoint.tsr").write_bytes(row["response"])
    verify = ("openssl", "ts", "-verify", "-data", "checkpoint", "-in", "checkpoint.tsr", "-CAfile", demo.tsa_ca)
    assert run(*verify, where=tmp_path).returncode == 0
    (tmp_path / "checkpoint").write_bytes(row["note"].replace("3\n", "4\n", 1).encode())
    assert run(*verify, where=tmp_path).returncode != 0


async def test_it_is_made_once_an_interval_and_only_when_there_is_news(
    connection: asyncpg.Connection[Any], sequencer: Sequencer, writer: Writer, authorities: Authorities
) -> None:
    assert await stamp_news(connection, authorities, AT_ONCE) is None  # nothing is in the ledger
    await writer.write()
    await sequencer.advance()
    assert await stamp_news(connection, authorities, HOUR) is not None
    assert await stamp_news(connection, authorities, AT_ONCE) is None  # no news
    await writer.write()
    await sequencer.advance()
    assert await stamp_news(connection, authorities, HOUR) is None  # not yet
    assert await stamp_news(connection, authorities, AT_ONCE) is not None
    assert [r["size"] for r in await connection.fetch("select size from ledger.timestamp order by size")] == [1, 2]


async def test_an_outage_is_logged_and_kept_and_ends_when_an_authority_answers(
    connection: asyncpg.Connection[Any], sequencer: Sequencer, writer: Writer, authorities: Authorities,
    away: Authorities,
) -> None:  # fmt: skip
    await writer.write()
    await sequencer.advance()
    with structlog.testing.capture_logs() as logs:
        assert await stamp_news(connection, away, HOUR) is None
        assert await stamp_news(connection, away, HOUR) is None
    assert [entry["event"] for entry in logs] == ["ledger.not_timestamped"] * 2
    state = await connection.fetchrow("select * from ledger.timestamp_state")
    assert state["failing_since"] is not None
    assert "cannot be asked" in state["problem"]
    await writer.write()
    assert await sequencer.advance() == 1  # work goes on
    assert await stamp_news(connection, authorities, HOUR) is not None
    state = await connection.fetchrow("select * from ledger.timestamp_state")
    assert (state["failing_since"], state["problem"]) == (None, "")


async def test_nobody_changes_or_removes_a_timestamp(
    ledger: Dsn, connection: asyncpg.Connection[Any], sequencer: Sequencer, writer: Writer, authorities: Authorities
) -> None:
    await writer.write()
    await sequencer.advance()
    await stamp_news(connection, authorities, HOUR)
    for statement in ("update ledger.timestamp set time = now()", "delete from ledger.timestamp"):
        for dsn in (ledger.sequencer, ledger.app, ledger.dba):
            other = await asyncpg.connect(dsn)
            with pytest.raises(asyncpg.PostgresError):
                await other.execute(statement)
            await other.close()


async def test_the_worker_timestamps_and_looks_at_the_certificate_by_itself(
    ledger: Dsn, sequencer: Sequencer, writer: Writer, settings: Settings, demo: Demonstration
) -> None:
    await writer.write()
    await sequencer.advance()
    seal = replace(settings.seal, pkcs12_file=demo.pkcs12, pkcs12_password=demo.password.read_text())
    local = TimestampAuthority(demo.directory.as_uri(), demo.tsa_ca)
    configured = replace(settings, seal=seal, timestamp_authorities=(local,))
    with structlog.testing.capture_logs() as logs:
        for task in worker.vouching(configured):
            assert await worker.once(task, ledger.sequencer) is True
    assert [entry["event"] for entry in logs] == ["ledger.timestamped"]
    assert worker.vouching(replace(settings, timestamp_authorities=())) == []


@pytest.fixture
async def stamped(
    settings: Settings, world: World, database: Database, sequenced: None, authorities: Authorities
) -> AsyncIterator[asyncpg.Record]:
    """The newest timestamp of the database the application is served from."""
    made = await register_seizure(database, world.aida)
    connection = await asyncpg.connect(settings.sequencer_dsn)
    published = (
        "select exists (select from ledger.leaf l join ledger.entry e on e.id = l.entry_id"
        " where e.seizure_id = $1 and l.leaf_index < (select n.size from ledger.newest_published() n))"
    )
    while not await connection.fetchval(published, made.seizure.id):
        await asyncio.sleep(0.05)
    assert await stamp_news(connection, authorities, AT_ONCE) is not None
    yield await connection.fetchrow("select * from ledger.timestamp order by size desc limit 1")
    await connection.execute("update ledger.timestamp_state set failing_since = null")
    await connection.close()


async def test_the_page_shows_size_time_and_authority_and_its_files_verify_with_openssl(
    browser: Any, api: Any, world: World, stamped: asyncpg.Record, demo: Demonstration, tmp_path: Path
) -> None:
    size = stamped["size"]
    page = (await browser(world.aida).get("/ledger/timestamps")).text
    for shown in (stamped["authority"], f"checkpoint-{size}.tsr", f"-attime {int(stamped['time'].timestamp())}"):
        assert shown in page
    stranger: Api = api(None)
    (tmp_path / "note.tsr").write_bytes((await stranger.get(f"/ledger/timestamps/{size}/response")).content)
    (tmp_path / "note").write_bytes((await stranger.get(f"/ledger/timestamps/{size}/checkpoint")).content)
    verify = ("openssl", "ts", "-verify", "-data", "note", "-in", "note.tsr", "-CAfile", demo.tsa_ca)
    assert run(*verify, where=tmp_path).returncode == 0


async def test_the_page_says_that_no_authority_answers_only_while_none_does(
    browser: Any, world: World, stamped: asyncpg.Record, settings: Settings
) -> None:
    address, said = "/ledger/timestamps", "No timestamp authority answers"
    assert said not in (await browser(world.aida).get(address)).text
    connection = await asyncpg.connect(settings.sequencer_dsn)
    await connection.execute("update ledger.timestamp_state set failing_since = now(), problem = 'tsa: status 503'")
    await connection.close()
    page = (await browser(world.aida).get(address)).text
    assert said in page
    assert "tsa: status 503" in page


@pytest.mark.parametrize("size", ["0", "-1", "9" * 30])
async def test_a_timestamp_that_is_not_there_is_not_found(api: Any, size: str) -> None:
    assert (await api(None).get(f"/ledger/timestamps/{size}/response")).status_code == 404


async def test_a_page_that_begins_nowhere_begins_at_the_newest(browser: Any, world: World) -> None:
    assert (await browser(world.aida).get("/ledger/timestamps?below=x")).status_code == 200

"""Uploads while something breaks: networks cut, disks fill, stores die and forget, time runs out, people give up."""

from __future__ import annotations

import asyncio
import random
import subprocess
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from casemgmt.core.ingest import extend
from casemgmt.core.reading import read_object
from casemgmt.core.web import answers
from casemgmt.core.web.signin import token_hash
from casemgmt.storage.local import LocalStore
from casemgmt.storage.local_resumable import LocalResumable
from casemgmt.storage.s3_resumable import S3Resumable
from casemgmt.uploads.locks import key_of
from casemgmt.uploads.sweeping import sweep_uploads
from tests.cast import World
from tests.db import Dsn
from tests.evidence.conftest import JPEG, Site, _site, sha256
from tests.records import register_seizure
from tests.servers import S3Server, free_port, rclone_s3, versitygw
from tests.uploads.client import Tus
from tests.uploads.conftest import Client

MIB = 1 << 20
DATA = JPEG + random.Random(31).randbytes(300_000)
BIG = JPEG + random.Random(32).randbytes(19 * MIB)


async def until(told: Callable[[], Any], *, seconds: float = 30) -> None:
    """Wait for what ``told`` (a coroutine's maker) says yes to."""
    async with asyncio.timeout(seconds):
        while not await told():
            await asyncio.sleep(0.05)


class Hanging:
    """A body that stops after its first bytes until it is told to go on."""

    def __init__(self, first: bytes, then: bytes = b"") -> None:
        self._first, self._then = first, then
        self.go_on = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._all()

    async def _all(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._first), MIB):
            yield self._first[start : start + MIB]
        await self.go_on.wait()
        if self._then:
            yield self._then


async def is_writing(site: Site, up: Tus) -> bool:
    """Whether this server is receiving a piece of it. Asked of it directly: a question by HTTP would change it."""
    key = key_of(up.member.id, uuid.UUID(up.id))
    return site.app.state.uploads.locks._writers.get(key) is not None


# ---- a cut in the first piece of a photograph


@pytest.mark.parametrize("stop", [1, 2, 3, 4095, 4096, 4097, 70_000])
async def test_a_photograph_cut_in_its_first_piece_goes_on_and_is_one(sites, made, tus: Client, db_dba, stop: int):
    """What tells a picture are its first bytes: they count also when the request that brought them was cut."""
    for goes_on_at in sites:
        up = tus()
        assert (await up.begin(DATA, kind="photo")).status_code == 201

        async def cut() -> AsyncIterator[bytes]:
            yield DATA[:stop]
            raise httpx.WriteError("the network went away")

        with pytest.raises(httpx.WriteError):
            await up.send(cut(), 0)
        state = await up.state()
        assert state["state"] == "receiving"
        await go_on_to_the_end(tus(at=goes_on_at, id=up.id), DATA)
        state = await up.state()
        assert (state["state"], state["file"]["sha256"], state["file"]["kind"]) == ("stored", sha256(DATA), "photo")
        assert (state["file"]["media_type"], state["file"]["size"]) == ("image/jpeg", len(DATA))
        key = await db_dba.fetchval("select object_key from evidence.file where client_id = $1", uuid.UUID(up.id))
        assert b"".join([block async for block in read_object(goes_on_at.store, key)]) == DATA


@pytest.mark.parametrize("stop", [3, 4095, 5000])
async def test_what_is_no_photograph_is_found_out_after_a_cut_as_well(tus: Client, stop: int):
    up, text = tus(), b"#!/bin/sh\n" * 2000
    await up.begin(text, kind="photo")

    async def cut() -> AsyncIterator[bytes]:
        yield text[:stop]
        raise httpx.WriteError("the network went away")

    with pytest.raises(httpx.WriteError):
        await up.send(cut(), 0)
    await go_on_to_the_end(up, text)
    assert (await up.state())["state"] == "refused"


async def go_on_to_the_end(up: Tus, data: bytes) -> None:
    """Ask and send as a client does, until it is stored or over: what a cut left may still be on its way."""
    async with asyncio.timeout(60):
        while True:
            found = await up.ask("HEAD")
            if found.status_code == 410:
                return
            assert found.status_code in {200, 423}
            if found.status_code == 200:
                here = int(found.headers["upload-offset"])
                answer = await up.send(data[here:], here)
                if answer.status_code in {204, 415}:
                    return
                assert answer.status_code in {409, 410, 423}, answer.text
            await asyncio.sleep(0.1)


# ---- slow clients, and many at once


async def test_a_body_that_drips_is_ended_and_what_came_is_kept(tus: Client, monkeypatch):
    monkeypatch.setattr("casemgmt.uploads.actions.extend", partial(extend, idle=1.0))
    up = tus()
    await up.begin(DATA)

    host, port = up.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    said = {
        "Host": host, "Authorization": f"Bearer {up.member.token}", "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream", "Content-Length": str(len(DATA)),
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"PATCH {up.url} HTTP/1.1\r\n{head}\r\n".encode())

    async def drip() -> None:
        for n in range(len(DATA)):
            writer.write(DATA[n : n + 1])
            await writer.drain()
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(60):  # for hours it would drip, if it were listened to
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close" in answer
            with suppress(ConnectionError):
                while await reader.read(1 << 16):
                    pass
    finally:
        dripping.cancel()
        await asyncio.wait([dripping])
        writer.close()
    here = await up.offset()
    assert 0 < here < 1000
    assert (await up.send(DATA[here:], here)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(DATA)


@pytest.mark.parametrize("sites", ["folder"], indirect=True)
async def test_a_registration_that_is_cut_is_no_fault_of_the_server(sites, tus: Client, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(answers.log, "info", lambda event, **_: said.append(event))
    monkeypatch.setattr(answers.log, "error", lambda event, **_: said.append(event))
    up = tus()
    host, port = up.address.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"Host: {host}\r\nAuthorization: Bearer {up.member.token}\r\nContent-Type: application/json\r\n"
    writer.write(f"POST /api/v1/seizures HTTP/1.1\r\n{head}Content-Length: 500\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.close()

    async def told() -> bool:
        return bool(said)

    await until(told)
    assert said == ["request.cut"]


# ---- time, people and sessions in the middle of a request


async def test_an_upload_is_not_expired_while_its_bytes_come(sites, dsn: Dsn, tus: Client, db_dba):
    up = tus()
    await up.begin(BIG)
    body = Hanging(BIG[: 9 * MIB], BIG[9 * MIB :])
    sending = asyncio.create_task(up.send(body, 0))
    await until(lambda: is_writing(sites[0], up))
    late = "update evidence.upload set expires_at = now() - interval '1 s' where client_id = $1"
    await db_dba.execute(late, uuid.UUID(up.id))
    sequencer = await asyncpg.connect(dsn.sequencer)
    try:
        await sweep_uploads(sites[1].store, sequencer)
    finally:
        await sequencer.close()
    body.go_on.set()
    answer = await sending
    assert answer.status_code == 204, answer.text
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_giving_up_ends_the_request_that_is_writing(sites, tus: Client):
    up = tus()
    await up.begin(BIG)
    body = Hanging(BIG[: 9 * MIB])
    sending = asyncio.create_task(up.send(body, 0))
    other = tus(at=sites[1], id=up.id)
    await until(lambda: is_writing(sites[0], up))
    assert (await other.ask("DELETE")).status_code == 423, "the other server cannot end it"
    assert (await up.ask("DELETE")).status_code == 204
    body.go_on.set()
    await asyncio.wait([sending])
    if sending.exception() is None:
        assert sending.result().status_code == 423
    assert (await other.ask("HEAD")).status_code == 410
    assert (await up.state())["state"] == "removed"


async def test_a_session_that_ends_in_the_middle_is_401_and_what_came_stays(sites, world: World, tus: Client, db_dba):
    up = tus()
    await up.begin(BIG)
    body = Hanging(BIG[: 3 * MIB], BIG[3 * MIB : 4 * MIB])
    sending = asyncio.create_task(up.send(body, 0))
    await until(lambda: is_writing(sites[0], up))
    session = token_hash(world.aida.token)
    ended = "update accounts.session set expires_at = now() - interval '1 s' where token_hash = $1"
    await db_dba.execute(ended, session)
    body.go_on.set()
    assert (await sending).status_code == 401
    assert (await up.ask("HEAD")).status_code == 401
    again = "update accounts.session set expires_at = now() + interval '1 d' where token_hash = $1"
    await db_dba.execute(again, session)
    here = await up.offset()
    assert (await up.send(BIG[here:], here)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_a_question_while_the_staged_bytes_are_being_opened_locks_nothing(sites, tus: Client, monkeypatch):
    """A phone that asks again at once ends its own request, wherever that is: also between opening and reading."""
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:10], 0)
    opening, go_on = threading.Event(), threading.Event()
    resume = type(sites[0].store).resume

    def slow(store: Any, *arguments: Any) -> Any:
        opening.set()
        go_on.wait(30)
        return resume(store, *arguments)

    with monkeypatch.context() as slowly:
        slowly.setattr(type(sites[0].store), "resume", slow)
        sending = asyncio.create_task(up.send(DATA[10:], 10))
        await asyncio.to_thread(opening.wait, 30)
        asking = asyncio.create_task(up.ask("HEAD"))
        await asyncio.sleep(0.5)  # it has ended the request by now, or will: nothing hangs on it
        go_on.set()
        assert (await asking).status_code in {200, 423}
        await sending
    here = await up.offset()
    assert (await up.send(DATA[here:], here)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(DATA)


async def test_what_is_being_saved_is_closed_only_when_it_is_saved(sites, tus: Client, monkeypatch):
    """A cut, and the phone asks at once, and again: nobody else gets at the upload before its bytes are kept."""
    up = tus()
    await up.begin(BIG)
    await up.send(BIG[: 3 * MIB], 0)
    staged = LocalResumable if isinstance(sites[0].store, LocalStore) else S3Resumable
    save, close = staged.save, staged.close
    saving, go_on, order = threading.Event(), threading.Event(), []

    def slow(self: Any) -> None:
        order.append("saving")
        saving.set()
        go_on.wait(30)
        save(self)
        order.append("saved")

    def closed(self: Any) -> None:
        order.append("closed")
        close(self)

    async def cut() -> AsyncIterator[bytes]:
        for start in range(3 * MIB, 9 * MIB, MIB):
            yield BIG[start : start + MIB]
        raise httpx.WriteError("the network went away")

    with monkeypatch.context() as slowly:
        slowly.setattr(staged, "save", slow)
        slowly.setattr(staged, "close", closed)
        with pytest.raises(httpx.WriteError):
            await up.send(cut(), 3 * MIB)
        assert await asyncio.to_thread(saving.wait, 60)
        asking = [asyncio.create_task(up.ask("HEAD")) for _ in range(2)]
        await asyncio.sleep(0.5)
        assert order == ["saving"]
        go_on.set()
        answers = await asyncio.gather(*asking)
    assert order[:3] == ["saving", "saved", "closed"]
    assert {answer.status_code for answer in answers} <= {200, 423}
    await go_on_to_the_end(up, BIG)
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


# ---- a disk that is full


@contextmanager
def small_disk(folder: Path, size: str, missing_part: Callable[[str], None]) -> Iterator[None]:
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        missing_part(f"a small disk: mounting a tmpfs needs root ({mounted.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_keeps_what_came_and_goes_on_when_there_is_room(
    dsn: Dsn, world: World, tmp_path: Path, missing_part: Callable[[str], None]
):
    store = tmp_path / "store"
    with small_disk(store, "14m", missing_part):
        ballast = store / "ballast"
        ballast.write_bytes(bytes(6 * MIB))
        async for site in _site(dsn, tmp_path, {"MAX_UPLOAD_MIB": "24"}):
            up = await beginning(site, world, BIG[: 10 * MIB])
            data = BIG[: 10 * MIB]
            answer = await up.send(data, 0)
            assert (answer.status_code, answer.json()["type"]) == (507, "urn:casemgmt:problem:store-full"), answer.text
            here = await up.offset()
            assert MIB < here < len(data)
            full = await up.send(data[here:], here)
            assert full.status_code == 507
            ballast.unlink()
            here = await up.offset()
            assert (await up.send(data[here:], here)).status_code == 204
            state = await up.state()
            assert (state["state"], state["file"]["sha256"]) == ("stored", sha256(data))


async def beginning(site: Site, world: World, data: bytes, **said: str) -> Tus:
    made = await register_seizure(site.app.state.database, world.aida, "U-1")
    up = Tus(site.address, world.aida, site.codes.encode("exhibit", made.exhibits[0].id))
    assert (await up.begin(data, **said)).status_code == 201
    return up


# ---- a store that dies, and one that forgets


class Killable:
    """A real S3 server that is killed and started again on the same port and folder."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self._open: Any = None
        self.server: S3Server | None = None
        self.port = free_port()

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._open = {"versitygw": versitygw, "rclone": rclone_s3}[self.kind](self.folder, port=self.port)
        self.server = self._open.__enter__()

    def kill(self) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None


@pytest.fixture(params=["versitygw", "rclone"])
async def mortal(
    request: pytest.FixtureRequest, dsn: Dsn, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Killable, Site]]:
    server = Killable(request.param, tmp_path_factory.mktemp("mortal") / "s3")
    server.start()
    assert server.server is not None
    more = {
        "MAX_UPLOAD_MIB": "24", "STORE_ACCESS_KEY": server.server.access, "STORE_SECRET_KEY": server.server.secret,
        "STORE_URL": f"{server.server.endpoint.replace('http://', 's3://')}/mortal?tls=0",
    }  # fmt: skip
    try:
        async for site in _site(dsn, tmp_path_factory.mktemp("site"), more):
            yield server, site
    finally:
        server.kill()


async def test_a_store_killed_between_a_part_and_the_end_loses_nothing_that_is_acknowledged(
    mortal: tuple[Killable, Site], world: World
):
    """What the store kept goes on; where it forgot the parts, the client is told to begin again, and can."""
    server, site = mortal
    up = await beginning(site, world, BIG)
    assert (await up.send(BIG[: 9 * MIB], 0)).status_code == 204
    server.kill()
    assert (await up.send(BIG[9 * MIB :], 9 * MIB)).status_code == 503
    assert (await up.ask("HEAD")).status_code == 503
    assert (await up.state())["state"] == "receiving"
    server.start()
    here = await up.offset()
    assert here == 9 * MIB, "what was acknowledged"
    last = await up.send(BIG[here:], here)
    if server.kind == "rclone":  # it keeps the parts of an unfinished upload in its memory
        assert (last.status_code, last.json()["type"]) == (410, "urn:casemgmt:problem:upload-over"), last.text
        assert "lost" in last.json()["title"]
        state = await up.state()
        assert (state["state"], state["reason"]) == ("expired", "lost")
        assert "lost" in state["words"]
        again = await up.begin(BIG)
        assert (again.status_code, again.headers["upload-offset"]) == (201, "0")
        last = await up.send(BIG, 0)
    assert last.status_code == 204, last.text
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_a_store_that_let_go_of_what_was_staged_is_found_out_by_whoever_begins_again(
    mortal: tuple[Killable, Site], world: World, db_dba
):
    """As a rule of the bucket does after some days, whether or not bytes still come."""
    _, site = mortal
    up = await beginning(site, world, BIG)
    assert (await up.send(BIG[: 17 * MIB], 0)).status_code == 204
    key = await db_dba.fetchval("select object_key from evidence.upload where client_id = $1", uuid.UUID(up.id))
    staged = [found for found in site.store.leftovers(datetime.now(UTC) + timedelta(days=1)) if found.key == key]
    assert len(staged) == 2, "the parts, and the bytes behind them"
    for leftover in staged:
        site.store.discard(leftover)
    again = await up.begin(BIG)
    assert (again.status_code, again.headers["upload-offset"]) == (201, "0")
    assert (await up.send(BIG, 0)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(BIG)

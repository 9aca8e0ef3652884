"""The witness program on a socket: whatever is sent, an answer or a closed connection, and never a 500."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemgmt.trust.witness import MAX_REQUEST, monitoring_name
from casemgmt.witness import http
from casemgmt.witness.answering import Witness
from casemgmt.witness.http import CONNECTIONS, Server
from casemgmt.witness.keeping import Keeper, keeping, read_key
from tests.witness.conftest import LOG, NOW, asking
from tests.witness.programs import Program


@pytest.fixture
async def port(keeper: Keeper) -> AsyncIterator[int]:
    """A witness below /w."""
    server = await asyncio.start_server(Server(Witness(keeper, lambda: NOW).answer, "/w").connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def talk(port: int, *parts: bytes) -> bytes:
    """Send, and read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            for part in parts:
                writer.write(part)
                await writer.drain()
            writer.write_eof()
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def post(body: bytes, *headers: str, path: str = "/w/add-checkpoint", length: int | None = None) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: w", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_several_requests_over_one_connection(port: int) -> None:
    answer = await talk(port, post(asking(0, 5)), post(asking(5, 9)), post(asking(5, 9)))
    assert answer.count(b"HTTP/1.1 200") == 2
    assert b"HTTP/1.1 409" in answer
    assert answer.endswith(b"\r\n\r\n9\n")
    assert b"text/x.tlog.size" in answer
    shown = await talk(port, f"GET /w/{monitoring_name(LOG.name)}/checkpoint?x=1 HTTP/1.1\r\nHost: w\r\n\r\n".encode())
    assert status(shown) == 200


async def test_a_body_in_chunks_and_one_that_waits_to_be_asked_for(port: int) -> None:
    body = asking(0, 5)
    head = b"POST /w/add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    assert status(await talk(port, head, chunked)) == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head, _, body = post(asking(5, 6), "Expect: 100-continue").partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (post(b""), 400),
        (post(b"old 0\n\n\xff\n"), 400),
        (post(b"x" * (MAX_REQUEST + 1)), 413),
        (post(b"x" * (MAX_REQUEST + 1), length=2**62), 413),
        (post(asking(0, 5), path="/add-checkpoint"), 404),
        (post(asking(0, 5), path="/w"), 404),
        (post(asking(0, 5), path="/other/add-checkpoint"), 404),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: w\r\n\r\n", 431),
        (b"POST /w/add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"HEAD /w/add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 405),
        (b"GET /w/%00 HTTP/1.1\r\nHost: w\r\n\r\n", 404),
    ],
)
async def test_what_is_not_a_request_gets_its_status(port: int, sent: bytes, expected: int) -> None:
    assert status(await talk(port, sent)) == expected


async def test_what_is_cut_off_is_answered_or_closed_and_the_next_is_served(port: int) -> None:
    whole = post(asking(0, 5))
    for cut in (0, 1, 30, len(whole) - 1):
        answer = await talk(port, whole[:cut])
        assert answer == b"" or status(answer) == 400
    assert status(await talk(port, whole)) == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, 600))
def test_garbage_is_never_a_500(directory: Path, garbage: bytes, at: int) -> None:

    async def try_it() -> bytes:
        with keeping(directory) as keeper:
            server = Server(Witness(keeper, lambda: NOW).answer)
            listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
            async with listening:
                good = post(asking(0, 5), path="/add-checkpoint")
                sent = good[:at] + garbage + good[at:]
                return await talk(listening.sockets[0].getsockname()[1], sent)

    answer = asyncio.run(try_it())
    assert answer == b"" or status(answer) in (200, 400, 403, 404, 405, 409, 413, 422, 431, 501, 505)


async def test_a_request_that_dawdles_is_dropped(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(asking(0, 5))[:40])
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_connections_beyond_the_limit_are_closed_and_room_comes_back(port: int) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.1)
    assert await talk(port, post(asking(0, 5))) == b""
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.1)
    assert status(await talk(port, post(asking(0, 5)))) == 200


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "casemgmt", "witness", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


async def test_the_program_as_an_agency_runs_it(tmp_path: Path) -> None:
    directory = tmp_path / "police"
    made = run("make-key", str(directory), "--name", "police.example/witness")
    assert made.returncode == 0
    assert "police.example/witness+" in made.stdout
    assert "PRIVATE" not in made.stdout + made.stderr
    assert run("make-key", str(directory), "--name", "police.example/witness").returncode == 2
    refused = run("enrol", str(directory), "no key")
    assert (refused.returncode, "not a log's key" in refused.stderr) == (2, True)
    assert run("enrol", str(directory), str(LOG.verifier)).returncode == 0
    assert "was enrolled already" in run("enrol", str(directory), str(LOG.verifier)).stdout

    program = Program("police", directory, read_key(directory))
    await program.start()
    try:
        second = run("serve", str(directory), "--listen", "127.0.0.1:0")
        assert (second.returncode, "another process uses" in second.stderr) == (2, True)
        answer = await talk(program.port, post(asking(0, 5), path="/add-checkpoint"))
        assert status(answer) == 200
    finally:
        assert program.process is not None
        program.process.terminate()
        assert program.process.wait(10) == 0
    assert "cosigned 'ledger.example/2027' of 5 entries" in program.output()


def test_it_ends_with_the_program_that_started_it(directory: Path) -> None:
    command = [sys.executable, "-m", "casemgmt", "witness", "serve", str(directory), "--while-stdin-open"]
    process = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0


def test_it_imports_nothing_of_ours_but_the_trust_core() -> None:
    """What an agency has to read before it trusts it."""
    script = (
        "import sys, casemgmt.witness.command\n"
        "print(' '.join(sorted({'.'.join(m.split('.')[:2]) for m in sys.modules if m.startswith('casemgmt.')})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["casemgmt.trust", "casemgmt.witness"]

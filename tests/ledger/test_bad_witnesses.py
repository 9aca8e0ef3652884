"""Witnesses that are not what they should be: other bytes, slow, another key, another tree, another clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import structlog

from casemgmt.ledger import cosigning, witnessing
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.witness import AddCheckpoint
from tests.ledger.entries import Writer
from tests.ledger.witnessed import (
    House,
    answers,
    published_or_none,
    until,
)
from tests.witness.programs import Program, policy_of

pytestmark = pytest.mark.usefixtures("hasty")


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that reads a request and sends back these bytes, whatever they are; yields its address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
            body = await reader.readexactly(length)
            writer.write(answer(body))
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def reply(status: int, body: bytes, kind: str = "text/plain") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status, kind.encode(), len(body), body,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"", "unreachable"),
        (b"nonsense\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "unreachable"),
        (reply(200, b"x" * 70_000), "unreachable"),
        (reply(200, b"\xff\xfe"), "no-cosignature"),
        (reply(200, b"<html>fine</html>"), "no-cosignature"),
        (reply(301, b"elsewhere"), "refused"),
        (reply(400, b"what?"), "refused"),
        (reply(500, b"\x00\x1b[31m"), "refused"),
        (reply(503, b"disk full"), "refused"),
        (reply(403, b"key"), "refused-key"),
        (reply(404, b"log"), "unknown-log"),
        (reply(409, b"many\n"), "refused"),
        (reply(409, b"1\n"), "behind"),
        (reply(409, b"0\n"), "other-history"),
        (reply(409, b"999999\n"), "other-history"),
        (reply(422, b"no"), "other-history"),
    ],
)
async def test_a_witness_that_answers_anything_else_is_written_down_and_asked_again_later(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, sent: bytes, problem: str
) -> None:
    first = [b"2\n", b"1\n"]

    def answer(_: bytes) -> bytes:
        if problem == "behind":  # names another size each time
            first.append(first.pop(0))
            return reply(409, first[-1])
        return sent

    async with answering(answer) as address:
        text = policy_of(key.verifier, programs).replace(programs[1].url, address)
        await house.put_in_force(text)
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert police.problem == problem
        assert police.failing_since is not None
        assert "\x1b" not in (police.detail or "")
        assert bool(police.alarm) == (problem == "other-history")
        assert (await published_or_none(house) is None) == (problem == "other-history")


async def test_a_slow_witness_holds_nobody_up(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigning, "PATIENCE", 0.8)
    monkeypatch.setattr(witnessing, "GRACE", 0.05)
    release = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        assert await house.published() == sequencer.size
        assert (await house.standing())["police"].problem is None  # still being asked
        await asyncio.sleep(0.9)
        await house.work.round()
        assert (await house.standing())["police"].problem == "slow"
        release.set()


async def test_a_cosignature_by_another_key_or_over_another_tree_is_not_counted(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    other = SigningKey.generate("police.example/witness", COSIGNATURE)

    def answer(body: bytes) -> bytes:
        text = AddCheckpoint.parse(body).checkpoint.text
        wrong = programs[1].key.cosign(text.replace("\n5\n", "\n6\n"), 1_800_000_000)
        lines = Note(text, (other.cosign(text, 1_800_000_000), wrong))
        return reply(200, str(lines).removeprefix(text + "\n").encode())

    async with answering(answer) as address:
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert (police.problem, police.size) == ("no-cosignature", None)


@pytest.mark.parametrize("bogus", [bytes(72), b"\xff" * 72, b"short", b""], ids=["zeros", "late", "short", "empty"])
async def test_a_cosignature_row_that_does_not_fit_is_named_counts_for_nothing_and_stops_nothing(
    bogus: bytes, house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """As database superuser: a row of a witness that never cosigned this size."""
    await programs[1].stop_here()
    await programs[2].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    insert = "insert into ledger.cosignature(size, vkey, signature) values ($1, $2, $3)"
    await writer.connection.execute(insert, sequencer.size, programs[1].vkey, bogus)
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    assert await published_or_none(house) is None  # customs alone is no quorum of two
    assert [e["witness"] for e in logs if e["event"] == "ledger.cosignature_invalid"] == ["police"]
    await programs[2].start_here()
    await until(house.work.round, lambda: answers(lambda: published_or_none(house), sequencer.size))


async def test_a_witness_whose_clock_is_far_off_is_counted_and_named(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    def answer(body: bytes) -> bytes:
        text = AddCheckpoint.parse(body).checkpoint.text
        return reply(200, str(Note(text, (programs[1].key.cosign(text, 4_000_000_000),))).split("\n\n")[1].encode())

    async with answering(answer) as address:
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert (police.problem, police.size, police.failing_since) == ("clock", sequencer.size, None)

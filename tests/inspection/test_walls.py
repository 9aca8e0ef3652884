"""A looking process that was taken over: what it cannot do, what it can ruin, and that every wall is really there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from casemgmt.inspection import confinement
from casemgmt.inspection.confinement import MIB, Limits
from casemgmt.inspection.pool import Ended, NotLooking
from tests.inspection import photos
from tests.inspection.conftest import Opener, chunks

DATA = b"\xff\xd8\xff\xe0 a photograph"

ENDS = {
    "spin": "slow", "sleep": "slow", "devour": "memory", "crash": "crashed", "leave": "slow", "fail": "crashed",
    "nonsense": "garbage", "other-form": "garbage", "long-words": "garbage", "deep": "garbage", "flood": "garbage",
}  # fmt: skip


@pytest.mark.parametrize(("deed", "trouble"), ENDS.items())
async def test_what_it_does_to_itself_is_a_finding(opened: Opener, deed: str, trouble: str) -> None:
    pool = opened(deed)
    found = await pool.claims(len(DATA), "image/jpeg", chunks(DATA))
    assert (found.exif.state, found.exif.trouble) == ("unreadable", trouble)
    assert (found.c2pa.state, found.c2pa.trouble) == ("unreadable", trouble)
    assert await pool.preview(len(DATA), chunks(DATA)) is None


@pytest.mark.parametrize("deed", ["socket", "open", "write", "program", "fork", "kill"])
async def test_it_is_refused(opened: Opener, deed: str) -> None:
    found = await opened(deed).claims(len(DATA), "image/jpeg", chunks(DATA))
    assert found.exif.error == "refused: PermissionError"


@pytest.mark.parametrize("deed", ["socket", "open", "program", "fork", "kill"])
async def test_without_the_filter_it_is_not(opened: Opener, deed: str) -> None:
    found = await opened(deed, "without-filter").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert found.exif.error == "done"


async def test_without_the_filter_the_limits_alone_still_keep_it_from_writing(opened: Opener) -> None:
    found = await opened("write", "without-filter").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert (found.exif.error, found.exif.trouble) in (("refused: OSError", None), ("", "crashed"))


async def test_without_limits_it_takes_the_memory_it_wants(opened: Opener) -> None:
    found = await opened("devour", "without-limits").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert found.exif.error == "done, 12"


async def test_threads_of_its_own_it_may_have(opened: Opener) -> None:
    found = await opened("thread").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert found.exif.error == "done"


async def test_it_is_not_told_our_secrets(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEMGMT_APP_URL", "postgresql://app:secret@host/db")
    found = await opened("secrets").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert "LC_ALL" in found.exif.error
    assert "CASEMGMT" not in found.exif.error


async def test_a_process_whose_words_nobody_read_still_ends(opened: Opener) -> None:
    """A pipe that is full is not listened to, so asyncio does not see it close: the end must not wait for that."""
    pool = opened("flood")
    process = await pool._start()
    with pytest.raises(Ended, match="garbage"):
        await process.ask({"do": "exif", "size": len(DATA), "type": "image/jpeg"}, chunks(DATA)(), 1000)
    for _ in range(200):  # until more has come than is kept for a reader, and reading has paused
        if process._stdout._paused:  # type: ignore[attr-defined]
            break
        await asyncio.sleep(0.01)
    assert process._stdout._paused  # type: ignore[attr-defined]
    await asyncio.wait_for(process.end(), 20)


async def test_a_library_that_prints_does_not_speak_for_us(opened: Opener) -> None:
    found = await opened("chatter").claims(len(DATA), "image/jpeg", chunks(DATA))
    assert found.exif.error == "spoke"


async def test_after_any_end_the_next_file_is_looked_into(opened: Opener) -> None:
    pool = opened(processes=1, limits=Limits(memory=512 * MIB, cpu=1, wall=3))
    bomb = photos.billion_entries()
    for _ in range(2):
        assert (await pool.claims(len(bomb), "image/tiff", chunks(bomb))).exif.state in ("unreadable", "found", "none")
        data = photos.camera()
        assert (await pool.claims(len(data), "image/jpeg", chunks(data))).exif.model == "X1"


async def test_a_process_killed_at_its_work_is_a_finding(opened: Opener) -> None:
    pool = opened("sleep", processes=1)
    asking = asyncio.create_task(pool.claims(len(DATA), "image/jpeg", chunks(DATA)))
    await _until(lambda: len(_looking()) >= 2)
    for process in _looking():
        os.kill(process.pid, signal.SIGKILL)
    found = await asking
    assert found.exif.trouble in ("crashed", "slow")


async def test_a_question_that_is_given_up_ends_its_process(opened: Opener) -> None:
    pool = opened("sleep", processes=1)
    asking = asyncio.create_task(pool.claims(len(DATA), "image/jpeg", chunks(DATA)))
    await _until(lambda: len(_looking()) >= 2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert _looking() == []


async def test_an_error_of_the_store_is_raised_and_the_process_is_not_used_again(opened: Opener) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionAbortedError("store")

    pool = opened(processes=1)
    with pytest.raises(ConnectionAbortedError):
        await pool.claims(100, "image/jpeg", cut)
    data = photos.camera()
    assert (await pool.claims(len(data), "image/jpeg", chunks(data))).exif.state == "found"


@pytest.mark.parametrize("said", [len(DATA) - 3, len(DATA) + 3])
async def test_bytes_that_are_not_as_many_as_announced_are_no_file_and_end_the_process(
    opened: Opener, said: int
) -> None:
    pool = opened()
    with pytest.raises(ValueError, match=r"3 bytes (less|more) than announced"):
        await pool.claims(said, "image/jpeg", chunks(DATA))
    assert _looking() == []


@pytest.mark.parametrize("program", ["/nowhere/at-all", "/bin/false", "/bin/cat"])
async def test_a_program_that_does_not_run_is_no_finding_about_a_file(opened: Opener, program: str) -> None:
    with pytest.raises(NotLooking):
        await opened(program=(program,)).claims(len(DATA), "image/jpeg", chunks(DATA))


async def test_what_the_opener_finds_at_the_end_comes_before_any_finding(opened: Opener) -> None:
    async def other_bytes() -> AsyncIterator[bytes]:
        for _ in range(64):
            await asyncio.sleep(0.01)
            yield bytes(65_536)
        raise ConnectionAbortedError("these are other bytes")

    pool = opened("sleep", processes=1)
    asking = asyncio.create_task(pool.claims(64 * 65_536, "image/jpeg", other_bytes))
    await _until(lambda: len(_looking()) >= 2)
    for process in _looking():
        process.kill()
    with pytest.raises(ConnectionAbortedError):
        await asking


async def test_no_more_processes_run_than_were_allowed_and_idle_ones_end(opened: Opener) -> None:
    pool = opened(processes=2, idle=0.2)
    data = photos.camera()
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sum(process.ppid() == os.getpid() for process in _looking()))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(pool.claims(len(data), "image/jpeg", chunks(data)) for _ in range(12)))
    watching.cancel()
    assert most == 2
    await _until(lambda: not _looking())


async def test_closing_ends_what_is_at_work(opened: Opener) -> None:
    pool = opened("sleep", processes=2)
    asking = [asyncio.create_task(pool.claims(len(DATA), "image/jpeg", chunks(DATA))) for _ in range(2)]
    await _until(lambda: len(_looking()) >= 4)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    await pool.close()
    assert _looking() == []


def test_the_numbers_of_the_filter_are_the_kernels(missing_part: Callable[[str], None]) -> None:
    found = 0
    for column, header in (
        (0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        (1, "/usr/include/asm-generic/unistd.h"),
    ):
        if not Path(header).exists():
            continue
        numbers = dict(re.findall(r"#define __NR3?\w*?_(\w+)\s+(\d+)", Path(header).read_text()))
        for name, pair in {**confinement.ALLOWED, "clone": confinement.CLONE, "clone3": confinement.CLONE3}.items():
            if pair[column] is not None and name in numbers:
                assert int(numbers[name]) == pair[column], (name, header)
                found += 1
    if not found:
        missing_part("the kernel's headers are not installed: linux-libc-dev")
    assert found > 30


def test_an_unknown_machine_gets_no_filter_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    assert confinement.filter_calls() is False


def _looking() -> list[psutil.Process]:
    """This test's looking processes and their forks. Not by a word of ours alone: a process that has not become another
    program yet has our own command line."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if process.status() != "zombie" and _looks(_words(process))]


def _looks(words: list[str]) -> bool:
    return words[1:3] == ["-I", "-B"] and any(word.endswith(("inspection.child", "evil.py")) for word in words)


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return words


async def _until(true: object) -> None:
    assert callable(true)
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)

"""The looking processes of one program, at most so many at a time, and what is asked of them.

Nothing a file does reaches further than its process: that is ended, the trouble becomes a finding, and the next file
gets a new one. The processes are given no environment (there are passwords in ours), no folder and no open file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from casemgmt.inspection.child import LENGTH, OUT_OF_MEMORY
from casemgmt.inspection.confinement import MIB, Limits
from casemgmt.inspection.observation import (
    BothAnswer,
    C2pa,
    C2paAnswer,
    Claims,
    Exif,
    ExifAnswer,
    Trouble,
)

PROGRAM = (sys.executable, "-I", "-B", "-m", "casemgmt.inspection.child")
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
LARGEST = 64 * MIB
"""Larger files are not looked into."""
LONGEST_CLAIMS, LARGEST_PREVIEW = 512 << 10, MIB
EDGE = 800
IDLE = 60.0
START = 30.0  # seconds; importing the parsers takes a quarter of one
LAST_WORDS = 5.0  # seconds

Chunks = Callable[[], AsyncIterator[bytes]]
"""Opens the file's bytes from the beginning; may be called more than once."""


Answer = TypeVar("Answer")

LARGEST_ANCHORS = MIB // 2


def open_inspectors(processes: int, anchors: Path | None) -> Inspectors:
    """A pool as it is configured; nothing is started yet. Raises ValueError for anchors that cannot be read."""
    try:
        pem = anchors.read_text(encoding="ascii") if anchors else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{anchors} cannot be read as PEM certificates ({error})") from error
    if (anchors and "BEGIN CERTIFICATE" not in pem) or len(pem) > LARGEST_ANCHORS:
        raise ValueError(f"{anchors} holds no PEM certificates, or more than {LARGEST_ANCHORS} bytes of them")
    return Inspectors(processes=processes, anchors=pem)


class Ended(Exception):
    """A file could not be looked into."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class NotLooking(Exception):
    """No looking process can be started: a fault of this machine or installation, and no finding about any file."""


class Inspectors:
    """A pool of looking processes for one event loop. They start when they are needed, and end when idle for a minute.

    ``anchors``: PEM certificates of those whose C2PA signatures count as trusted.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        limits: Limits | None = None,
        anchors: str = "",
        program: Sequence[str] = PROGRAM,
        idle: float = IDLE,
    ) -> None:
        self.limits = limits or Limits()
        self._anchors, self._program, self._idle_for = anchors, program, idle
        self._room = asyncio.Semaphore(processes)
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def claims(self, size: int, media_type: str, chunks: Chunks) -> Claims:
        """What the file says of itself. Trouble it makes is part of the answer; raises what ``chunks`` raises, or
        NotLooking."""
        if size > LARGEST:
            programs = await self._programs()
            return Claims(Exif("not-looked", trouble="too-large"), C2pa("not-looked", trouble="too-large"), programs)
        request = {"size": size, "type": media_type}
        try:
            both, programs = await self._ask("claims", request, chunks, BothAnswer)
        except Ended:  # whose fault it was is found out one by one
            exif, c2pa = await self._exif(request, chunks), await self._c2pa(request, chunks)
            return Claims(exif, c2pa, await self._programs())
        return Claims(both.exif, both.c2pa, programs)

    async def preview(self, size: int, chunks: Chunks, edge: int = EDGE) -> bytes | None:
        """A small upright JPEG of at most LARGEST_PREVIEW bytes; None for what is no picture we can make one of.
        Raises what ``chunks`` raises, or NotLooking."""
        if size > LARGEST:
            return None
        try:
            answer, _ = await self._exchange({"do": "preview", "size": size, "edge": edge}, chunks, LARGEST_PREVIEW)
        except Ended:
            return None
        return answer if answer.startswith(b"\xff\xd8\xff") and answer.endswith(b"\xff\xd9") else None

    async def close(self) -> None:
        """End every process, those at work as well."""
        if self._timer is not None:
            self._timer.cancel()
        self._idle.clear()
        await asyncio.gather(*(process.end() for process in list(self._all)), *self._ending)
        self._all.clear()

    async def _exif(self, request: dict[str, Any], chunks: Chunks) -> Exif:
        try:
            return (await self._ask("exif", request, chunks, ExifAnswer))[0].exif
        except Ended as ended:
            return Exif("unreadable", trouble=ended.trouble)

    async def _c2pa(self, request: dict[str, Any], chunks: Chunks) -> C2pa:
        try:
            return (await self._ask("c2pa", request, chunks, C2paAnswer))[0].c2pa
        except Ended as ended:
            return C2pa("unreadable", trouble=ended.trouble)

    async def _ask(
        self, do: str, request: dict[str, Any], chunks: Chunks, form: type[Answer]
    ) -> tuple[Answer, dict[str, str]]:
        answer, programs = await self._exchange({"do": do, **request}, chunks, LONGEST_CLAIMS)
        try:
            return msgspec.json.decode(answer, type=form), programs
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Ended("garbage") from None

    async def _programs(self) -> dict[str, str]:
        """Of a process that is there or is started for this."""
        async with self._borrowed() as process:
            return process.programs

    async def _exchange(self, request: dict[str, Any], chunks: Chunks, most: int) -> tuple[bytes, dict[str, str]]:
        async with self._borrowed() as process:
            return await process.ask(request, chunks(), most), process.programs

    @contextlib.asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[_Process]:
        async with self._room:
            process = self._idle.pop() if self._idle else await self._start()
            try:
                yield process
            except BaseException:
                self._all.discard(process)
                await process.end()
                raise
            self._idle.append(process)
            self._rest()

    async def _start(self) -> _Process:
        process = await _Process.start(self._program, self.limits, self._anchors)
        self._all.add(process)
        return process

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle_for, self._end_idle)

    def _end_idle(self) -> None:
        for process in self._idle:
            self._all.discard(process)
            task = asyncio.create_task(process.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        self._idle.clear()


class _Process:
    """One looking process. After anything but an answer it is of no use any more."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        self.programs: dict[str, str] = {}
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        self._process, self._limits = process, limits
        self._stdin, self._stdout = process.stdin, process.stdout

    @classmethod
    async def start(cls, program: Sequence[str], limits: Limits, anchors: str) -> _Process:
        """Raises NotLooking where it cannot be started or does not greet."""
        try:
            raw = await asyncio.create_subprocess_exec(
                *program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env=ENVIRONMENT, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NotLooking(str(error)) from error
        self = cls(raw, limits)
        settings = {"memory": limits.memory, "cpu": limits.cpu, "wall": limits.wall, "anchors": anchors}
        try:
            async with self._in_time(START):
                await self._send(_framed(settings))
                greeting = await self._frame(1 << 16)
            self.programs = msgspec.json.decode(greeting, type=dict[str, dict[str, str]])["programs"]
        except BaseException as error:
            await self.end()
            if isinstance(error, Ended | msgspec.DecodeError | KeyError):
                raise NotLooking(f"{' '.join(program)}: {error}") from error
            raise
        return self

    async def ask(self, request: dict[str, Any], chunks: AsyncIterator[bytes], most: int) -> bytes:
        """The answer, of at most ``most`` bytes. Raises Ended, or what ``chunks`` raises.

        The chunks are read to their end whatever happens to the process: whoever opened them may know only there
        whether they are the file at all, and that comes before any finding.
        """
        wall, left = self._limits.wall, request["size"]
        ended = await self._sent(_framed(request))
        async for chunk in chunks:
            left -= len(chunk)
            ended = ended or await self._sent(chunk)
        if left:
            raise ValueError(f"{abs(left)} bytes {'less' if left > 0 else 'more'} than announced")
        if ended is not None:
            raise ended
        async with self._in_time(wall):
            return await self._frame(most)

    async def _sent(self, data: bytes) -> Ended | None:
        try:
            async with self._in_time(self._limits.wall):
                await self._send(data)
        except Ended as ended:
            return ended
        return None

    async def end(self) -> None:
        """The process and its forks are gone when this returns."""
        self._stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(asyncio.ensure_future(self._gone()))

    async def _gone(self) -> None:
        """What it wrote and nobody read is read to its end first: asyncio stops listening to a pipe that is full, does
        not see it close then, and would wait for the process for ever."""
        with contextlib.suppress(TimeoutError, RuntimeError):  # RuntimeError: somebody is reading, and will see the end
            async with asyncio.timeout(LAST_WORDS):
                while await self._stdout.read(1 << 16):
                    pass
        await self._process.wait()

    @contextlib.asynccontextmanager
    async def _in_time(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise Ended("slow") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Ended(await self._why()) from None

    async def _why(self) -> Trouble:
        """How the process ended. It is on its way out: it closed its side."""
        try:
            async with asyncio.timeout(5):
                status = await self._process.wait()
        except TimeoutError:
            return "garbage"
        if status == OUT_OF_MEMORY:
            return "memory"
        return "slow" if status - 128 in (signal.SIGXCPU, signal.SIGALRM) else "crashed"

    async def _send(self, data: bytes) -> None:
        self._stdin.write(data)
        await self._stdin.drain()

    async def _frame(self, most: int) -> bytes:
        (length,) = LENGTH.unpack(await self._stdout.readexactly(LENGTH.size))
        if length > most:
            raise Ended("garbage")
        return await self._stdout.readexactly(length)


def _framed(value: object) -> bytes:
    data = json.dumps(value).encode()
    return LENGTH.pack(len(data)) + data

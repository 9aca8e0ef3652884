"""The program of the looking process: ``python -I -m casemgmt.inspection.child``.

It imports the parsers once, and forks for every file: the fork takes the walls on, reads the bytes, answers and ends.
So no file meets the memory another one has been in, and the process that waits has never parsed anything.

Protocol, over standard input and output: a frame is four bytes of length (big-endian) and so many bytes.

    to us    settings (JSON), then for each file: request (JSON: do, size, type) and ``size`` bytes, unframed
    from us  greeting (JSON), then for each file one frame

A fork that ends in any other way than by answering ends this process as well, with a status that says how: the other
side sees the end of the stream, reads the status and starts another.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

from casemgmt.inspection import confinement
from casemgmt.inspection.confinement import Limits

LONGEST_FRAME = 1 << 20
LENGTH = struct.Struct(">I")
OUT_OF_MEMORY, FAILED = 66, 67
"""Exit statuses; 128 and a signal's number: ended by that signal."""

Work = Callable[[bytes, Mapping[str, Any]], bytes]
"""What is asked of a file's bytes; the request is given as well. Raises what it likes."""


def parsers(settings: Mapping[str, Any]) -> tuple[dict[str, Work], dict[str, str]]:
    """The real work, with everything it needs imported already; and the programs that do it, with their versions."""
    from casemgmt.inspection import c2pa_claims, exif_claims, previews  # noqa: PLC0415 - only in the program that looks

    c2pa_claims.prepare(str(settings.get("anchors", "")))
    exif_claims.prepare()
    previews.prepare()
    work: dict[str, Work] = {
        "claims": lambda data, request: _json(
            {"exif": exif_claims.read(data), "c2pa": c2pa_claims.read(data, request["type"])}
        ),
        "exif": lambda data, _: _json({"exif": exif_claims.read(data)}),
        "c2pa": lambda data, request: _json({"c2pa": c2pa_claims.read(data, request["type"])}),
        "preview": lambda data, request: previews.make(data, request["edge"]),
    }
    return work, {"exifread": exif_claims.VERSION, "c2pa": c2pa_claims.version()}


def main(prepare: Callable[[Mapping[str, Any]], tuple[dict[str, Work], dict[str, str]]] = parsers) -> None:
    """Serve until standard input ends."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # a library that prints must not speak for us
    os.close(nowhere)
    settings = json.loads(_frame(0) or b"{}")
    limits = Limits(settings["memory"], settings["cpu"], settings["wall"])
    work, programs = prepare(settings)
    _write(answers, _json({"programs": programs}))
    while (header := _frame(0)) is not None:
        pid = os.fork()
        if pid == 0:
            _look(work, json.loads(header), limits, answers)
        _, status = os.waitpid(pid, 0)
        if status:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def _look(work: Mapping[str, Work], request: Mapping[str, Any], limits: Limits, answers: int) -> None:
    """In the fork; does not return."""
    try:
        confinement.lower(limits)
        confinement.end_after(limits.wall * 2)  # whoever asked may be gone; they count only from the last byte on
        data = _read(0, request["size"])
        confinement.filter_calls()
        _write(answers, work[request["do"]](data, request))
        os._exit(0)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BaseException:  # noqa: BLE001 - whatever a parser raises, this process ends here, and its status is the answer
        os._exit(FAILED)


def _frame(fd: int) -> bytes | None:
    """The next frame; None at the end of the stream. Raises ValueError for one that is too long."""
    first = os.read(fd, LENGTH.size)
    if not first:
        return None
    (length,) = LENGTH.unpack(first + _read(fd, LENGTH.size - len(first)))
    if length > LONGEST_FRAME:
        raise ValueError("frame too long")
    return _read(fd, length)


def _read(fd: int, size: int) -> bytes:
    """Exactly so many bytes. Raises EOFError."""
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        block = os.read(fd, min(size - done, 1 << 20))
        if not block:
            raise EOFError
        view[done : done + len(block)] = block
        done += len(block)
    view.release()
    return bytes(data)


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False).encode()


if __name__ == "__main__":
    try:
        main()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)

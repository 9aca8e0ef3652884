"""``casemgmt signer``: the log's key and its record behind a private Unix socket; see ``signer_client`` for the words.

Who may connect is decided by the socket's owner, group and mode alone. Whoever connects gets a signature over what
continues the last signed tree, and nothing else: the key never leaves, and a fork cannot be had.
"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import structlog

from casemgmt.ledger.errors import LedgerError, SignerRefusedError
from casemgmt.ledger.signer_client import MOST
from casemgmt.ledger.signing_record import SigningRecord
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.encoding import from_decimal, hash_from_base64
from casemgmt.trust.errors import TrustError

log = structlog.get_logger()

PATIENCE = 5.0  # seconds for a request to arrive
LONGEST_PROOF = 64


async def serve(record: SigningRecord, path: Path, stop: asyncio.Event, *, group: int | None = None) -> None:
    """Answer until ``stop`` is set. The socket is its owner's, and ``group``'s (a number) when one is given."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                request = await _whole(reader)
            writer.write((await asyncio.to_thread(_answer, record, request)).encode())
            await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("signer.request_failed", error=f"{type(error).__name__}: {error}")
        finally:
            writer.close()

    server = await asyncio.start_unix_server(answer, sock=_listen(path, group))
    async with server:
        log.info("signer.ready", socket=str(path), key=str(record.verifier))
        await stop.wait()
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - the last thing this process does


def _listen(path: Path, group: int | None) -> socket.socket:
    """The socket, with its mode from its first moment; a dead signer's is replaced, a living one's is not."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            pass
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise SignerRefusedError(f"another signer answers at {path}")
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    if group is not None:
        os.chown(path, -1, group)
        path.chmod(0o660)
    listener.listen(16)
    return listener


async def _whole(reader: asyncio.StreamReader) -> str:
    request = b""
    while block := await reader.read(MOST):
        request += block
        if len(request) > MOST:
            raise ValueError("the request is too long")
    return request.decode("utf-8")


def _answer(record: SigningRecord, request: str) -> str:
    try:
        if request == "key\n":
            return f"200\n{record.verifier}\n"
        if request == "last\n":
            last = record.last_note()
            return "404 nothing was signed yet\n" if last is None else f"200\n{last}"
        old, proof, checkpoint = _parse_sign(request)
        note = record.sign(checkpoint, old, proof)
        log.info("signer.signed", size=checkpoint.size)
    except SignerRefusedError as error:
        log.error("signer.refused", reason=str(error))  # noqa: TRY400 - a refusal, not a failure of ours
        return f"409 {error}\n"
    except TrustError as error:
        return f"400 {error}\n"
    except LedgerError as error:
        log.error("signer.failed", reason=str(error))  # noqa: TRY400
        return f"500 {error}\n"
    return f"200\n{note}"


def _parse_sign(request: str) -> tuple[int, list[bytes], Checkpoint]:
    head, blank, body = request.partition("\n\n")
    first, *lines = head.split("\n")
    word, _, old = first.partition(" ")
    if word != "sign" or not blank or len(lines) > LONGEST_PROOF:
        raise TrustError("not a request this signer knows")
    return from_decimal(old), [hash_from_base64(line) for line in lines], Checkpoint.parse(body)

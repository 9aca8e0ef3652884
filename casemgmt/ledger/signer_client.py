"""The log's signer in another process, reached through its private Unix socket.

One request a connection: a line, for ``sign`` the proof (one base64 hash a line), an empty line and the checkpoint's
body; then the end of what we send. One answer: ``200`` and a line end, then the value; ``404``, ``409`` or ``400`` and
words. The checkpoint is checked again here: a signer that answers with anything else is not the log's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from casemgmt.ledger.errors import SignerRefusedError, SignerUnavailableError
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.encoding import to_base64
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note

MOST = 65_536  # bytes of a request or an answer
PATIENCE = 10.0  # seconds


class SocketSigner:
    """Asks anew every time: the signer may be restarted. Raises SignerUnavailableError when it does not answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: VerifierKey | None = None

    async def verifier(self) -> VerifierKey:
        if self._key is None:
            try:
                self._key = VerifierKey.parse((await self._ask("key\n") or "").strip())
            except TrustError as error:
                raise SignerUnavailableError(f"{self._path} does not answer with a log's key: {error}") from error
        return self._key

    async def last(self) -> Checkpoint | None:
        answer = await self._ask("last\n")
        return None if answer is None else Checkpoint.parse((await self._checked(answer)).text)

    async def sign(self, checkpoint: Checkpoint, old: int, proof: Sequence[bytes]) -> Note:
        lines = [f"sign {old}", *map(to_base64, proof), "", checkpoint.body]
        note = await self._checked(await self._ask("\n".join(lines)) or "")
        if note.text != checkpoint.body:
            raise SignerUnavailableError(f"{self._path} signed another checkpoint than it was given")
        return note

    async def begin_with(self, note: Note) -> None:
        raise SignerRefusedError(
            "the signer has no record of what it signed last, and this ledger is not empty. When nothing later was "
            "ever signed, start it once with `casemgmt signer --begin-with FILE`, FILE being the last checkpoint"
        )

    async def _checked(self, answer: str) -> Note:
        try:
            note = Note.parse(answer)
            note.require(await self.verifier())
        except TrustError as error:
            raise SignerUnavailableError(f"{self._path} answers with what the log's key did not sign") from error
        return note

    async def _ask(self, request: str) -> str | None:
        """The answer's value; None for 404."""
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_unix_connection(str(self._path))
                try:
                    writer.write(request.encode())
                    writer.write_eof()
                    answer = (await reader.read(MOST)).decode("utf-8", "replace")
                    while len(answer) < MOST and (more := await reader.read(MOST)):
                        answer += more.decode("utf-8", "replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise SignerUnavailableError(f"the signer at {self._path} does not answer: {error or 'timeout'}") from error
        status, _, value = answer.partition("\n")
        match status.split(" ", 1):
            case ["200"]:
                return value
            case ["404", *_]:
                return None
            case ["409", *words]:
                raise SignerRefusedError(" ".join(words))
        raise SignerUnavailableError(f"the signer at {self._path} fails: {status[:200] or 'no answer'}")

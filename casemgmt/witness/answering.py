"""From a request to its answer. One thread, no pause inside: what is judged is still so when it is written down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from casemgmt.trust.encoding import shown
from casemgmt.trust.note import Note
from casemgmt.trust.witness import SIZE_TYPE
from casemgmt.witness.errors import NotKeptError
from casemgmt.witness.judgement import Refusal, judge
from casemgmt.witness.keeping import Keeper

BACKWARDS = 60  # seconds a clock may be set back without our refusing to cosign
EARLIEST = 1_767_225_600  # 2026-01-01: a clock before it was never set

log = logging.getLogger("casemgmt.witness")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """Answers for the prefix it is mounted at: POST ``/add-checkpoint``, GET ``/<hex>/checkpoint``."""

    def __init__(self, keeper: Keeper, now: Callable[[], int] = lambda: int(time.time())) -> None:
        self._keeper, self._now = keeper, now

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/add-checkpoint":
            return self._add(body) if method == "POST" else Answer(405, "POST a checkpoint here\n")
        name, _, last = path.removeprefix("/").partition("/")
        if last == "checkpoint":
            return self._show(name) if method == "GET" else Answer(405, "GET a checkpoint here\n")
        return Answer(404, "there is nothing here\n")

    def _add(self, body: bytes) -> Answer:
        try:
            asked, checkpoint = judge(body, self._keeper.logs)
            note = self._keeper.advance(asked.checkpoint, checkpoint, self._time(checkpoint.origin))
        except Refusal as no:
            log.warning("refused with %s: %s", no.status, no.words)
            if no.known is not None:
                return Answer(409, f"{no.known}\n", SIZE_TYPE)
            return Answer(no.status, no.words + "\n")
        except NotKeptError as error:
            log.error("NOT COSIGNED, the state cannot be written: %s", error)  # noqa: TRY400 - the words say it all
            return Answer(503, f"this witness cannot write its state: {error}\n")
        log.info("cosigned %s of %s entries", shown(checkpoint.origin), checkpoint.size)
        return Answer(200, _lines(Note(note.text, note.signatures[-1:])))

    def _time(self, origin: str) -> int:
        """Now, and never before our last cosignature: raises Refusal when this machine's clock cannot be right."""
        now, last = self._now(), self._keeper.last(origin).time
        if now < max(last - BACKWARDS, EARLIEST):
            says = datetime.fromtimestamp(now, UTC).isoformat()
            log.error("NOT COSIGNED, the clock of this machine is wrong: it says %s", says)
            raise Refusal(503, f"the clock of this witness is wrong: it says {says}")
        return max(now, last)

    def _show(self, name: str) -> Answer:
        kept = self._keeper.by_name(name)
        if kept is None or kept.known.last.size == 0:
            return Answer(404, "this witness has cosigned nothing of such a log\n")
        return Answer(200, str(kept.note))


def _lines(note: Note) -> str:
    """The signature lines of a note alone."""
    return str(note).removeprefix(note.text + "\n")

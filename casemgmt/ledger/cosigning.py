"""What one witness is asked for one checkpoint, and how its answers are understood. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from casemgmt.core.clock import utcnow
from casemgmt.ledger.asking import NoAnswerError, Reply, post
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import Signature, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy, Witness
from casemgmt.trust.tiles import StoredTree, tiles_for_consistency
from casemgmt.trust.witness import cosignature, request, size_answer

PATIENCE = 5.0  # seconds for one answer
TRIES = 3  # a witness that another instance of ours asks at the same time moves on between two of our requests
CLOCKS_APART = 300  # seconds between a cosignature's time and our clock that are worth a word


@dataclass(frozen=True, slots=True)
class Cosigned:
    """``apart``: seconds its clock is from ours when that is worth a word. ``forgot``: it named this smaller size."""

    signature: Signature
    apart: int | None = None
    forgot: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """No cosignature this time. ``problem`` is a key of ``standing.PROBLEMS``; ``known`` a size it named, if any."""

    problem: str
    detail: str = ""
    known: int | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.problem, self.detail) if part)


@dataclass(frozen=True, slots=True)
class Disputed:
    """It knows another history of ours. ``told``: the size it named with a 409."""

    status: int
    asked: int
    told: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """It has cosigned a larger tree that we signed as well: nothing is wrong, ask for that or a newer one."""

    known: int


Outcome = Cosigned | Failed | Disputed | Overtaken


@dataclass(frozen=True, slots=True)
class History:
    """Our own side, asked while a witness is: consistency proofs from one size to another, the largest size signed."""

    growth: Callable[[int, int], Awaitable[list[bytes]]]
    largest: Callable[[], Awaitable[int]]


async def ask(witness: Witness, log: VerifierKey, note: Note, size: int, old: int, history: History) -> Outcome:
    """Ask for a cosignature over ``note`` of ``size`` entries, first from ``old``, then from what the witness names."""
    forgot = None
    for _ in range(TRIES):
        proof = await history.growth(old, size) if 0 < old < size else []
        try:
            reply = await post(witness.url or "", request(old, proof, note, log), PATIENCE)
        except TimeoutError:
            return Failed("slow", f"{PATIENCE:.0f} s")
        except NoAnswerError as error:
            return Failed("unreachable", str(error))
        if reply.status == 200:
            return _cosigned(reply, note, witness.key, forgot)
        if reply.status != 409:
            return _no(reply, size)
        try:
            told = size_answer(reply.body)
        except TrustError as error:
            return Failed("refused", f"409 without a size: {error}")
        if told == old:  # the sizes agree, so the roots do not: some witnesses say it with this status
            return Disputed(409, size, told, _words(reply))
        if told > size:
            if told > await history.largest():
                return Disputed(409, size, told, "it has cosigned more entries than this ledger ever had")
            return Overtaken(told)
        forgot, old = (told if told < old else None), told
    return Failed("behind", f"{old}", old)


async def ask_about(
    connection: asyncpg.Connection[Any], policy: Policy, log: VerifierKey, note: Note, size: int
) -> dict[str, Outcome]:
    """What each witness of ``policy`` says of the tree of ``size`` entries, the largest there is: one after the other,
    by name."""

    async def growth(old: int, new: int) -> list[bytes]:
        return StoredTree(new, await fetch_tiles(connection, tiles_for_consistency(old, new))).consistency(old)

    async def largest() -> int:
        return size

    found: dict[str, Outcome] = {}
    for name, witness in policy.witnesses.items():
        if witness.url:
            found[name] = await ask(witness, log, note, size, 0, History(growth, largest))
        else:
            found[name] = Failed("no-address")
    return found


def _cosigned(reply: Reply, note: Note, key: VerifierKey, forgot: int | None) -> Outcome:
    try:
        signature = cosignature(reply.body, note.text, key)
    except TrustError as error:
        return Failed("no-cosignature", str(error))
    apart = signature.time - int(utcnow().timestamp())
    return Cosigned(signature, apart if abs(apart) > CLOCKS_APART else None, forgot)


def _no(reply: Reply, size: int) -> Outcome:
    match reply.status:
        case 422:
            return Disputed(422, size, None, _words(reply))
        case 404:
            return Failed("unknown-log", _words(reply))
        case 403:  # of some witnesses also for a log they do not know
            return Failed("refused-key", _words(reply))
    return Failed("refused", f"{reply.status} {_words(reply)}")


def _words(reply: Reply) -> str:
    """What it said, safe to keep and to show."""
    return shown(reply.body.decode("utf-8", "replace").strip(), 200)

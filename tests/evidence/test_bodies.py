"""A body that has ended is not waited for: a refused form is answered at once, however its last piece came."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from casemgmt.core.web.headers import UNREAD
from casemgmt.evidence.uploads import Upload


def request(*pieces: bytes) -> tuple[Any, list[int]]:
    """A request whose pieces arrive as a server hands them on; whoever asks for more than there is fails."""
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        assert len(asked) <= len(pieces), "asked for more after the last piece"
        return {"type": "http.request", "body": pieces[len(asked) - 1], "more_body": len(asked) < len(pieces)}

    return SimpleNamespace(state={"form": None}, scope={"state": {}}, receive=receive), asked


@pytest.mark.parametrize("pieces", [(b"all",), (b"one", b"two"), (b"one", b"")])
async def test_what_was_read_to_its_last_piece_is_not_asked_for_again(pieces: tuple[bytes, ...]) -> None:
    asking, asked = request(*pieces)
    upload = Upload(asking)
    for piece in pieces:
        if piece:
            assert await anext(upload) == piece
    assert await upload.drain()
    assert len(asked) == len(pieces)
    assert not asking.scope["state"].get(UNREAD)


async def test_what_is_still_coming_is_read_and_forgotten() -> None:
    asking, asked = request(b"one", b"two", b"three")
    upload = Upload(asking)
    assert await anext(upload) == b"one"
    assert await upload.drain()
    assert len(asked) == 3

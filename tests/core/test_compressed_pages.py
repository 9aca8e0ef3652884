"""Pages are compressed on the way, and the secret in them is written differently every time."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.core.masking import mask, unmask
from tests.cast import Browser, Member, World

Browsers = Callable[[Member | None], Browser]


@given(st.text(max_size=60))
def test_what_was_masked_comes_back_and_looks_different_every_time(secret: str) -> None:
    once, again = mask(secret), mask(secret)
    assert unmask(once) == unmask(again) == secret
    if len(secret) > 8:
        assert once != again
        assert secret not in once


@given(st.text(max_size=60))
def test_any_text_can_be_unmasked_without_an_error(text: str) -> None:
    unmask(text)


async def test_a_page_comes_compressed_to_whoever_can_unpack_it(browser: Browsers, world: World) -> None:
    client = browser(world.aida)
    async with client.stream("GET", "/seizures/new", headers={"Accept-Encoding": "gzip, br"}) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(packed)
    assert "Accept-Encoding" in answer.headers["vary"]
    assert gzip.decompress(packed).startswith(b"<!DOCTYPE html>")
    plain = await client.get("/seizures/new", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text.startswith("<!DOCTYPE html>")
    assert len(packed) < len(plain.content) / 3


async def test_the_token_of_a_page_is_never_the_same_and_is_taken(browser: Browsers, world: World) -> None:
    client, own = browser(world.aida), world.aida.actor.csrf
    found: list[str] = []
    for _ in range(2):
        seen = (await client.get("/help")).text
        assert own not in seen
        tokens = set(re.findall(r'name="csrf_token" value="([^"]+)"', seen))
        assert len(tokens) == 1
        found += tokens
    assert found[0] != found[1]
    for token in (*found, own):
        answer = await client.post("/preferences", data={"csrf_token": token, "theme": "dark", "back": "/help"})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "forged",
    ["", "x", mask("x"), mask(""), mask("я" * 16)],
    ids=["none", "x", "x masked", "none masked", "other letters masked"],
)
async def test_another_token_is_refused_masked_or_not(browser: Browsers, world: World, forged: str) -> None:
    assert (await browser(world.aida).post("/sign-out", data={"csrf_token": forged})).status_code == 403
    theirs = mask(world.timur.actor.csrf)
    assert (await browser(world.aida).post("/sign-out", data={"csrf_token": theirs})).status_code == 403
    assert (await browser(world.aida).post("/sign-out", data={"csrf_token": mask(world.aida.actor.csrf)})).is_redirect

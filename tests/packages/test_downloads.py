from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.cast import Browser, Member, World
from tests.packages.conftest import Clients, Scene, Sealed, reason

Outside = Callable[[Member], httpx.AsyncClient]
Browsers = Callable[[Member | None], Browser]


async def test_any_range_is_the_same_bytes_as_in_the_whole(sealed: Sealed, world: World, outside: Outside) -> None:
    client = outside(world.saule)
    url = await reason(client, sealed.code)
    whole = (await client.get(url)).content
    chance = random.Random(3)
    spans = [(0, 0), (0, len(whole) - 1), (len(whole) - 1, len(whole) - 1), (29, 31)]
    spans += [(first, chance.randrange(first, len(whole))) for first in chance.sample(range(len(whole)), 25)]
    for first, last in spans:
        answer = await client.get(url, headers={"Range": f"bytes={first}-{last}"})
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
        assert answer.content == whole[first : last + 1]
    assert (await client.get(url, headers={"Range": "bytes=-7"})).content == whole[-7:]
    beyond = await client.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"


async def test_a_download_that_was_cut_off_is_resumed_and_the_result_is_the_same(
    sealed: Sealed, world: World, outside: Outside
) -> None:
    client = outside(world.saule)
    url = await reason(client, sealed.code)
    whole = await client.get(url)
    got, cut = b"", random.SystemRandom().randrange(1, len(whole.content) - 1_000_000)
    async with client.stream("GET", url) as answer:
        tag = answer.headers["etag"]
        async for block in answer.aiter_raw():
            got += block
            if len(got) > cut:
                break
    assert cut < len(got) < len(whole.content), cut
    rest = await client.get(url, headers={"Range": f"bytes={len(got)}-", "If-Range": tag})
    assert rest.status_code == 206
    assert hashlib.sha256(got + rest.content).digest() == hashlib.sha256(whole.content).digest(), cut
    # of another version the whole is sent, never a piece that would not fit
    other = await client.get(url, headers={"Range": f"bytes={len(got)}-", "If-Range": '"another"'})
    assert other.status_code == 200
    assert other.content == whole.content


async def test_head_tells_the_exact_length_and_sends_nothing(sealed: Sealed, world: World, outside: Outside) -> None:
    client = outside(world.saule)
    url = await reason(client, sealed.code)
    head, whole = await client.head(url), await client.get(url)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "etag", "accept-ranges", "content-type", "content-disposition"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers["content-disposition"] == f'attachment; filename="{sealed.number}.zip"'


async def test_a_file_that_was_damaged_in_the_store_cuts_the_download_short_and_is_recorded(
    sealed: Sealed, scene: Scene, world: World, outside: Outside, app: Litestar, db_dba: asyncpg.Connection[Any]
) -> None:
    client = outside(world.saule)
    url = await reason(client, sealed.code)
    file = await db_dba.fetchrow(
        "select id, object_key from evidence.file where exhibit_id = $1", scene.seizures[0].exhibits[0].id
    )
    assert file is not None
    path = stored_file(app, file["object_key"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(url)
    found = await db_dba.fetchval("select outcome from evidence.fixity where file_id = $1 order by id desc", file["id"])
    assert found == "changed"
    page = await client.get(f"/packages/{sealed.code}")
    assert "Not as they were received: 1 of 3 stored files" in page.text


async def test_a_file_that_is_gone_from_the_store_cuts_the_download_short_and_is_recorded(
    sealed: Sealed, scene: Scene, world: World, outside: Outside, app: Litestar, db_dba: asyncpg.Connection[Any]
) -> None:
    client = outside(world.saule)
    url = await reason(client, sealed.code)
    file = await db_dba.fetchrow(
        "select id, object_key from evidence.file where exhibit_id = $1", scene.seizures[1].exhibits[0].id
    )
    assert file is not None
    stored_file(app, file["object_key"]).unlink()
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(url)
    found = await db_dba.fetchval("select outcome from evidence.fixity where file_id = $1 order by id desc", file["id"])
    assert found == "missing"


async def test_a_download_without_a_reason_is_refused(
    sealed: Sealed, scene: Scene, world: World, api: Clients, browser: Browsers
) -> None:
    for body in ({}, {"reason": ""}, {"reason": "ok"}, {"reason": 7}):
        answer = await api(world.saule).post(f"/api/v1/packages/{sealed.code}/downloads", json=body)
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == ["reason"]
    page = await browser(world.saule).submit(f"/packages/{sealed.code}/download", {"reason": " "})
    assert page.status_code == 422
    assert 'id="reason-error"' in page.text
    plain = await api(world.saule).get(f"/packages/{sealed.code}/archive/{sealed.number}.zip")
    assert plain.status_code == 403


async def test_every_download_is_recorded_with_its_reason_and_shown(
    sealed: Sealed, world: World, browser: Browsers
) -> None:
    client = browser(world.saule)
    answer = await client.submit(f"/packages/{sealed.code}/download", {"reason": "Court <b>hearing</b>"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/packages/{sealed.code}/archive/{sealed.number}.zip?download=")
    archive = await client.get(answer.headers["location"])
    assert archive.status_code == 200
    page = await client.get(f"/packages/{sealed.code}")
    assert "Court &lt;b&gt;hearing" in page.text
    assert world.saule.name in page.text


async def test_a_reason_serves_only_the_person_who_gave_it_the_package_it_was_given_for_and_a_week(
    sealed: Sealed, world: World, api: Clients, db_dba: asyncpg.Connection[Any]
) -> None:
    url = await reason(api(world.saule), sealed.code)
    assert (await api(world.aida).get(url)).status_code == 403
    assert (await api(world.saule).get(url.replace(sealed.number, "2026-0001-9-00001-1"))).status_code == 404
    assert (await api(world.saule).get(url + "x")).status_code in (403, 404)
    async with db_dba.transaction():
        await db_dba.execute("alter table ledger.entry disable trigger no_change")
        await db_dba.execute(
            "update ledger.entry set at = at - interval '8 days' where type = 'packages:package:downloaded'"
            " and actor_id = $1",
            world.saule.id,
        )
        await db_dba.execute("alter table ledger.entry enable always trigger no_change")
    assert (await api(world.saule).get(url)).status_code == 403


def stored_file(app: Litestar, key: str) -> Path:
    """Where the folder store keeps an object: what an intruder on that machine would look for."""
    folder = Path(app.state.store.address.removeprefix("file://"))
    found = [path for path in folder.rglob(f"{key}*") if path.is_file()]
    assert len(found) == 1, found
    return found[0]

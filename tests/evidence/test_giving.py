"""Bytes on their way out: as a download, in parts, recorded, and never changed without a word."""

from __future__ import annotations

import pytest

from casemgmt.core.web.ranges import NotSatisfiable, requested_span
from casemgmt.storage.local import LocalStore
from tests.cast import World
from tests.evidence.conftest import JPEG, Site, sha256
from tests.records import Registered


@pytest.fixture
async def code(folder_site: Site, world: World, made: Registered) -> str:
    return str((await folder_site.put(world.aida, made, JPEG)).json()["id"])


async def test_a_file_leaves_as_a_download_that_no_browser_runs(folder_site: Site, world, code):
    async with folder_site.client(world.saule) as client:
        sent = await client.get(f"/files/{code}")
    assert sent.content == JPEG
    headers = sent.headers
    assert headers["content-disposition"].startswith('attachment; filename="photo.jpg"')
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-type"].startswith("image/jpeg")
    assert headers["content-length"] == str(len(JPEG))
    assert headers["etag"] == f'"{sha256(JPEG)}"'
    assert headers["cache-control"] == "no-store"


async def test_a_page_of_html_leaves_as_text_with_a_harmless_name(folder_site: Site, world, made):
    page = b"<html><script>alert(1)</script></html>"
    taken = await folder_site.put(world.aida, made, page, X_File_Name="evil.html", Content_Type="text/html")
    async with folder_site.client(world.aida) as client:
        sent = await client.get(f"/files/{taken.json()['id']}?view=1")
    assert sent.headers["content-type"].startswith("text/plain")
    assert 'filename="evil.html.txt"' in sent.headers["content-disposition"]


async def test_a_part_may_be_asked_for_and_a_cut_download_goes_on(site: Site, world, made):
    code = (await site.put(world.aida, made, JPEG)).json()["id"]
    async with site.client(world.aida) as client:
        part = await client.get(f"/files/{code}", headers={"Range": "bytes=10-19"})
        rest = await client.get(
            f"/files/{code}", headers={"Range": "bytes=5000-", "If-Range": part.headers["etag"]}
        )  # fmt: skip
        tail = await client.get(f"/files/{code}", headers={"Range": "bytes=-2"})
        other = await client.get(f"/files/{code}", headers={"Range": "bytes=5000-", "If-Range": '"another"'})
        beyond = await client.get(f"/files/{code}", headers={"Range": "bytes=9999999-"})
    assert (part.status_code, part.content) == (206, JPEG[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(JPEG)}"
    assert (rest.status_code, rest.content) == (206, JPEG[5000:])
    assert tail.content == JPEG[-2:]
    assert (other.status_code, other.content) == (200, JPEG)
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(JPEG)}"


@pytest.mark.parametrize("range_", ["bytes=", "bytes=-", "bytes=5-1", "items=0-1", "bytes=0-1,3-4", "bytes=a-b", "x"])
def test_a_range_that_says_nothing_is_answered_with_the_whole(range_):
    span, partial = requested_span(100, '"tag"', range_, None)
    assert (span.start, span.end, partial) == (0, 100, False)


@pytest.mark.parametrize("range_", ["bytes=100-", "bytes=-0", f"bytes={'9' * 40}-"])
def test_a_range_beyond_the_end_is_refused(range_):
    with pytest.raises(NotSatisfiable):
        requested_span(100, '"tag"', range_, None)


async def test_every_view_and_every_download_is_on_record(folder_site: Site, world, made, code, db_dba):
    async with folder_site.client(world.aida) as client:
        await client.get(f"/files/{code}?view=1")
        await client.get(f"/files/{code}", params={"reason": "for the expert"})
    file_id = folder_site.codes.decode("file", code)
    rows = await db_dba.fetch("select * from evidence.reading where file_id = $1 order by id", file_id)
    assert [(r["how"], r["reason"], r["person_id"]) for r in rows] == [
        ("view", "", world.aida.id),
        ("download", "for the expert", world.aida.id),
    ]
    entry = (
        "select convert_from(body, 'UTF8') from ledger.entry where stream = $1 and type = 'evidence:file:downloaded'"
    )
    assert '"reason":"for the expert"' in await db_dba.fetchval(entry, f"seizure:{made.seizure.number}")


async def test_only_a_picture_is_viewed_and_everything_else_counts_as_a_download(
    folder_site: Site, world, made, db_dba
):
    taken = await folder_site.put(world.aida, made, b"%PDF-1.7", Content_Type="application/pdf")
    code = taken.json()["id"]
    async with folder_site.client(world.aida) as client:
        await client.get(f"/files/{code}?view=1")
    how = "select how from evidence.reading where file_id = $1"
    assert await db_dba.fetchval(how, folder_site.codes.decode("file", code)) == "download"


async def test_a_changed_file_is_cut_short_and_the_change_is_on_record(folder_site: Site, world, made, db_dba):
    data = JPEG * 150  # more than one block
    code = (await folder_site.put(world.aida, made, data)).json()["id"]
    file_id = folder_site.codes.decode("file", code)
    await _damage(folder_site, db_dba, file_id)
    received = b""
    with pytest.raises(Exception, match=r"closed|incomplete|peer"):
        async with folder_site.client(world.aida) as client, client.stream("GET", f"/files/{code}") as answer:
            async for chunk in answer.aiter_raw():
                received += chunk
    assert len(received) < len(data)
    assert await _last_check(db_dba, file_id) == "changed"


async def test_a_small_changed_file_is_not_handed_out_at_all(folder_site: Site, world, code, db_dba):
    file_id = folder_site.codes.decode("file", code)
    await _damage(folder_site, db_dba, file_id)
    async with folder_site.client(world.aida) as client:
        answer = await client.get(f"/files/{code}", headers={"Accept": "application/json"})
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:casemgmt:problem:file-changed"
        assert (await client.get(f"/api/v1/files/{code}")).json()["last_check"]["outcome"] == "changed"


async def test_a_file_whose_bytes_are_gone_says_so_and_it_is_on_record(folder_site: Site, world, code, db_dba):
    file_id = folder_site.codes.decode("file", code)
    path = await _path(folder_site, db_dba, file_id)
    path.unlink()
    async with folder_site.client(world.aida) as client:
        answer = await client.get(f"/files/{code}")
    assert answer.status_code == 410
    assert await _last_check(db_dba, file_id) == "missing"


async def _path(site: Site, dba, file_id: int):
    assert isinstance(site.store, LocalStore)
    return site.store.path(await dba.fetchval("select object_key from evidence.file where id = $1", file_id))


async def _damage(site: Site, dba, file_id: int) -> None:
    path = await _path(site, dba, file_id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


async def _last_check(dba, file_id: int) -> str | None:
    query = "select outcome from evidence.fixity where file_id = $1 order by id desc limit 1"
    found: str | None = await dba.fetchval(query, file_id)
    return found

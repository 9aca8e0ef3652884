"""tus 1.0 as the page of the protocol promises it, over a folder and over S3."""

from __future__ import annotations

import asyncio
import random
import uuid
from itertools import pairwise
from typing import Any

import asyncpg
import httpx
import pytest

from casemgmt.core.web.signin import COOKIE
from tests.cast import World
from tests.evidence.conftest import JPEG, Site, sha256
from tests.records import register_seizure
from tests.uploads.client import PATH, TUS, checksum, encoded
from tests.uploads.conftest import LIMIT, Client

DATA = JPEG + random.Random(1).randbytes(300_000)
BIG = JPEG + random.Random(2).randbytes(17 << 20)

RECEIVED = "select count(*) from ledger.entry where stream = $1 and type = 'evidence:file:received'"
REFUSED = """
    select convert_from(body, 'UTF8')::jsonb->'data' from ledger.entry
     where stream = $1 and type = 'evidence:file:refused'
"""


async def bytes_of(site: Site, world: World, code: str) -> bytes:
    async with site.client(world.aida) as client:
        return (await client.get(f"/files/{code}")).content


async def test_a_server_says_what_it_can_do_to_anybody(site: Site):
    async with httpx.AsyncClient(base_url=site.address) as client:
        answer = await client.options(PATH)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,checksum,expiration,termination"
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert answer.headers["tus-max-size"] == str(LIMIT)


async def test_a_file_in_two_pieces_is_one_file_and_one_event(site, world, made, tus: Client, db_dba):
    up = tus()
    begun = await up.begin(DATA, kind="photo", captured_at="2026-11-21T03:12:00+06:00")
    assert begun.status_code == 201, begun.text
    assert begun.headers["location"] == up.url
    assert begun.headers["tus-resumable"] == "1.0.0"
    assert begun.headers["upload-offset"] == "0"
    assert "upload-expires" in begun.headers
    first = await up.send(DATA[:100_000], 0)
    assert (first.status_code, first.headers["upload-offset"]) == (204, "100000")
    found = await up.ask("HEAD")
    assert (found.status_code, found.headers["upload-offset"], found.headers["upload-length"]) == (
        200,
        "100000",
        str(len(DATA)),
    )
    assert found.headers["cache-control"] == "no-store"
    assert "filename cGhvdG8uanBn" in found.headers["upload-metadata"]
    assert (await up.state())["words"] == "100 kB of 310 kB are here."
    last = await up.send(DATA[100_000:], 100_000)
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(DATA)))
    state = await up.state()
    assert (state["state"], state["file"]["sha256"], state["file"]["hash_declared"]) == ("stored", sha256(DATA), True)
    assert state["file"]["client_id"] == up.id
    assert state["file"]["media_type"] == "image/jpeg"
    assert state["file"]["device_at_claimed"] == "2026-11-20T21:12:00.000Z"
    assert state["words"] == "The file is stored and verified by the server."
    assert last.headers["x-file-id"] == state["file"]["id"]
    assert await bytes_of(site, world, state["file"]["id"]) == DATA
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 1


async def test_beginning_again_is_the_same_upload_in_every_state(site, world, made, tus: Client, db_dba):
    up = tus()
    answers = await asyncio.gather(*(up.begin(DATA) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert await db_dba.fetchval("select count(*) from evidence.upload where client_id = $1", uuid.UUID(up.id)) == 1
    await up.send(DATA[:5], 0)
    again = await up.begin(DATA)
    assert (again.status_code, again.headers["upload-offset"]) == (201, "5")
    await up.send(DATA[5:], 5)
    again = await up.begin(DATA)
    assert (again.status_code, again.headers["upload-offset"]) == (201, str(len(DATA)))
    assert again.headers["x-file-id"] == (await up.state())["file"]["id"]
    assert await up.offset() == len(DATA)
    assert (await up.send(b"", len(DATA))).status_code == 204
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 1


async def test_the_same_identifier_for_another_file_is_a_conflict(site, world, tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:10], 0)
    other = await register_seizure(site.app.state.database, world.aida, "U-2")
    elsewhere = site.codes.encode("exhibit", other.exhibits[0].id)
    others: list[dict[str, str]] = [{"length": "7"}, {"sha256": "0" * 64}, {"exhibit": elsewhere}, {"kind": "photo"}]
    for said in others:
        assert (await up.begin(DATA, **said)).status_code == 409, said
    assert await up.offset() == 10


async def test_what_was_put_before_is_not_sent_again(site, world, made, tus: Client):
    up = tus()
    await site.put(world.aida, made, DATA, client_id=up.id, X_Content_SHA256=sha256(DATA))
    begun = await up.begin(DATA)
    assert begun.status_code == 201
    sent = await up.send(DATA, 0)
    assert sent.status_code in (204, 409)
    assert (await up.state())["state"] == "stored"


async def test_another_persons_upload_is_not_found(world, tus: Client):
    up = tus()
    await up.begin(DATA)
    stranger = tus(world.saule, id=up.id)
    for answer in (
        await stranger.ask("HEAD"), await stranger.send(b"x", 0), await stranger.ask("DELETE"),
        await stranger.ask("GET"),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert (await stranger.begin(DATA)).status_code == 201
    await up.send(DATA[:3], 0)
    assert (await up.offset(), await stranger.offset()) == (3, 0)


@pytest.mark.parametrize("who", ["timur", "elena"])
async def test_who_does_not_see_the_record_begins_nothing(world, tus: Client, who: str):
    assert (await tus(world.people[who]).begin(DATA)).status_code == 404


async def test_it_goes_on_at_another_server_byte_by_byte(sites, site, world, tus: Client):
    up = tus()
    await up.begin(BIG)
    stops = [0, 1, 7 << 20, (8 << 20) + 1, (16 << 20) - 1, len(BIG)]
    for n, (start, end) in enumerate(pairwise(stops)):
        at = tus(at=sites[n % 2], id=up.id)
        assert await at.offset() == start
        assert (await at.send(BIG[start:end], start)).status_code == 204
    state = await up.state()
    assert state["file"]["sha256"] == sha256(BIG)
    assert await bytes_of(site, world, state["file"]["id"]) == BIG


async def test_what_arrived_before_a_cut_stays(sites, site, world, tus: Client):
    up = tus()
    await up.begin(BIG)
    cut = 9 << 20

    async def half():
        yield BIG[:cut]
        raise ConnectionAbortedError

    with pytest.raises((ConnectionAbortedError, httpx.HTTPError)):
        await up.send(half(), 0)
    async with asyncio.timeout(20):
        while (await up.state())["offset"] == 0:
            await asyncio.sleep(0.05)
    other = tus(at=sites[1], id=up.id)
    here = await other.offset()
    assert 0 < here <= cut
    assert (await other.send(BIG[here:], here)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_another_offset_is_told_where_we_are(tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:10], 0)
    for wrong in (0, 9, 11):
        answer = await up.send(DATA[wrong:], wrong)
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "10")
    assert (await up.send(DATA[10:], 10)).status_code == 204


async def test_of_eight_writers_at_once_one_wins(sites, site, world, made, tus: Client, db_dba):
    up = tus()
    await up.begin(BIG)
    clients = [tus(at=sites[n % 2], id=up.id) for n in range(8)]
    answers = await asyncio.gather(*(client.send(BIG, 0) for client in clients))
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 204
    assert set(codes[1:]) <= {409, 423}
    assert (await up.state())["file"]["sha256"] == sha256(BIG)
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 1


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_piece_that_is_not_the_announced_one_leaves_nothing(tus: Client, algorithm: str):
    up = tus()
    await up.begin(BIG)
    good = await up.send(BIG[:1000], 0, Upload_Checksum=checksum(BIG[:1000], algorithm))
    assert good.status_code == 204
    end = 10 << 20
    bad = await up.send(BIG[1000 : end - 1] + b"\0", 1000, Upload_Checksum=checksum(BIG[1000:end], algorithm))
    assert bad.status_code == 460
    assert bad.json()["type"] == "urn:casemgmt:problem:upload-checksum"
    assert await up.offset() == 1000
    assert (await up.send(BIG[1000:end], 1000, Upload_Checksum=checksum(BIG[1000:end], algorithm))).status_code == 204
    assert (await up.send(BIG[end:], end)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_a_whole_that_is_not_the_announced_one_is_refused_on_record(site, world, made, tus: Client, db_dba):
    up = tus()
    await up.begin(DATA, sha256=sha256(DATA + b"!"))
    await up.send(DATA[:1000], 0)
    answer = await up.send(DATA[1000:], 1000)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:casemgmt:problem:file-hash")
    assert sha256(DATA) in await db_dba.fetchval(REFUSED, f"seizure:{made.seizure.number}")
    assert (await up.ask("HEAD")).status_code == 410
    assert (await up.send(b"x", 0)).status_code == 410
    state = await up.state()
    assert (state["state"], state["reason"], state["file"]) == ("refused", "hash", None)
    assert "SHA-256" in state["words"]
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 0
    # the same capture, its true bytes: the same identifier begins anew
    again = await up.begin(DATA, sha256=sha256(DATA + b"!"))
    assert (again.status_code, again.headers["upload-offset"]) == (201, "0")
    assert (await up.send(DATA + b"!", 0)).status_code == 413
    assert (await up.begin(DATA + b"!")).status_code == 409


async def test_a_wrong_hash_after_a_change_of_server_is_refused_as_well(sites, made, tus: Client, db_dba):
    up = tus()
    await up.begin(BIG, sha256="0" * 64)
    await up.send(BIG[: 9 << 20], 0)
    answer = await tus(at=sites[1], id=up.id).send(BIG[9 << 20 :], 9 << 20)
    assert answer.status_code == 422
    assert sha256(BIG) in await db_dba.fetchval(REFUSED, f"seizure:{made.seizure.number}")
    assert (await up.state())["state"] == "refused"


async def test_a_photo_that_is_none_is_refused_at_its_first_bytes(made, tus: Client, db_dba):
    up = tus()
    text = b"#!/bin/sh\n" * 2000
    await up.begin(text, kind="photo")
    answer = await up.send(text[:8000], 0)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:casemgmt:problem:file-type")
    assert (await up.state())["state"] == "refused"
    small = tus()
    await small.begin(b"not a picture", kind="photo")
    assert (await small.send(b"not a ", 0)).status_code == 204
    assert (await small.send(b"picture", 6)).status_code == 415
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 0


async def test_a_photo_in_single_bytes_at_first_is_one_all_the_same(tus: Client):
    up = tus()
    await up.begin(DATA, kind="photo")
    for n in range(3):
        assert (await up.send(DATA[n : n + 1], n)).status_code == 204
    assert (await up.send(DATA[3:], 3)).status_code == 204


async def test_more_than_was_announced_is_refused_and_nothing_of_it_kept(tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:100], 0)
    assert (await up.send(DATA[100:] + b"x", 100)).status_code == 413

    async def unannounced():
        yield DATA[100:]
        yield b"x" * 10

    answer = await up.send(unannounced(), 100)
    assert answer.status_code == 413
    assert await up.offset() == 100
    assert (await up.send(DATA[100:], 100)).status_code == 204


async def test_giving_up_forgets_and_stored_is_not_given_up(tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:1000], 0)
    assert (await up.ask("DELETE")).status_code == 204
    assert (await up.ask("HEAD")).status_code == 410
    assert (await up.ask("DELETE")).status_code == 410
    assert (await up.state())["state"] == "removed"
    again = await up.begin(DATA)
    assert (again.status_code, again.headers["upload-offset"]) == (201, "0")
    await up.send(DATA, 0)
    refused = await up.ask("DELETE")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:casemgmt:problem:upload-stored")
    assert (await up.state())["state"] == "stored"


BAD_BEGINNINGS: dict[str, tuple[dict[str, str], int]] = {
    "no length": ({"Upload-Length": ""}, 400),
    "a length that is none": ({"Upload-Length": "-1"}, 400),
    "a length in other digits": ({"Upload-Length": "１２"}, 400),
    "a deferred length": ({"Upload-Length": "", "Upload-Defer-Length": "1"}, 400),
    "nothing to send": ({"Upload-Length": "0"}, 422),
    "too much": ({"Upload-Length": str(LIMIT + 1)}, 413),
    "a length beyond all": ({"Upload-Length": "9" * 18}, 413),
    "metadata that is none": ({"Upload-Metadata": "id !!!"}, 400),
    "metadata twice": ({"Upload-Metadata": "id MQ==,id MQ=="}, 400),
    "metadata without end": ({"Upload-Metadata": "a " + "MQ" * 5000}, 400),
    "no record": ({"Upload-Metadata": encoded(filename="x")}, 422),
    "a record of nobody": ({"Upload-Metadata": encoded(exhibit="zzzzzz")}, 404),
    "another version": ({"Tus-Resumable": "0.2.2"}, 412),
    "no version": ({"Tus-Resumable": ""}, 412),
}


@pytest.mark.parametrize(("headers", "status"), BAD_BEGINNINGS.values(), ids=BAD_BEGINNINGS.keys())
async def test_a_bad_beginning_is_told(tus: Client, headers: dict[str, str], status: int):
    up = tus()
    good = {"Upload-Length": "10", "Upload-Metadata": encoded(id=up.id, exhibit=up.exhibit)}
    sent = {name: value.encode() for name, value in {**good, **headers}.items()}
    answer = await up.ask("POST", PATH, headers=sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 412:
        assert answer.headers["tus-version"] == "1.0.0"


@pytest.mark.parametrize(
    "said",
    [
        {"id": "no-uuid"}, {"id": "4FB673D6-5888-466D-BE5C-5EC2E51E6A34"}, {"sha256": "xyz"},
        {"captured_at": "yesterday"}, {"captured_place": "Bishkek"},
    ],
    ids=str,
)  # fmt: skip
async def test_claims_that_cannot_be_read_are_named(tus: Client, said: dict[str, str]):
    answer = await tus().begin(DATA, **said)
    assert answer.status_code == 422
    assert answer.json()["errors"]


BAD_PIECES: dict[str, tuple[dict[str, str], int]] = {
    "another type": ({"Content-Type": "application/octet-stream"}, 415),
    "no offset": ({"Upload-Offset": ""}, 400),
    "an offset that is none": ({"Upload-Offset": "1e3"}, 400),
    "a checksum we do not know": ({"Upload-Checksum": "crc32 AAAA"}, 400),
    "a checksum that is none": ({"Upload-Checksum": "sha1 !"}, 400),
    "another version": ({"Tus-Resumable": "2.0.0"}, 412),
}


@pytest.mark.parametrize(("headers", "status"), BAD_PIECES.values(), ids=BAD_PIECES.keys())
async def test_a_bad_piece_is_told_and_leaves_nothing(tus: Client, headers: dict[str, str], status: int):
    up = tus()
    await up.begin(DATA)
    answer = await up.send(DATA[:10], 0, **headers)
    assert answer.status_code == status
    assert await up.offset() == 0


async def test_an_address_that_is_no_identifier_is_not_found(tus: Client):
    up = tus(id="x")
    assert (await up.ask("HEAD")).status_code == 404
    assert (await up.send(b"x", 0)).status_code == 404
    assert (await tus(id=str(uuid.uuid4())).ask("HEAD")).status_code == 404


async def test_a_client_without_patch_says_what_it_means(tus: Client):
    up = tus()
    await up.begin(DATA)
    headers = {
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
    }
    assert (await up.ask("POST", content=DATA[:10], headers=headers)).status_code == 204
    asked = await up.ask("POST", headers={"X-HTTP-Method-Override": "HEAD"})
    assert (asked.status_code, asked.headers["upload-offset"]) == (200, "10")
    assert (await up.ask("POST", headers={"X-HTTP-Method-Override": "DELETE"})).status_code == 204
    assert (await up.ask("POST", headers={"X-HTTP-Method-Override": "BREW"})).status_code == 400


async def test_strangers_and_forged_requests_are_refused_and_nothing_is_lost(site, world, tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:10], 0)
    piece = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "10", **TUS}
    async with httpx.AsyncClient(base_url=site.address, timeout=60) as client:
        assert (await client.patch(up.url, content=DATA[10:], headers=piece)).status_code == 401
        assert (await client.head(up.url, headers=TUS)).status_code == 401
        client.cookies.set(COOKIE, world.aida.token)
        assert (await client.head(up.url, headers=TUS)).status_code == 200
        assert (await client.patch(up.url, content=DATA[10:], headers=piece)).status_code == 403
        assert (await client.delete(up.url, headers=TUS)).status_code == 403
        signed = {"X-CSRF-Token": world.aida.actor.csrf}
        assert (await client.patch(up.url, content=DATA[10:20], headers={**piece, **signed})).status_code == 204
    assert await up.offset() == 20


async def test_without_an_identifier_the_server_makes_one(tus: Client):
    up = tus()
    begun = await up.begin(DATA, id="", sha256="")
    up.id = begun.headers["location"].rsplit("/", 1)[1]
    assert (await up.send(DATA, 0)).status_code == 204
    assert (await up.state())["file"]["hash_declared"] is False


async def test_only_so_many_uploads_of_one_person_are_under_way(world, tus: Client, monkeypatch):
    monkeypatch.setattr("casemgmt.uploads.rules.MOST_UNDER_WAY", 3)
    ups = [tus() for _ in range(5)]
    codes = [(await up.begin(DATA)).status_code for up in ups]
    assert codes == [201, 201, 201, 429, 429]
    assert (await ups[0].begin(DATA)).status_code == 201, "what goes on is no new one"
    await ups[0].send(DATA, 0)
    assert (await ups[3].begin(DATA)).status_code == 201


async def test_only_so_many_bytes_of_one_person_are_under_way(tus: Client):
    codes = [(await tus().begin(BIG, length=LIMIT)).status_code for _ in range(5)]
    assert codes == [201, 201, 201, 201, 429]


async def test_a_request_that_hangs_is_ended_by_the_question_where_we_are(sites, tus: Client):
    up = tus()
    await up.begin(BIG)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hanging():
        yield BIG[: 2 << 20]
        reached.set()
        await go_on.wait()
        yield b""

    sending = asyncio.create_task(up.send(hanging(), 0))
    await reached.wait()
    await asyncio.sleep(0.3)
    waiting = await tus(at=sites[1], id=up.id).ask("HEAD")
    assert waiting.status_code == 423, "the other server cannot end it"
    async with asyncio.timeout(10):
        here = await up.offset()
    assert here == 2 << 20
    assert (await up.send(BIG[here:], here)).status_code == 204
    go_on.set()
    await asyncio.wait([sending])
    sending.exception()
    assert (await up.state())["file"]["sha256"] == sha256(BIG)


async def test_the_store_away_keeps_what_came(site, tus: Client, monkeypatch):
    from casemgmt.storage.contract import StoreUnavailable

    def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:1000], 0)
    with monkeypatch.context() as broken:
        for kind in ("casemgmt.storage.local_resumable.LocalResumable", "casemgmt.storage.s3_resumable.S3Resumable"):
            broken.setattr(f"{kind}.commit", away)
        assert (await up.send(DATA[1000:], 1000)).status_code == 503
    assert await up.offset() == len(DATA), "the question finishes what the store could not"
    assert (await up.state())["state"] == "stored"


async def test_rows_of_the_database_are_ones_own(dsn, site, world, tus: Client):
    up = tus()
    await up.begin(DATA)
    connection = await asyncpg.connect(dsn.app)
    async with connection.transaction():
        from casemgmt.core.web.signin import token_hash

        await connection.fetchval("select access.enter($1)", token_hash(world.saule.token))
        assert (
            await connection.fetchval("select count(*) from evidence.upload where client_id = $1", uuid.UUID(up.id))
            == 0
        )
        changed = "update evidence.upload set received = 1 where client_id = $1"
        assert await connection.execute(changed, uuid.UUID(up.id)) == "UPDATE 0"
    await connection.close()

"""One file on its way in: taken whole and once, or refused in words, on record, with nothing stored."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
import zlib
from urllib.parse import quote

import httpx
import pytest

from casemgmt.core.web.signin import COOKIE
from tests.cast import World
from tests.evidence.conftest import JPEG, LIMIT, Site, sha256
from tests.records import Registered, register_seizure


async def test_a_file_is_taken_with_its_size_and_both_sums(site: Site, world: World, made: Registered):
    answer = await site.put(world.aida, made, JPEG, X_Content_SHA256=sha256(JPEG))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["size"] == len(JPEG)
    assert told["sha256"] == sha256(JPEG)
    assert told["crc32"] == f"{zlib.crc32(JPEG):08x}"
    assert told["media_type"] == "image/jpeg"
    assert told["hash_declared"] is True
    assert answer.headers["location"] == f"/api/v1/files/{told['id']}"
    async with site.client(world.aida) as client:
        assert (await client.get(answer.headers["location"])).json()["sha256"] == sha256(JPEG)
        assert (await client.get(f"/files/{told['id']}")).content == JPEG


async def test_the_received_file_is_in_the_ledger(site: Site, world: World, made: Registered, db_dba):
    await site.put(
        world.aida, made, JPEG,
        X_Captured_At="2026-11-21T03:12:00+06:00", X_Captured_Place="geo:42.870000,74.590000;u=12",
    )  # fmt: skip
    body = await db_dba.fetchval(
        "select convert_from(body, 'UTF8') from ledger.entry where stream = $1 and type = $2",
        f"seizure:{made.seizure.number}", "evidence:file:received",
    )  # fmt: skip
    assert f'"exhibit":"{made.exhibits[0].number}"' in body
    assert f'"sha256":"{sha256(JPEG)}"' in body
    assert '"device_at":"2026-11-20T21:12:00.000Z"' in body
    assert '"latitude":"42.870000"' in body
    assert '"accuracy_m":"12' in body


async def test_sending_again_answers_the_same_and_stores_once(site: Site, world: World, made: Registered, db_dba):
    client_id = str(uuid.uuid4())
    first = await site.put(world.aida, made, JPEG, client_id=client_id)
    second = await site.put(world.aida, made, JPEG, client_id=client_id)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    count = "select count(*) from evidence.file where client_id = $1"
    assert await db_dba.fetchval(count, uuid.UUID(client_id)) == 1


async def test_the_same_file_sent_eight_times_at_once_is_one_file(site: Site, world: World, made: Registered, db_dba):
    client_id = str(uuid.uuid4())
    answers = await asyncio.gather(*(site.put(world.aida, made, JPEG, client_id=client_id) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    events = "select count(*) from ledger.entry where stream = $1 and type = 'evidence:file:received'"
    assert await db_dba.fetchval(events, f"seizure:{made.seizure.number}") == 1


async def test_another_file_under_a_used_identifier_is_a_conflict(site: Site, world: World, made: Registered):
    client_id = str(uuid.uuid4())
    await site.put(world.aida, made, JPEG, client_id=client_id)
    other = JPEG + b"more"
    answer = await site.put(world.aida, made, other, client_id=client_id, X_Content_SHA256=sha256(other))
    assert answer.status_code == 409


async def test_a_file_without_bytes_is_refused(site: Site, world: World, made: Registered, db_dba):
    answer = await site.put(world.aida, made, b"")
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:casemgmt:problem:file-empty"
    assert await _refusals(db_dba, made) == [("empty", 0, None)]


async def test_a_file_over_the_limit_is_refused_and_the_sender_reads_why(site: Site, world: World, made, db_dba):
    answer = await site.put(world.aida, made, bytes(20 << 20))
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:casemgmt:problem:file-too-large"
    assert [row[0] for row in await _refusals(db_dba, made)] == ["too-long"]


async def test_a_file_over_the_limit_without_an_announced_length_is_refused(site: Site, world: World, made: Registered):
    async def blocks():
        for _ in range(40):
            yield bytes(LIMIT // 16)

    answer = await site.put(world.aida, made, blocks())
    assert answer.status_code == 413


async def test_other_bytes_than_announced_are_refused_on_record_and_in_the_ledger(site: Site, world, made, db_dba):
    announced = sha256(b"something else")
    answer = await site.put(world.aida, made, JPEG, X_Content_SHA256=announced)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:casemgmt:problem:file-hash"
    assert await _refusals(db_dba, made) == [("hash", len(JPEG), sha256(JPEG))]
    entry = await db_dba.fetchval(
        "select convert_from(body, 'UTF8') from ledger.entry where stream = $1 and type = 'evidence:file:refused'",
        f"seizure:{made.seizure.number}",
    )
    assert announced in entry
    assert sha256(JPEG) in entry
    assert await db_dba.fetchval("select count(*) from evidence.file where seizure_id = $1", made.seizure.id) == 0


async def test_the_digest_fields_of_rfc_9530_declare_a_hash_too(site: Site, world: World, made: Registered):
    right = base64.b64encode(hashlib.sha256(JPEG).digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert (await site.put(world.aida, made, JPEG, Content_Digest=f"sha-256=:{right}:")).status_code == 201
    assert (await site.put(world.aida, made, JPEG, Repr_Digest=f"sha-256=:{wrong}:")).status_code == 422


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-SHA256", "not-a-hash"),
        ("Content-Digest", "sha-256=:AAA:"),
        ("X-Captured-At", "yesterday"),
        ("X-Captured-At", "2026-11-21T03:12:00"),
        ("X-Captured-Place", "geo:95,200"),
        ("X-Captured-Place", "42.87 74.59"),
    ],
)
async def test_claims_that_cannot_be_read_are_answered_in_words(folder_site: Site, world, made, header, value):
    answer = await folder_site.put(world.aida, made, JPEG, **{header: value})
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_connection_cut_in_the_middle_stores_nothing_and_is_on_record(site: Site, world, made, db_dba):
    await _cut(site, world.aida.token, made, announced=len(JPEG), sent=JPEG[:5000])
    for _ in range(100):
        if found := await _refusals(db_dba, made):
            break
        await asyncio.sleep(0.05)
    assert found == [("cut", 5000, sha256(JPEG[:5000]))]
    assert await db_dba.fetchval("select count(*) from evidence.file where seizure_id = $1", made.seizure.id) == 0


async def test_where_a_photograph_is_asked_for_other_bytes_are_refused(folder_site: Site, world, made, db_dba):
    async with folder_site.client(world.aida) as client:
        url = f"{folder_site.exhibit_url(made)}/files/{uuid.uuid4()}?kind=photo"
        refused = await client.put(url, content=b"<html><script>alert(1)</script></html>")
        taken = await client.put(url, content=JPEG)
    assert refused.status_code == 415
    assert refused.json()["type"] == "urn:casemgmt:problem:file-type"
    assert taken.status_code == 201
    assert [row[0] for row in await _refusals(db_dba, made)] == ["type"]


async def test_evidence_of_any_kind_is_taken_and_a_wrong_declared_type_is_told(folder_site: Site, world, made):
    program = b"MZ\x90\x00" + bytes(200)
    answer = await folder_site.put(world.aida, made, program, Content_Type="application/octet-stream")
    assert answer.status_code == 201
    assert answer.json()["media_type"] == "application/octet-stream"
    differs = await folder_site.put(world.aida, made, b"%PDF-1.7 not a photograph", Content_Type="image/jpeg")
    assert differs.json()["media_type"] == "application/pdf"
    assert differs.json()["type_differs"] is True
    text = await folder_site.put(world.aida, made, b"key = 1", Content_Type="application/toml")
    assert text.json()["type_differs"] is False


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\IMG_1.JPG", "IMG_1.JPG"),
        ("фото изъятия.jpg", "фото изъятия.jpg"),
        ("a\u202egpj.exe", "a gpj.exe"),
        ("line\r\nSet-Cookie: x=1.jpg", "line Set-Cookie: x=1.jpg"),
        ('"; filename=evil.html', '"; filename=evil.html'),
        ("\x00", "file"),
        ("x" * 5000 + ".jpg", "x" * 146 + ".jpg"),
        ("", "file"),
    ],
)
async def test_hostile_file_names_become_harmless(folder_site: Site, world, made, claimed, kept):
    answer = await folder_site.put(world.aida, made, JPEG, X_File_Name=quote(claimed))
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == kept
    async with folder_site.client(world.aida) as client:
        sent = await client.get(f"/files/{answer.json()['id']}")
    disposition = sent.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.count(";") == 2
    assert disposition.isascii()
    assert "\n" not in disposition


async def test_a_hidden_seizure_takes_no_file_and_does_not_exist(folder_site: Site, world: World, made: Registered):
    for stranger in (world.oleg, world.elena, world.admin, world.timur):
        answer = await folder_site.put(stranger, made, JPEG)
        assert answer.status_code == 404
    taken = await folder_site.put(world.aida, made, JPEG)
    for stranger in (world.oleg, world.admin, world.timur):
        async with folder_site.client(stranger) as client:
            assert (await client.get(f"/files/{taken.json()['id']}")).status_code == 404
            assert (await client.get(taken.headers["location"])).status_code == 404


async def test_who_only_reads_a_record_adds_nothing_to_it(folder_site: Site, world: World, made: Registered):
    assert (await folder_site.put(world.askar, made, JPEG)).status_code == 403  # the agency's auditor sees it


async def test_a_colleague_of_the_unit_and_who_keeps_the_exhibit_may_add(folder_site: Site, world, made, db_dba):
    assert (await folder_site.put(world.saule, made, JPEG)).status_code == 201
    other = await register_seizure(folder_site.app.state.database, world.timur, "T-1")
    assert (await folder_site.put(world.aida, other, JPEG)).status_code == 404
    await db_dba.execute(
        "insert into access.reach(principal, seizure_id) values ($1, $2)", world.nurlan.id, made.seizure.id
    )
    assert (await folder_site.put(world.nurlan, made, JPEG)).status_code == 403
    await db_dba.execute("set session_replication_role = replica")  # no hand-over: the triggers would refuse it
    await db_dba.execute(
        "update exhibits.exhibit set holder_id = $1 where id = $2", world.nurlan.id, made.exhibits[0].id
    )
    await db_dba.execute("set session_replication_role = origin")
    assert (await folder_site.put(world.nurlan, made, JPEG)).status_code == 201


async def test_an_exhibit_of_another_seizure_and_a_wrong_address_are_not_found(folder_site: Site, world, made):
    async with folder_site.client(world.aida) as client:
        wrong = f"{folder_site.exhibit_url(made)}/files/not-a-uuid"
        assert (await client.put(wrong, content=JPEG)).status_code == 404
        assert (await client.put(f"/api/v1/exhibits/zzzzzzzz/files/{uuid.uuid4()}", content=JPEG)).status_code == 404


async def test_a_file_may_belong_to_the_seizure_as_a_whole(folder_site: Site, world: World, made: Registered):
    code = folder_site.codes.encode("seizure", made.seizure.id)
    async with folder_site.client(world.aida) as client:
        answer = await client.put(f"/api/v1/seizures/{code}/files/{uuid.uuid4()}", content=JPEG)
    assert answer.status_code == 201
    assert answer.json()["exhibit"] is None


async def test_nobody_changes_or_removes_a_file_row(folder_site: Site, world, made, db_app, dsn):
    await folder_site.put(world.aida, made, JPEG)
    for statement in (
        "update evidence.file set original_name = 'x'",
        "delete from evidence.file",
        "truncate evidence.file",
    ):
        with pytest.raises(Exception, match="permission denied"):
            await db_app.execute(statement)


async def _refusals(dba, made: Registered) -> list[tuple[str, int, str | None]]:
    rows = await dba.fetch("select * from evidence.refusal where seizure_id = $1 order by id", made.seizure.id)
    return [(r["reason"], r["size"], r["actual_sha256"].hex() if r["actual_sha256"] else None) for r in rows]


async def _cut(site: Site, token: str, made: Registered, *, announced: int, sent: bytes) -> None:
    host, port = site.address.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"PUT {site.exhibit_url(made)}/files/{uuid.uuid4()} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {announced}\r\n\r\n"
    )
    writer.write(head.encode() + sent)
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.close()
    await writer.wait_closed()


async def test_a_raw_body_that_calls_itself_a_form_is_answered_at_once(folder_site: Site, world, made):
    headers = {"X-CSRF-Token": world.aida.actor.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(base_url=folder_site.address, cookies={COOKIE: world.aida.token}) as client:
        answer = await client.put(
            f"{folder_site.exhibit_url(made)}/files/{uuid.uuid4()}", content=b"a=b", headers=headers
        )
    assert answer.status_code == 415

"""What a phone, a broken tool or an enemy may say: a clear answer, never a 500, and nobody else loses by it."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from casemgmt.evidence.rules import display_name
from tests.cast import World
from tests.evidence.conftest import JPEG, Site, sha256
from tests.uploads.client import PATH, Tus, checksum, encoded
from tests.uploads.conftest import Client

DATA = JPEG + random.Random(21).randbytes(200_000)

folder = pytest.mark.parametrize("sites", ["folder"], indirect=True)
"""For what is read before any store is asked."""

NAMES = [
    "\0", "a\0b.jpg", "\u202egpj.exe", "../../etc/passwd", "C:\\windows\\x", "\ud7ff\uffff", "x" * 3000,
    "\r\nX-Evil: 1",
    "<script>alert(1)</script>.jpg", "'; drop table evidence.file; --", "\x01\x02\x7f", "\U0001f600" * 300, " ", ".",
    "фото с поста.jpg",
]  # fmt: skip


@folder
async def test_a_photograph_is_taken_whatever_it_is_called(tus: Client):
    for name in NAMES:
        up = tus()
        begun = await up.begin(DATA, filename=name, filetype=name)
        assert begun.status_code == 201, (name, begun.text)
        assert (await up.ask("HEAD")).status_code == 200, name
        assert (await up.send(DATA, 0)).status_code == 204, name
        file = (await up.state())["file"]
        assert (file["sha256"], file["name"]) == (sha256(DATA), display_name(name.replace("\0", " ")))
        assert file["declared_type"] == ""


CLAIMS: list[dict[str, str]] = [
    {"exhibit": "\0"}, {"exhibit": "é" * 10}, {"exhibit": "x" * 5000}, {"exhibit": "", "seizure": "\0"},
    {"sha256": "\0" * 64}, {"sha256": "g" * 64}, {"sha256": "٠" * 64}, {"sha256": "0" * 63},
    {"captured_at": "\0"}, {"captured_at": "0001-01-01T00:00:00+14:00"}, {"captured_at": "9999-12-31T23:59:59-14:00"},
    {"captured_at": "2026-11-01T00:00:00"}, {"captured_place": "geo:NaN,1"}, {"captured_place": "geo:999,1"},
    {"captured_place": "geo:1,1;u=99999999"}, {"captured_place": "geo:1e2,1"}, {"captured_place": "\0"},
    {"id": "\0"}, {"id": "{4fb673d6-5888-466d-be5c-5ec2e51e6a34}"}, {"id": "1" * 32},
]  # fmt: skip


@folder
async def test_claims_of_every_kind_are_refused_with_words(tus: Client):
    for said in CLAIMS:
        answer = await tus().begin(DATA, **said)
        assert answer.status_code in {404, 422}, (said, answer.text)
        assert answer.json()["title"]


EDGES: list[dict[str, str]] = [
    {"captured_at": "1970-01-01T00:00:00+14:00"}, {"captured_at": "9998-12-31T23:59:59-23:59"}, {"kind": "\0"},
    {"captured_place": "geo:-90.000000000,180.000000000;u=9999999.999"},
]  # fmt: skip


@folder
async def test_claims_on_the_edge_are_kept_to_the_end(tus: Client):
    for said in EDGES:
        up = tus()
        assert (await up.begin(DATA, **said)).status_code == 201, said
        assert (await up.send(DATA, 0)).status_code == 204, said


HEADERS = [
    b"id \xff\xfe", b"\xc3\xa9 MQ==", b"filename /w==", b"filename 7aCA", b",,,", b"filename", b"a b c", b"filename MQ",
    b"filename MQ==\tX", b"a\tb", b"id =", b"filename " + b"MQ" * 5000, b"filename MQ==,filename MQ==", b"=",
]  # fmt: skip


@folder
async def test_metadata_that_is_broken_is_told_and_what_is_not_is_given_back(tus: Client):
    for raw in HEADERS:
        up = tus()
        said = encoded(id=up.id, exhibit=up.exhibit).encode() + b"," + raw
        answer = await up.ask("POST", PATH, headers={b"Upload-Length": b"10", b"Upload-Metadata": said})
        assert answer.status_code in {201, 400}, (raw, answer.text)
        found = await up.ask("HEAD")
        assert found.status_code == (200 if answer.status_code == 201 else 404), raw
        if found.status_code == 200:
            assert dict(found.headers.raw)[b"upload-metadata"] == said


NUMBERS = [
    "", "-1", "-0", "+1", "1.5", "1e3", "0x10", "05", "1,0", "9" * 20, "9" * 400, "NaN", "１２", "1 2", "0\t0", "∞",
]  # fmt: skip


@folder
async def test_what_is_no_number_of_bytes_is_told(tus: Client):
    up = tus()
    await up.begin(DATA)
    for text in NUMBERS:
        headers = {b"Upload-Metadata": encoded(exhibit=up.exhibit).encode()}
        answer = await up.ask("POST", PATH, headers={**headers, b"Upload-Length": text.encode()})
        assert answer.status_code == 400, (text, answer.text)
        piece = {b"Content-Type": b"application/offset+octet-stream", b"Upload-Offset": text.encode()}
        assert (await up.ask("PATCH", content=b"xyz", headers=piece)).status_code == 400, text
    assert await up.offset() == 0


HUGE = [2**31, 2**32, 2**53, 2**63 - 1, 2**63, 9 * 10**18, 9_999_999_999_999_999_999]


@folder
async def test_numbers_beyond_all_are_refused_and_reserve_nothing(tus: Client):
    up = tus()
    await up.begin(DATA)
    for size in HUGE:
        assert (await tus().begin(DATA, length=size)).status_code == 413
        answer = await up.send(b"xyz", size)
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "0"), "first of all the offset is wrong"
    assert (await up.send(DATA, 0)).status_code == 204


@folder
async def test_one_persons_identifier_is_nothing_to_another(world: World, tus: Client):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:100], 0)
    other = Tus(up.address, world.timur, up.exhibit, up.id)
    for method in ("HEAD", "GET", "DELETE"):
        assert (await other.ask(method)).status_code == 404
    assert (await other.send(DATA[100:], 100)).status_code == 404
    assert (await other.begin(DATA)).status_code == 404, "the record is out of his sight"
    assert await up.offset() == 100
    assert (await up.send(DATA[100:], 100)).status_code == 204


@folder
async def test_two_people_with_the_same_identifier_have_an_upload_each(world: World, tus: Client):
    """One unit, one exhibit: Saule, who may add to it as Aida may, says the identifier of hers."""
    up = tus()
    await up.begin(DATA)
    other = Tus(up.address, world.saule, up.exhibit, up.id)
    hers = DATA[:-1] + b"!"
    assert (await other.begin(hers)).status_code == 201
    assert (await other.send(hers, 0)).status_code == 204
    assert await up.offset() == 0
    assert (await up.send(DATA, 0)).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(DATA)
    assert (await other.state())["file"]["sha256"] == sha256(hers)


@folder
async def test_an_override_that_means_nothing_is_told_after_its_bytes_were_read(tus: Client):
    up = tus()
    await up.begin(DATA)
    for word in (b"\xff", b"GET", b"OPTIONS", b"PATCH,DELETE", b"", b"BREW"):
        headers = {b"X-HTTP-Method-Override": word, b"Content-Type": b"application/offset+octet-stream"}
        assert (await up.ask("POST", content=DATA, headers=headers)).status_code == 400, word
    assert await up.offset() == 0


@folder
async def test_an_override_never_gets_around_the_version_the_type_or_the_offset(tus: Client):
    up = tus()
    await up.begin(DATA)
    meant = {"X-HTTP-Method-Override": "PATCH"}
    piece = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    asked: list[tuple[dict[str, str], int]] = [
        ({"Content-Type": "text/plain"}, 415), ({"Upload-Offset": ""}, 400), ({"Upload-Offset": "7"}, 409),
        ({"Tus-Resumable": "0.1"}, 412),
    ]  # fmt: skip
    for other, status in asked:
        answer = await up.ask("POST", content=DATA, headers={**meant, **piece, **other})
        assert answer.status_code == status, other
    # and a request that can say what it means is what it says
    assert (await up.ask("HEAD", headers={"X-HTTP-Method-Override": "DELETE"})).status_code == 200
    assert await up.offset() == 0


async def test_half_a_piece_with_a_checksum_leaves_nothing(tus: Client):
    """Nobody could compare it: whoever announces checksums has only bytes that were compared."""
    up = tus()
    await up.begin(DATA, sha256="")
    await up.send(DATA[:1000], 0, Upload_Checksum=checksum(DATA[:1000]))

    async def cut():
        yield DATA[1000:150_000]
        raise httpx.WriteError("the network went away")

    with pytest.raises(httpx.WriteError):
        await up.send(cut(), 1000, Upload_Checksum=checksum(DATA[1000:]))
    assert await up.offset() == 1000
    assert (await up.send(DATA[1000:], 1000, Upload_Checksum=checksum(DATA[1000:]))).status_code == 204
    assert (await up.state())["file"]["sha256"] == sha256(DATA)


OTHERS = {"another byte": DATA[:-1] + b"!", "a byte less": DATA[:-1]}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_what_was_put_before_is_not_taken_for_another_file(site: Site, world, made, tus: Client, other: bytes):
    up = tus()
    put = await site.put(world.aida, made, DATA, client_id=up.id, X_Content_SHA256=sha256(DATA))
    assert put.status_code == 201
    assert (await up.begin(other)).status_code == 409
    assert (await up.ask("HEAD")).status_code == 404
    assert (await up.begin(DATA)).headers["upload-offset"] == str(len(DATA))


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_another_file_put_in_the_middle_is_never_told_to_be_this_one(
    site: Site, world, made, tus: Client, other: bytes
):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:1000], 0)
    put = await site.put(world.aida, made, other, client_id=up.id, X_Content_SHA256=sha256(other))
    assert put.status_code == 201
    assert (await up.state())["state"] == "receiving"
    assert await up.offset() == 1000
    last = await up.send(DATA[1000:], 1000)
    assert (last.status_code, last.json()["type"]) == (409, "urn:casemgmt:problem:conflict")
    assert (await up.state())["state"] == "refused"
    assert (await up.ask("HEAD")).status_code == 410
    assert (await up.begin(DATA)).status_code == 409


async def test_pieces_of_one_upload_at_two_servers_never_mix(sites, tus: Client):
    """Each byte that counts is of the piece that was announced at its offset, whoever else sends others there."""
    up = tus()
    await up.begin(DATA)
    wrong = bytes(len(DATA))
    at = 0
    while at < len(DATA):
        end = min(len(DATA), at + 120_000)
        clients = [tus(at=sites[n % 2], id=up.id) for n in range(2)]
        answers = await asyncio.gather(
            *(client.send(wrong[at:end], at, Upload_Checksum=checksum(DATA[at:end])) for client in clients),
            *(client.send(DATA[at:end], at, Upload_Checksum=checksum(DATA[at:end])) for client in clients),
        )
        assert {answer.status_code for answer in answers} <= {204, 409, 423, 460}
        at = await up.offset()
    assert (await up.state())["file"]["sha256"] == sha256(DATA)

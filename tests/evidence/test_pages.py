"""The files of an exhibit on a page, and several files in one form."""

from __future__ import annotations

import json
import re
import uuid

from tests.cast import Browser, World
from tests.evidence.conftest import JPEG, Site, sha256
from tests.records import Registered

PDF = b"%PDF-1.7 a protocol"


def browser_of(site: Site, member) -> Browser:
    client = Browser(member)
    client.base_url = site.address
    return client


def url(site: Site, made: Registered) -> str:
    return f"/exhibits/{site.codes.encode('exhibit', made.exhibits[0].id)}/files"


async def test_every_file_of_a_form_gets_its_own_answer(folder_site: Site, world: World, made: Registered):
    async with browser_of(folder_site, world.aida) as client:
        shown = await client.get(url(folder_site, made))
        assert "No files yet" in shown.text
        files = [
            ("photos", ("one.jpg", JPEG, "image/jpeg")),
            ("photos", ("two.jpg", JPEG + b"2", "image/jpeg")),
            ("photos", ("not-a-photo.jpg", b"#!/bin/sh\nrm -rf /\n", "image/jpeg")),
            ("files", ("протокол.pdf", PDF, "application/pdf")),
            ("files", ("empty.txt", b"", "text/plain")),
        ]
        fields = {"photos_sha256": json.dumps([sha256(JPEG), "00" * 32, None]), "form_id": str(uuid.uuid4())}
        answer = await client.submit(url(folder_site, made), fields, files=files)
        assert answer.status_code == 422
        outcomes = dict(re.findall(r"<h2>([^<]+) <span class=\"tag (ok|bad)\">", answer.text))
        assert outcomes == {
            "one.jpg": "ok", "two.jpg": "bad", "not-a-photo.jpg": "bad", "протокол.pdf": "ok", "empty.txt": "bad",
        }  # fmt: skip
        assert "Equal to the one made on the device" in answer.text
        shown = await client.get(url(folder_site, made))
        assert "one.jpg" in shown.text
        assert "протокол.pdf" in shown.text
        assert "two.jpg" not in shown.text


async def test_the_same_form_sent_twice_stores_its_files_once(folder_site: Site, world, made, db_dba):
    fields = {"form_id": str(uuid.uuid4())}
    # a phone calls every photograph the same
    files = [("photos", ("image.jpg", JPEG, "image/jpeg")), ("photos", ("image.jpg", JPEG + b"2", "image/jpeg"))]
    async with browser_of(folder_site, world.aida) as client:
        for _ in range(2):
            assert (await client.submit(url(folder_site, made), fields, files=files)).status_code == 200
    count = "select count(*) from evidence.file where seizure_id = $1"
    assert await db_dba.fetchval(count, made.seizure.id) == 2


async def test_a_form_without_our_token_stores_nothing(folder_site: Site, world, made, db_dba):
    async with browser_of(folder_site, world.aida) as client:
        answer = await client.post(
            url(folder_site, made), data={"csrf_token": "forged"}, files=[("files", ("a.pdf", PDF, "application/pdf"))]
        )
        assert answer.status_code == 403
    assert await db_dba.fetchval("select count(*) from evidence.file where seizure_id = $1", made.seizure.id) == 0


async def test_a_form_without_a_file_and_what_is_no_form_are_answered(folder_site: Site, world, made):
    async with browser_of(folder_site, world.aida) as client:
        none = await client.submit(url(folder_site, made), {}, files=[("files", ("", b"", "application/octet-stream"))])
        assert none.status_code == 422
        assert "Choose at least one file" in none.text
        assert (await client.submit(url(folder_site, made), {"a": "b"})).status_code == 415
        bad = {"photos_sha256": "{", "form_id": "x"}
        answer = await client.submit(url(folder_site, made), bad, files=[("photos", ("a.jpg", JPEG, "image/jpeg"))])
        assert answer.status_code == 422


async def test_an_early_refusal_of_a_large_form_reaches_its_sender(folder_site: Site, world, made):
    async with browser_of(folder_site, world.oleg) as client:
        files = [("files", ("big.bin", bytes(25 << 20), "application/octet-stream"))]
        assert (await client.submit(url(folder_site, made), {}, files=files)).status_code == 404


async def test_a_large_file_is_refused_and_the_rest_of_the_form_is_taken(folder_site: Site, world, made):
    files = [
        ("files", ("big.bin", bytes(8 << 20), "application/octet-stream")),
        ("files", ("a.pdf", PDF, "application/pdf")),
    ]
    async with browser_of(folder_site, world.aida) as client:
        answer = await client.submit(url(folder_site, made), {}, files=files)
    outcomes = dict(re.findall(r"<h2>([^<]+) <span class=\"tag (ok|bad)\">", answer.text))
    assert outcomes == {"big.bin": "bad", "a.pdf": "ok"}


async def test_all_files_of_an_exhibit_are_read_again_when_somebody_asks(folder_site: Site, world, made, db_dba):
    await folder_site.put(world.aida, made, JPEG)
    async with browser_of(folder_site, world.aida) as client:
        answer = await client.submit(url(folder_site, made).replace("/files", "/check"))
        assert answer.status_code == 303
        assert "Unchanged" in (await client.get(url(folder_site, made))).text
    rows = "select c.outcome from evidence.fixity c join evidence.file f on f.id = c.file_id where f.seizure_id = $1"
    assert [row["outcome"] for row in await db_dba.fetch(rows, made.seizure.id)] == ["unchanged"]


async def test_strangers_find_neither_page_nor_check(folder_site: Site, world, made):
    for stranger in (world.oleg, world.admin, world.dinara):
        async with browser_of(folder_site, stranger) as client:
            assert (await client.get(url(folder_site, made))).status_code == 404
            assert (await client.submit(url(folder_site, made).replace("/files", "/check"))).status_code == 404

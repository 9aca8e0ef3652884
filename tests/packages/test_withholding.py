"""Redacted packages through the API and the pages."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from casemgmt.trust.verify.steps import verify_package
from tests.cast import Browser, Member, World
from tests.packages.conftest import Clients, Scene, reason, seal
from tests.packages.test_who_sees_packages import share_case

Browsers = Callable[[Member | None], Browser]
Outside = Callable[[Member], httpx.AsyncClient]


class Things:
    """Opaque codes of what could be withheld."""

    def __init__(self, scene: Scene, files: dict[str, int], entries: dict[tuple[str, int], int]) -> None:
        self._scene, self._files, self._entries = scene, files, entries

    @property
    def photograph(self) -> str:
        return self._scene.codes.encode("file", next(iter(self._files.values())))

    def entry(self, stream: str, seq: int) -> str:
        return self._scene.codes.encode("event", self._entries[stream, seq])


@pytest.fixture
async def things(scene: Scene, db_dba: asyncpg.Connection[Any]) -> Things:
    files = await db_dba.fetch("select object_key, id from evidence.file where seizure_id = $1 order by id",
                               scene.seizures[0].seizure.id)  # fmt: skip
    entries = await db_dba.fetch("select stream, stream_seq, id from ledger.entry where seizure_id = any($1)",
                                 [made.seizure.id for made in scene.seizures])  # fmt: skip
    return Things(scene, {row[0]: row[1] for row in files}, {(row[0], row[1]): row[2] for row in entries})


async def test_what_is_withheld_stays_out_and_the_package_proves_that_it_exists(
    scene: Scene, things: Things, world: World, api: Clients, browser: Browsers, outside: Outside, sequenced: None
) -> None:
    exhibit = scene.seizures[0].exhibits[1]
    entry = things.entry(f"exhibit:{exhibit.number}", 1)
    withhold = [{"file": things.photograph, "code": "third_party"}, {"entry": entry, "code": "informant"}]
    made = await seal(api(world.saule), scene, withhold=withhold, withheld_because="By order of the court")
    assert made.described["withheld"] == 2
    content = (await outside(world.saule).get(await reason(api(world.saule), made.code))).content
    report = verify_package(io.BytesIO(content))
    assert report.status == 0, str(report)
    assert scene.contents[0][-1000:] not in content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name.partition("/")[2] for name in archive.namelist()]
        listed = archive.read(f"{made.number}/metadata/withheld.csv").decode()
        graph = archive.read(f"{made.number}/metadata/case.jsonld").decode()
    assert sum(name.endswith(".leaf") for name in names) == 1
    assert "By order of the court" in listed
    assert "third_party" in listed
    assert exhibit.number not in graph
    page = await browser(world.saule).get(f"/packages/{made.code}")
    assert "By order of the court" in page.text


@pytest.mark.parametrize(
    ("withhold", "field"),
    [
        ([{"file": "nonsense", "code": "minor"}], "withhold"),
        ([{"code": "minor"}], "withhold"),
        ([{"file": "PHOTO", "entry": "RECEIPT", "code": "minor"}], "withhold"),
        ([{"file": "PHOTO", "code": "because"}], "withhold"),
        ([{"entry": "RECEIPT", "code": "minor"}], "withhold"),
        ([{"entry": "OTHER", "code": "minor"}], "withhold"),
    ],
)
async def test_only_what_is_inside_is_withheld_for_a_reason_of_the_list(
    withhold: list[dict[str, str]], field: str, scene: Scene, things: Things, world: World, api: Clients,
    db_dba: asyncpg.Connection[Any], sequenced: None,
) -> None:  # fmt: skip
    receipt = await db_dba.fetchval(
        "select id from ledger.entry where type = 'evidence:file:received' and seizure_id = $1 order by id limit 1",
        scene.seizures[0].seizure.id,
    )
    other = await db_dba.fetchval("select id from ledger.entry where stream like 'case:%' limit 1")
    codes = {"PHOTO": things.photograph, "RECEIPT": scene.codes.encode("event", receipt),
             "OTHER": scene.codes.encode("event", other)}  # fmt: skip
    sent = [{name: codes.get(value, value) for name, value in thing.items()} for thing in withhold]
    body = {"client_id": str(uuid.uuid4()), "withhold": sent, "withheld_because": "By order of the court"}
    answer = await api(world.saule).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field]), answer.text


async def test_withholding_needs_words_as_well(scene: Scene, things: Things, world: World, api: Clients) -> None:
    body = {"client_id": str(uuid.uuid4()), "withhold": [{"file": things.photograph, "code": "minor"}]}
    answer = await api(world.saule).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["withheld_because"])


async def test_the_event_says_how_much_and_why_and_is_hidden_with_the_package(
    scene: Scene, things: Things, world: World, api: Clients, db_dba: asyncpg.Connection[Any], sequenced: None
) -> None:
    withhold = [{"file": things.photograph, "code": "minor"}]
    made = await seal(api(world.saule), scene, withhold=withhold, withheld_because="By order of the court")
    body = await db_dba.fetchval(
        "select convert_from(body, 'UTF8')::jsonb -> 'data' from ledger.entry where type = 'packages:package:withheld'"
        " and case_id = $1", scene.case.id,
    )  # fmt: skip
    assert '"minor": 1' in body
    assert made.number in body
    await share_case(db_dba, scene, world.elena, 0)
    history = await api(world.elena).get(f"/cases/{scene.case_code}/history")
    assert made.number not in history.text


async def test_choose_what_to_withhold_look_and_seal_without_javascript(
    scene: Scene, world: World, browser: Browsers, sequenced: None
) -> None:
    client = browser(world.saule)
    url = f"/cases/{scene.case_code}/packages"
    first = await client.get(f"{url}/new")
    fields: dict[str, Any] = {
        "client_id": found(r'name="client_id" value="([^"]+)"', first.text),
        "exhibits": re.findall(r'name="exhibits" value="(\w+)" checked', first.text),
        "languages": re.findall(r'name="languages" value="(\w+)" checked', first.text),
    }
    assert fields["languages"] == ["en"]
    second = await client.submit(url, {**fields, "step": "withhold"})
    assert second.status_code == 200
    rows = dict(re.findall(r'name="(withhold-\d+-(?:file|entry))" value="(\w+)"', second.text))
    name = next(iter(rows))
    chosen = {**fields, **rows, name.rpartition("-")[0] + "-code": "minor", "step": "check"}
    refused = await client.submit(url, chosen)
    assert refused.status_code == 422
    assert 'id="withheld_because-error"' in refused.text
    assert refused.text.count(" selected") == 1
    third = await client.submit(url, {**chosen, "withheld_because": "A child is in the picture"})
    assert third.status_code == 200
    assert "A child is in the picture" in third.text
    assert "Identity of a minor" in third.text
    carried = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', third.text))
    done = await client.submit(url, {**carried, "exhibits": fields["exhibits"], "step": "seal"})
    assert done.status_code == 303, done.text
    page = await client.get(done.headers["location"])
    assert "A child is in the picture" in page.text


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None
    return match[1]

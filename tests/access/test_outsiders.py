"""An outsider and the administrator see none of it: not in a list, a search, a count, a guessed address, an export.

Where they look, the answer is the same, byte for byte, as if the records did not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.access.asking import address, body
from tests.access.scene import CASE_TITLE, CONTAINER, OWNER, Scene
from tests.access.test_matrix import DESCRIPTION
from tests.cast import Browser, Member

Browsers = Callable[[Member | None], Browser]

OUTSIDERS = ("oleg", "admin")
NOWHERE = 987_654_321  # the id of a record that was never made


def pages(app: Litestar) -> Iterator[str]:
    """Every path that can be looked at."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.methods and not route.path.startswith(DESCRIPTION):
            parts = [part if isinstance(part, str) else f"{{{part.full}}}" for part in route.path_components]
            yield f"/{'/'.join(parts)}"


def betrays(answer: httpx.Response, scene: Scene) -> list[str]:
    """What of the scene stands in the answer, headers included."""
    said = answer.text + repr(answer.headers)
    return [secret for secret in scene.secrets if secret in said or secret.replace("-", "") in said]


def without(answer: httpx.Response, *words: str) -> str:
    """The answer with what was typed, in any escaping, and what is new in every answer left out."""
    said = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", answer.text)
    for word in words:
        for spelling in (word, word.replace("/", "%2F"), httpx.QueryParams({"q": word})["q"], word.replace(" ", "+")):
            said = said.replace(spelling, "?")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", said)


def without_length(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_no_list_or_page_tells_of_it(scene: Scene, app: Litestar, browser: Browsers, who: str) -> None:
    client = browser(scene.world.people[who])
    looked = 0
    for path in pages(app):
        if "{" not in path:
            for scope in ("", "?scope=shared", "?scope=unit", "?scope=held", "?scope=offered", "?state=given"):
                answer = await client.get(path + scope)
                assert betrays(answer, scene) == [], path
                looked += 1
    assert looked > 100


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize(
    ("path", "lists"),
    [
        ("seizures", ["unit", "shared"]),
        ("exhibits", ["held", "offered", "unit", "shared"]),
        ("cases", ["unit", "shared", "mine"]),
    ],
)
async def test_lists_are_empty_and_count_nothing(
    scene: Scene, browser: Browsers, who: str, path: str, lists: list[str]
) -> None:
    for scope in lists:
        found = (await browser(scene.world.people[who]).get(f"/api/v1/{path}?scope={scope}")).json()
        assert (found[path], found["more"]) == ([], False)


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_a_search_for_it_finds_what_a_search_for_nothing_finds(scene: Scene, browser: Browsers, who: str) -> None:
    client = browser(scene.world.people[who])
    nothing = "Qwertyuiop"
    expected = {path: without(await client.get(path, params={"q": nothing}), nothing) for path in SEARCHES}
    numbers = [*scene.numbers.values()]
    words = [OWNER, OWNER.split()[1], OWNER.upper(), "Токтогулов", CONTAINER, CONTAINER[:6], CASE_TITLE, "onions"]
    spellings = [numbers[0].replace("-", ""), numbers[0].replace("-", " "), numbers[0][:-2], "package", "B-1000"]
    for typed in [*numbers, *words, *spellings]:
        for path in SEARCHES:
            answer = await client.get(path, params={"q": typed})
            assert answer.status_code == 200, f"{typed} led somewhere"
            assert without(answer, typed, httpx.QueryParams({"q": typed})["q"]) == expected[path], typed


SEARCHES = ("/search", "/api/v1/search")


async def test_the_same_search_finds_it_for_those_who_may(scene: Scene, browser: Browsers) -> None:
    """Or the test above would prove nothing."""
    client = browser(scene.world.elena)
    for typed in (OWNER, "Токтогулов", CONTAINER, CONTAINER[:6], scene.numbers["seizure"].replace("-", "")):
        found = (await client.get("/api/v1/search", params={"q": typed})).json()
        assert found["seizures"] or found["exact"], typed
    nurlan = browser(scene.world.nurlan)
    for kind, asks in (
        ("seizure", client), ("exhibit", client), ("case", client), ("package", client), ("handover", nurlan),
    ):  # fmt: skip
        led = await asks.get("/search", params={"q": scene.numbers[kind]})
        assert led.status_code == 303, kind
        assert (await asks.get(led.headers["location"])).status_code == 200, kind


@pytest.mark.parametrize("who", [*OUTSIDERS, "timur", "marat"])
async def test_a_guessed_address_is_answered_as_if_nothing_were_there(
    scene: Scene, app: Litestar, browser: Browsers, who: str
) -> None:
    client = browser(scene.world.people[who])
    guessed = 0
    for path in pages(app):
        if re.match(r"(/api/v1)?/(people|static)/", path) or "{code:str}" not in path:
            continue  # what is one's own (keys, signing requests, uploads) has its rows in the matrix
        here = address(path, scene)
        there = nowhere(app, path, here)
        answer, nothing = await client.get(here), await client.get(there)
        assert answer.status_code == nothing.status_code == 404, path
        # the page repeats the address that was asked for, and says nothing else
        asked_here, asked_there = here.partition("?")[0], there.partition("?")[0]
        assert without(answer, asked_here) == without(nothing, asked_there), path
        assert [secret for secret in scene.secrets if secret in without(answer, asked_here)] == [], path
        assert without_length(answer) == without_length(nothing), path
        guessed += 1
    assert guessed > 30


def nowhere(app: Litestar, path: str, here: str) -> str:
    """The same address with the code of a record that does not exist."""
    kinds = {
        "seizures": "seizure", "exhibits": "exhibit", "files": "file", "hand-overs": "handover", "cases": "case",
        "packages": "package", "events": "event", "grants": "grant", "x": "exhibit",
        "agreements": "agreement",
    }  # fmt: skip
    found = re.search(r"/(\w[\w-]*)/\{code:str\}", path)
    assert found is not None, path
    code = app.state.codes.encode(kinds[found[1]], NOWHERE)
    return re.sub(rf"(/{found[1]}/)\w+", rf"\g<1>{code}", here, count=1)


@pytest.mark.parametrize("who", [*OUTSIDERS, "timur", "marat"])
async def test_no_event_of_it_can_be_read(
    scene: Scene, app: Litestar, browser: Browsers, db_dba: asyncpg.Connection[Any], who: str
) -> None:
    codes, client = app.state.codes, browser(scene.world.people[who])
    seizure, case = codes.decode("seizure", scene.codes["seizure"]), codes.decode("case", scene.codes["case"])
    entries = await db_dba.fetch("select id from ledger.entry where seizure_id = $1 or case_id = $2", seizure, case)
    assert len(entries) > 10
    for row in entries:
        code = codes.encode("event", row["id"])
        for path in (f"/events/{code}", f"/api/v1/events/{code}/body", f"/api/v1/events/{code}/proof"):
            assert (await client.get(path)).status_code == 404


async def test_a_hidden_record_cannot_be_reached_through_another_field(
    scene: Scene, app: Litestar, browser: Browsers
) -> None:
    """Where a record is named in a query or a body, a hidden one is as good as none."""
    timur, oleg = browser(scene.world.timur), browser(scene.world.oleg)
    seizure, exhibit = scene.codes["seizure"], scene.codes["exhibit"]
    assert (await timur.get(f"/seizures/new?like={seizure}")).status_code == 404
    assert (await timur.get(f"/hand-overs/new?exhibit={exhibit}")).status_code == 404
    csrf = {"X-CSRF-Token": scene.world.oleg.actor.csrf}
    own = (await oleg.post("/api/v1/cases", json=body("POST", "/cases", scene), headers=csrf)).json()["id"]
    codes = app.state.codes
    for path, field, hidden, never in [
        ("seizures", "seizure", scene.numbers["seizure"], "2026-9999-99999-2"),
        ("seizures", "seizure", seizure, codes.encode("seizure", NOWHERE)),
        ("links", "case", scene.numbers["case"], "2026-9999-7-99999-5"),
        ("links", "case", scene.codes["case"], codes.encode("case", NOWHERE)),
    ]:
        reason = {"reason": "same_container"} if path == "links" else {}
        answers = [
            await oleg.post(f"/api/v1/cases/{own}/{path}", json={field: named, **reason}, headers=csrf)
            for named in (hidden, never)
        ]
        assert [a.status_code for a in answers] == [422, 422]
        assert answers[0].text == answers[1].text


async def test_who_was_given_one_seizure_does_not_see_the_other(scene: Scene, browser: Browsers) -> None:
    code, case = scene.codes["other_seizure"], scene.codes["other_case"]
    sees = {"seizure": {"timur", "gulnara", "askar"}, "case": {"marat", "bakyt", "askar"}}
    for login, member in scene.world.people.items():
        client = browser(member)
        expected = 200 if login in sees["seizure"] else 404
        assert (await client.get(f"/seizures/{code}")).status_code == expected, login
        assert (await client.get(f"/exhibits/{scene.codes['other_exhibit']}")).status_code == expected, login
        expected = 200 if login in sees["case"] else 404
        assert (await client.get(f"/cases/{case}")).status_code == expected, login


async def test_the_prosecutor_sees_what_was_referred_and_nothing_else(scene: Scene, browser: Browsers) -> None:
    dinara = browser(scene.world.dinara)
    seizures = (await dinara.get("/api/v1/seizures?scope=shared")).json()["seizures"]
    cases = (await dinara.get("/api/v1/cases?scope=shared")).json()["cases"]
    assert [s["number"] for s in seizures] == [scene.numbers["seizure"]]
    assert [c["number"] for c in cases] == [scene.numbers["case"]]
    for page in ("", "/timeline", "/links", "/team", "/history", "/grants", "/referrals", "/packages/new"):
        answer = await dinara.get(f"/cases/{scene.codes['case']}{page}")
        assert answer.status_code == 200
        assert scene.numbers["other_seizure"] not in answer.text
        assert scene.numbers["other_case"] not in answer.text

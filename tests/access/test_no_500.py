"""Whatever a person, a phone or a program sends, it is answered as wrong and never as our failure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar

from tests.access.asking import address, body, flat
from tests.access.garbage import CODES, HEADERS, OTHER_FIELDS, TEXTS, VALUES, Place, bodies, places, replaced
from tests.access.scene import Scene
from tests.access.test_matrix import routes_of
from tests.cast import Browser, Member

Browsers = Callable[[Member | None], Browser]

WHO = ("aida", "nurlan", "elena", "dinara", "admin")
# These end the session that asks; they read no body.
LEAVES = {"POST /sign-out", "POST /sign-out-everywhere", "DELETE /api/v1/sessions/current"}
QUERIES = (
    "q", "after", "before", "scope", "state", "list", "exhibit", "like", "kind", "view", "reason", "field", "next",
    "download",
)  # fmt: skip


class Answers:
    """Every answer looked at; ``wrong`` says which were failures of ours, or refusals in another form than promised."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def look(self, answer: httpx.Response, asked: str) -> None:
        if answer.status_code >= 500:
            self.wrong.append(f"{answer.status_code}: {asked}")
        elif answer.status_code >= 400 and answer.url.path.startswith("/api/") and not is_problem(answer):
            self.wrong.append(f"no problem details: {asked}")


def is_problem(answer: httpx.Response) -> bool:
    if not answer.headers["content-type"].startswith("application/problem+json"):
        return False
    problem = answer.json()
    return bool(problem["status"] == answer.status_code and problem["title"] and problem["type"])


@pytest.fixture
def answers() -> Iterator[Answers]:
    looked = Answers()
    yield looked
    assert looked.wrong == [], "\n".join(looked.wrong[:40])


def split(route: str) -> tuple[str, str]:
    method, path = route.split(" ", 1)
    return method, path


def reading(app: Litestar) -> list[str]:
    return [path for method, path in map(split, sorted(routes_of(app))) if method == "GET"]


def changing(app: Litestar) -> list[tuple[str, str]]:
    routes = sorted(set(routes_of(app)) - LEAVES)
    return [(method, path) for method, path in map(split, routes) if method not in ("GET", "HEAD")]


def whole_body(method: str, path: str, scene: Scene) -> dict[str, Any]:
    return body(method, path, scene) | OTHER_FIELDS.get(path.removeprefix("/api/v1"), {})


async def send(client: httpx.AsyncClient, member: Member, method: str, url: str, **options: Any) -> httpx.Response:
    headers = {"X-CSRF-Token": member.actor.csrf, **options.pop("headers", {})}
    return await client.request(method, url, headers=headers, **options)


async def test_garbage_in_an_address(scene: Scene, app: Litestar, browser: Browsers, answers: Answers) -> None:
    client = browser(scene.world.elena)
    for path in reading(app):
        for code in CODES if "{" in path else ():
            url = re.sub(r"\{\w+:\w+\}", code, path)
            answers.look(await client.get(url), url)


async def test_garbage_in_a_query(scene: Scene, app: Litestar, browser: Browsers, answers: Answers) -> None:
    raw = "q=%FF%FE&after=%ED%A0%80&scope=%00&" + "&".join(f"x{n}=" for n in range(1000))
    for who in WHO:
        chance, client = random.Random(who), browser(scene.world.people[who])
        for path in reading(app):
            url = address(path, scene).partition("?")[0]
            short = {"seconds": "0"} if path.endswith("/live") else {}  # else it listens for minutes
            for _ in range(2):
                query = {name: chance.choice(TEXTS)[:300] for name in QUERIES} | short
                answers.look(await client.get(url, params=query), f"{url} {query}")
            rest = "&seconds=0" if short else ""
            answers.look(await client.get(f"{url}?{raw}{rest}"), f"{url}?{raw[:60]}")


async def test_garbage_in_headers(scene: Scene, app: Litestar, browser: Browsers, answers: Answers) -> None:
    client = browser(scene.world.dinara)
    for path in reading(app):
        for headers in HEADERS:
            url = address(path, scene)
            answers.look(await client.get(url, headers=headers), f"{url} {headers}")


@pytest.mark.parametrize("who", ["aida", *(pytest.param(who, marks=pytest.mark.long) for who in ("elena", "admin"))])
async def test_a_body_that_is_none(scene: Scene, app: Litestar, browser: Browsers, answers: Answers, who: str) -> None:
    member = scene.world.people[who]
    client = browser(member)
    for method, path in changing(app):
        for name, kind, data in bodies():
            url = address(path, scene)
            answer = await send(client, member, method, url, headers={"Content-Type": kind}, content=data)
            answers.look(answer, f"{method} {path} with {name}")


@pytest.mark.parametrize("values", [4, pytest.param(len(VALUES), marks=pytest.mark.long)])
@pytest.mark.parametrize("who", WHO)
async def test_a_field_wrong_in_every_way(
    scene: Scene, app: Litestar, browser: Browsers, answers: Answers, who: str, values: int
) -> None:
    """A body that is right but for one field, for each field and many strange values; as JSON and as a form."""
    member = scene.world.people[who]
    chance, client = random.Random(who), browser(member)
    for method, path in changing(app):
        whole = whole_body(method, path, scene)
        for place in places(whole):
            for value in chance.sample(VALUES, values):
                answer = await sent_with(client, member, method, path, scene, whole, place, value)
                answers.look(answer, f"{method} {path} with {place} = {value!r:.80}")


async def sent_with(
    client: httpx.AsyncClient,
    member: Member,
    method: str,
    path: str,
    scene: Scene,
    whole: dict[str, Any],
    place: Place,
    value: Any,
) -> httpx.Response:
    url, changed = address(path, scene), replaced(whole, place, value)
    if path.startswith("/api/"):
        return await send(client, member, method, url, json=changed)
    fields = {name: words if isinstance(words, list) else str(words) for name, words in flat(changed).items()}
    return await send(client, member, method, url, data=fields)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.data())
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_json_at_all(scene: Scene, app: Litestar, browser: Browsers, data: st.DataObject) -> None:
    member = scene.world.people[data.draw(st.sampled_from(WHO))]
    method, path = data.draw(st.sampled_from([found for found in changing(app) if found[1].startswith("/api/")]))
    whole = whole_body(method, path, scene)
    place = data.draw(st.sampled_from([*places(whole), ("new",)]))
    sent = msgspec.json.encode(replaced(whole, place, data.draw(ANY_JSON)))
    answers = Answers()
    async with browser(member) as client:
        answers.look(await send(client, member, method, address(path, scene), content=sent), f"{path} {sent!r:.300}")
    assert answers.wrong == []

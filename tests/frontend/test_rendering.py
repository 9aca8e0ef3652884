"""The environment, the filters and the shell's routes, over real requests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from jinja2 import UndefinedError
from litestar import Litestar
from litestar.testing import TestClient

from casemgmt.core.assets import Assets
from casemgmt.core.i18n import Locale, speaking, translations
from casemgmt.core.parts import pager
from casemgmt.core.render import build_environment
from casemgmt.core.shell import local_path
from tests.frontend.kitchen import kitchen

ENVIRONMENT = build_environment(Assets())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Litestar]]:
    with TestClient(kitchen()) as running:
        yield running


def render(source: str, **context: object) -> str:
    return ENVIRONMENT.from_string(source).render(**context)


def test_a_missing_name_is_an_error_not_a_hole() -> None:
    with pytest.raises(UndefinedError):
        render("{{ exhibit_number }}")


def test_what_people_type_is_shown_as_text() -> None:
    assert render("{{ name }}", name="<script>") == "&lt;script&gt;"
    assert render("{{ _('Page %(number)s', number=name) }}", name="<b>%s") == "Page &lt;b&gt;%s"
    assert render("{{ name|code }}", name="<b>") == '<code class="ref">&lt;b&gt;</code>'
    assert "&lt;b&gt;" in render("{{ name|hashgroups }}", name="<b>")


def test_a_page_is_not_frozen_in_the_language_of_its_first_reader() -> None:
    template = ENVIRONMENT.from_string("{{ 5200000|filesize }} {{ _('Help') }}")
    with speaking(Locale("ru", UTC, translations("ru"))):
        assert template.render() == "5,2 МБ Помощь"
    assert template.render() == "5.2 MB Help"


def test_a_fingerprint_is_shown_in_eights_and_copied_whole() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    shown = render("{{ digest|hashgroups }}", digest=digest)
    assert shown.count("<span>") == 8
    assert shown.count("<wbr>") == 7
    assert " " not in shown.removeprefix('<code class="hash">')


def test_a_moment_is_written_for_people_and_for_machines() -> None:
    shown = render("{{ at|datetime }}", at=datetime(2026, 11, 20, 21, 12, tzinfo=UTC))
    assert shown == '<time datetime="2026-11-20T21:12:00+00:00">20.11.2026 21:12\u00a0UTC</time>'


def test_an_unknown_static_file_is_a_fault_of_the_template() -> None:
    with pytest.raises(KeyError):
        render("{{ asset('nowhere.css') }}")


def test_a_static_file_may_be_kept_for_ever_at_its_own_address(client: TestClient[Litestar]) -> None:
    answer = client.get(Assets().url("app.css"))
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"


def test_a_static_file_is_plain_for_those_who_cannot_unpack(client: TestClient[Litestar]) -> None:
    answer = client.get(Assets().url("app.css"), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.text.startswith("/*")


def test_an_old_address_gives_the_present_file_but_is_not_kept(client: TestClient[Litestar]) -> None:
    answer = client.get("/static/000000000000/app.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["nowhere.css", "../templates/base.html", "vendor/MANIFEST.toml", "vendor/htmx.LICENSE"]
)
def test_only_files_made_for_browsers_are_served(client: TestClient[Litestar], name: str) -> None:
    assert client.get(f"/static/{Assets().version}/{name}").status_code == 404


def test_preferences_are_kept_on_the_device_and_lead_back(client: TestClient[Litestar]) -> None:
    form = {"language": "ru", "theme": "dark", "back": "/help"}
    answer = client.post("/preferences", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/help"
    page = client.get("/help").text
    assert '<html lang="ru" data-theme="dark">' in page
    assert "Помощь" in page


def test_unknown_preferences_change_nothing(client: TestClient[Litestar]) -> None:
    answer = client.post("/preferences", data={"language": "tlh", "theme": "pink"}, follow_redirects=False)
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "/\t/evil",
    ],
)
def test_the_way_back_never_leads_to_another_site(address: str) -> None:
    assert local_path(address) == "/"


def test_the_way_back_keeps_a_page_of_ours_with_its_filters() -> None:
    assert local_path("/exhibits?q=a&page=2") == "/exhibits?q=a&page=2"


def test_a_form_sent_by_htmx_is_told_to_open_the_next_page(client: TestClient[Litestar]) -> None:
    answer = client.post("/kitchen/phone", data={"seal": "1"}, headers={"HX-Request": "true"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/kitchen/receipt?flash")


def test_a_pager_keeps_the_filters_and_has_no_way_before_the_first_page() -> None:
    first = pager("/exhibits", {"q": "a&b"}, 1, has_next=True)
    assert (first.previous_href, first.next_href) == (None, "/exhibits?q=a%26b&page=2")


def test_the_menu_marks_the_longest_place_that_holds_the_page(client: TestClient[Litestar]) -> None:
    page = client.get("/kitchen/desk").text
    assert '<a href="/kitchen" aria-current="true">' in page
    assert page.count('aria-current="true"') == 4  # the place twice (line, menu), language, colours

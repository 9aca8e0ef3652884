from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from tests.cast import Browser, Member, World
from tests.packages.conftest import Clients, Scene, Sealed

Browsers = Callable[[Member | None], Browser]


async def test_choose_check_and_seal_without_javascript(
    scene: Scene, world: World, browser: Browsers, sequenced: None
) -> None:
    client = browser(world.saule)
    url = f"/cases/{scene.case_code}/packages"
    first = await client.get(f"{url}/new")
    assert first.status_code == 200
    codes = re.findall(r'name="exhibits" value="(\w+)" checked', first.text)
    assert len(codes) == 3
    sent = re.search(r'name="client_id" value="([^"]+)"', first.text)
    assert sent is not None
    fields = {"client_id": sent[1], "exhibits": codes[:2], "languages": ["en"], "step": "check"}
    refused = await client.submit(url, fields)
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.text
    assert refused.text.count(" checked") == 3  # two exhibits and a language
    fields["reason"] = "the third is another charge"
    second = await client.submit(url, fields)
    assert second.status_code == 200
    assert "Left out" in second.text
    assert "the third is another charge" in second.text
    fields["step"] = "seal"
    done = await client.submit(url, fields)
    assert done.status_code == 303
    page = await client.get(done.headers["location"])
    assert page.status_code == 200
    assert "the third is another charge" in page.text
    again = await client.submit(url, fields)
    assert again.headers["location"] == done.headers["location"]


async def test_the_three_signs_stand_apart_and_say_only_what_was_looked_at(
    sealed: Sealed, world: World, browser: Browsers
) -> None:
    client = browser(world.saule)
    page = await client.get(f"/packages/{sealed.code}")
    assert page.status_code == 200
    assert page.text.count('<li class="sign ') == 3
    assert "Read again since they were received: 0 of 3 files" in page.text
    assert "Every chain of custody (3) was checked" in page.text
    done = await client.submit(f"/packages/{sealed.code}/check")
    assert done.status_code == 303
    page = await client.get(done.headers["location"])
    assert "Every file (3) was read again and has the hash it was received with." in page.text


async def test_the_case_shows_its_packages(sealed: Sealed, scene: Scene, world: World, browser: Browsers) -> None:
    page = await browser(world.saule).get(f"/cases/{scene.case_code}")
    assert page.status_code == 200
    assert f'href="/packages/{sealed.code}"' in page.text
    history = await browser(world.saule).get(f"/cases/{scene.case_code}/history")
    assert sealed.number in history.text


async def test_the_page_speaks_russian(sealed: Sealed, world: World, browser: Browsers) -> None:
    client = browser(world.saule)
    client.cookies.set("lang", "ru")
    page = await client.get(f"/packages/{sealed.code}")
    assert page.status_code == 200
    assert "Проверка без этой системы" in page.text


async def test_a_file_that_was_refused_is_a_remark(
    sealed: Sealed, scene: Scene, world: World, browser: Browsers, api: Clients
) -> None:
    url = f"/api/v1/exhibits/{scene.exhibit_code(0, 0)}/files/{uuid.uuid4()}"
    headers = {"X-File-Name": "broken.jpg", "Content-Type": "image/jpeg"}
    assert (await api(world.aida).put(url, content=b"", headers=headers)).status_code == 422
    page = await browser(world.saule).get(f"/packages/{sealed.code}")
    assert "A file was not taken in." in page.text
    assert "broken.jpg" in page.text
    assert "The file has no bytes." in page.text

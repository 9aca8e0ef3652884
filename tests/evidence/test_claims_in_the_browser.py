"""Claims inside files as people see them: readable on a small phone, by keyboard, without JavaScript."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from casemgmt.core.shell import LANGUAGE_COOKIE
from casemgmt.core.web.signin import COOKIE
from tests.cast import World
from tests.chromium import chromium
from tests.frontend.looking import DEVICES, axe, cut_texts, overflow
from tests.inspection import photos
from tests.looking import look_into
from tests.records import register_seizure


@pytest.mark.browser
async def test_claims_are_readable_everywhere(app: Litestar, server: str, world: World, api: Any) -> None:
    made = await register_seizure(app.state.database, world.aida, "L-1")
    code = app.state.codes.encode("exhibit", made.exhibits[0].id)
    captured = {"X-Captured-At": "2026-11-21T10:00:00+06:00", "X-Captured-Place": "geo:41.43,75.99;u=12"}
    async with api(world.aida) as client:
        for n, data in enumerate((photos.camera(), photos.signed("trainedAlgorithmicMedia"), photos.tampered())):
            address = f"/api/v1/exhibits/{code}/files/00000000-0000-4000-8000-00000000000{n}"
            headers = {"X-File-Name": f"photo-{n}.jpg", **(captured if n == 0 else {})}
            answer = await client.put(address, content=data, headers=headers)
            await look_into(app, app.state.codes.decode("file", answer.json()["id"]))

    def visit() -> list[str]:
        faults = []
        with chromium() as (_, browser):
            for name, device in DEVICES.items():
                for language in ("en", "ru"):
                    context = browser.new_context(java_script_enabled=True, **device)
                    context.add_cookies([
                        {"name": COOKIE, "value": world.aida.token, "url": server},
                        {"name": LANGUAGE_COOKIE, "value": language, "url": server},
                    ])  # fmt: skip
                    page = context.new_page()
                    for path in (f"/exhibits/{code}", f"/exhibits/{code}/files"):
                        page.goto(server + path)
                        where = f"{path} {name} {language}"
                        assert page.locator(".tag.warn").first.is_visible(), where
                        faults += [f"{where}: {fault}" for fault in axe(page)]
                        faults += [f"{where}: cut: {text}" for text in cut_texts(page)]
                        if (wider := overflow(page)) > 0:
                            faults.append(f"{where}: {wider} pixels too wide")
                        if folder := os.environ.get("SCREENSHOTS"):
                            file = f"claims-{path.split('/')[-1][:5]}-{name[:5]}-{language}.png"
                            page.screenshot(path=str(Path(folder) / file), full_page=True)
                    context.close()
        return faults

    assert await asyncio.to_thread(visit) == []

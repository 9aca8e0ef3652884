"""The core of the phone in another engine: vault, sealed records, queue and upload in Firefox."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest

from casemgmt.core.web.signin import COOKIE
from tests.cast import World
from tests.intake.pictures import picture
from tests.kit.firefox import Firefox, firefox, found
from tests.phone.test_queue import hashes, registered

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

_MODULES = """
const base = document.querySelector('script[type=module]').src.replace(/app\\.js$/, 'phone/');
const load = (name) => import(base + name);
const [vault, records, queue, server] = await Promise.all(
    ['vault.js', 'records.js', 'drain.js', 'server.js'].map(load));
"""

_CAPTURE = (
    _MODULES
    + """
const who = await server.me();
await vault.create({owner: who.id, name: who.name, post: who.post, place: who.place}, '402917');
const open = await vault.opened();
const bytes = Uint8Array.from(atob(PHOTO), (c) => c.charCodeAt(0));
const file = new File([bytes], 'IMG_1.jpg', {type: 'image/jpeg'});
const record = await records.begin(open);
const kept = await records.addFile(open, record, file, {at: new Date().toISOString(), place: null, thumb: null});
record.body.registration = {
    client_id: record.row.id, captured_by: open.owner, device: record.row.device,
    seized_at: new Date().toISOString(), exhibits: [{category: 'DRUG'}],
};
await records.keep(open, record, {state: 'saved'});
const exported = await crypto.subtle.exportKey('raw', open.key).then(() => 'yes', (e) => e.name);
await vault.lock();
const wrong = await vault.unlock(who.id, '111111').catch((e) => e.name);
return JSON.stringify({sha256: kept.sha256, exported, wrong, locked: await queue.drain()});
"""
)

_SEND = (
    _MODULES
    + """
const [row] = await records.all();
await vault.unlock(row.owner, '402917');
const outcomes = await Promise.all([queue.drain(), queue.drain()]);
// the page itself may have begun to send when it was unlocked: then both waited for nobody
while ((await records.all())[0].state !== "verified") {
  await new Promise((resolve) => setTimeout(resolve, 200));
  await queue.drain();
}
const after = (await records.all())[0];
return JSON.stringify({outcomes, state: after.state, number: after.number});
"""
)


async def test_firefox_seals_queues_and_sends_as_chromium_does(
    server: str, world: World, tmp_path: Path, db_dba: Dba, missing_part: Callable[[str], None]
) -> None:
    if found() is None:
        missing_part("Firefox: run tools/install-system-packages.sh")
    photo = picture(77) + os.urandom(1_500_000)
    (tmp_path / "profile").mkdir()

    def go(browser: Firefox, path: str) -> None:
        browser.ask("WebDriver:Navigate", {"url": server + path})

    def visit() -> tuple[dict[str, Any], dict[str, Any]]:
        with firefox(tmp_path / "profile") as browser:
            browser.ask("WebDriver:SetTimeouts", {"script": 120_000})
            go(browser, "/help")
            browser.run(f"document.cookie = '{COOKIE}={world.aida.token}; path=/'")
            go(browser, "/help")
            script = _CAPTURE.replace("PHOTO", json.dumps(base64.b64encode(photo).decode()))
            captured = json.loads(browser.run(script))
            go(browser, "/help")  # another page: nothing is left in memory
            return captured, json.loads(browser.run(_SEND))

    captured, sent = await asyncio.to_thread(visit)
    digest = hashlib.sha256(photo).hexdigest()
    assert captured == {
        "sha256": digest, "exported": "InvalidAccessError", "wrong": "WrongPin", "locked": "locked",
    }  # fmt: skip
    assert None in sent["outcomes"]  # one sends at a time: the other waited for nobody and did nothing
    (row,) = await registered(db_dba, world.aida)
    assert (sent["state"], sent["number"]) == ("verified", row["number"])
    assert await hashes(db_dba, world.aida) == [digest]

"""The core of the phone in other engines than Chromium: vault, sealed records, the pages without a network, the queue
and an upload that is cut. A real Firefox, and a real WebKit, the engine of the iPhone, in the shape GTK gives it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import asyncpg
import pytest

from casemgmt.core.web.signin import COOKIE
from tests.cast import Member, World
from tests.intake.pictures import picture
from tests.kit import firefox, webkit
from tests.phone.line import Line, line_to
from tests.phone.test_queue import hashes, registered

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

CUT_AFTER = 700_000
PIECE = 512 * 1024  # as records.js has it

_MODULES = """
const base = document.querySelector('script[type=module]').src.replace(/js\\/.*$/, 'js/phone/');
const load = (name) => import(base + name);
const [vault, records, queue, server] = await Promise.all(
    ['vault.js', 'records.js', 'drain.js', 'server.js'].map(load));
"""

_READY = "await navigator.serviceWorker.ready; return 'ready';"

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

_WITHOUT_A_LINE = (
    _MODULES
    + """
const [row] = await records.all();
await vault.unlock(row.owner, '402917');
const title = document.querySelector('h1').textContent;
// The page itself may be the one that tries just then: asked until it is our turn.
let outcome = null;
while (outcome === null) {
    outcome = await queue.drain();
    if (outcome === null) await new Promise((resolve) => setTimeout(resolve, 100));
}
return JSON.stringify({title, outcome, state: (await records.all())[0].state});
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


class Engine(Protocol):
    def go(self, address: str) -> None: ...
    def run(self, script: str) -> Any: ...


@dataclass(frozen=True)
class Program:
    """How a browser is opened on what it kept in a folder; ``keeps`` says whether that outlives the browser."""

    open: Callable[[Path], Any]
    missing: Callable[[], list[str]]
    keeps: bool


@contextmanager
def _firefox(folder: Path) -> Iterator[Engine]:
    folder.mkdir(exist_ok=True)
    with firefox.firefox(folder) as browser:
        browser.ask("WebDriver:SetTimeouts", {"script": 120_000})
        yield browser


PROGRAMS = {
    "firefox": Program(_firefox, lambda: [] if firefox.found() else ["Firefox"], keeps=True),
    # driven by a program, WebKit for GTK has no session but one in memory
    "webkit": Program(webkit.webkit, webkit.missing, keeps=False),
}


def signed_in(browser: Engine, line: Line, member: Member) -> None:
    browser.go(f"{line.address}/help")
    browser.run(f"document.cookie = '{COOKIE}={member.token}; path=/'")


def said(answer: Any) -> dict[str, Any]:
    assert str(answer).startswith("{"), answer
    found: dict[str, Any] = json.loads(answer)
    return found


@pytest.mark.parametrize("name", PROGRAMS)
async def test_another_engine_seals_keeps_goes_on_after_a_cut_and_verifies(
    name: str, server: str, world: World, tmp_path: Path, db_dba: Dba, missing_part: Callable[[str], None]
) -> None:
    program = PROGRAMS[name]
    if program.missing():
        missing_part(f"{', '.join(program.missing())}: run tools/install-system-packages.sh")
    photo = picture(77) + os.urandom(1_500_000)
    digest = hashlib.sha256(photo).hexdigest()

    def capture(browser: Engine, line: Line) -> None:
        signed_in(browser, line, world.aida)
        browser.go(f"{line.address}/phone")
        assert browser.run(_READY) == "ready"
        browser.go(f"{line.address}/phone")
        script = _CAPTURE.replace("PHOTO", json.dumps(base64.b64encode(photo).decode()))
        assert said(browser.run(script)) == {
            "sha256": digest, "exported": "InvalidAccessError", "wrong": "WrongPin", "locked": "locked",
        }  # fmt: skip

    def without_a_line(browser: Engine, line: Line) -> None:
        browser.go(f"{line.address}/phone")  # from what the phone keeps
        found = said(browser.run(_WITHOUT_A_LINE))
        assert found == {"title": "On this phone", "outcome": "noanswer", "state": "saved"}

    def send(browser: Engine, line: Line) -> dict[str, Any]:
        signed_in(browser, line, world.aida)
        browser.go(f"{line.address}/phone")
        return said(browser.run(_SEND))

    def visit(line: Line) -> dict[str, Any]:
        with program.open(tmp_path / "profile") as browser:
            capture(browser, line)
            line.take_away()
            without_a_line(browser, line)
            line.up = True
            line.cut_after = CUT_AFTER
            if not program.keeps:
                return send(browser, line)
        with program.open(tmp_path / "profile") as browser:
            return send(browser, line)

    async with line_to(server) as line:
        sent = await asyncio.to_thread(visit, line)
        offsets = line.offsets
    assert None in sent["outcomes"]  # one sends at a time: the other waited for nobody and did nothing
    assert offsets[0] == 0
    assert PIECE <= offsets[-1] < len(photo)  # it went on where the server had come to
    (row,) = await registered(db_dba, world.aida)
    assert (sent["state"], sent["number"]) == ("verified", row["number"])
    assert await hashes(db_dba, world.aida) == [digest]

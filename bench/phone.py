"""The officer's telephone against its budgets: a processor six times as slow, 400 kbit/s, 400 ms there and back.

What a browser does for WebCrypto happens in threads that Chromium's slow-down does not touch, so the whole duration is
less than a telephone's, and the main thread's share stands in a row of its own.
"""

from __future__ import annotations

import os
import statistics
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from playwright.sync_api import CDPSession, expect

from bench import lighthouse
from bench.harness import Row, Samples, Stopwatch, delay, turns
from bench.http import BrokenRun
from bench.instance import Site, instance
from bench.sizes import Sizes
from casemgmt.core.web.signin import COOKIE
from tests.cast import Member
from tests.chromium import chromium
from tests.phone.handset import Handset

SLOW = 6
PHOTO = 5_000_000  # bytes
HASH_AND_SEAL, POINTS = 500.0, 95  # milliseconds; of Lighthouse's 100

_TAKE = """async ([base, size]) => {
    const [vault, records] = await Promise.all(["opened.js", "records.js"].map((name) => import(base + name)));
    const open = await vault.opened();
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)));
    const file = new File([bytes], "IMG_1.jpg", { type: "image/jpeg" });
    const record = await records.begin(open);
    await records.keep(open, record);
    const began = performance.now();
    await records.addFile(open, record, file, { at: new Date().toISOString(), place: null, thumb: null });
    const took = performance.now() - began;
    await records.discard(record.row.id);
    return took;
}"""


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    rounds = max(3, sizes.rounds)
    with instance(folder) as site:
        with _telephone(site) as (phone, line):
            taken = [_take(phone, line) for _ in range(rounds)]
            note = f"processor {SLOW} times as slow; WebCrypto's threads are not slowed, see the next row"
            yield _within(f"photograph of {PHOTO / 1e6:g} MB hashed, sealed and stored", [a for a, _ in taken],
                          HASH_AND_SEAL, note)  # fmt: skip
            yield _within("the main thread's share of it", [b for _, b in taken], HASH_AND_SEAL, "slowed, all of it")
            photo = folder / "photo.jpg"
            photo.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(PHOTO))
            samples = turns(lambda: _save(phone, photo), lambda: _open(phone), rounds)
            yield delay("from “Save seizure” to “Saved on this phone”", "opening that page from the cache", samples, 3,
                        or_extra=1000, note=f"processor {SLOW} times as slow, one photograph of 5 MB")  # fmt: skip
        cookie = f"{COOKIE}={site.token('aida')}"
        for path in ("/phone/new?lang=en", "/", "/seizures/new"):
            yield _scored(site.url, path, cookie)


def _within(what: str, ours: list[float], limit: float, note: str) -> Row:
    return delay(f"{what}, CPU x{SLOW}", f"its budget, {limit:g} ms", Samples(ours, [limit] * len(ours)), 1, note=note)


def _scored(url: str, path: str, cookie: str) -> Row:
    """The median of three; Lighthouse's score is of 100, and the budget is the least."""
    seen = [lighthouse.look(url + path, "performance", "accessibility", cookie=cookie) for _ in range(3)]
    points = [float(one.scores["performance"]) for one in seen]
    mine = statistics.median(points)
    paint = statistics.median(one.largest_paint for one in seen) / 1000
    note = (
        f"performance {', '.join(f'{point:g}' for point in points)}; largest paint {paint:.1f} s; accessibility "
        f"{min(one.scores['accessibility'] for one in seen)}"
    )
    return Row(
        f"Lighthouse, {path.partition('?')[0]}", "its budget", mine, POINTS, "points", mine / POINTS, ">= 1x",
        mine >= POINTS, Samples(points, [float(POINTS)] * 3), note,
    )  # fmt: skip


@contextmanager
def _telephone(site: Site) -> Iterator[tuple[Handset, CDPSession]]:
    with chromium() as (_, browser):
        phone = Handset(browser, site.url)
        phone.set_up(cast("Member", SimpleNamespace(token=site.token("aida"))))
        line = phone.context.new_cdp_session(phone.page)
        line.send("Performance.enable")
        line.send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
        yield phone, line
        phone.context.close()


def _take(phone: Handset, line: CDPSession) -> tuple[float, float]:
    """Milliseconds until the photograph is in the store, and those of the main thread."""
    base = phone.page.evaluate("document.querySelector('script[type=module]').src.replace(/js\\/.*$/, 'js/phone/')")
    before = _busy(line)
    took = float(phone.page.evaluate(_TAKE, [base, PHOTO]))
    if took <= 0:
        raise BrokenRun("nothing was stored")
    return took, _busy(line) - before - _making_it(phone, line)


def _making_it(phone: Handset, line: CDPSession) -> float:
    """What the making of the bytes themselves costs the main thread: no part of what is measured."""
    before = _busy(line)
    script = """(size) => { const bytes = new Uint8Array(size);
        for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)));
        return new File([bytes], "x").size; }"""
    if phone.page.evaluate(script, PHOTO) != PHOTO:
        raise BrokenRun("no bytes")
    return _busy(line) - before


def _busy(line: CDPSession) -> float:
    metrics: list[dict[str, Any]] = line.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def _save(phone: Handset, photo: Path) -> float:
    phone.begin()
    phone.photograph(photo)
    phone.fill(seal=uuid.uuid4().hex[:8])
    with Stopwatch() as watch:
        phone.page.get_by_role("button", name="Save seizure").tap()
        phone.page.wait_for_url("**/phone?saved=*")
        expect(phone.page.locator("[data-saved]")).to_be_visible()
    expect(phone.page.locator("[data-state]").first).to_have_text("Verified by server", timeout=60_000)
    return watch.seconds * 1000


def _open(phone: Handset) -> float:
    with Stopwatch() as watch:
        phone.page.goto("/phone")
        expect(phone.page.locator("[data-unlocked]")).to_be_visible()
    return watch.seconds * 1000

"""verify.html in Chromium, beside the two ways a browser has of hashing a file, over the same file in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from bench.harness import Row, Samples, speed, turns
from bench.sizes import MIB, Sizes
from casemgmt.trust import kit
from casemgmt.trust.zip import Layout
from tests.chromium import chromium
from tests.trust.factory import cut, draft, receive

KIT = Path(kit.__file__).parent
MOST = 512 * MIB  # WebCrypto holds the whole file in memory
TARGET = 200e6  # bytes a second

_OURS = """async () => {
    const begun = performance.now(), report = await verifyPackage(document.getElementById("file").files[0]);
    const bad = report.results.filter(one => one.outcome === "failed" || one.number < 10 && one.outcome !== "holds");
    if (bad.length) throw new Error(bad.map(one => one.number + ": " + one.finding).join("; "));
    return (performance.now() - begun) / 1000;
}"""
_HASH_WASM = """async () => {
    const begun = performance.now(), hash = await hashwasm.createSHA256();
    const reader = document.getElementById("file").files[0].stream().getReader();
    for (;;) { const { done, value } = await reader.read(); if (done) break; hash.update(value); }
    hash.digest();
    return (performance.now() - begun) / 1000;
}"""
_WEB_CRYPTO = """async () => {
    const begun = performance.now();
    await crypto.subtle.digest("SHA-256", await document.getElementById("file").files[0].arrayBuffer());
    return (performance.now() - begun) / 1000;
}"""


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    size = min(sizes.large, MOST)
    package = _package(folder / "verified.zip", size)
    with chromium() as (_, browser):
        ours, peer = browser.new_page(), browser.new_page()
        ours.goto((KIT / kit.PAGE).as_uri())
        ours.wait_for_function("!document.getElementById('file').disabled")
        ours.evaluate("document.getElementById('file').onchange = null")
        (folder / "peer.html").write_text('<!doctype html><title>x</title><input type="file" id="file">')
        peer.goto((folder / "peer.html").as_uri())
        peer.add_script_tag(path=KIT / "vendor" / "hash-wasm.sha256.umd.min.js")
        for page in (ours, peer):
            page.set_input_files("#file", package)
        what = f"verify.html: all its steps over a package of one file of {size // MIB} MiB"
        samples = turns(lambda: _run(ours, _OURS), lambda: _run(peer, _HASH_WASM), sizes.rounds)
        note = f"{size / 1e6 / statistics.median(samples.ours):.0f} MB/s"
        yield speed(what, "hash-wasm alone over the same file, as a stream", samples, 0.9, note=note)
        target = Samples(samples.ours, [size / TARGET] * len(samples.ours))
        yield speed(what, "the target, 200 MB/s", target, 1)
        samples = turns(lambda: _run(ours, _OURS), lambda: _run(peer, _WEB_CRYPTO), sizes.rounds)
        note = "WebCrypto cannot hash a stream: it needs as much memory as the file is long"
        yield speed(what, "WebCrypto's digest of the same file, all of it in memory", samples, 0.2, note=note)


def _run(page: Page, script: str) -> float:
    seconds: Any = page.evaluate(script)
    return float(seconds)


def _package(path: Path, size: int) -> Path:
    made = draft()
    receive(made, "KG-2027-000123/1", b"evidence" * (size // 8))
    last = made.files[-1]
    made.files[-1] = replace(last, row=replace(last.row, path=last.row.path.replace("0001.jpg", "0002.jpg")))
    made.size = made.ledger.tree.size
    with path.open("wb") as output:
        for piece in Layout(made.entries()).pieces():
            output.write(piece if isinstance(piece, bytes) else cut(piece, made.contents))
    return path

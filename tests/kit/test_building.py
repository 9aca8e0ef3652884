"""verify.html is made from its sources, stays small, and contains what it says it contains."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tomllib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.verifiers import KIT, PAGE

LARGEST = 60_000


def test_the_page_is_at_most_60_kb() -> None:
    assert PAGE.stat().st_size <= LARGEST


def test_the_page_was_built_from_the_sources_as_they_are(builder: Any) -> None:
    assert f"SHA-256 {builder.sources_hash()}".encode() in PAGE.read_bytes(), "run: make verify-html"


def test_building_again_gives_the_same_bytes(builder: Any, missing_part: Callable[[str], None]) -> None:
    if not builder.ESBUILD.exists():
        missing_part("esbuild: run tools/get-esbuild.sh")
    assert builder.build(PAGE.read_bytes()) == PAGE.read_bytes()
    fresh = builder.build(b"")  # where zlib packs otherwise, the content is still the same
    unpack = [zlib.decompress(base64.b64decode(one)) for one in _packed(fresh)]
    assert unpack == [zlib.decompress(base64.b64decode(one)) for one in _packed(PAGE.read_bytes())]


def test_a_changed_source_is_seen(builder: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in builder.PAGE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "steps.js").write_bytes(b"// nothing is checked\n")
    before = builder.sources_hash()
    monkeypatch.setattr(builder, "PAGE", tmp_path)
    assert builder.sources_hash() != before


def test_the_webassembly_is_that_of_the_published_hash_wasm(builder: Any) -> None:
    (entry,) = tomllib.loads((KIT / "vendor" / "MANIFEST.toml").read_text(encoding="utf-8"))["file"]
    vendored = (KIT / "vendor" / entry["path"]).read_bytes()
    assert hashlib.sha256(vendored).hexdigest() == entry["sha256"]
    assert builder.wasm_module() in [zlib.decompress(base64.b64decode(one)) for one in _packed(PAGE.read_bytes())]


def test_every_language_has_every_sentence_with_the_same_places(builder: Any) -> None:
    texts = {name: json.loads((KIT / "page" / f"{name}.json").read_text("utf-8")) for name in builder.LANGUAGES}
    for words in texts.values():
        assert words.keys() == texts["en"].keys()
        for key, text in words.items():
            assert sorted(re.findall(r"\{\d\}", text)) == sorted(re.findall(r"\{\d\}", texts["en"][key])), key
            assert text or key == "draft"
    assert texts["ky"]["draft"], "the Kyrgyz translation says that it is a draft"


def test_every_sentence_a_check_can_speak_exists(builder: Any) -> None:
    words = json.loads((KIT / "page" / "en.json").read_text("utf-8"))
    source = "\n".join((KIT / "page" / f"{name}.js").read_text("utf-8") for name in builder.SCRIPTS)
    spoken = set(re.findall(r'new (?:Fault|Unable)\("(\w+)"', source)) | set(re.findall(r'say\(\["(\w{2,})"', source))
    assert spoken <= words.keys(), spoken - words.keys()


def test_the_scripts_need_only_what_the_guide_says() -> None:
    for name in ("verify_proof.sh", "verify_passkey.sh", "verify_all.sh"):
        text = (KIT / name).read_text(encoding="utf-8")
        assert text.startswith("#!/bin/sh\n")
        assert not re.search(r"\b(eval|python|perl|jq|xxd|grep|find|bc|mapfile)\s", _code(text)), name
        subprocess.run(["sh", "-n", str(KIT / name)], check=True)


def _code(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _packed(page: bytes) -> list[bytes]:
    return re.findall(rb'="(eN[A-Za-z0-9+/=]{200,})"', page)

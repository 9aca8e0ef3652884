"""What others wrote is what they published, with its licence beside it, and the budgets of weight."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from casemgmt import fonts
from casemgmt.core.assets import STATIC_ROOT, Assets
from casemgmt.trust import kit
from tests.phone.budgets import SCRIPTS, on_the_way

TESTS = Path(__file__).resolve().parent.parent
FOLDERS = (STATIC_ROOT / "vendor", TESTS / "vendor", fonts.FOLDER, Path(kit.__file__).parent / "vendor")


def entries(folder: Path) -> list[dict[str, Any]]:
    manifest = tomllib.loads((folder / "MANIFEST.toml").read_text(encoding="utf-8"))
    return list(manifest["file"])


@pytest.mark.parametrize("folder", FOLDERS, ids=["shipped", "for tests", "fonts", "verify.html"])
def test_every_vendored_file_has_the_hash_of_its_manifest(folder: Path) -> None:
    for entry in entries(folder):
        found = hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest()
        assert found == entry["sha256"], entry["path"]
        assert entry["version"] in entry["package"]


@pytest.mark.parametrize("folder", FOLDERS, ids=["shipped", "for tests", "fonts", "verify.html"])
def test_nothing_lies_in_a_vendor_folder_that_its_manifest_does_not_name(folder: Path) -> None:
    named = {entry["path"] for entry in entries(folder)} | {entry["licence_file"] for entry in entries(folder)}
    present = {path.name for path in folder.iterdir()} - {"__init__.py", "__pycache__"}
    assert present == named | {"MANIFEST.toml"}


def test_the_scripts_of_a_first_visit_stay_within_their_budget() -> None:
    """Of the page of registration; other modules come when an element or a press asks for them."""
    asked = ["app", "clock", "place", "photos", "measures", "scan", "phone/waiting", "phone/install"]
    assets = Assets()
    named = assets.modules(*(f"js/{name}.js" for name in asked))
    scripts = [address.partition(f"/{assets.version}/")[2] for address in named]
    assert on_the_way(assets, ["vendor/htmx.min.js", *scripts]) <= SCRIPTS

"""The wheel carries everything the application reads while it runs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path], cwd=REPOSITORY, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "casemgmt"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert {name for name in tracked if name and not name.endswith(".gitkeep")} - packed == set()
    assert any(name.endswith("/licenses/LICENSE") for name in packed)

"""The main job as a script: it must hold from beginning to end, and say so when it does not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from casemgmt.walkthrough import command
from casemgmt.walkthrough.stage import Stage
from tests.kit.reading import Reader, as_published, follow, tools


def test_the_main_job_holds_from_the_border_post_to_the_verified_package(
    tmp_path: Path, missing_part: Callable[[str], None]
):
    done = subprocess.run(
        [sys.executable, "-m", "casemgmt", "walkthrough", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    transcript = (tmp_path / "transcript.md").read_text(encoding="utf-8")
    told = re.search(r"(\d+) things had to hold, and all of them held", transcript)
    assert told
    assert int(told[1]) == transcript.count("  - holds:")
    assert "DOES NOT HOLD" not in transcript
    packages = sorted(tmp_path.glob("*.zip"))
    assert len(packages) == 2, "a whole one, and one from which something is withheld"

    # and whoever receives one of them follows the guide inside it, with none of our programs but one
    found = tools(tmp_path / "bin", missing_part)
    for package in packages:
        made = as_published(package)
        reader = tmp_path / f"reader-{package.stem}"
        reader.mkdir()
        follow(Reader(reader, found, made), made)


def test_a_story_that_goes_otherwise_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def expects_too_much(stage: Stage) -> None:
        stage.expect(stage.enter("oleg").api("GET", "/cases/nothing"), 200, "Oleg sees a case he may not see")

    monkeypatch.setattr(command, "ACTS", (expects_too_much,))
    assert command.main(["--out", str(tmp_path)]) == 1
    assert "not as told" in capsys.readouterr().err
    assert "DOES NOT HOLD: Oleg sees a case" in (tmp_path / "transcript.md").read_text(encoding="utf-8")

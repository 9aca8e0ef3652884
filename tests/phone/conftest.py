"""What every test of the phone needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.pictures import picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(picture(41))
    return path

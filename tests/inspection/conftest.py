"""Looking processes as the product starts them, and taken-over ones."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from casemgmt.inspection.confinement import MIB, Limits
from casemgmt.inspection.pool import Chunks, Inspectors
from tests.inspection import photos

EVIL = Path(__file__).parent / "evil.py"
SHORT = Limits(memory=512 * MIB, cpu=1, wall=2)

Opener = Callable[..., Inspectors]


def chunks(data: bytes) -> Chunks:
    async def read() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 65_536):
            yield data[start : start + 65_536]

    return read


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """Opens pools, and closes them all."""
    made: list[Inspectors] = []

    def open_(*deed: str, **options: object) -> Inspectors:
        if deed:
            options = {"program": (sys.executable, "-I", "-B", str(EVIL), *deed), "limits": SHORT, **options}
        made.append(Inspectors(**options))  # type: ignore[arg-type]
        return made[-1]

    yield open_
    for pool in made:
        await pool.close()


@pytest.fixture
def inspectors(opened: Opener) -> Inspectors:
    return opened(anchors=photos.signers()[0])

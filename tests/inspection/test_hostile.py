"""Files made to harm: each ends in a finding, and the next honest photograph is read as if nothing had been."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import msgspec
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from casemgmt.inspection.confinement import MIB, Limits
from casemgmt.inspection.observation import Claims
from casemgmt.inspection.pool import Inspectors
from tests.inspection import photos
from tests.inspection.conftest import Opener, chunks

LIMITS = Limits(memory=512 * MIB, cpu=3, wall=6)
GROWTH = 48 * MIB


@pytest.fixture
def pool(opened: Opener) -> Inspectors:
    return opened(limits=LIMITS)


@pytest.mark.parametrize("make", photos.HOSTILE.values(), ids=photos.HOSTILE.keys())
async def test_a_hostile_file_is_a_finding_and_nothing_more(pool: Inspectors, make: object) -> None:
    assert callable(make)
    data: bytes = make()
    before = psutil.Process().memory_info().rss
    found = await pool.claims(len(data), "image/jpeg", chunks(data))
    preview = await pool.preview(len(data), chunks(data))
    assert isinstance(found, Claims)
    assert preview is None or len(preview) < MIB
    assert len(msgspec.json.encode(found)) < 256 << 10
    assert psutil.Process().memory_info().rss - before < GROWTH
    honest = photos.camera()
    assert (await pool.claims(len(honest), "image/jpeg", chunks(honest))).exif.model == "X1"


async def test_what_is_no_whole_picture_gets_no_preview(pool: Inspectors) -> None:
    for name in ("truncated in the picture", "a wide PNG", "a wide TIFF", "a wide JPEG", "zeros"):
        data = photos.HOSTILE[name]()
        assert await pool.preview(len(data), chunks(data)) is None, name


def test_the_bombs_are_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for all of it, the wide PNG's pixels would be taken: the limit is what refuses them."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with Image.open(io.BytesIO(photos.wide_png(side=9000))) as image:
        image.load()
        assert image.size == (9000, 9000)


async def test_two_hundred_files_at_once_are_all_looked_into_in_bounded_memory(opened: Opener) -> None:
    pool = opened(processes=2)
    files = [photos.camera(), photos.signed(), photos.plain(), photos.HOSTILE["truncated in the picture"]()]
    before = psutil.Process().memory_info().rss

    async def look(number: int) -> Claims:
        data = files[number % len(files)]
        return await pool.claims(len(data), "image/jpeg", chunks(data))

    found = await asyncio.gather(*(look(number) for number in range(200)))
    assert [claims.exif.model for claims in found[::4]] == ["X1"] * 50
    assert [claims.c2pa.state for claims in found[1::4]] == ["valid"] * 50
    assert psutil.Process().memory_info().rss - before < GROWTH


# Fuzzing runs in one event loop of its own: hypothesis calls plain functions.
TYPES = ["image/jpeg", "image/tiff", "image/png", "image/heic", "video/mp4"]
_SEEDS: list[Callable[[], bytes]] = [photos.camera, photos.signed, photos.self_containing, photos.polyglot]


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(_SEEDS))()[:30_000])
    for _ in range(draw(st.integers(1, 20))):
        near = draw(st.sampled_from([300, 3000, 30_000]))
        at = draw(st.integers(0, min(len(data) - 1, near)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


def _fuzz(examples: int) -> int:
    """Look into so many broken files; how many. Every answer has its form, and no process is left behind."""
    looked = 0
    with asyncio.Runner() as runner:
        pool: list[Inspectors] = []

        async def look(data: bytes, media_type: str) -> Claims:
            if not pool:
                pool.append(Inspectors(limits=LIMITS))
            await pool[0].preview(len(data), chunks(data))
            return await pool[0].claims(len(data), media_type, chunks(data))

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(
            st.one_of(st.binary(max_size=4000), _broken()), st.sampled_from(["image/jpeg", "image/tiff", "video/mp4"])
        )
        def each(data: bytes, media_type: str) -> None:
            nonlocal looked
            assert isinstance(runner.run(look(data or b"\0", media_type)), Claims)
            looked += 1

        each()
        runner.run(pool[0].close())
    return looked


def test_broken_files_by_chance_are_findings() -> None:
    assert _fuzz(60) >= 60


@pytest.mark.long
def test_many_more_broken_files_by_chance_are_findings() -> None:
    print(f"broken files looked into: {_fuzz(3000)}")

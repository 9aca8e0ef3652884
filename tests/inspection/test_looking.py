"""What honest photographs are found to say."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

from casemgmt.inspection.pool import LARGEST, Inspectors
from tests.inspection import photos
from tests.inspection.conftest import Opener, chunks


async def test_it_reads_time_place_and_camera_as_written(inspectors: Inspectors) -> None:
    data = photos.camera()
    found = (await inspectors.claims(len(data), "image/jpeg", chunks(data))).exif
    assert (found.state, found.taken, found.offset) == ("found", "2026-11-20T09:15:00", "+06:00")
    assert found.place is not None
    assert (found.place.latitude, found.place.longitude) == ("42.874806", "74.612194")
    assert (found.make, found.model, found.software) == ("TestPhone", "X1", "Camera 1.0")
    assert found.fields["EXIF DateTimeOriginal"] == "2026:11:20 09:15:00"


async def test_what_the_camera_wrote_is_found_behind_a_c2pa_manifest_too(inspectors: Inspectors) -> None:
    data = photos.signed()
    assert data.index(b"jumdc2pa") < data.index(b"Exif\0\0")
    assert (await inspectors.claims(len(data), "image/jpeg", chunks(data))).exif.taken == "2026-11-20T09:15:00"


async def test_a_photograph_that_says_nothing_is_found_to_say_nothing(inspectors: Inspectors) -> None:
    data = photos.plain()
    found = await inspectors.claims(len(data), "image/jpeg", chunks(data))
    assert (found.exif.state, found.c2pa.state) == ("none", "none")
    assert set(found.programs) == {"exifread", "c2pa"}


async def test_a_signer_on_the_list_is_trusted(inspectors: Inspectors) -> None:
    data = photos.signed()
    found = (await inspectors.claims(len(data), "image/jpeg", chunks(data))).c2pa
    assert (found.state, found.failures, found.issuer, found.sources) == ("trusted", [], "Tests", ["digitalCapture"])
    assert found.generator == "evidence capture 0.1"
    assert found.json is not None
    assert "c2pa.actions" in found.json


async def test_without_a_list_the_same_signature_only_holds(opened: Opener) -> None:
    data = photos.signed()
    found = (await opened().claims(len(data), "image/jpeg", chunks(data))).c2pa
    assert found.state == "valid"


async def test_one_changed_byte_of_the_picture_is_found(inspectors: Inspectors) -> None:
    data = photos.tampered()
    found = (await inspectors.claims(len(data), "image/jpeg", chunks(data))).c2pa
    assert found.state == "invalid"
    assert "assertion.dataHash.mismatch" in found.failures


async def test_hostile_strings_are_shown_harmless(inspectors: Inspectors) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "A\u202egpj.exe\0\x1b[31m<script>" + "x" * 9000, "\n\r\t "
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    found = (await inspectors.claims(len(out.getvalue()), "image/jpeg", chunks(out.getvalue()))).exif
    assert found.make.isprintable()
    assert len(found.make) <= 60
    assert found.model == ""


async def test_a_preview_is_small_upright_and_says_nothing_itself(inspectors: Inspectors) -> None:
    data = photos.camera(orientation=6)  # held upright: the picture is stored lying
    made = await inspectors.preview(len(data), chunks(data))
    assert made is not None
    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, image.size) == ("JPEG", (533, 800))
        assert "exif" not in image.info
        assert "icc_profile" not in image.info


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "1"), ("PNG", "P"), ("PNG", "I;16"), ("TIFF", "CMYK"), ("WEBP", "RGB")],
)
async def test_pictures_of_every_kind_of_colour_get_a_preview(inspectors: Inspectors, kind: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (900, 90)).save(out, kind)
    assert await inspectors.preview(len(out.getvalue()), chunks(out.getvalue()))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF"])
async def test_other_pictures_get_a_preview_too(inspectors: Inspectors, kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (1000, 10), (0, 0, 0, 0)).save(out, kind)
    made = await inspectors.preview(len(out.getvalue()), chunks(out.getvalue()))
    assert made is not None
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (800, 8)
        pixel = image.getpixel((5, 5))
        assert isinstance(pixel, tuple)
        assert min(pixel) > 250, "what is transparent is paper"


async def test_a_file_beyond_the_limit_is_not_read_at_all(inspectors: Inspectors) -> None:
    def never() -> None:
        raise AssertionError("read")

    found = await inspectors.claims(LARGEST + 1, "image/jpeg", never)  # type: ignore[arg-type]
    assert (found.exif.trouble, found.c2pa.trouble) == ("too-large", "too-large")
    assert await inspectors.preview(LARGEST + 1, never) is None  # type: ignore[arg-type]


PARSERS = ("PIL", "c2pa", "exifread")


def test_neither_the_web_process_nor_the_worker_imports_a_parser_of_pictures() -> None:
    code = (
        "import sys, casemgmt.app, casemgmt.worker, casemgmt.server, casemgmt.rooms;"
        f"print([name for name in {PARSERS!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_the_same_question_to_the_looking_process_names_them_all() -> None:
    code = (
        "import sys; from casemgmt.inspection import child; child.parsers({});"
        f"print([name for name in {PARSERS!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found == f"{list(PARSERS)}\n"

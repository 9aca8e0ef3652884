"""What a file is, by its bytes."""

import io
import wave
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from casemgmt.core.sniff import TEXT, UNKNOWN, MediaType, contradicts, sniff


def picture(form: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(made, form)
    return made.getvalue()


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return made.getvalue()


def open_document(kind: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        packed.writestr("content.xml", "<x/>")
    return made.getvalue()


def sound() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as tape:
        tape.setnchannels(1)
        tape.setsampwidth(2)
        tape.setframerate(8000)
        tape.writeframes(bytes(100))
    return made.getvalue()


def branded(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\x00\x00\x00\x00" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\x00\x00\x00\x08mdat"


FILES: list[tuple[bytes, str, str]] = [
    (picture("JPEG"), "image/jpeg", "jpg"),
    (picture("PNG"), "image/png", "png"),
    (picture("GIF"), "image/gif", "gif"),
    (picture("WEBP"), "image/webp", "webp"),
    (picture("TIFF"), "image/tiff", "tif"),
    (picture("PDF"), "application/pdf", "pdf"),
    (b"MM\x00*\x00\x00\x00\x08", "image/tiff", "tif"),
    (branded(b"heic", b"mif1", b"heic"), "image/heic", "heic"),
    (branded(b"mif1", b"mif1", b"heic"), "image/heic", "heic"),
    (branded(b"mif1", b"mif1", b"miaf"), "image/heif", "heif"),
    (branded(b"mif1", b"avif", b"miaf"), "image/avif", "avif"),
    (branded(b"isom", b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4", "mp4"),
    (branded(b"mp42", b"isom"), "video/mp4", "mp4"),
    (branded(b"qt  ", b"qt  "), "video/quicktime", "mov"),
    (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "video/quicktime", "mov"),
    (branded(b"3gp4", b"isom"), "video/3gpp", "3gp"),
    (branded(b"M4A ", b"isom"), "audio/mp4", "m4a"),
    (b"ID3\x04\x00\x00\x00\x00\x00\x00", "audio/mpeg", "mp3"),
    (b"\xff\xfb\x90\x64" + bytes(60), "audio/mpeg", "mp3"),
    (sound(), "audio/wav", "wav"),
    (b"#!AMR\n\x3c", "audio/amr", "amr"),
    (archive("a.txt"), "application/zip", "zip"),
    (archive(), "application/zip", "zip"),
    (
        archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    (
        archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    (open_document("text"), "application/vnd.oasis.opendocument.text", "odt"),
    (open_document("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(8), "application/x-ole-storage", "ole"),
    ("Протокол изъятия № 1\r\n".encode(), "text/plain", "txt"),
    ("Протокол".encode()[:-1], "text/plain", "txt"),  # the head ends inside a letter
    ("Протокол".encode("utf-16"), "text/plain", "txt"),
    (b"<html><script>alert(1)</script>", "text/plain", "txt"),
    (b"MZ\x90\x00\x03", "application/octet-stream", "bin"),
    (b"\x7fELF\x02", "application/octet-stream", "bin"),
    ("Протокол".encode("cp1251"), "application/octet-stream", "bin"),
    (b"text\x00text", "application/octet-stream", "bin"),
    (b"", "application/octet-stream", "bin"),
]


@pytest.mark.parametrize(("data", "name", "extension"), FILES)
def test_it_tells_a_file_by_its_first_bytes(data: bytes, name: str, extension: str) -> None:
    assert sniff(data[:4096]) == MediaType(name, extension)


@given(st.binary(max_size=300))
def test_it_never_fails(data: bytes) -> None:
    sniff(data)
    for start in (b"\x00\x00\x00\x20ftyp", b"\xff\xff\xff\xffftyp", b"PK\x03\x04", b"RIFF", b"\xff\xfb"):
        assert sniff(start + data).extension


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        ("", picture("JPEG")),
        ("application/octet-stream", picture("JPEG")),
        ("image/jpeg", picture("JPEG")),
        ("IMAGE/JPG; x=y", picture("JPEG")),
        ("image/heif", branded(b"heic")),
        ("video/mp4", branded(b"qt  ")),
        ("video/3gpp", branded(b"isom")),
        ("text/csv", b"a;b\n"),
        ("text/plain", "Протокол".encode("cp1251")),
        ("application/json", b"{}"),
        ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", archive("a")),
        ("application/x-cellebrite", b"\x01\x02\x03"),
    ],
)
def test_a_declared_type_that_can_be_true_is_believed(declared: str, data: bytes) -> None:
    assert not contradicts(declared, sniff(data))


@pytest.mark.parametrize(
    ("declared", "data"),
    [
        ("image/jpeg", picture("PNG")),
        ("image/jpeg", b"MZ\x90\x00"),
        ("image/jpeg", b"<html>"),
        ("application/pdf", b"plain words"),
        ("text/plain", picture("JPEG")),
        ("application/zip", picture("PDF")),
        ("video/mp4", picture("GIF")),
        ("application/x-cellebrite", picture("JPEG")),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"MZ\x90\x00"),
    ],
)
def test_a_declared_type_that_cannot_be_true_is_noticed(declared: str, data: bytes) -> None:
    assert contradicts(declared, sniff(data))


def test_unknown_and_text_have_harmless_extensions() -> None:
    assert (UNKNOWN.extension, TEXT.extension) == ("bin", "txt")

"""Forms as phones, scripts and attackers send them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.core.formstream import BadForm, Fault, Form, Limits, read_form

TYPE = "multipart/form-data; boundary=frontier"


def field(name: str, value: str | bytes) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"


def file(name: str, filename: str, data: bytes, content_type: str = "image/jpeg") -> bytes:
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return f"{head}Content-Type: {content_type}\r\n\r\n".encode() + data + b"\r\n"


END = b"--frontier--\r\n"


async def sent(data: bytes, step: int = 1 << 16) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


async def files_of(form: Form) -> list[tuple[str, str, str, bytes]]:
    return [
        (part.name, part.filename, part.content_type, b"".join([chunk async for chunk in part.chunks]))
        async for part in form.files()
    ]


async def refusal(data: bytes, content_type: str = TYPE, limits: Limits | None = None) -> Fault:
    with pytest.raises(BadForm) as bad:
        await files_of(await read_form(content_type, sent(data), limits))
    return bad.value.fault


@pytest.mark.parametrize("step", [1, 2, 7, 64, 1 << 16])
async def test_it_gives_fields_then_files_however_the_bytes_arrive(step: int) -> None:
    photo = b"\xff\xd8\r\n--frontie\r\n--\r\n\r\n" * 20
    data = b"".join(
        [
            field("place", "КПП «Достук»"),
            field("kind", "a"),
            field("kind", "b"),
            field("empty", ""),
            file("photo", "снимок 1.jpg", photo),
            file("photo", "2.jpg", b"", "text/plain; charset=utf-8"),
            END,
        ]
    )
    form = await read_form(TYPE, sent(data, step))
    assert form.fields == {"place": ["КПП «Достук»"], "kind": ["a", "b"], "empty": [""]}
    assert (form.first("kind"), form.first("none"), form.first("none", "x")) == ("a", "", "x")
    assert await files_of(form) == [
        ("photo", "снимок 1.jpg", "image/jpeg", photo),
        ("photo", "2.jpg", "text/plain; charset=utf-8", b""),
    ]


@given(st.lists(st.binary(max_size=200), max_size=4), st.integers(1, 50))
def test_any_bytes_come_through_unchanged(contents: list[bytes], step: int) -> None:
    async def roundtrip() -> list[bytes]:
        data = b"".join(file("f", "x.bin", content) for content in contents) + END
        return [got for *_, got in await files_of(await read_form(TYPE, sent(data, step)))]

    if not any(b"--frontier" in content for content in contents):
        assert asyncio.run(roundtrip()) == contents


async def test_a_form_without_files_or_without_anything_is_a_form() -> None:
    form = await read_form(TYPE, sent(field("a", "1") + END))
    assert form.fields == {"a": ["1"]}
    assert await files_of(form) == []
    assert (await read_form(TYPE, sent(END))).fields == {}


async def test_an_empty_file_input_is_left_out() -> None:
    form = await read_form(TYPE, sent(file("photo", "", b"") + file("photo", "a.jpg", b"a") + END))
    assert [name for _, name, *_ in await files_of(form)] == ["a.jpg"]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (field("a", "1"), "cut"),
        (file("f", "a.jpg", b"half")[:-4], "cut"),
        (file("f", "a.jpg", b"whole"), "cut"),
        (b"", "cut"),
        (b"garbage that is no form", "malformed"),
        (file("f", "a.jpg", b"x") + field("late", "1") + END, "order"),
        (b"--frontier\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END, "disposition"),
        (b"--frontier\r\n\r\nx\r\n" + END, "disposition"),
        (b'--frontier\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n' + END, "disposition"),
        (file("f", "", b"bytes without a name") + END, "disposition"),
        (field("a", b"\xff\xfe") + END, "encoding"),
        (field("a", b"nul\x00") + END, "encoding"),
        (b'--frontier\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n' + END, "encoding"),
        (b"--frontier\r\nX: " + b"a" * (20 << 20) + b"\r\n\r\nx\r\n" + END, "malformed"),
        (b"--frontier\r\n" + b"X: a\r\n" * 100_000 + b"\r\nx\r\n" + END, "malformed"),
        (b"--frontier\r\nBad Header: a\r\n\r\nx\r\n" + END, "malformed"),
        (field("a", "x" * (20 << 20)) + END, "field-too-large"),
        (b"".join(field(f"f{n}", "x" * 60_000) for n in range(5)) + END, "field-too-large"),
        (b"".join(field("a", "1") for _ in range(10_000)) + END, "too-many-parts"),
        (b"".join(file("f", "a", b"1") for _ in range(10_000)) + END, "too-many-parts"),
    ],
)
async def test_it_says_what_is_wrong_with_a_form(data: bytes, fault: Fault) -> None:
    assert await refusal(data) == fault


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        "multipart/mixed; boundary=frontier",
        "application/x-www-form-urlencoded",
    ],
)
async def test_it_takes_nothing_but_multipart_form_data(content_type: str) -> None:
    assert await refusal(END, content_type) == "content-type"


def test_every_fault_has_the_status_that_says_it() -> None:
    assert BadForm("cut").status == 400
    assert BadForm("slow").status == 408
    assert BadForm("field-too-large").status == BadForm("too-many-parts").status == 413
    assert BadForm("content-type").status == 415


async def test_a_file_is_handed_on_while_it_is_still_arriving() -> None:
    more = asyncio.Event()

    async def half_sent() -> AsyncIterator[bytes]:
        yield field("token", "t") + file("f", "a.jpg", b"first half")[:-2]
        await more.wait()
        yield b"second half\r\n" + END

    form = await read_form(TYPE, half_sent())
    part = await anext(form.files())
    assert await anext(part.chunks) == b"first half"
    more.set()
    assert b"".join([chunk async for chunk in part.chunks]) == b"second half"


@pytest.mark.parametrize("silent", [False, True])
async def test_a_drip_or_a_silence_inside_a_field_is_stopped(silent: bool) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        yield field("a", "1")[:-2]
        while True:
            await asyncio.sleep(60 if silent else 0.01)
            yield b"x"

    started = time.monotonic()
    with pytest.raises(BadForm) as bad:
        await read_form(TYPE, dripping(), idle=0.2)
    assert bad.value.fault == "slow"
    assert time.monotonic() - started < 5


async def test_a_silence_between_two_files_is_stopped() -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield file("f", "a.jpg", b"whole") + b"--frontier\r\nContent-Dis"
        await asyncio.sleep(60)

    form = await read_form(TYPE, silent(), idle=0.2)
    with pytest.raises(BadForm) as bad:
        await files_of(form)
    assert bad.value.fault == "slow"


async def test_a_file_cannot_be_skipped_by_mistake() -> None:
    form = await read_form(TYPE, sent(file("f", "a", b"1") + file("f", "b", b"2") + END))
    parts = form.files()
    await anext(parts)
    with pytest.raises(RuntimeError, match="not read to its end"):
        await anext(parts)


async def test_a_hostile_file_name_is_handed_on_as_the_claim_it_is() -> None:
    form = await read_form(TYPE, sent(file("f", "../../etc/passwd", b"x") + file("f", "a%22b\x01.jpg", b"y") + END))
    assert [name for _, name, *_ in await files_of(form)] == ["../../etc/passwd", "a%22b\x01.jpg"]


async def test_a_bad_form_is_answered_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await refusal(b"garbage") == "malformed"
    assert [record for record in caplog.records if "multipart" in record.name] == []

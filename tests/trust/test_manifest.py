import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.errors import EncodingError, ManifestError, TrustError
from casemgmt.trust.file_list import FileRow, parse_files, write_files
from casemgmt.trust.manifest import (
    check_path,
    parse_info,
    parse_manifest,
    payload_oxum,
    write_info,
    write_manifest,
)

A, B = "a" * 64, "b" * 64


def test_a_manifest_is_sorted_and_read_back() -> None:
    data = write_manifest({"data/b.jpg": B, "data/a.jpg": A})
    assert data == f"{A}  data/a.jpg\n{B}  data/b.jpg\n".encode()
    assert parse_manifest(data) == {"data/a.jpg": A, "data/b.jpg": B}
    assert parse_manifest(b"") == {}


@pytest.mark.parametrize(
    "line",
    [
        f"{A} data/a\n",
        f"{A}   data/a\n",
        f"{A} *data/a\n",
        f"{A.upper()}  data/a\n",
        f"{A[1:]}  data/a\n",
        f"{A}  data/a",
        f"{A}  data/a\r\n",
        f"{A}  \n",
        "\n",
        f"{A}  data/a\n{B}  data/a\n",
        f"{A}  /data/a\n",
        f"{A}  data/../a\n",
        f"{A}  data/%0Aa\n",
    ],
)
def test_it_refuses_any_other_manifest_line(line: str) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(line.encode())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        ".hidden",
        "a.",
        "a\\b",
        "C:a",
        "a b",
        "a\n",
        "100%",
        "фото.jpg",
        "a\0",
        "-rf",
        "~a",
        "x" * 241,
        "e\u0301",
        "a\uff0fb",
    ],
)
def test_it_refuses_a_path_that_some_reader_could_misread(path: str) -> None:
    with pytest.raises(ManifestError):
        check_path(path)


def test_bag_info_is_read_back_and_strict() -> None:
    data = write_info([("Payload-Oxum", "5.1"), ("External-Identifier", "KG-2027")])
    assert parse_info(data) == {"Payload-Oxum": "5.1", "External-Identifier": "KG-2027"}
    for wrong in (
        b"a\n",
        b"a:b\n",
        b"a: \n",
        b"a:  b\n",
        b"a: b \n",
        b"a: b",
        b"a: b\na: c\n",
        b"a: b\n c\n",
        b"a b: c\n",
    ):
        with pytest.raises(ManifestError):
            parse_info(wrong)
    with pytest.raises(EncodingError):
        parse_info(b"a: \xff\n")
    with pytest.raises(ManifestError):
        write_info([("Label", "two\nlines")])


def test_payload_oxum_counts_bytes_and_files() -> None:
    assert payload_oxum([5, 0, 7]) == "12.3"


def row(name: str = "photo.jpg", by: str = "Officer") -> FileRow:
    return FileRow("data/exhibits/A/0001.jpg", "f1", name, A, 5, "2027-01-01T00:00:00Z", by)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_any_original_name_is_read_back_from_the_file_list(names: list[str]) -> None:
    rows = [row(name, name) for name in names]
    assert parse_files(write_files(rows)) == rows


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "'quoted"])
def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(name: str) -> None:
    data = write_files([row(name)])
    assert f'"\'{name}"'.encode() in data
    assert parse_files(data)[0].original_name == name


@given(st.binary() | st.text().map(str.encode))
def test_a_damaged_file_list_is_refused_in_words(noise: bytes) -> None:
    good = write_files([row()])
    for data in (noise, good + noise, noise + good):
        if data != good:
            with pytest.raises(TrustError):
                parse_files(data)


def test_it_refuses_a_file_list_whose_size_is_no_number() -> None:
    for wrong in (b"-5", b"5.0", b"\xd9\xa1", b"05", b""):
        with pytest.raises(ManifestError):
            parse_files(write_files([row()]).replace(b'"5"', b'"' + wrong + b'"'))


def test_it_refuses_to_write_a_name_that_is_not_unicode() -> None:
    with pytest.raises(ManifestError):
        write_files([row("\udcff")])

import hashlib
import io
import random
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from casemgmt.trust.errors import ArchiveError
from casemgmt.trust.verify.reader import Archive
from casemgmt.trust.zip import Entry, Extent, Layout
from tests.trust.factory import archive, cut, inline

GIB = 1 << 30
EMPTY_HASH = hashlib.sha256().hexdigest()


def stored(path: str, content: bytes) -> Entry:
    return Entry(path, len(content), zlib.crc32(content), hashlib.sha256(content).hexdigest(), "store/" + path)


def sample_entries() -> tuple[list[Entry], dict[str, bytes]]:
    noise = random.Random(1)
    contents = {f"store/bag/data/{n}.bin": noise.randbytes(n * 37) for n in range(40)}
    entries = [inline("bag/bagit.txt", b"BagIt"), inline("bag/empty", b"")]
    return entries + [stored(key.removeprefix("store/"), data) for key, data in contents.items()], contents


def test_unzip_and_python_read_the_archive(tmp_path: Path) -> None:
    entries, contents = sample_entries()
    path = tmp_path / "bag.zip"
    path.write_bytes(archive(entries, contents))
    assert path.stat().st_size == Layout(entries).size
    subprocess.run(["unzip", "-tqq", path], check=True)
    with zipfile.ZipFile(path) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [entry.path for entry in entries]
        assert opened.read("bag/data/7.bin") == contents["store/bag/data/7.bin"]
        assert all(info.compress_type == zipfile.ZIP_STORED and not info.extra for info in opened.infolist())


def test_any_range_is_the_same_bytes_as_in_the_whole() -> None:
    entries, contents = sample_entries()
    layout, whole = Layout(entries), archive(entries, contents)
    sample = random.Random(2)
    edges = [0, 1, layout.size - 1, layout.size]
    for _ in range(500):
        start, stop = sorted(sample.choice([*edges, sample.randrange(layout.size)]) for _ in range(2))
        pieces = layout.pieces(start, stop)
        parts = [piece if isinstance(piece, bytes) else cut(piece, contents) for piece in pieces]
        assert all(parts)
        assert b"".join(parts) == whole[start:stop]
    for start, stop in ((-1, 5), (5, 4), (0, layout.size + 1)):
        with pytest.raises(ArchiveError):
            list(layout.pieces(start, stop))


def test_the_etag_changes_with_any_name_order_or_content() -> None:
    a, b = inline("bag/a", b"x"), inline("bag/b", b"y")
    same_crc = Entry("bag/a", 1, a.crc32, inline("", b"z").sha256, "key")
    layouts = [[a, b], [b, a], [a], [], [inline("bag/c", b"x"), b], [inline("bag/a", b"z"), b], [same_crc, b]]
    tags = [Layout(entries).etag for entries in layouts]
    assert len(set(tags)) == len(tags)
    assert tags[0] == Layout([a, b]).etag
    assert tags[0][0] == tags[0][-1] == '"'


def test_it_refuses_two_files_of_one_path_and_content_of_another_length() -> None:
    with pytest.raises(ArchiveError, match="same path"):
        Layout([inline("bag/a", b"x"), inline("bag/a", b"y")])
    with pytest.raises(ArchiveError, match="not 2"):
        Layout([Entry("bag/a", 2, 0, EMPTY_HASH, b"x")])


def write_sparse(path: Path, entries: list[Entry]) -> Layout:
    """Writes the archive with a hole for every referenced content."""
    layout = Layout(entries)
    with path.open("wb") as file:
        for piece in layout.pieces():
            if isinstance(piece, Extent):
                file.seek(piece.stop - piece.start, io.SEEK_CUR)
            else:
                file.write(piece)
    return layout


def test_an_archive_beyond_4_gib_is_read_by_others_and_by_the_verifier(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    entries = [
        inline("bag/first.txt", b"before"),
        Entry("bag/data/large.bin", 5 * GIB, 0, EMPTY_HASH, "large"),
        Entry("bag/data/under.bin", 0xFFFFFFFE, 0, EMPTY_HASH, "under"),
        inline("bag/data/last.txt", b"after"),
    ]
    layout = write_sparse(path, entries)
    assert path.stat().st_size == layout.size > 8 * GIB
    with zipfile.ZipFile(path) as opened:
        assert [info.file_size for info in opened.infolist()] == [entry.size for entry in entries]
        assert opened.read("bag/first.txt") == b"before"
        assert opened.read("bag/data/last.txt") == b"after"
    listing = subprocess.run(["unzip", "-v", path], check=True, capture_output=True, text=True).stdout
    assert str(5 * GIB) in listing
    with path.open("rb") as stream:
        read = Archive(stream)
        assert read.members["data/large.bin"].size == 5 * GIB
        assert read.read("data/last.txt", 10) == b"after"
    nine_tenths = layout.size * 9 // 10
    piece = next(layout.pieces(nine_tenths))
    assert isinstance(piece, Extent)
    assert piece.entry.source == "under"


def test_a_file_of_exactly_the_largest_32_bit_size_gets_a_64_bit_record(tmp_path: Path) -> None:
    """Read by Python and the verifier; Info-ZIP's unzip 6.0 misreads the record *after* such a file."""
    path = tmp_path / "limit.zip"
    write_sparse(
        path, [Entry("bag/data/limit.bin", 0xFFFFFFFF, 0, EMPTY_HASH, "limit"), inline("bag/data/z", b"after")]
    )
    with zipfile.ZipFile(path) as opened:
        assert opened.infolist()[0].file_size == 0xFFFFFFFF
        assert opened.read("bag/data/z") == b"after"
    with path.open("rb") as stream:
        assert Archive(stream).read("data/z", 5) == b"after"


def test_seventy_thousand_files_need_and_get_zip64_records(tmp_path: Path) -> None:
    entries = [inline(f"bag/data/{n:05d}", b"%d" % n) for n in range(70_000)]
    path = tmp_path / "many.zip"
    path.write_bytes(archive(entries, {}))
    with zipfile.ZipFile(path) as opened:
        assert len(opened.infolist()) == 70_000
        assert opened.read("bag/data/69999") == b"69999"
    subprocess.run(["unzip", "-tqq", path], check=True)
    with path.open("rb") as stream:
        assert len(Archive(stream).members) == 70_000

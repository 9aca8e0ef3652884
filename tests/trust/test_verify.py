"""The twelve steps, each broken on purpose; and every byte of a package changed once."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.manifest import write_manifest
from casemgmt.trust.policy import Policy
from casemgmt.trust.verify.command import main
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.findings import Outcome
from casemgmt.trust.verify.report import Report
from casemgmt.trust.verify.steps import STEPS, verify_package
from casemgmt.trust.zip import Entry
from tests.trust.factory import LOG, NAME, archive, draft, inline

PACKAGE = draft()
ENTRIES = PACKAGE.entries()
GOOD = archive(ENTRIES, PACKAGE.contents)


def verify(data: bytes) -> Report:
    return verify_package(io.BytesIO(data), threads=1)


def failed(report: Report) -> list[int]:
    return [step.number for step in report.steps if step.outcome is Outcome.FAILED]


def repacked(change: Callable[[dict[str, bytes]], None]) -> Report:
    """The report on a package whose files were changed and whose archive was laid out anew, CRCs and all."""
    files = {e.path: e.source if isinstance(e.source, bytes) else PACKAGE.contents[e.source] for e in ENTRIES}
    short = {path.removeprefix(NAME + "/"): data for path, data in files.items()}
    change(short)
    return verify(archive([inline(f"{NAME}/{path}", data) for path, data in short.items()], {}))


def relisted(files: dict[str, bytes], tag_manifest: str = "tagmanifest-sha256.txt") -> None:
    """Makes both manifests fit the files again, as someone covering their tracks would."""
    seal = {tag_manifest, tag_manifest + ".event", tag_manifest + ".tlog-proof"}
    payload = {path: hashlib.sha256(data).hexdigest() for path, data in files.items() if path.startswith("data/")}
    files["manifest-sha256.txt"] = write_manifest(payload)
    tags = {path: hashlib.sha256(data).hexdigest() for path, data in files.items() if path not in payload.keys() | seal}
    files[tag_manifest] = write_manifest(tags)


def test_a_good_package_without_signatures_holds_in_nine_steps_and_says_what_it_does_not_have() -> None:
    report = verify(GOOD)
    assert report.status == 0, str(report)
    assert [step.number for step in report.steps] == list(range(1, 13)) == [step.number for step in STEPS]
    assert report.numbers(Outcome.HOLDS) == list(range(1, 10))
    assert report.numbers(Outcome.NONE) == [10, 11, 12]
    assert report.package == NAME
    assert "RESULT: VERIFIED. 9 steps hold. The package has nothing to check in: step 10, 11, 12." in str(report)


@pytest.mark.parametrize("part", range(4))
def test_every_flipped_byte_of_the_archive_is_seen(part: int) -> None:
    unseen = []
    for position in range(part, len(GOOD), 4):
        data = bytearray(GOOD)
        data[position] ^= 1 << (position // 4 % 8)
        if verify(bytes(data)).holds:
            unseen.append(position)
    assert unseen == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.path.removeprefix(NAME + "/"))
def test_every_flipped_byte_is_seen_even_when_checksums_of_the_archive_are_made_to_fit(entry: Entry) -> None:
    content = entry.source if isinstance(entry.source, bytes) else PACKAGE.contents[entry.source]
    for position in range(0, len(content), 1 if len(content) < 1500 else 7):
        data = bytearray(content)
        data[position] ^= 1 << (position % 7)
        changed = [inline(entry.path, bytes(data)) if other is entry else other for other in ENTRIES]
        assert not verify(archive(changed, PACKAGE.contents)).holds, position


def test_every_cut_is_seen() -> None:
    for length in [*range(0, len(GOOD), 97), len(GOOD) - 1]:
        assert failed(verify(GOOD[:length])) == [1]


@given(st.binary())
def test_bytes_that_are_no_archive_fail_in_step_1(data: bytes) -> None:
    assert failed(verify(data)) == [1]
    assert failed(verify(data + GOOD[-22:])) == [1]


@given(st.integers(0, len(GOOD)), st.integers(0, 300), st.binary(max_size=300))
def test_splicing_anything_anywhere_is_never_verified_and_never_an_exception(at: int, length: int, new: bytes) -> None:
    data = GOOD[:at] + new + GOOD[at + length :]
    assert verify(data).holds == (data == GOOD)


def other_zip(write: Callable[[zipfile.ZipFile], None]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        write(opened)
    return target.getvalue()


def test_it_refuses_a_compressed_archive_and_says_so() -> None:
    data = other_zip(lambda z: z.writestr(f"{NAME}/bagit.txt", b"a" * 50, zipfile.ZIP_DEFLATED))
    assert "compressed" in verify(data).steps[0].finding


def test_it_refuses_an_archive_another_program_laid_out() -> None:
    assert "agreed layout" in verify(other_zip(lambda z: z.writestr(f"{NAME}/bagit.txt", b"a"))).steps[0].finding


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["bag/a", "bag/b", "bag/A"], "capitals"),
        (["bag/a", "bag/a/b"], "both a file and a directory"),
        (["bag/a", "other/b"], "outside"),
        (["a"], "outside"),
        (["bag/../../etc/passwd"], "not a path"),
        (["/etc/passwd"], "not a path"),
        (["bag/a\\..\\b"], "not a path"),
        (["bag/.bashrc"], "not a path"),
        (["bag/data/"], "not a path"),
        (["bag/\x1b[31m"], "not a path"),
        (["bag/фото"], "not ASCII"),
        ([], "empty"),
    ],
)
def test_it_refuses_hostile_names(paths: list[str], words: str) -> None:
    report = verify(archive([inline(path, b"x") for path in paths], {}))
    assert failed(report) == [1]
    assert words in report.steps[0].finding
    assert "\x1b" not in str(report)


def two_of(first: str, second: str) -> bytes:
    """An archive in which the name `first` was overwritten by `second` in both its places."""
    return archive([inline(first, b"x"), inline("bag/zz", b"y")], {}).replace(first.encode(), second.encode())


def test_it_refuses_the_same_name_twice() -> None:
    assert "twice" in verify(two_of("bag/ww", "bag/zz")).steps[0].finding


def test_it_refuses_overlapping_encrypted_and_misplaced_files() -> None:
    record = GOOD.index(b"PK\x01\x02", 1)
    second = GOOD.index(b"PK\x01\x02", record + 1)
    for at, value, words in ((second + 42, 0, "overlap"), (record + 8, 1, "encrypted"), (record + 10, 8, "compressed")):
        data = bytearray(GOOD)
        data[at] = value
        if value == 0:
            data[at : at + 4] = bytes(4)
        assert words in verify(bytes(data)).steps[0].finding


def test_it_refuses_bytes_before_behind_and_between() -> None:
    directory = GOOD.index(b"PK\x01\x02")
    with_comment = GOOD[:-2] + b"\x04\x00note"
    for data in (
        b"#!/bin/sh\n" + GOOD,
        GOOD + b"\0",
        GOOD + GOOD,
        GOOD[:directory] + b"gap" + GOOD[directory:],
        with_comment,
    ):
        assert failed(verify(data)) == [1]


@pytest.mark.parametrize(
    ("path", "content", "step"),
    [
        ("bagit.txt", b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n", 2),
        ("bag-info.txt", b"Payload-Oxum: 1.1\n", 2),
        ("manifest-sha256.txt", b"nonsense\n", 3),
        ("tagmanifest-sha256.txt", b"nonsense\n", 4),
        ("ledger/trust.policy", b"nonsense\n", 5),
        ("metadata/files.csv", b"\xff\0", 9),
    ],
)
def test_a_spoiled_file_fails_in_the_step_that_reads_it(path: str, content: bytes, step: int) -> None:
    report = repacked(lambda files: files.update({path: content}))
    assert step in failed(report)
    assert f"{step}" in str(report).partition("Failed: step")[2]


def test_it_names_missing_unlisted_and_changed_files() -> None:
    picture = PACKAGE.files[0].row.path
    missing = repacked(lambda files: files.__delitem__(picture))
    assert {2, 3, 4} <= set(failed(missing))
    assert f"missing: {picture}" in missing.steps[3].finding
    unlisted = repacked(lambda files: files.update({"metadata/more.txt": b"x"}))
    assert failed(unlisted) == [4]
    assert "unlisted: metadata/more.txt" in unlisted.steps[3].finding
    swapped = repacked(lambda files: files.update({picture: files[picture][::-1]}))
    assert failed(swapped) == [3]
    assert picture in swapped.steps[2].finding


def test_changing_everything_to_fit_still_breaks_the_seal() -> None:
    def replace_picture(files: dict[str, bytes]) -> None:
        picture = PACKAGE.files[0].row.path
        files[picture] = files[picture][::-1]
        relisted(files)

    report = repacked(replace_picture)
    assert failed(report) == [8, 9]
    assert "tagmanifest_sha256" in report.steps[7].finding


def test_leaving_out_the_newest_event_of_an_exhibit_is_seen_by_the_seal() -> None:
    def shorten(files: dict[str, bytes]) -> None:
        last = PACKAGE.indexes[5]
        assert b"custody:exhibit:moved" in files[f"ledger/{last}.event"]
        del files[f"ledger/{last}.event"], files[f"ledger/{last}.tlog-proof"]
        relisted(files)

    report = repacked(shorten)
    assert failed(report) == [8]


def test_leaving_out_an_earlier_event_breaks_the_chain() -> None:
    def shorten(files: dict[str, bytes]) -> None:
        first = PACKAGE.indexes[0]
        del files[f"ledger/{first}.event"], files[f"ledger/{first}.tlog-proof"]

    report = repacked(shorten)
    assert failed(report) == [4, 7]
    assert "event 1 is missing" in report.steps[6].finding


def test_an_event_rewritten_or_moved_is_not_in_the_ledger() -> None:
    first, second = (f"ledger/{index}.event" for index in PACKAGE.indexes[:2])
    body = json.loads(PACKAGE.ledger.bodies[PACKAGE.indexes[0]])
    body["data"]["description"] = "Часы, сталь"
    for change in ({first: canonical_json(body)}, {second: PACKAGE.ledger.bodies[PACKAGE.indexes[0]]}):
        report = repacked(lambda files, change=change: files.update(change))  # type: ignore[misc]
        assert failed(report) == [4, 6]


def test_files_that_do_not_belong_beside_the_ledger_are_refused() -> None:
    for path in ("ledger/5.txt", "ledger/99.event", "ledger/99.tlog-proof", "ledger/007.event", "ledger/a/1.event"):
        assert 6 in failed(repacked(lambda files, path=path: files.update({path: b"x"})))  # type: ignore[misc]


def test_a_package_wholly_forged_with_another_key_fails_only_against_the_pinned_key() -> None:
    forged = draft()
    forged.ledger.key = SigningKey(LOG.name, 1, bytes(32))
    data = forged.archive()
    unpinned = verify(data)
    assert unpinned.holds
    assert "NOT yet compared" in unpinned.steps[4].finding
    assert any("came from the package itself" in caveat for caveat in unpinned.caveats)
    pinned = verify_package(io.BytesIO(data), Brought(log_key=LOG.verifier))
    assert failed(pinned) == [5]
    assert failed(verify_package(io.BytesIO(data), Brought(policy=Policy((LOG.verifier,))))) == [6]


def test_with_the_published_key_the_report_no_longer_warns_of_the_key() -> None:
    for report in (
        verify_package(io.BytesIO(GOOD), Brought(log_key=LOG.verifier)),
        verify_package(io.BytesIO(GOOD), Brought(policy=Policy((LOG.verifier,)))),
    ):
        assert report.holds
        assert not any("came from the package itself" in caveat for caveat in report.caveats)
        assert any("No independent witness" in caveat for caveat in report.caveats)


def test_a_received_file_the_package_leaves_out_is_mentioned() -> None:
    short = draft()
    del short.files[1]
    report = verify(short.archive())
    assert report.holds
    assert "1 received files named by these events are not in this package." in report.caveats


def test_a_large_payload_is_hashed_on_several_threads(tmp_path: Path) -> None:
    package = draft(photograph=b"\xff\xd8" + bytes(range(256)) * 16_384)
    path = tmp_path / "p.zip"
    path.write_bytes(package.archive())
    assert verify_package(path, threads=4).holds
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, io.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    assert failed(verify_package(path, threads=4)) == [3]


def test_a_file_larger_than_its_kind_is_not_read_into_memory() -> None:
    report = repacked(lambda files: files.update({"ledger/trust.policy": b"#" * (1024 * 1024 + 1)}))
    assert "larger than" in report.steps[4].finding


def test_the_command_answers_0_only_when_all_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(GOOD)
    policy = tmp_path / "trust.policy"
    policy.write_text(PACKAGE.ledger.policy)
    assert main([str(path)]) == 0
    assert main([str(path), "--log-key", str(LOG.verifier)]) == 0
    assert main([str(path), "--policy", str(policy), "--threads", "2"]) == 0
    path.write_bytes(GOOD[:-1])
    assert main([str(path)]) == 1
    assert "RESULT: NOT VERIFIED. Failed: step 1." in capsys.readouterr().out
    assert main([str(tmp_path / "absent.zip")]) == 1
    assert main([str(tmp_path)]) == 1


@pytest.mark.parametrize("options", [["--log-key", "nonsense"], ["--policy", "/nonexistent"], ["--threads", "0"], []])
def test_a_wrong_command_line_is_answered_2(options: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*options] if not options else ["package.zip", *options])
    assert left.value.code == 2


def test_the_verifier_runs_as_a_module_and_needs_nothing_but_cryptography(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "casemgmt.trust.verify", path],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path.anchor,
    )
    assert "RESULT: VERIFIED" in done.stdout
    probe = "import sys, casemgmt.trust.verify.command; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.split()
    foreign = set(loaded) - sys.stdlib_module_names - {"casemgmt", "cryptography", "_cffi_backend", "__main__"}
    assert {name for name in foreign if not name.startswith("_")} == set()

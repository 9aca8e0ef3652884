"""Redacted packages: what is withheld is proved to exist, and the chain holds around it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from casemgmt.trust.contents import Why
from casemgmt.trust.errors import ManifestError, PackageError, TrustError
from casemgmt.trust.verify.findings import Outcome
from casemgmt.trust.withheld import parse_withheld, write_withheld
from tests.trust.factory import Draft, draft, full_draft
from tests.trust.repacking import failed, files_of, finding, relisted, repacked, verify

LIST = "metadata/withheld.csv"


def redacted(*, receipt: bool = False) -> Draft:
    """One file withheld, and the first entry of an exhibit; with ``receipt`` also the entry that received the file."""
    package = draft()
    package.withhold_file(0)
    package.withheld[package.indexes[0]] = Why("informant", "=Names who told us")
    if receipt:
        package.withheld[package.indexes[1]] = Why("informant", "")
    return package


def test_a_redacted_package_holds_and_counts_what_is_withheld() -> None:
    package = redacted()
    report = verify(package.archive())
    assert report.status == 0, str(report)
    assert "1 entries are withheld, proved to exist" in finding(report, 7)
    assert "1 files are withheld, proved to exist." in finding(report, 9)
    assert any("2 things are withheld" in caveat for caveat in report.caveats)


def test_what_is_withheld_is_nowhere_in_the_package_and_its_hashes_are() -> None:
    package = redacted()
    body = package.ledger.bodies[package.indexes[0]]
    files = files_of(package)
    everything = b"".join(files.values())
    assert body not in everything
    assert b"photograph of KG-2027-000123/1" not in everything
    assert hashlib.sha256(body).hexdigest().encode() in files[LIST]
    assert files[f"ledger/{package.indexes[0]}.leaf"] == hashlib.sha256(b"\0" + body).hexdigest().encode() + b"\n"
    assert b"'=Names who told us" in files[LIST]
    rows = parse_withheld(files[LIST])
    assert [(row.kind, row.code) for row in rows] == [("file", "third_party"), ("entry", "informant")]
    assert rows[0].sha256 == hashlib.sha256(package.contents["store/0"]).hexdigest()


def test_the_bytes_that_are_disclosed_later_fit_the_leaf() -> None:
    package = redacted()
    files = files_of(package)
    index = package.indexes[0]
    row = parse_withheld(files[LIST])[-1]
    body = package.ledger.bodies[index]
    assert (row.sha256, row.size, row.path) == (hashlib.sha256(body).hexdigest(), len(body), f"ledger/{index}.event")


def test_a_withheld_last_entry_is_named_by_the_seal() -> None:
    package = draft()
    package.withheld[package.indexes[2]] = Why("informant", "")
    assert verify(package.archive()).holds


def test_a_file_whose_receipt_is_withheld_too_is_the_sealers_word() -> None:
    report = verify(redacted(receipt=True).archive())
    assert report.holds
    assert "their hashes are the sealer's word" in finding(report, 9)


def test_a_signed_entry_can_be_withheld_and_the_others_of_its_statement_still_hold() -> None:
    package = full_draft()
    package.withheld[min(package.signatures)] = Why("informant", "")
    report = verify(package.archive(), openssl=None)
    assert failed(report) == []
    assert "3 entries are signed with passkeys" in finding(report, 10)


def changed(old: bytes, new: bytes, path: str = LIST) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new)
        relisted(files)

    return change


def test_a_list_that_says_anything_else_is_refused() -> None:
    package = redacted()
    files = files_of(package)
    index = package.indexes[0]
    leaf = files[f"ledger/{index}.leaf"].strip()
    for change, step in (
        (changed(leaf, b"0" * 64), 7),
        (changed(b'"exhibit:KG-2027-000123/1","1"', b'"exhibit:KG-2027-000123/1","2"'), 7),
        (changed(leaf, b"0" * 64, f"ledger/{index}.leaf"), 6),
        (changed(leaf + b"\n", leaf, f"ledger/{index}.leaf"), 6),
        (changed(b"Withheld: 2", b"Withheld: 3", "bag-info.txt"), 7),
        (changed(b"Withheld: 2", b"Withheld: none", "bag-info.txt"), 4),
        (changed(b"KG-2027-000123-1/0001.jpg", b"KG-2027-000123-2/0009.jpg"), 8),
    ):  # fmt: skip
        assert step in failed(repacked(files, change)), step


def test_leaving_out_the_leaf_or_the_list_is_seen() -> None:
    package = redacted()
    files = files_of(package)
    index = package.indexes[0]

    def drop(*paths: str) -> Callable[[dict[str, bytes]], None]:
        def change(inside: dict[str, bytes]) -> None:
            for path in paths:
                del inside[path]
            relisted(inside)

        return change

    assert 7 in failed(repacked(files, drop(f"ledger/{index}.leaf", f"ledger/{index}.tlog-proof")))
    assert 6 in failed(repacked(files, drop(f"ledger/{index}.leaf")))
    assert 4 in failed(repacked(files, drop(LIST)))


def test_a_withheld_file_of_which_no_event_speaks_is_refused() -> None:
    package = draft()
    package.withhold_file(0)
    file = package.files[0]
    for change in ({"sha256": "0" * 64}, {"size": 1}, {"file": "other"}):
        package.files[0] = replace(file, row=replace(file.row, **change))
        with pytest.raises(PackageError, match="no received event"):
            package.prepared()


def test_a_withheld_file_cannot_be_claimed_twice_or_be_there_as_well() -> None:
    package = draft()
    package.withhold_file(0)
    package.files.append(
        replace(package.files[0], row=replace(package.files[0].row, path="data/exhibits/KG-2027-000123-1/0002.jpg"))
    )
    with pytest.raises(PackageError):
        package.prepared()


def test_a_withheld_entry_of_an_exhibit_is_named_where_custody_is_judged() -> None:
    assert "WEAKER: 1 withheld entries of exhibits, any of which may be a hand-over." in finding(
        verify(redacted().archive()), 10
    )
    assert "withheld" not in finding(verify(draft().archive()), 10)


def test_what_is_recorded_of_a_signers_keys_is_never_withheld() -> None:
    package = full_draft()
    index = next(i for i in package.indexes if b'"stream":"passkeys:aida"' in package.ledger.bodies[i])
    package.withheld[index] = Why("informant", "")
    with pytest.raises(TrustError):
        package.prepared()


def test_the_list_has_one_form() -> None:
    rows = parse_withheld(files_of(redacted())[LIST])
    assert write_withheld(rows[::-1]) == write_withheld(rows)
    for wrong in (
        replace(rows[0], kind="thing"),
        replace(rows[0], path="ledger/1.event"),
        replace(rows[0], path="../x"),
        replace(rows[1], path="ledger/2.event"),
        replace(rows[0], sha256="x"),
        replace(rows[0], leaf_hash=""),
        replace(rows[0], code="Not A Code"),
        replace(rows[0], seq=0),
        replace(rows[0], stream=""),
        replace(rows[1], stream="passkeys:aida"),
    ):
        with pytest.raises(ManifestError):
            parse_withheld(write_withheld([wrong]))
    for data in (b"", write_withheld([]), write_withheld([rows[0], rows[0]])):
        with pytest.raises(ManifestError):
            parse_withheld(data)


def test_step_9_is_not_taken_for_granted() -> None:
    package = redacted()
    files = files_of(package)
    report = repacked(files, lambda inside: inside.update({"data/exhibits/KG-2027-000123-1/0001.jpg": b"x"}))
    assert {2, 4} <= set(failed(report))
    assert 9 in failed(report) + report.numbers(Outcome.NOT_CHECKED)

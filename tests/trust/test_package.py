import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import bagit
import pytest

from casemgmt.trust.contents import PayloadFile
from casemgmt.trust.errors import EventError, ManifestError, PackageError, PolicyError, ProofError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.package import prepare
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof
from casemgmt.trust.receipts import RECEIVED, file_row, payload_path
from casemgmt.trust.zip import Layout
from tests.trust.factory import BESIDE, NAME, Draft, draft, event_body, full_draft
from tests.trust.vectors import vectors


def unpacked(folder: Path, package: Draft) -> Path:
    archive = folder / "package.zip"
    archive.write_bytes(package.archive())
    subprocess.run(["unzip", "-tqq", archive], check=True)
    subprocess.run(["unzip", "-qq", archive, "-d", folder], check=True)
    return folder / NAME


@pytest.mark.parametrize("make", [draft, full_draft])
def test_common_tools_accept_the_package(tmp_path: Path, make: Callable[[], Draft]) -> None:
    bag = unpacked(tmp_path, make())
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--strict", "--quiet", manifest], cwd=bag, check=True)
    bagit_py = Path(sys.executable).with_name("bagit.py")
    subprocess.run([bagit_py, "--validate", bag], check=True, capture_output=True)
    assert bagit.Bag(str(bag)).is_valid()
    seal = json.loads((bag / "tagmanifest-sha256.txt.event").read_bytes())
    assert (
        seal["data"]["tagmanifest_sha256"] == hashlib.sha256((bag / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    )


def test_the_package_has_the_agreed_files_and_texts() -> None:
    expected = vectors("package.json")
    entries = draft().entries()
    assert [entry.path for entry in entries] == expected["paths"]
    texts = {entry.path.partition("/")[2]: entry.source for entry in entries}
    for path, text in expected["texts"].items():
        found = texts[path]
        assert isinstance(found, bytes)
        assert found.decode() == text
    layout = Layout(entries)
    assert layout.entries[0].path == f"{NAME}/bagit.txt"


def test_preparing_again_gives_the_same_bytes() -> None:
    assert draft().archive() == draft().archive()
    mixed = draft()
    mixed.files.reverse()
    mixed.indexes.reverse()
    assert mixed.archive() == draft().archive()


def received(**data: object) -> Event:
    said = {"file": "f", "name": "n", "sha256": "0" * 64, "size": 1, "exhibit": "A", "seizure": "S", **data}
    return Event.parse(event_body("seizure:S", 1, None, kind=RECEIVED, data=said))


def test_payload_paths_are_plain_ascii() -> None:
    assert payload_path(received(exhibit="KG-1/2"), 12, "jpg") == "data/exhibits/KG-1-2/0012.jpg"
    assert payload_path(received(exhibit=None, seizure="KG-1"), 1, "pdf") == "data/seizures/KG-1/0001.pdf"
    for number in ("КГ-1", "..", "A B", "", 5, "A\n"):
        with pytest.raises((ManifestError, EventError)):
            payload_path(received(exhibit=number), 1, "jpg")
    for extension in ("jp/g", "", "JPG", ".", "jpg\n"):
        with pytest.raises(PackageError):
            payload_path(received(), 1, extension)


@pytest.mark.parametrize("member", ["file", "name", "sha256", "size"])
def test_a_received_event_must_say_everything_about_the_file(member: str) -> None:
    wrong: object
    for wrong in (None, [], {}):
        with pytest.raises(EventError, match="not a complete received event"):
            file_row("", received(**{member: wrong}))


def test_it_refuses_a_package_name_that_is_not_one_directory() -> None:
    for name in ("a/b", "..", "", "дело"):
        spoiled = draft()
        spoiled.name = name
        with pytest.raises(TrustError):
            spoiled.prepared()


def test_it_refuses_a_file_of_which_no_event_says_the_same() -> None:
    for change in (
        {"sha256": "0" * 64},
        {"size": 1},
        {"file": "other"},
        {"received_at": "2027-02-03T04:05:06Z"},
        {"original_name": "other"},
        {"received_by": "other"},
    ):
        spoiled = draft()
        file = spoiled.files[0]
        spoiled.files[0] = replace(file, row=replace(file.row, **change))
        with pytest.raises(PackageError, match="no received event"):
            spoiled.prepared()


def moved(file: PayloadFile, path: str) -> PayloadFile:
    return replace(file, row=replace(file.row, path=path))


def test_it_refuses_a_file_in_the_directory_of_another_exhibit_or_twice() -> None:
    spoiled = draft()
    file = spoiled.files[0]
    spoiled.files[0] = moved(file, "data/exhibits/KG-2027-000123-2/0002.jpg")
    with pytest.raises(PackageError, match="no received event"):
        spoiled.prepared()
    spoiled.files = [file, moved(file, "data/exhibits/KG-2027-000123-1/0002.jpg")]
    with pytest.raises(PackageError, match="no received event"):
        spoiled.prepared()
    spoiled.files = [file, file]
    with pytest.raises(PackageError, match="same path"):
        spoiled.prepared()


def test_it_refuses_two_exhibits_whose_numbers_share_a_directory() -> None:
    clashing = draft(exhibits=("A/1", "A-1"))
    clashing.files[1] = moved(clashing.files[1], "data/exhibits/A-1/0002.jpg")
    with pytest.raises(PackageError, match="share the directory"):
        clashing.prepared()


def test_it_refuses_a_file_without_the_events_of_its_exhibit() -> None:
    spoiled = draft()
    spoiled.indexes = [
        i for i in spoiled.indexes if b'"stream":"exhibit:KG-2027-000123/2"' not in spoiled.ledger.bodies[i]
    ]
    with pytest.raises(PackageError, match="without the events of its exhibit"):
        spoiled.prepared()


def test_it_refuses_events_with_a_gap_or_at_different_checkpoints() -> None:
    gap = draft()
    del gap.indexes[0]
    with pytest.raises(EventError, match="event 1 is missing"):
        gap.prepared()
    later = draft()
    others = [later.event(index, later.size - 1) for index in later.indexes[1:]]
    mixed = [later.event(later.indexes[0]), *others]
    with pytest.raises(PackageError, match="one checkpoint"):
        prepare(
            NAME, bagged_on=date(2027, 2, 3), files=[], events=mixed, policy=later.ledger.policy, beside=BESIDE
        )  # fmt: skip
    empty = draft()
    empty.indexes.clear()
    with pytest.raises(PackageError, match="has events"):
        empty.prepared()
    double = draft()
    double.indexes.append(double.indexes[0])
    with pytest.raises(PackageError, match="each once"):
        double.prepared()


def test_it_refuses_a_proof_of_another_event_and_a_policy_for_another_log() -> None:
    crossed = draft()
    crossed.ledger.bodies[crossed.indexes[0]] = crossed.ledger.bodies[crossed.indexes[1]]
    with pytest.raises(ProofError, match="not at index"):
        crossed.prepared()
    spoiled = draft()
    prepared_by = spoiled.ledger
    prepared_by.key = SigningKey.generate(prepared_by.key.name)
    stranger = Policy((SigningKey.generate(prepared_by.key.name).verifier,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(prepared_by), "policy", property(lambda _: str(stranger)))
        with pytest.raises(PolicyError, match="no log of the policy"):
            spoiled.prepared()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"package": "another"}, "package"),
        ({"tagmanifest_sha256": "0" * 64}, "tagmanifest_sha256"),
        ({"exhibits": {}}, "exhibits"),
        ({"ledger_size": 8}, "ledger_size"),
        ({"signers": {"aida": {"seq": 1, "hash": "0" * 64}}}, "signers"),
        ({"signature_sha256": "0" * 64}, "signature_sha256"),
        ({"timestamp_sha256": "0" * 64}, "timestamp_sha256"),
        ({"note": "and more"}, "more than a seal"),
    ],
)
def test_it_refuses_a_seal_that_says_anything_else(changes: dict[str, object], words: str) -> None:
    unsealed = draft()
    prepared = unsealed.prepared()
    with pytest.raises(PackageError, match=words):
        prepared.sealed(*unsealed.seal(prepared, **changes))


def test_it_refuses_a_seal_whose_proof_does_not_continue_the_ledger() -> None:
    unsealed = draft()
    prepared = unsealed.prepared()
    body, proof = unsealed.seal(prepared)
    assert prepared.sealed(body, proof)
    spoiled = [
        replace(proof, extra=None),
        replace(proof, extra=b"\0" * 32 * len(proof.path)),
        replace(proof, extra=(proof.extra or b"")[:-1]),
        replace(proof, index=proof.index - 1),
        replace(proof, path=proof.path[:-1]),
    ]
    for wrong in spoiled:
        with pytest.raises(ProofError):
            prepared.sealed(body, wrong)
    assert Proof.parse(str(proof)) == proof


def test_the_archive_holds_the_original_bytes(tmp_path: Path) -> None:
    package = draft()
    (tmp_path / "p.zip").write_bytes(package.archive())
    with zipfile.ZipFile(tmp_path / "p.zip") as opened:
        for file in package.files:
            assert opened.read(f"{NAME}/{file.row.path}") == package.contents[file.key]

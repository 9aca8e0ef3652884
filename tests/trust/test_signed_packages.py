"""Steps 10, 11 and 12: what people, the organisation and a timestamp authority signed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from casemgmt.trust.contents import ORGANISATION_CA
from casemgmt.trust.errors import PackageError, PasskeyError
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from casemgmt.trust.policy import Policy
from casemgmt.trust.promise import Promise
from casemgmt.trust.verify import openssl as openssl_command
from casemgmt.trust.verify.command import main
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.findings import Outcome
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.steps import verify_package
from tests.trust.authorities import Authorities, authorities
from tests.trust.factory import BESIDE, LOG, WITNESSES, Draft, archive, draft, full_draft, hand_over, inline
from tests.trust.people import AIDA, NURLAN
from tests.trust.repacking import OPENSSL, failed, files_of, finding, relisted, repacked, verify

FULL = full_draft()
ENTRIES = FULL.entries()
GOOD = archive(ENTRIES, FULL.contents)
FILES = files_of(full_draft())
SIGNED = [path.split("/")[2] for path in FILES if path.endswith("/statement.txt")]


@pytest.fixture(autouse=True)
def needs_openssl(missing_part: Callable[[str], None]) -> None:
    if OPENSSL is None:
        missing_part("the openssl command, version 3 or later")


def test_a_full_package_holds_in_all_twelve_steps_and_names_who_signed_by_what_means() -> None:
    report = verify(GOOD)
    assert report.status == 0, str(report)
    assert "RESULT: VERIFIED. All 12 steps hold." in str(report)
    assert "cosigned by customs, police" in finding(report, 6)
    assert "4 entries are signed with passkeys, user verified: Aida (aida) 2, Nurlan (nurlan) 2" in finding(report, 10)
    assert "WEAKER: 1 by session only" in finding(report, 10)
    assert "a session only" in "".join(report.caveats)
    assert "3 signatures hold" in finding(report, 11)
    for step in (11, 12):
        assert finding(report, step).startswith("DEMONSTRATION")
        assert "NOT yet compared" in finding(report, step)
    assert sum("came from the package itself" in caveat for caveat in report.caveats) == 4


def test_without_openssl_two_steps_are_not_checked_and_never_good() -> None:
    report = verify(GOOD, openssl=None)
    assert report.numbers(Outcome.NOT_CHECKED) == [11, 12]
    assert report.status == 3
    assert not report.holds
    assert "INCOMPLETE. Nothing failed, and not checked: step 11, 12." in str(report)


@pytest.mark.parametrize("part", range(4))
def test_every_flipped_byte_is_seen_without_openssl_too(part: int) -> None:
    unseen = []
    for position in range(part, len(GOOD), 20):
        data = bytearray(GOOD)
        data[position] ^= 1 << (position // 4 % 8)
        if not failed(verify(bytes(data), openssl=None)):
            unseen.append(position)
    assert unseen == []


@pytest.mark.parametrize("ending", [".p7s", ".tsr", "/sig.der", "/authData.bin", "/statement.txt", ".pdf"])
def test_flipped_bytes_are_seen_even_when_checksums_of_the_archive_are_made_to_fit(ending: str) -> None:
    entry = next(entry for entry in ENTRIES if entry.path.endswith(ending))
    assert isinstance(entry.source, bytes)
    for position in range(0, len(entry.source), 61):
        data = bytearray(entry.source)
        data[position] ^= 1 << (position % 7)
        changed = [inline(entry.path, bytes(data)) if other is entry else other for other in ENTRIES]
        assert failed(verify(archive(changed, FULL.contents), openssl=None)), position


# ---- step 10


def spoiled(index: str, **changes: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        for name, data in changes.items():
            files[f"ledger/sig/{index}/{name}"] = data

    return change


def people(package: Draft) -> str:
    """What step 10 finds wrong in a package whose maker did not look, all other steps made to hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("casemgmt.trust.package.check_signatures", lambda *_: [])
        report = verify(package.archive())
    assert failed(report) == [10], str(report)
    return finding(report, 10)


def test_a_signature_of_one_entry_beside_another_is_refused() -> None:
    package = full_draft()
    offered, accepted = min(package.signatures), max(package.signatures)
    package.signatures[offered] = package.signatures[accepted]
    with pytest.raises(PasskeyError, match="not the one it names"):
        package.prepared()
    assert f"entry {offered}" in people(package)
    again = full_draft()
    other = again.ledger.append("exhibit:KG-2027-000123/1", "custody:handover:offered", {"signature": AIDA.means},
                                actor=AIDA.actor)  # fmt: skip
    again.indexes.append(other)
    again.size = again.ledger.tree.size
    again.signatures[other] = again.signatures[offered]
    assert "the statement does not name this entry" in people(again)


def test_an_entry_that_says_it_is_signed_needs_its_signature_and_no_other_has_one() -> None:
    package = full_draft()
    index = min(package.signatures)
    signature = package.signatures.pop(index)
    assert "the signature is missing" in people(package)
    package = full_draft()
    package.signatures[package.indexes[0]] = signature
    assert "a signature that it does not speak of" in people(package)


def test_a_key_nobody_enrolled_here_signs_nothing() -> None:
    package = full_draft()
    package.indexes = [i for i in package.indexes if b'"stream":"passkeys:aida"' not in package.ledger.bodies[i]]
    with pytest.raises(PasskeyError, match="no enrolment"):
        package.prepared()
    assert "no enrolment is here" in people(package)


def test_a_key_revoked_before_is_refused_and_one_revoked_later_is_not() -> None:
    package = full_draft()
    revoked = package.ledger.append(NURLAN.stream, *NURLAN.revocation, actor=NURLAN.actor)
    package.indexes.append(revoked)
    package.size = package.ledger.tree.size
    assert verify(package.archive()).holds
    package = full_draft()
    package.indexes.append(package.ledger.append(NURLAN.stream, *NURLAN.revocation, actor=NURLAN.actor))
    hand_over(package, ["KG-2027-000123/1"], NURLAN, "refused")
    package.size = package.ledger.tree.size
    assert "after the key was revoked" in people(package)


def test_a_revocation_cannot_be_left_out() -> None:
    package = full_draft()
    package.indexes.append(package.ledger.append(NURLAN.stream, *NURLAN.revocation, actor=NURLAN.actor))
    package.size = package.ledger.tree.size
    last = package.indexes[-1]

    def leave_out(files: dict[str, bytes]) -> None:
        del files[f"ledger/{last}.event"], files[f"ledger/{last}.tlog-proof"]
        relisted(files)

    report = repacked(files_of(package), leave_out)
    assert 8 in failed(report)
    assert 10 in report.numbers(Outcome.NOT_CHECKED)


def test_somebody_elses_key_and_a_user_who_was_not_verified_are_refused() -> None:
    package = full_draft()
    hand_over(package, ["KG-2027-000123/1"], replace(AIDA, id=9), "offered")
    package.size = package.ledger.tree.size
    assert "another person" in people(package)
    package = full_draft()
    (index,) = hand_over(package, ["KG-2027-000123/1"], AIDA, "offered")
    package.signatures[index] = AIDA.sign([package.ledger.bodies[index]], flags=0x01)
    package.size = package.ledger.tree.size
    assert "did not verify its user" in people(package)


def test_one_person_with_two_streams_of_keys_is_refused_before_and_after_the_seal() -> None:
    package = full_draft()
    again = replace(AIDA, login="aida.again")
    package.indexes.append(package.ledger.append(again.stream, *again.enrolment, actor=again.actor))
    hand_over(package, ["KG-2027-000123/1"], again, "offered")
    package.size = package.ledger.tree.size
    with pytest.raises(PasskeyError, match="two streams of keys"):
        package.prepared()
    assert "passkeys:aida.again" in people(package)


def test_only_the_five_files_lie_beside_an_entry() -> None:
    more = repacked(FILES, spoiled(SIGNED[0], **{"note.txt": b"x"}))
    assert 10 in more.numbers(Outcome.NOT_CHECKED) + failed(more)
    assert 4 in failed(more)


def test_handovers_that_do_not_say_how_they_are_signed_are_called_weaker() -> None:
    package = draft()
    package.indexes.append(package.ledger.append("exhibit:KG-2027-000123/1", "custody:handover:offered", {}))
    package.size = package.ledger.tree.size
    report = verify(package.archive())
    assert report.numbers(Outcome.NONE) == [10, 11, 12]
    assert "1 hand-overs that do not say how they are signed" in finding(report, 10)


# ---- steps 11 and 12


def test_with_the_right_ca_brought_nothing_is_said_of_comparing_and_with_another_it_fails() -> None:
    ours, other = authorities("DEMONSTRATION").ca, authorities("Other").ca
    report = verify(GOOD, Brought(ca=ours, timestamp_ca=ours))
    assert report.holds
    assert "CA given by you" in finding(report, 11)
    assert sum("came from the package itself" in caveat for caveat in report.caveats) == 2
    assert failed(verify(GOOD, Brought(ca=other))) == [11]
    assert failed(verify(GOOD, Brought(timestamp_ca=other))) == [12]


def signed_by(made: Authorities, package: Draft) -> bytes:
    """The package with signatures by other authorities, whose CA the reader is to bring."""
    package.authorities = made
    package.beside = replace(package.beside, reports={"en": made.pdf()})
    return package.archive()


def test_signatures_over_something_else_are_refused() -> None:
    made = authorities("DEMONSTRATION")

    class Elsewhere(Authorities):
        def sign(self, content: bytes) -> bytes:
            return super().sign(content + b"x")

        def stamp(self, content: bytes) -> bytes:
            return super().stamp(content + b"x")

    package = full_draft()
    package.authorities = Elsewhere(made.folder)
    report = verify(package.archive())
    assert failed(report) == [11, 12]
    assert "openssl cms says" in finding(report, 11)


def test_a_report_with_bytes_after_its_signature_or_without_one_is_refused() -> None:
    for spoil, words in (
        (lambda pdf: pdf + b"more", "does not cover the whole file"),
        (lambda pdf: pdf.replace(b"/ByteRange", b"/ByteRonge"), "0 signatures"),
        (lambda pdf: pdf.replace(b"custody report", b"another report"), "openssl cms says"),
        (lambda pdf: pdf + pdf, "2 signatures"),
    ):
        package = full_draft()
        reports = {language: spoil(pdf) for language, pdf in package.beside.reports.items()}
        package.beside = replace(package.beside, reports=reports)
        report = verify(package.archive())
        assert failed(report) == [11]
        assert words in finding(report, 11)


def short_lived(begin: timedelta, end: timedelta) -> Authorities:
    """Whose certificates hold between these times from now."""
    now = datetime.now(UTC)
    return Authorities.make(name="Short", valid=(f"{now + begin:%y%m%d%H%M%SZ}", f"{now + end:%y%m%d%H%M%SZ}"))


def test_certificates_that_expired_since_hold_as_of_the_timestamp() -> None:
    made = short_lived(timedelta(days=-2), timedelta(seconds=4))
    data = signed_by(made, full_draft())
    time.sleep(5)
    report = verify(data, Brought(ca=made.ca, timestamp_ca=made.ca))
    assert report.holds, str(report)
    assert "has expired since; it held at the time of the timestamp" in finding(report, 11)
    assert "has expired since; it held at that time" in finding(report, 12)


def test_certificates_that_had_expired_before_they_signed_never_hold() -> None:
    made = short_lived(timedelta(days=-9), timedelta(days=-2))
    report = verify(signed_by(made, full_draft()), Brought(ca=made.ca, timestamp_ca=made.ca))
    assert failed(report) == [11, 12]


def test_what_is_promised_is_there_and_nothing_else() -> None:
    def without(path: str) -> Callable[[dict[str, bytes]], object]:
        return lambda files: files.pop(path)

    tag = "tagmanifest-sha256.txt"
    for ending in (".p7s", ".tsr"):
        assert 4 in failed(repacked(FILES, without(tag + ending)))
        bare = files_of(draft())
        assert failed(repacked(bare, lambda files, e=ending: files.update({tag + e: b"x"}))) == [4]  # type: ignore[misc]
        other = repacked(FILES, lambda files, e=ending: files.update({tag + e: b"0"}))  # type: ignore[misc]
        assert 8 in failed(other)
    package = full_draft()
    prepared = replace(package.prepared(), signature=None)
    with pytest.raises(PackageError, match="promises"):
        prepared.sealed(*package.seal(prepared))


def test_a_promise_needs_its_certificates_and_its_reports() -> None:
    for beside in (
        replace(BESIDE, promise=Promise(organisation="CAdES-B-T")),
        replace(BESIDE, promise=Promise(timestamp="RFC3161")),
        replace(BESIDE, keys={ORGANISATION_CA: b"x"}),
        replace(BESIDE, promise=Promise(report="PAdES-B-T"), keys={ORGANISATION_CA: b"x"}),
    ):
        package = draft()
        package.beside = beside
        with pytest.raises(PackageError, match="certificates or reports"):
            package.prepared()


def test_an_unknown_promise_is_refused() -> None:
    def lie(files: dict[str, bytes]) -> None:
        files["bag-info.txt"] = files["bag-info.txt"].replace(b"Timestamp: RFC3161", b"Timestamp: perhaps")
        relisted(files)

    report = repacked(FILES, lie)
    assert failed(report) == [2, 4]
    assert "unknown Timestamp" in finding(report, 2)


def test_the_command_takes_the_readers_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, ca, wrong = tmp_path / "p.zip", tmp_path / "ca.pem", tmp_path / "wrong.pem"
    path.write_bytes(GOOD)
    ca.write_bytes(authorities("DEMONSTRATION").ca)
    wrong.write_text("no certificate")
    assert main([str(path), "--ca", str(ca), "--tsa-ca", str(ca)]) == 0
    assert "12. Timestamps: holds" in capsys.readouterr().out
    for given in (wrong, tmp_path / "absent.pem"):
        with pytest.raises(SystemExit) as left:
            main([str(path), "--ca", str(given)])
        assert left.value.code == 2


def test_the_command_answers_3_where_there_is_no_openssl(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert OpenSsl.found() is None
    assert main([str(path)]) == 3
    assert "11. Organisation's signature: not checked" in capsys.readouterr().out
    program = tmp_path / "openssl"
    program.write_text("#!/bin/sh\necho LibreSSL 3.9.0\n")
    program.chmod(0o755)
    assert OpenSsl.found() is None


def test_the_package_is_the_same_on_every_making_but_for_what_authorities_add() -> None:
    assert full_draft().prepared().documents.keys() == FULL.prepared().documents.keys()
    assert hashlib.sha256(draft().archive()).digest() == hashlib.sha256(draft().archive()).digest()
    assert verify_package(Path("/nonexistent")).status == 1


def test_a_timestamp_is_that_of_whoever_signed_it_and_not_of_a_certificate_laid_beside() -> None:
    other = Authorities.make(name="A")
    package = full_draft()
    package.authorities = Decorated(package.authorities.folder, other) if package.authorities else None
    report = verify(package.archive())
    assert "DEMONSTRATION authority" in finding(report, 12)
    assert "DEMONSTRATION tsa" in finding(report, 12)


@dataclass(frozen=True)
class Decorated(Authorities):
    """Lays another authority's certificate before its own: what is in a token beside the signature is not signed."""

    other: Authorities

    def stamp(self, content: bytes) -> bytes:
        response = tsp.TimeStampResp.load(super().stamp(content))
        token = response["time_stamp_token"]["content"]
        pem = (self.other.folder / "tsa.pem").read_bytes()
        laid = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        own = [choice.dump() for choice in token["certificates"]]
        assert laid < own[0], "a SET stands in the order of its bytes: the other is to be the first"
        names = ("version", "digest_algorithms", "encap_content_info", "signer_infos")
        made = cms.SignedData({**{name: token[name] for name in names}, "certificates": _certificates([laid, *own])})
        content_info = cms.ContentInfo({"content_type": "signed_data", "content": made})
        whole = tsp.TimeStampResp({"status": response["status"], "time_stamp_token": content_info})
        return bytes(whole.dump())


def _certificates(ders: list[bytes]) -> cms.CertificateSet:
    return cms.CertificateSet([cms.CertificateChoices("certificate", asn1_x509.Certificate.load(one)) for one in ders])


def test_a_timestamp_of_the_future_has_not_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    made = short_lived(timedelta(days=-2), timedelta(seconds=3))
    data = signed_by(made, full_draft())
    time.sleep(4)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Earlier:
            return cls(2020, 1, 1, tzinfo=tz)

    monkeypatch.setattr(openssl_command, "datetime", Earlier)
    assert 12 in failed(verify(data, Brought(ca=made.ca, timestamp_ca=made.ca)))


def test_a_plain_signature_is_not_taken_for_cades() -> None:
    package = full_draft()
    assert package.authorities is not None
    package.authorities = Plain(package.authorities.folder)
    assert failed(verify(package.archive())) == [11]


class Plain(Authorities):
    def sign(self, content: bytes) -> bytes:
        (self.folder / "content").write_bytes(content)
        self._run(
            *("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256"),
            *("-in", "content", "-signer", "signer.pem", "-inkey", "signer.key", "-out", "p7s"),
        )
        return (self.folder / "p7s").read_bytes()


def test_witnesses_out_of_the_package_are_not_believed_because_the_log_key_was_brought() -> None:
    """Who holds the log's key can make witnesses of any name."""
    made_up = tuple(SigningKey(key.name, COSIGNATURE, bytes([number]) * 32) for number, key in enumerate(WITNESSES))
    package = draft(witnesses=made_up)
    data = package.archive()
    report = verify(data, Brought(log_key=LOG.verifier))
    assert any("keys of the witnesses came from the package" in caveat for caveat in report.caveats)
    assert "found in the package" in finding(report, 5)
    theirs = Brought(policy=Policy.parse(full_draft().ledger.policy))
    assert 6 in failed(verify(data, theirs))
    good = verify(full_draft().archive(), theirs)
    assert not any("keys of the witnesses" in caveat for caveat in good.caveats)

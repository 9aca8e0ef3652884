"""Signatures by PIN: the vectors of docs/spec/signature.md, and openssl beside our verifier."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casemgmt.trust.encoding import from_base64
from casemgmt.trust.errors import AgreementError, PasskeyError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import PublicKey
from casemgmt.trust.personal import PIN_FILES, RECORD, PersonalSignature
from casemgmt.trust.pin import CONTEXT, PinSignature
from casemgmt.trust.signers import SignerKey, signer_keys
from tests.trust import pin_vectors
from tests.trust.factory import event_body
from tests.trust.people import AIDA, BOLOT, CHOLPON, PinPerson
from tests.trust.vectors import vectors

VECTORS = vectors("pin.json")


def by_name(case: dict[str, Any]) -> str:
    return str(case["name"])


def made_of(case: dict[str, Any]) -> PersonalSignature:
    record = case["record"].encode() if "record" in case else None
    made = PinSignature(from_base64(case["signature"]), record)
    return PersonalSignature(case["statement"].encode(), made, PublicKey(from_base64(case["spki"])))


def key_of(case: dict[str, Any]) -> SignerKey:
    """Of whoever acts in the entry, as their stream has it."""
    acts = json.loads(case["event"])["actor"]["id"]
    return enrolled(next(person for person in (BOLOT, CHOLPON) if person.id == acts))


def enrolled(person: PinPerson) -> SignerKey:
    kind, data = person.enrolment
    event = Event.parse(event_body(person.stream, 1, None, kind=kind, data=data, actor=person.actor))
    return signer_keys([event], {event.hash: 3})[person.key.fingerprint]


def check(case: dict[str, Any]) -> None:
    """As step 10 does it: the files of one means, the key beside them, the holder's key."""
    made, holder = PersonalSignature.from_files(made_of(case).files()), key_of(case)
    if made.key != holder.key:
        raise PasskeyError("another key")
    body = case["event"].encode()
    holder.check(made.made, made.statement, Event.parse(body), body, 7)


def test_the_vectors_are_those_that_are_written() -> None:
    assert VECTORS["signed"] == [case.written() for case in pin_vectors.signed()]
    assert VECTORS["refused"] == [case.written() for case in pin_vectors.refused()]
    assert VECTORS["context"].encode() == CONTEXT


@pytest.mark.parametrize("case", VECTORS["signed"], ids=by_name)
def test_every_good_vector_holds(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=by_name)
def test_every_bad_vector_is_refused_for_its_reason(case: dict[str, Any]) -> None:
    with pytest.raises((PasskeyError, AgreementError), match=case["words"]):
        check(case)


@pytest.mark.parametrize("case", VECTORS["signed"], ids=by_name)
def test_openssl_alone_says_the_same(case: dict[str, Any], tmp_path: Path) -> None:
    made = made_of(case)
    for name, data in made.files().items():
        (tmp_path / name).write_bytes(data)
    command = r"""{ printf 'evidence-custody-pin-v1\000'; cat statement.txt; } > signed.bin
        openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -digest sha256 -in signed.bin -sigfile sig.der"""
    assert subprocess.run(["sh", "-ec", command], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "statement.txt").write_bytes(b"0" * 64 + b"\n")
    assert subprocess.run(["sh", "-ec", command], cwd=tmp_path, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("index", [3, 2, 1])
def test_a_key_signs_nothing_before_its_enrolment(index: int) -> None:
    case = VECTORS["signed"][0]
    body = case["event"].encode()
    with pytest.raises(PasskeyError, match="before the key was enrolled"):
        key_of(case).check(made_of(case).made, case["statement"].encode(), Event.parse(body), body, index)


def test_a_key_signs_nothing_after_its_revocation() -> None:
    case = VECTORS["signed"][0]
    body, made = case["event"].encode(), made_of(case)
    ended = replace(key_of(case), revoked=6)
    ended.check(made.made, made.statement, Event.parse(body), body, 5)
    with pytest.raises(PasskeyError, match="after the key was revoked"):
        ended.check(made.made, made.statement, Event.parse(body), body, 7)


def test_a_passkey_and_a_pin_are_never_taken_for_each_other() -> None:
    case = VECTORS["signed"][0]
    body, made, holder = case["event"].encode(), made_of(case), key_of(case)
    stronger = replace(holder, means="passkey", rp_id="evidence.example.org")
    with pytest.raises(PasskeyError, match="another kind"):
        stronger.check(made.made, made.statement, Event.parse(body), body, 7)
    by_passkey = AIDA.sign([body])
    with pytest.raises(PasskeyError, match="without an authenticator"):
        holder.check(by_passkey.made, by_passkey.statement, Event.parse(body), body, 7)


def test_the_files_of_a_signature_are_those_of_one_means() -> None:
    plain, agreed = made_of(VECTORS["signed"][0]).files(), made_of(VECTORS["signed"][2]).files()
    assert set(plain) == set(PIN_FILES)
    assert set(agreed) == {*PIN_FILES, RECORD}
    with_passkey = AIDA.sign([b"x"]).files()
    for wrong in (
        {**plain, "authData.bin": b""}, {**with_passkey, RECORD: b"{}"},
        {name: data for name, data in plain.items() if name != "sig.der"}, {},
    ):  # fmt: skip
        with pytest.raises(PasskeyError, match="a signature has the files"):
            PersonalSignature.from_files(wrong)


@pytest.mark.parametrize("kind", ["enrolled", "revoked"])
def test_a_stream_that_mixes_the_kinds_of_a_key_is_refused(kind: str) -> None:
    type_, data = BOLOT.enrolment
    first = Event.parse(event_body(BOLOT.stream, 1, None, kind=type_, data=data, actor=BOLOT.actor))
    wrong = event_body(BOLOT.stream, 2, first.hash, kind=f"accounts:passkey:{kind}", data=data, actor=BOLOT.actor)
    second = Event.parse(wrong)
    with pytest.raises(PasskeyError, match=r"enrolled twice|was not enrolled"):
        signer_keys([first, second], {first.hash: 1, second.hash: 2})

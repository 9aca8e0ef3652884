"""Agreements of two phones: the vectors of docs/spec/agreement.md, and that bad input is refused and no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.agreement import Answer, Offer, check_event, check_pair, parse, parse_answer, parse_offer
from casemgmt.trust.errors import AgreementError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import PublicKey, from_base64url
from tests.trust.phones import SignedRecord, from_qr, qr_lines
from tests.trust.vectors import vectors

VECTORS = vectors("agreement.json")
SIGNED = VECTORS["signed"][0]


def halves(case: dict[str, Any]) -> tuple[SignedRecord, SignedRecord]:
    found = [
        SignedRecord(half["record"].encode(), from_base64url(half["signature"]), from_base64url(half["spki"]))
        for half in (case["offer"], case["answer"])
    ]
    return found[0], found[1]


def check(case: dict[str, Any]) -> tuple[Offer, Answer]:
    first, second = halves(case)
    offer, answer = parse_offer(first.body), parse_answer(second.body)
    check_pair(offer, answer)
    offer.check_signature(first.signature, PublicKey(first.spki))
    answer.check_signature(second.signature, PublicKey(second.spki))
    return offer, answer


def test_it_reads_and_checks_the_signed_pair() -> None:
    offer, answer = check(SIGNED)
    assert (offer.sha256, answer.sha256) == (SIGNED["offer"]["sha256"], SIGNED["answer"]["sha256"])
    assert (offer.by.login, answer.by.login, offer.purpose) == ("aida", "nurlan", "storage")
    assert [item.get("decision") for item in answer.items] == ["accepted", "refused"]
    assert offer.items[1].get("after") == "c0ffee00-3d7e-4f0c-9a4b-2f6f5f1f9c01"
    assert (parse(offer.body), parse(answer.body)) == (offer, answer)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_each_named_bad_case_and_says_why(case: dict[str, Any]) -> None:
    with pytest.raises(TrustError) as refused:
        check(case)
    assert case["words"] in str(refused.value)


@pytest.mark.parametrize("half", ["offer", "answer"])
def test_the_entries_made_of_a_record_say_what_it_says(half: str) -> None:
    for entry in SIGNED[f"{half}_entries"]:
        event = Event.parse(entry.encode())
        check_event(SIGNED[half]["record"].encode(), event)
        agreed = entry[entry.index('"agreed":') + 9 :]
        item = agreed[: json.JSONDecoder().raw_decode(agreed)[1]]
        assert item in SIGNED[half]["record"], "the item stands byte for byte in both"


@pytest.mark.parametrize("case", VECTORS["contradicted"], ids=lambda case: str(case["name"]))
def test_an_entry_that_says_something_else_than_its_record_is_seen(case: dict[str, Any]) -> None:
    with pytest.raises(AgreementError) as refused:
        check_event(case["record"].encode(), Event.parse(case["entry"].encode()))
    assert case["words"] in str(refused.value)


def test_one_character_of_a_record_is_enough() -> None:
    first, _ = halves(SIGNED)
    offer = parse_offer(first.body)
    for place in range(len(first.body)):
        changed = bytearray(first.body)
        changed[place] ^= 1
        with pytest.raises(TrustError):
            parse_offer(bytes(changed)).check_signature(first.signature, PublicKey(first.spki))
    offer.check_signature(first.signature, PublicKey(first.spki))


@pytest.mark.parametrize("half", ["offer", "answer"])
def test_the_lines_of_the_codes_hold_the_signed_record_in_any_order(half: str) -> None:
    record = halves(SIGNED)[half == "answer"]
    lines = SIGNED[f"{half}_lines"]
    assert from_qr(lines) == from_qr(lines[::-1]) == record
    assert all(line.isascii() and line == line.upper() and len(line) <= 600 for line in lines)
    assert from_qr(qr_lines(half[0].upper(), record, part=100)) == record
    with pytest.raises(zlib.error):
        assert from_qr(qr_lines("O", record, part=100)[1:]) == record


def test_openssl_alone_checks_a_record(tmp_path: Path, missing_part: Callable[[str], None]) -> None:
    if shutil.which("openssl") is None:
        missing_part("openssl is not here")
    first, _ = halves(SIGNED)
    for name, content in (("record.json", first.body), ("sig.der", first.signature)):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "pub.pem").write_bytes(PublicKey(first.spki).pem)
    said = """set -e
    sha256sum < record.json | cut -c1-64 > statement.txt
    { printf 'evidence-custody-pin-v1\\000'; cat statement.txt; } > signed.bin
    openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -digest sha256 -in signed.bin -sigfile sig.der"""
    subprocess.run(["sh", "-c", said], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "record.json").write_bytes(first.body.replace(b"storage", b"Storage"))
    assert subprocess.run(["sh", "-c", said], cwd=tmp_path, check=False, capture_output=True).returncode != 0


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(half=st.sampled_from(["offer", "answer"]), value=_VALUES, data=st.data())
def test_whatever_stands_in_a_record_is_read_or_refused_and_nothing_else(
    half: str, value: object, data: st.DataObject
) -> None:
    said = json.loads(SIGNED[half]["record"])
    member = data.draw(st.sampled_from([*said, "more"]))
    where = data.draw(st.sampled_from([said, said["by"], said["items"][0]]))
    name = member if where is said else data.draw(st.sampled_from([*where, "more"]))
    where[name] = value
    made = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
    for read in (parse_offer, parse_answer, parse):
        try:
            read(made)
        except TrustError as error:
            assert str(error)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        parse(data)

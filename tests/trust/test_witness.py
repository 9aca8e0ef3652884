import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError, WitnessError
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import COSIGNATURE, NOTE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.witness import MAX_REQUEST, AddCheckpoint, cosignature, monitoring_name, request, size_answer
from tests.trust.vectors import vectors

LOG = SigningKey("ledger.example/2027", NOTE, bytes(32))
POLICE = SigningKey("police.example/witness", COSIGNATURE, bytes(range(32)))
CUSTOMS = SigningKey("customs.example/witness", COSIGNATURE, bytes(range(1, 33)))
TREE = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(23))
SIGNED = Checkpoint(LOG.name, 23, TREE.root()).signed(LOG)


@pytest.mark.parametrize("step", vectors("witness.json")["conversation"], ids=lambda step: str(step["name"]))
def test_every_request_of_the_conversation_is_well_formed_and_written_back_the_same(step: dict[str, str]) -> None:
    assert str(AddCheckpoint.parse(step["request"].encode())) == step["request"]


@pytest.mark.parametrize("case", vectors("witness.json")["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_a_malformed_request(case: dict[str, str]) -> None:
    with pytest.raises(WitnessError):
        AddCheckpoint.parse(case["request"].encode())


def test_what_is_not_utf8_or_too_long_is_refused() -> None:
    good = request(9, TREE.consistency(9), SIGNED, LOG.verifier)
    for body in (b"\xff" + good, good.replace(b"ledger", b"led\xc3ger"), good + b"x" * MAX_REQUEST):
        with pytest.raises(WitnessError):
            AddCheckpoint.parse(body)


@given(st.binary(max_size=40), st.integers(0, 500), st.integers(0, 500))
def test_garbage_spliced_into_a_request_is_refused_or_written_back_the_same(
    garbage: bytes, start: int, length: int
) -> None:
    good = request(9, TREE.consistency(9), SIGNED, LOG.verifier)
    spliced = good[:start] + garbage + good[start + length :]
    try:
        asked = AddCheckpoint.parse(spliced)
    except WitnessError:
        return
    assert str(asked).encode() == spliced


def test_only_the_logs_own_signature_goes_along() -> None:
    cosigned = SIGNED.with_signatures([POLICE.cosign(SIGNED.text, 1_800_000_000)])
    assert AddCheckpoint.parse(request(0, (), cosigned, LOG.verifier)).checkpoint == SIGNED


def test_the_cosignature_is_found_among_others_and_verified() -> None:
    ours, theirs = (key.cosign(SIGNED.text, 1_800_000_000) for key in (POLICE, CUSTOMS))
    answer = _lines(Note(SIGNED.text, (theirs, ours)))
    assert cosignature(answer, SIGNED.text, POLICE.verifier) == ours
    other = Checkpoint(LOG.name, 22, TREE.root(22)).signed(LOG)
    for text, body in (
        (other.text, answer),
        (SIGNED.text, _lines(Note(SIGNED.text, (theirs,)))),
        (SIGNED.text, b""),
        (SIGNED.text, b"\xff"),
        (SIGNED.text, answer[:-1]),
        (SIGNED.text, b"<html>"),
    ):
        with pytest.raises(TrustError):
            cosignature(body, text, POLICE.verifier)


def test_a_size_is_read_with_and_without_its_newline() -> None:
    assert size_answer(b"20852014\n") == size_answer(b"20852014") == 20852014
    for bad in (b"", b"\n", b"5\n\n", b"05\n", b"-1", b"5 ", b"\xff", b"9223372036854775808"):
        with pytest.raises(TrustError):
            size_answer(bad)


def test_a_witness_shows_a_log_under_the_hash_of_its_origin() -> None:
    assert monitoring_name("ledger.example/2027") == vectors("witness.json")["monitoring_name"]


def _lines(note: Note) -> bytes:
    return str(note).removeprefix(note.text + "\n").encode()

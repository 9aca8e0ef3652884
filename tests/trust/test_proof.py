import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import ProofError, TrustError
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import NOTE, SigningKey
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof, pack_hashes, unpack_hashes
from casemgmt.trust.tree import MerkleTree
from tests.trust.vectors import vectors

LOG = SigningKey("ledger.example/2027", NOTE, bytes(32))
POLICY = Policy((LOG.verifier,))
TREE = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(23))
NOTE_OF_23 = Checkpoint(LOG.name, 23, TREE.root()).signed(LOG)


def test_it_verifies_the_example() -> None:
    example = vectors("proof.json")
    proof = Proof.parse(example["proof"])
    accepted = proof.verify(leaf_hash(bytes.fromhex(example["entry"])), Policy.parse(example["policy"]))
    assert (proof.index, accepted.checkpoint.size) == (example["index"], example["size"])
    assert str(proof) == example["proof"]
    with pytest.raises(ProofError):
        proof.verify(leaf_hash(b"another entry"), Policy.parse(example["policy"]))


@pytest.mark.parametrize("case", vectors("proof.json")["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_a_malformed_proof(case: dict[str, str]) -> None:
    with pytest.raises(ProofError):
        Proof.parse(case["proof"])


@pytest.mark.parametrize("index", range(23))
def test_every_entry_proves_only_itself(index: int) -> None:
    proof = Proof(index, tuple(TREE.inclusion(index)), NOTE_OF_23)
    assert proof.verify(leaf_hash(b"entry %d" % index), POLICY).checkpoint.size == 23
    with pytest.raises(ProofError, match="not at index"):
        proof.verify(leaf_hash(b"entry %d" % (index + 1)), POLICY)


@given(st.data())
def test_a_proof_changed_by_one_character_proves_nothing(data: st.DataObject) -> None:
    text = str(Proof(11, tuple(TREE.inclusion(11)), NOTE_OF_23))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[at]))
    with pytest.raises(TrustError):
        Proof.parse(text[:at] + other + text[at + 1 :]).verify(leaf_hash(b"entry 11"), POLICY)


@given(st.text(max_size=40), st.integers(0, 400), st.integers(0, 400))
def test_garbage_spliced_into_a_proof_is_refused_or_written_back_the_same(text: str, start: int, length: int) -> None:
    good = str(Proof(11, tuple(TREE.inclusion(11)), NOTE_OF_23, b"extra"))
    spliced = good[:start] + text + good[start + length :]
    try:
        proof = Proof.parse(spliced)
    except ProofError:
        return
    assert str(proof) == spliced


def test_hashes_are_packed_and_unpacked() -> None:
    hashes = TREE.consistency(9)
    assert unpack_hashes(pack_hashes(hashes)) == hashes
    assert unpack_hashes(b"") == []
    with pytest.raises(ProofError):
        unpack_hashes(bytes(33))

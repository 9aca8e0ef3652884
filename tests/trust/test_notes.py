import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import CheckpointError, NoteError, SignatureInvalidError, TrustError
from casemgmt.trust.hashing import EMPTY_ROOT
from casemgmt.trust.keys import COSIGNATURE, NOTE, Signature, SigningKey, VerifierKey
from casemgmt.trust.note import MAX_SIGNATURES, Note
from tests.trust.vectors import vectors

VECTORS = vectors("notes.json")
LOG = SigningKey("ledger.example/2027", NOTE, bytes(range(32)))
WITNESS = SigningKey("police.example/witness", COSIGNATURE, bytes(range(1, 33)))
CHECKPOINT = Checkpoint(LOG.name, 5, bytes(32))


@pytest.mark.parametrize("case", VECTORS["signed"], ids=lambda case: str(case["name"]))
def test_it_verifies_the_signed_examples(case: dict[str, str]) -> None:
    key = VerifierKey.parse(case["vkey"])
    note = Note.parse(case["note"])
    note.require(key)
    assert str(key) == case["vkey"]
    assert str(note) == case["note"]


def test_it_signs_and_cosigns_exactly_as_the_example_says() -> None:
    example = VECTORS["cosigned"]
    log, witness = SigningKey.parse(example["log_private_key"]), SigningKey.parse(example["witness_private_key"])
    checkpoint = Checkpoint(log.name, example["size"], bytes.fromhex(example["root"]))
    note = checkpoint.signed(log).with_signatures([witness.cosign(checkpoint.body, example["time"])])
    assert str(note) == example["note"]
    assert str(log.verifier) == example["log_vkey"]
    assert str(witness.verifier) == example["witness_vkey"]
    found = Note.parse(example["note"]).signed_by([witness.verifier, log.verifier])
    assert [key for key, _ in found] == [witness.verifier, log.verifier]
    assert found[0][1].time == example["time"]


@pytest.mark.parametrize("case", VECTORS["refused_notes"], ids=lambda case: str(case["name"]))
def test_it_refuses_a_malformed_note(case: dict[str, str]) -> None:
    with pytest.raises(NoteError):
        Note.parse(case["note"])


@pytest.mark.parametrize("text", VECTORS["refused_vkeys"])
def test_it_refuses_a_malformed_verifier_key(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("body", VECTORS["refused_checkpoints"])
def test_it_refuses_a_malformed_checkpoint(body: str) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.parse(body)


def test_a_generated_key_is_read_back_from_its_text_and_never_shown() -> None:
    for kind in (NOTE, COSIGNATURE):
        key = SigningKey.generate("ledger.example/2027", kind)
        assert SigningKey.parse(key.to_text()) == key
        assert key.to_text().startswith("PRIVATE+KEY+ledger.example/2027+")
        assert key.seed.hex() not in repr(key)
        assert repr(key.seed) not in repr(key)
    assert SigningKey.generate("a") != SigningKey.generate("a")


def test_a_private_key_that_cannot_be_read_is_not_repeated_in_the_error() -> None:
    text = LOG.to_text()
    broken = [text[:-1], text.replace("+KEY+ledger", "+KEY+lodger"), text + "=", "", "PRIVATE+KEY+", "PRIVATE+KEY+a+b"]
    for wrong in broken:
        with pytest.raises(NoteError) as refused:
            SigningKey.parse(wrong)
        assert text[-40:-4] not in str(refused.value)


def test_a_key_cannot_be_used_for_the_other_kind_of_signature() -> None:
    with pytest.raises(NoteError):
        WITNESS.sign("text\n")
    with pytest.raises(NoteError):
        LOG.cosign(CHECKPOINT.body, 1)


def test_a_log_cannot_sign_the_checkpoint_of_another_log() -> None:
    with pytest.raises(CheckpointError):
        Checkpoint("other.example/log", 5, bytes(32)).signed(LOG)


def test_a_checkpoint_is_read_back_and_the_empty_tree_has_one_root() -> None:
    assert Checkpoint.parse(CHECKPOINT.body) == CHECKPOINT
    assert Checkpoint.parse(Checkpoint("a", 0, EMPTY_ROOT).body).size == 0
    with pytest.raises(CheckpointError):
        Checkpoint("a", 0, bytes(32))


def test_signatures_by_strangers_are_ignored_but_do_not_help() -> None:
    stranger = SigningKey(LOG.name, NOTE, bytes(32))
    note = Note.parse(str(CHECKPOINT.signed(stranger).with_signatures(CHECKPOINT.signed(LOG).signatures)))
    note.require(LOG.verifier)
    with pytest.raises(SignatureInvalidError):
        CHECKPOINT.signed(stranger).require(LOG.verifier)


def test_one_bad_signature_by_a_known_key_condemns_the_note() -> None:
    good = LOG.sign(CHECKPOINT.body)
    bad = Signature(good.name, good.key_id, bytes(64))
    for signatures in ([good, bad], [bad, good]):
        with pytest.raises(SignatureInvalidError):
            Note(CHECKPOINT.body, tuple(signatures)).require(LOG.verifier)


def test_a_cosignature_is_bound_to_its_time_and_text() -> None:
    signature = WITNESS.cosign(CHECKPOINT.body, 1_800_000_000)
    WITNESS.verifier.verify(CHECKPOINT.body, signature)
    later = Signature(signature.name, signature.key_id, (1_800_000_001).to_bytes(8) + signature.value[8:])
    for text, wrong in (
        (CHECKPOINT.body, later),
        (CHECKPOINT.body.replace("5", "6"), signature),
        (CHECKPOINT.body, Signature(signature.name, signature.key_id, signature.value[:-1])),
        (CHECKPOINT.body, Signature(signature.name, signature.key_id, b"\xff" + signature.value[1:])),
    ):
        with pytest.raises(SignatureInvalidError):
            WITNESS.verifier.verify(text, wrong)


def test_a_note_has_a_limit_of_signatures() -> None:
    signature = LOG.sign(CHECKPOINT.body)
    full = Note(CHECKPOINT.body, (signature,) * MAX_SIGNATURES)
    assert Note.parse(str(full)) == full
    with pytest.raises(NoteError, match="at most"):
        Note.parse(str(full.with_signatures([signature])))


@given(st.data())
def test_a_signed_note_changed_by_one_character_is_not_signed(data: st.DataObject) -> None:
    text = str(CHECKPOINT.signed(LOG))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[at]))
    changed = text[:at] + other + text[at + 1 :]
    with pytest.raises(TrustError):
        Note.parse(changed).require(LOG.verifier)


@given(st.text(alphabet="a\n +=\u2014\u2028AB/\x00", max_size=60) | st.text())
def test_whatever_is_read_as_a_note_or_key_is_written_back_the_same(text: str) -> None:
    for kind in (Note, VerifierKey):
        try:
            parsed = kind.parse(text)
        except NoteError:
            continue
        assert str(parsed) == text

"""A witness that is not sure what it cosigned last does not go on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import COSIGNATURE, NOTE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.witness import monitoring_name
from casemgmt.witness.answering import Witness
from casemgmt.witness.errors import StateError
from casemgmt.witness.keeping import enrol, keeping, make_key, read_key
from tests.witness.conftest import LOG, NOW, REWRITTEN, asking


@pytest.fixture
def checkpoint(directory: Path) -> Path:
    """The state file of a witness that cosigned five entries."""
    with keeping(directory) as keeper:
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(0, 5)).status == 200
    return directory / "logs" / monitoring_name(LOG.name) / "checkpoint"


def refusal(directory: Path) -> str:
    with pytest.raises(StateError) as refused, keeping(directory):
        pass
    return str(refused.value)


def test_the_key_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    key = make_key(tmp_path / "new", "police.example/witness")
    assert stat.S_IMODE((tmp_path / "new" / "key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "new") == key
    with pytest.raises(StateError, match="never overwritten"):
        make_key(tmp_path / "new", "police.example/witness")
    with pytest.raises(StateError, match="no spaces"):
        make_key(tmp_path / "other", "a name")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("", 0o600, "does not hold a key"),
        ("\xff", 0o600, "does not hold a key"),
        (SigningKey.generate("log", NOTE).to_text(), 0o600, "log's key"),
        (SigningKey.generate("w", COSIGNATURE).to_text(), 0o644, "others can read"),
    ],
    ids=["empty", "not text", "a log's", "exposed"],
)
def test_a_key_file_it_must_not_use_is_refused_without_repeating_it(
    directory: Path, content: str, mode: int, words: str
) -> None:
    (directory / "key").write_text(content)
    (directory / "key").chmod(mode)
    told = refusal(directory)
    assert words in told
    assert "PRIVATE" not in told


def test_a_missing_key_is_said(directory: Path) -> None:
    (directory / "key").unlink()
    assert "No such file" in refusal(directory)


def test_two_processes_never_share_a_state(directory: Path) -> None:
    with keeping(directory):
        assert "another process uses" in refusal(directory)
        with pytest.raises(StateError, match="another process"):
            enrol(directory, SigningKey.generate("other.example").verifier, lambda: NOW)


@pytest.mark.parametrize("at", [0, 25, 60, -20])
def test_a_flipped_bit_in_the_state_stops_it(directory: Path, checkpoint: Path, at: int) -> None:
    damaged = bytearray(checkpoint.read_bytes())
    damaged[at] ^= 1
    checkpoint.write_bytes(damaged)
    told = refusal(directory)
    assert "When the state is lost" in told


def test_a_lost_state_is_not_taken_for_a_new_log(directory: Path, checkpoint: Path) -> None:
    checkpoint.unlink()
    assert "must not go on with this key" in refusal(directory)


def test_a_truncated_state_stops_it(directory: Path, checkpoint: Path) -> None:
    checkpoint.write_bytes(b"")
    assert "must not go on with this key" in refusal(directory)


def test_a_checkpoint_it_never_cosigned_stops_it(directory: Path, checkpoint: Path) -> None:
    """Whoever can write the file, but has not the witness's key, cannot make it forget."""
    signed = Checkpoint(LOG.name, 5, REWRITTEN.root(5)).signed(LOG)
    checkpoint.write_text(str(signed))
    assert "that this witness cosigned" in refusal(directory)
    other = SigningKey.generate("police.example/witness", COSIGNATURE)
    checkpoint.write_text(str(signed.with_signatures([other.cosign(signed.text, NOW)])))
    assert "that this witness cosigned" in refusal(directory)


def test_a_state_the_log_did_not_sign_stops_it(directory: Path, checkpoint: Path) -> None:
    note, key = Note.parse(checkpoint.read_text()), read_key(directory)
    checkpoint.write_text(str(Note(note.text, (key.cosign(note.text, NOW),))))
    assert "log's own signature" in refusal(directory)


def test_the_state_of_one_log_does_not_serve_another(directory: Path, checkpoint: Path) -> None:
    enrol(directory, SigningKey.generate("other.example", NOTE).verifier, lambda: NOW)
    other = directory / "logs" / monitoring_name("other.example") / "checkpoint"
    other.write_bytes(checkpoint.read_bytes())
    assert "is not a checkpoint of this log" in refusal(directory)


def test_what_is_left_of_a_cut_write_is_no_state_and_no_harm(directory: Path, checkpoint: Path) -> None:
    checkpoint.with_name("checkpoint.new").write_text("half")
    with keeping(directory) as keeper:
        assert keeper.logs[LOG.name].last.size == 5
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(5, 6)).status == 200


def test_an_enrolment_that_was_cut_off_is_said(directory: Path) -> None:
    (directory / "logs" / f"{'0' * 64}.new").mkdir()
    assert "enrol the log again" in refusal(directory)


def test_a_witness_key_is_not_enrolled_as_a_log(directory: Path) -> None:
    with pytest.raises(StateError, match="witness's key"):
        enrol(directory, SigningKey.generate("w", COSIGNATURE).verifier, lambda: NOW)

"""What a witness answers, in one conversation after another."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

import pytest

from casemgmt.trust.keys import NOTE, SigningKey, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.witness import SIZE_TYPE, monitoring_name
from casemgmt.witness.answering import BACKWARDS, Witness
from casemgmt.witness.keeping import Keeper, enrol, keeping
from tests.trust.vectors import vectors
from tests.witness.conftest import LOG, NOW, REWRITTEN, asking

VECTORS = vectors("witness.json")


def test_the_conversation_of_the_specification_goes_as_written(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "key").write_text(VECTORS["witness_private_key"] + "\n")
    (tmp_path / "key").chmod(0o600)
    enrol(tmp_path, VerifierKey.parse(VECTORS["log_vkey"]), lambda: NOW)
    with keeping(tmp_path) as keeper:
        witness = Witness(keeper, lambda: int(VECTORS["time"]))
        for step in VECTORS["conversation"]:
            answer = witness.answer("POST", "/add-checkpoint", step["request"].encode())
            assert answer.status == step["status"], step["name"]
            assert answer.body == step.get("body", answer.body), step["name"]
            assert (answer.content_type == SIZE_TYPE) == (answer.status == 409)
        for case in VECTORS["refused"]:
            assert witness.answer("POST", "/add-checkpoint", case["request"].encode()).status == 400, case["name"]


@pytest.mark.parametrize("old", [1, 2, 3, 64, 255, 256, 299])
def test_it_cosigns_every_growth_and_refuses_the_rewritten_one(directory: Path, old: int) -> None:
    with keeping(directory) as keeper:
        witness = Witness(keeper, lambda: NOW)
        assert witness.answer("POST", "/add-checkpoint", asking(0, old)).status == 200
        rewritten = witness.answer("POST", "/add-checkpoint", asking(old, 300, REWRITTEN))
        assert rewritten.status == (422 if old > 3 else 200)
        if old > 3:
            assert witness.answer("POST", "/add-checkpoint", asking(old, 300)).status == 200


def test_the_answer_is_one_line_by_its_key_and_the_monitor_sees_both_signatures(keeper: Keeper) -> None:
    witness, signed = Witness(keeper, lambda: NOW), asking(0, 7)
    path = f"/{monitoring_name(LOG.name)}/checkpoint"
    assert witness.answer("GET", path, b"").status == 404
    line = witness.answer("POST", "/add-checkpoint", signed).body
    assert line.count("\n") == 1
    shown = Note.parse(witness.answer("GET", path, b"").body)
    assert [key for key, _ in shown.signed_by([LOG.verifier, keeper.key.verifier])] == [
        LOG.verifier, keeper.key.verifier,
    ]  # fmt: skip
    assert str(shown).endswith(line)
    assert witness.answer("GET", f"/{'0' * 64}/checkpoint", b"").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", f"/{monitoring_name(LOG.name)}/checkpoint", 405),
        ("POST", "/", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("POST", "/add-checkpoint/", 404),
        ("GET", "//checkpoint", 404),
        ("GET", f"/{monitoring_name(LOG.name)}/checkpoint/..", 404),
        ("GET", "/../key", 404),
    ],
)
def test_there_is_nothing_else(keeper: Keeper, method: str, path: str, status: int) -> None:
    assert Witness(keeper, lambda: NOW).answer(method, path, b"").status == status


def test_a_second_key_of_the_log_is_believed_once_it_is_enrolled(directory: Path) -> None:
    new = SigningKey.generate(LOG.name, NOTE)
    with keeping(directory) as keeper:
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(0, 5)).status == 200
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(5, 7, log=new)).status == 403
    assert enrol(directory, new.verifier, lambda: NOW) is True
    assert enrol(directory, new.verifier, lambda: NOW) is False
    with keeping(directory) as keeper:
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(5, 7, log=new)).status == 200


def test_a_clock_that_was_set_back_stops_it_and_a_small_step_does_not(keeper: Keeper) -> None:
    now = [NOW]
    witness = Witness(keeper, lambda: now[0])
    assert witness.answer("POST", "/add-checkpoint", asking(0, 5)).status == 200
    now[0] = NOW - BACKWARDS - 1
    refused = witness.answer("POST", "/add-checkpoint", asking(5, 6))
    assert refused.status == 503
    assert "clock of this witness is wrong" in refused.body
    assert keeper.logs[LOG.name].last.size == 5
    now[0] = NOW - BACKWARDS
    assert witness.answer("POST", "/add-checkpoint", asking(5, 6)).status == 200
    assert keeper.last(LOG.name).time == NOW  # never before its own last cosignature


def test_a_clock_that_was_never_set_stops_it(tmp_path: Path, directory: Path) -> None:
    with keeping(directory) as keeper:
        answer = Witness(keeper, lambda: 0).answer("POST", "/add-checkpoint", asking(0, 5))
    assert answer.status == 503
    assert "1970-01-01" in answer.body


def test_a_full_disk_is_said_and_nothing_is_cosigned(keeper: Keeper) -> None:
    """The system itself refuses the write, by a limit on the size of files."""
    witness = Witness(keeper, lambda: NOW)
    assert witness.answer("POST", "/add-checkpoint", asking(0, 5)).status == 200
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        answer = witness.answer("POST", "/add-checkpoint", asking(5, 9))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert answer.status == 503
    assert "cannot write its state" in answer.body
    assert "File too large" in answer.body
    assert keeper.logs[LOG.name].last.size == 5
    path = f"/{monitoring_name(LOG.name)}/checkpoint"
    assert "\n5\n" in witness.answer("GET", path, b"").body
    assert witness.answer("POST", "/add-checkpoint", asking(5, 9)).status == 200


def test_a_folder_that_cannot_be_synced_is_not_answered_from(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file may be there or not: nothing was cosigned, and the log may ask from either size."""
    witness = Witness(keeper, lambda: NOW)
    real, calls = os.fsync, []

    def broken(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:  # the folder, after the rename
            raise OSError(5, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as breaking:
        breaking.setattr("os.fsync", broken)
        assert witness.answer("POST", "/add-checkpoint", asking(0, 5)).status == 503
    assert len(calls) == 2
    assert witness.answer("POST", "/add-checkpoint", asking(0, 5)).status == 200


def test_what_was_answered_is_on_disk_before(directory: Path, tmp_path: Path) -> None:
    with keeping(directory) as keeper:
        assert Witness(keeper, lambda: NOW).answer("POST", "/add-checkpoint", asking(0, 5)).status == 200
        copy = shutil.copytree(directory, tmp_path / "copy")
    with keeping(copy) as later:
        assert later.logs[LOG.name].last.size == 5
        fork = Witness(later, lambda: NOW).answer("POST", "/add-checkpoint", asking(0, 5, REWRITTEN))
        assert (fork.status, fork.body) == (409, "5\n")

"""One data directory, one instance."""

import os
from pathlib import Path

import pytest

from casemgmt.embedded.lock import DataDirectoryInUseError, InstanceLock, read_holder


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with InstanceLock(tmp_path) as lock:
        lock.announce("http://localhost:8000")
        with pytest.raises(DataDirectoryInUseError) as refused, InstanceLock(tmp_path):
            pass
    message = str(refused.value)
    assert f"process {os.getpid()}" in message
    assert "http://localhost:8000" in message
    assert "--data" in message


def test_the_refused_one_does_not_disturb_the_holder(tmp_path: Path) -> None:
    with InstanceLock(tmp_path) as lock:
        lock.announce("http://localhost:8000")
        with pytest.raises(DataDirectoryInUseError), InstanceLock(tmp_path):
            pass
        assert read_holder(tmp_path) == {"pid": os.getpid(), "url": "http://localhost:8000"}
        with pytest.raises(DataDirectoryInUseError), InstanceLock(tmp_path):
            pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with InstanceLock(tmp_path):
            assert read_holder(tmp_path)["pid"] == os.getpid()
        assert read_holder(tmp_path) == {}


def test_a_lock_file_full_of_nonsense_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("[nonsense")
    with InstanceLock(tmp_path):
        assert read_holder(tmp_path) == {"pid": os.getpid()}


def test_the_lock_file_is_private(tmp_path: Path) -> None:
    with InstanceLock(tmp_path):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600

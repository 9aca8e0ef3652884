"""The write-once folder: what is on the disk, and what survives ``kill -9``."""

import hashlib
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casemgmt.storage.contract import NoSpace, StoreUnavailable
from casemgmt.storage.local import LocalStore
from tests.servers import REPOSITORY
from tests.storage.uploads import get, new_key, put

WRITER = Path(__file__).with_name("crash_writer.py")


def test_a_published_file_is_read_only_and_sharded_by_its_last_digits(local_store: LocalStore) -> None:
    key = new_key()
    put(local_store, key, b"evidence")
    path = local_store.root / "objects" / key[-2:] / key
    assert path.read_bytes() == b"evidence"
    assert path.stat().st_mode & 0o777 == 0o444
    assert path.stat().st_nlink == 1
    assert list(local_store.staging.iterdir()) == []


def test_reserved_space_beyond_the_end_is_given_back(local_store: LocalStore) -> None:
    key = new_key()
    put(local_store, key, b"short", length=10 << 20)
    assert local_store.stat(key).size == 5
    assert local_store.path(key).stat().st_blocks * 512 <= 1 << 16


def test_a_killed_upload_does_not_stand_in_the_way_of_its_retry(local_store: LocalStore) -> None:
    key = new_key()
    local_store.create(key).write([b"half"])  # and the process dies
    put(local_store, key, b"whole")
    assert get(local_store, key) == b"whole"


def test_discarding_a_leftover_that_was_already_published_keeps_the_object(local_store: LocalStore) -> None:
    key = new_key()
    put(local_store, key, b"evidence")
    # Killed between link and unlink: both names, one file.
    local_store.staging.joinpath(f"{key}.abc.part").hardlink_to(local_store.path(key))
    (left,) = local_store.leftovers(datetime.now(UTC) + timedelta(minutes=1))
    local_store.discard(left)
    assert get(local_store, key) == b"evidence"


def test_an_unmounted_disk_does_not_look_like_an_empty_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "unmounted")
    for ask in (
        lambda: store.create(new_key()),
        lambda: store.stat(new_key()),
        lambda: store.open(new_key()),
        store.objects,
    ):
        with pytest.raises(StoreUnavailable):
            ask()


def test_a_full_disk_is_said_before_the_first_byte_and_leaves_nothing(local_store: LocalStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(NoSpace):
            local_store.create(new_key(), 2 << 20)
        sink = local_store.create(new_key())
        with pytest.raises(NoSpace):
            sink.write([bytes(2 << 20)])
        sink.abort()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(local_store.staging.iterdir()) == []


def test_the_immutable_flag_is_set_where_it_is_permitted(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", immutable=True)
    store.prepare()
    key = new_key()
    put(store, key, b"evidence")
    path = store.path(key)
    assert get(store, key) == b"evidence"
    try:
        path.unlink()
    except PermissionError:
        subprocess.run(["chattr", "-i", str(path)], check=True)
    else:
        pytest.skip("the immutable flag is not permitted to this account here")


def test_nothing_acknowledged_is_lost_or_wrong_after_kill_9(tmp_path: Path) -> None:
    assert _kill_again_and_again(tmp_path, times=20) > 100


@pytest.mark.long
def test_nothing_acknowledged_is_lost_or_wrong_after_500_times_kill_9(tmp_path: Path) -> None:
    assert _kill_again_and_again(tmp_path, times=500) > 2500


def _kill_again_and_again(folder: Path, times: int) -> int:
    """Returns how many acknowledgements were checked."""
    root, told = folder / "store", folder / "told"
    acknowledged: dict[str, str] = {}
    for _ in range(times):
        with told.open("wb") as output:
            process = subprocess.Popen([sys.executable, str(WRITER), str(root)], stdout=output, cwd=REPOSITORY)
        _wait_for_first_line(told, process)
        time.sleep(random.uniform(0, 0.15))
        process.kill()
        process.wait()
        acknowledged |= dict(line.split() for line in told.read_text().splitlines())

    store = LocalStore(root)
    published: dict[str, int] = {}
    while page := store.objects(list(published)[-1] if published else ""):
        published |= {info.key: info.size for info in page}
    assert acknowledged.keys() <= published.keys()
    for key in published:
        path = store.path(key)
        assert path.stat().st_mode & 0o777 == 0o444
        if key in acknowledged:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == acknowledged[key]
    for left in list(store.leftovers(datetime.now(UTC) + timedelta(minutes=1))):
        store.discard(left)
    assert list(store.staging.iterdir()) == []
    assert all(store.stat(key).size == size for key, size in published.items())
    return len(acknowledged)


def _wait_for_first_line(told: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while not told.stat().st_size:
        assert process.poll() is None, "the writer died by itself"
        assert time.monotonic() < deadline, "the writer stored nothing"
        time.sleep(0.005)

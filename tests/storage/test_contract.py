"""What every store owes, on every store we have."""

import os
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from casemgmt.storage.contract import AlreadyStored, Corrupted, Locked, NotStored, NotSupported, Store
from casemgmt.storage.local import LocalStore
from casemgmt.storage.s3 import S3Store
from tests.storage.uploads import MIB, get, new_key, put

PHOTO = os.urandom(3 * MIB + 17)
VIDEO = os.urandom(19 * MIB + 5)  # three parts on S3


@pytest.mark.parametrize("data", [b"", b"a", PHOTO, VIDEO], ids=["empty", "one-byte", "photo", "video"])
@pytest.mark.parametrize("declared", [True, False])
def test_it_gives_back_what_was_stored(store: Store, data: bytes, declared: bool) -> None:
    key = new_key()
    stored = put(store, key, data, len(data) if declared else None)
    assert (stored.key, stored.size) == (key, len(data))
    assert get(store, key, version=stored.version) == data
    assert store.stat(key, stored.version).size == len(data)


def test_it_reads_any_range(store: Store) -> None:
    key = new_key()
    version = put(store, key, PHOTO).version
    size = len(PHOTO)
    for start, end in [(0, 1), (5, 5), (1, MIB), (MIB, 2 * MIB + 3), (size - 1, size), (size - 9, None), (size, None)]:
        assert get(store, key, start, end, version) == PHOTO[start:end]
    assert get(store, key, size - 3, size + 100, version) == PHOTO[-3:]


def test_it_says_what_is_not_stored(store: Store) -> None:
    with pytest.raises(NotStored):
        store.stat(new_key())
    with pytest.raises(NotStored):
        store.open(new_key())


def test_it_refuses_to_write_a_key_again(store: Store) -> None:
    key = new_key()
    version = put(store, key, b"first").version
    with pytest.raises(AlreadyStored):
        store.create(key, 6)
    assert get(store, key, version=version) == b"first"


@pytest.mark.parametrize("size", [10, 9 * MIB])
@pytest.mark.parametrize("which", ["local_store", "locking_store"])
def test_of_two_racing_uploads_the_second_to_commit_is_refused(
    which: str, size: int, request: pytest.FixtureRequest
) -> None:
    store: Store = request.getfixturevalue(which)
    key = new_key()
    first, second = store.create(key), store.create(key)
    data = os.urandom(size)
    first.write([data])
    second.write([b"z" * size])
    stored = first.commit("", zlib.crc32(data), size)
    with pytest.raises(AlreadyStored):
        second.commit("", zlib.crc32(b"z" * size), size)
    assert get(store, key, version=stored.version) == data


def test_nothing_is_readable_before_commit_or_after_abort(store: Store) -> None:
    key = new_key()
    sink = store.create(key)
    sink.write([VIDEO])
    with pytest.raises(NotStored):
        store.stat(key)
    sink.abort()
    sink.abort()
    with pytest.raises(NotStored):
        store.stat(key)
    assert list(store.leftovers(_later())) == []
    put(store, key, b"another try")


@pytest.mark.parametrize("which", ["local_store", "locking_store"])
def test_a_store_that_checks_refuses_other_bytes_than_were_hashed(which: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(which)
    for data in (b"small", VIDEO):
        key = new_key()
        sink = store.create(key)
        sink.write([data])
        size = len(data) + (1 if isinstance(store, LocalStore) else 0)  # a folder knows the size, S3 the CRC-32
        with pytest.raises(Corrupted):
            sink.commit("", zlib.crc32(data) ^ 1, size)
        with pytest.raises(NotStored):
            store.stat(key)


def test_the_sweeper_finds_what_an_upload_left_behind(store: Store) -> None:
    key, published = new_key(), new_key()
    put(store, published, b"evidence")
    store.create(key).write([VIDEO])  # and the process dies
    assert list(store.leftovers(datetime.now(UTC) - timedelta(hours=1))) == []
    (left,) = store.leftovers(_later())
    assert left.key == key
    store.discard(left)
    store.discard(left)
    assert list(store.leftovers(_later())) == []
    assert get(store, published) == b"evidence"


def test_the_sweeper_sees_every_object_page_by_page(store: Store) -> None:
    keys = {new_key() for _ in range(7)}
    for key in keys:
        put(store, key, b"x")
    seen: list[str] = []
    while page := store.objects(seen[-1] if seen else "", limit=3):
        assert len(page) <= 3
        assert all(info.size == 1 and info.modified.tzinfo for info in page)
        seen += [info.key for info in page]
    assert len(seen) == 7
    assert set(seen) == keys


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 36, "a/b00", "..00", "x" * 80, "ok\n00", "key-zz"])
def test_it_refuses_a_key_that_could_name_something_else(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        store.create(key)


def test_preparing_again_changes_nothing(store: Store) -> None:
    key = new_key()
    put(store, key, b"kept")
    store.prepare()
    assert get(store, key) == b"kept"


@pytest.mark.parametrize("which", ["local_store", "rclone_store"])
def test_a_store_without_locks_says_so(which: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(which)
    assert not (store.capabilities.versions or store.capabilities.retention or store.capabilities.legal_hold)
    key = new_key()
    version = put(store, key, b"evidence").version
    assert version is None
    with pytest.raises(NotSupported):
        store.protect(key, version, _later())
    with pytest.raises(NotSupported):
        store.hold(key, version, on=True)
    assert get(store, key) == b"evidence"


def test_an_object_is_locked_from_its_first_moment_and_then_for_its_own_period(locking_store: S3Store) -> None:
    for data in (b"small", VIDEO):
        key = new_key()
        version = put(locking_store, key, data).version
        assert version
        first = locking_store.stat(key, version).retained_until
        assert first
        assert timedelta(hours=23) < first - datetime.now(UTC) <= timedelta(days=1)
        until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
        locking_store.protect(key, version, until)
        assert locking_store.stat(key, version).retained_until == until
        with pytest.raises(Locked):
            locking_store.protect(key, version, until - timedelta(days=1))


def test_a_legal_hold_is_set_and_lifted(locking_store: S3Store) -> None:
    key = new_key()
    version = put(locking_store, key, b"evidence").version
    assert not locking_store.stat(key, version).held
    locking_store.hold(key, version, on=True)
    assert locking_store.stat(key, version).held
    locking_store.hold(key, version, on=False)
    assert not locking_store.stat(key, version).held


def test_a_version_is_read_even_when_the_name_was_written_over(locking_store: S3Store) -> None:
    key = new_key()
    version = put(locking_store, key, PHOTO).version
    locking_store.http.call("PUT", key, None, b"forged")
    assert get(locking_store, key) == b"forged"
    assert get(locking_store, key, version=version) == PHOTO


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)

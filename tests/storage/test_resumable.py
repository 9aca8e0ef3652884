"""Uploads that outlive their process: on every store, each step in another object of the store's own."""

from __future__ import annotations

import hashlib
import random
import zlib
from datetime import UTC, datetime, timedelta

import pytest

from casemgmt.storage.contract import AlreadyStored, Busy, NotStored, Progress, Store, StoreUnavailable
from casemgmt.storage.local import LocalStore
from casemgmt.storage.s3 import S3Store
from tests.storage.uploads import MIB, get, new_key

DATA = random.Random(7).randbytes(19 * MIB + 12345)
PART = 8 * MIB


def write(resumable: object, data: bytes) -> None:
    for start in range(0, len(data), MIB):
        block = data[start : start + MIB]
        resumable.write([block[:100], block[100:]])  # type: ignore[attr-defined]


def step(store: Store, key: str, progress: Progress, upto: int) -> Progress:
    """Go on to ``upto`` bytes in an opening of its own, and what is to be kept."""
    opened = store.resume(key, len(DATA), progress)
    assert opened.offset == progress.received
    write(opened, DATA[opened.offset : upto])
    opened.save()
    assert opened.offset == upto
    opened.kept()
    opened.close()
    return opened.progress


def commit(store: Store, key: str, progress: Progress, *, crc: bool = True) -> None:
    opened = store.resume(key, len(DATA), progress)
    write(opened, DATA[opened.offset :])
    opened.commit(hashlib.sha256(DATA).hexdigest(), zlib.crc32(DATA) if crc else None, len(DATA))
    opened.close()


@pytest.mark.parametrize(
    "stops", [(), (1,), (100, 101), (5 * MIB,), (PART,), (PART - 1, PART + 1), (3 * MIB, 9 * MIB, 17 * MIB)]
)
@pytest.mark.parametrize("crc", [True, False])
def test_it_goes_on_at_the_exact_byte(store: Store, stops: tuple[int, ...], crc: bool) -> None:
    key, progress = new_key(), Progress()
    for stop in stops:
        progress = step(store, key, progress, stop)
        with pytest.raises(NotStored):
            store.stat(key)
    commit(store, key, progress, crc=crc)
    assert get(store, key, version=store.stat(key).version) == DATA
    with pytest.raises(AlreadyStored):
        store.resume(key, len(DATA), progress)
    assert [found for found in store.leftovers(datetime.now(UTC) + timedelta(days=1)) if found.key == key] == []


def test_what_was_not_saved_is_behind_what_was(store: Store) -> None:
    key = new_key()
    progress = step(store, key, Progress(), 2 * MIB)
    opened = store.resume(key, len(DATA), progress)
    write(opened, DATA[2 * MIB : 10 * MIB])
    now = opened.progress  # what the application keeps between two saves
    opened.close()  # the process ends
    again = store.resume(key, len(DATA), now)
    assert again.offset >= now.received >= progress.received
    write(again, DATA[again.offset :])
    again.commit(hashlib.sha256(DATA).hexdigest(), None, len(DATA))
    again.close()
    assert get(store, key) == DATA


def test_rewinding_forgets_what_this_opening_wrote(store: Store) -> None:
    key = new_key()
    progress = step(store, key, Progress(), 3 * MIB)
    opened = store.resume(key, len(DATA), progress)
    write(opened, b"\0" * (7 * MIB))  # sends a part that is not to be
    opened.rewind()
    assert opened.offset == 3 * MIB
    write(opened, DATA[3 * MIB : 4 * MIB])
    opened.save()
    kept = opened.progress
    opened.kept()
    opened.close()
    commit(store, key, kept)
    assert get(store, key) == DATA


def test_giving_up_leaves_nothing(store: Store) -> None:
    key = new_key()
    progress = step(store, key, Progress(), 9 * MIB)
    assert [found.key for found in store.leftovers(datetime.now(UTC) + timedelta(days=1)) if found.key == key]
    for _ in range(2):
        store.give_up(key, progress)
    assert [found for found in store.leftovers(datetime.now(UTC) + timedelta(days=1)) if found.key == key] == []
    assert key not in [found.key for found in store.objects()]


def test_the_sweeper_can_free_what_nobody_knows_of(store: Store) -> None:
    key = new_key()
    step(store, key, Progress(), 9 * MIB)
    for leftover in list(store.leftovers(datetime.now(UTC) + timedelta(days=1))):
        if leftover.key == key:
            store.discard(leftover)
    assert [found for found in store.leftovers(datetime.now(UTC) + timedelta(days=1)) if found.key == key] == []


def test_a_small_one_is_read_again_before_it_is_published(store: Store) -> None:
    key = new_key()
    progress = step(store, key, Progress(), 3 * MIB)
    opened = store.resume(key, len(DATA), progress)
    again = opened.reread()
    assert again is not None
    assert b"".join(again) == DATA[: 3 * MIB]
    opened.close()
    store.give_up(key, progress)


def test_tails_are_no_objects(rclone_store: S3Store, locking_store: S3Store) -> None:
    for store in (rclone_store, locking_store):
        step(store, new_key(), Progress(), 1000)
        assert store.objects() == []


def test_two_at_once_are_one_too_many(local_store: LocalStore) -> None:
    key = new_key()
    first = local_store.resume(key, 10, Progress())
    with pytest.raises(Busy):
        local_store.resume(key, 10, Progress())
    first.close()
    local_store.resume(key, 10, Progress()).close()


def test_after_a_power_cut_only_what_was_saved_counts(local_store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    progress = step(local_store, key, Progress(), 5000)
    opened = local_store.resume(key, len(DATA), progress)
    opened.write([b"\0" * 100])  # the length came to the disk, the bytes did not
    opened.close()
    same = local_store.resume(key, len(DATA), progress)
    assert same.offset == 5100, "the same start of the machine: these bytes are true"
    same.close()
    monkeypatch.setattr("casemgmt.storage.local_resumable.boot_id", lambda: "another")
    commit(local_store, key, progress)
    assert get(local_store, key) == DATA


def test_fewer_bytes_than_were_acknowledged_are_an_alarm(local_store: LocalStore) -> None:
    key = new_key()
    progress = step(local_store, key, Progress(), 5000)
    local_store.give_up(key, progress)
    with pytest.raises(StoreUnavailable, match="right disk"):
        local_store.resume(key, len(DATA), progress)

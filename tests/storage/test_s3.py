"""Where S3 differs from a folder: answers get lost, servers die, and lie in their own ways."""

import os
import socket
import threading
import time
import zlib

import pytest

from casemgmt.storage.contract import AlreadyStored, StoreError, StoreUnavailable
from casemgmt.storage.s3 import S3Store
from casemgmt.storage.s3_http import Account
from casemgmt.storage.s3_sink import MIB, part_size
from tests.servers import S3Server, free_port
from tests.storage.conftest import fresh_bucket
from tests.storage.proxy import swallowing_proxy
from tests.storage.uploads import get, new_key, put

VIDEO = os.urandom(9 * MIB)


@pytest.mark.parametrize(("data", "request_line"), [(b"small", b"PUT "), (VIDEO, b"POST ")])
def test_a_commit_whose_answer_was_lost_is_still_acknowledged(
    locking_server: S3Server, data: bytes, request_line: bytes
) -> None:
    bucket = fresh_bucket(locking_server).address.rpartition("/")[2]
    with swallowing_proxy(locking_server.endpoint) as proxy:
        store = S3Store(proxy.endpoint, bucket, Account(locking_server.access, locking_server.secret))
        key = new_key()
        sink = store.create(key, len(data))
        sink.write([data])
        proxy.marker, proxy.swallow = request_line, 1
        stored = sink.commit("", zlib.crc32(data), len(data))
        assert proxy.swallow == 0
        assert get(store, key, version=stored.version) == data
        store.close()


def test_somebody_elses_object_is_not_taken_for_ours_when_an_answer_was_lost(locking_server: S3Server) -> None:
    direct = fresh_bucket(locking_server)
    with swallowing_proxy(locking_server.endpoint) as proxy:
        bucket = direct.address.rpartition("/")[2]
        store = S3Store(proxy.endpoint, bucket, Account(locking_server.access, locking_server.secret))
        key = new_key()
        sink = store.create(key)
        sink.write([b"ours"])
        put(direct, key, b"theirs")
        proxy.swallow = 1
        with pytest.raises(AlreadyStored):
            sink.commit("", zlib.crc32(b"ours"), 4)
        assert get(direct, key) == b"theirs"
        store.close()


def test_a_read_that_was_cut_goes_on_where_it_stopped(locking_server: S3Server) -> None:
    direct = fresh_bucket(locking_server)
    key = new_key()
    version = put(direct, key, VIDEO).version
    with swallowing_proxy(locking_server.endpoint) as proxy:
        bucket = direct.address.rpartition("/")[2]
        store = S3Store(proxy.endpoint, bucket, Account(locking_server.access, locking_server.secret))
        proxy.marker, proxy.swallow, proxy.after = b"GET ", 2, 3 * MIB
        assert get(store, key, version=version) == VIDEO
        assert proxy.swallow == 0
        store.close()


def test_a_dead_server_is_reported_at_once_and_a_hung_one_within_a_minute() -> None:
    account = Account("a", "b")
    store = S3Store(f"http://127.0.0.1:{free_port()}", "evidence", account)
    started = time.monotonic()
    for ask in (store.prepare, lambda: store.create(new_key()), lambda: store.stat(new_key()), store.objects):
        with pytest.raises(StoreUnavailable):
            ask()
    assert time.monotonic() - started < 10
    store.close()


@pytest.mark.long
def test_a_server_that_accepts_and_never_answers_frees_the_thread() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        store = S3Store(f"http://127.0.0.1:{mute.getsockname()[1]}", "evidence", Account("a", "b"))
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.stat(new_key())
        assert time.monotonic() - started < 60
        store.close()


def test_a_missing_bucket_is_not_an_empty_store(rclone_server: S3Server) -> None:
    store = S3Store(rclone_server.endpoint, "never-made", Account(rclone_server.access, rclone_server.secret))
    with pytest.raises(StoreUnavailable):
        store.stat(new_key())
    with pytest.raises(StoreUnavailable):
        put(store, new_key(), b"evidence")
    store.close()


def test_wrong_credentials_are_an_error_and_not_an_empty_store(locking_store: S3Store) -> None:
    key = new_key()
    put(locking_store, key, b"evidence")
    bucket = locking_store.address.rpartition("/")[2]
    store = S3Store(locking_store.address.removesuffix(f"/{bucket}"), bucket, Account("test-access", "wrong"))
    with pytest.raises(StoreError):
        store.stat(key)
    with pytest.raises(StoreUnavailable):
        _ = store.objects()
    store.close()


def test_a_secret_stays_out_of_what_is_printed(locking_store: S3Store) -> None:
    assert "wrong" not in repr(Account("access", "wrong"))
    assert "test-secret" not in locking_store.address


def test_a_prefix_keeps_two_stores_of_one_bucket_apart(locking_server: S3Server) -> None:
    store = fresh_bucket(locking_server, prefix="evidence/")
    bucket = store.address.rpartition("/")[2]
    other = S3Store(locking_server.endpoint, bucket, Account(locking_server.access, locking_server.secret), prefix="x/")
    key = new_key()
    put(store, key, b"evidence")
    put(other, key, b"other")
    assert [info.key for info in store.objects()] == [key]
    assert get(store, key) == b"evidence"
    assert store.objects(after=key) == []
    store.close()
    other.close()


def test_slow_readers_do_not_starve_an_upload(locking_store: S3Store) -> None:
    key = new_key()
    version = put(locking_store, key, VIDEO).version
    readers = [locking_store.open(key, version=version) for _ in range(40)]
    for reader in readers:
        reader.read(1)  # and then their clients stop taking data
    done = threading.Thread(target=put, args=(locking_store, new_key(), VIDEO), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()
    for reader in readers:
        reader.close()


def test_the_longest_declared_file_fits_into_ten_thousand_parts() -> None:
    assert part_size(None) == part_size(5 * MIB) == 8 * MIB
    for length in (80_000 * MIB, 80_000 * MIB + 1, 5 << 40):
        assert part_size(length) * 10_000 >= length
        assert part_size(length) % MIB == 0

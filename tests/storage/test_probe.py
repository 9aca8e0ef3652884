"""The doctor's eye: each store is called what it was seen to be."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from casemgmt.storage.contract import Store, StoreUnavailable
from casemgmt.storage.local import LocalStore
from casemgmt.storage.probe import probe
from casemgmt.storage.probe_report import Outcome, Verdict
from casemgmt.storage.s3 import S3Store
from casemgmt.storage.s3_http import Headers, Query
from tests.servers import S3Server, free_port
from tests.storage.conftest import fresh_bucket
from tests.storage.uploads import get, new_key, put


@pytest.mark.parametrize("which", ["local_store", "rclone_store"])
def test_doctor_calls_a_folder_and_a_plain_s3_server_not_locked(which: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(which)
    report = probe(store)
    assert report.verdict is Verdict.NOT_LOCKED
    assert report.legal_hold is Verdict.NOT_LOCKED
    assert str(report).startswith(f"{store.address}: not locked by the store\n")
    assert store.objects() == []


def test_doctor_calls_a_server_with_object_lock_locked(locking_server: S3Server) -> None:
    store = fresh_bucket(locking_server, "COMPLIANCE")
    report = probe(store)
    assert report.verdict is Verdict.LOCKED
    assert str(report).startswith(f"{store.address}: locked by the store\n")
    for code in ("delete-version", "shorten", "shorten-bypass", "delete-bypass", "wrong-checksum", "write-if-absent"):
        assert report.outcome(code) is Outcome.REFUSED
    # Writing and deleting by name are allowed and touch no version.
    assert report.outcome("overwrite") is report.outcome("delete") is Outcome.HARMLESS
    assert report.outcome("control") is Outcome.HAPPENED
    store.close()


def test_doctor_tells_that_this_server_drops_a_legal_hold_with_the_retention(locking_store: S3Store) -> None:
    """versitygw 1.8.0: an expired retention of its own makes a version deletable in spite of a legal hold."""
    report = probe(locking_store)
    assert report.outcome("delete-held") is Outcome.REFUSED
    assert report.outcome("delete-held-after-retention") is Outcome.HAPPENED
    assert report.legal_hold is Verdict.NOT_LOCKED
    assert any("keep extending the retention" in note for note in report.notes)


def test_doctor_does_not_call_a_lock_locked_that_our_own_credentials_lift(locking_store: S3Store) -> None:
    report = probe(locking_store)
    assert report.outcome("delete-bypass") is Outcome.HAPPENED
    assert report.verdict is Verdict.NOT_LOCKED
    assert "these credentials may lift them" in report.because


class Forbidding(S3Store):
    """Credentials that may delete nothing: every refusal comes from the permissions."""

    def __init__(self, store: S3Store) -> None:
        self.__dict__ = store.__dict__
        call = self.http.call

        def refusing(
            method: str,
            key: str = "",
            query: Query | None = None,
            body: bytes | Sequence[bytes | memoryview] | None = None,
            headers: Headers | None = None,
        ) -> object:
            return call("GET" if method == "DELETE" else method, key, query, body, headers)

        self.http.call = refusing  # type: ignore[method-assign, assignment]


def test_doctor_claims_nothing_when_even_an_unprotected_object_could_not_be_deleted(locking_server: S3Server) -> None:
    store = fresh_bucket(locking_server, "COMPLIANCE")
    report = probe(Forbidding(store))
    assert report.outcome("control") is not Outcome.HAPPENED
    assert report.verdict is Verdict.UNCLEAR
    assert "not shown to be locked" in str(report)


def test_doctor_leaves_evidence_alone(store: Store) -> None:
    key = new_key()
    version = put(store, key, b"evidence").version
    probe(store)
    assert get(store, key, version=version) == b"evidence"
    assert [info.key for info in store.objects()] == [key]


def test_doctor_removes_what_an_earlier_run_left(rclone_store: S3Store) -> None:
    rclone_store.http.call("PUT", "probe-0123456789abcdef-0a", None, b"left")
    probe(rclone_store)
    assert rclone_store.objects() == []


def test_doctor_shows_what_the_immutable_flag_is_worth(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", immutable=True)
    store.prepare()
    report = probe(store)
    assert report.verdict is Verdict.NOT_LOCKED
    assert store.objects() == []
    store.close()


def test_doctor_says_nothing_about_a_store_that_is_not_there(tmp_path: Path, locking_server: S3Server) -> None:
    with pytest.raises(StoreUnavailable):
        probe(LocalStore(tmp_path / "unmounted"))
    absent = S3Server(f"http://127.0.0.1:{free_port()}", "a", "b", locking_server.process)
    with pytest.raises(StoreUnavailable):
        fresh_bucket(absent)

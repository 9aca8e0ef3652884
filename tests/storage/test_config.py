"""One line of configuration, and words for the one who wrote it wrongly."""

from pathlib import Path

import pytest

from casemgmt.storage.config import open_store
from casemgmt.storage.local import LocalStore
from casemgmt.storage.s3 import S3Store


def test_it_opens_a_folder() -> None:
    store = open_store("file:///srv/the%20evidence?immutable=1")
    assert isinstance(store, LocalStore)
    assert (store.root, store.immutable) == (Path("/srv/the evidence"), True)


def test_it_opens_a_bucket_over_tls_unless_told_otherwise() -> None:
    store = open_store("s3://s3.example.org:9000/evidence?mode=compliance&prefix=e/", access="a", secret="b")
    assert isinstance(store, S3Store)
    assert (store.address, store.mode, store.prefix) == ("https://s3.example.org:9000/evidence", "COMPLIANCE", "e/")
    plain = open_store("s3://127.0.0.1:9000/evidence?tls=0&region=kg", access="a", secret="b")
    assert plain.address == "http://127.0.0.1:9000/evidence"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("evidence", "a store is file:"),
        ("http://host/bucket", "a store is file:"),
        ("file://relative/path", "absolute"),
        ("file:///x?imutable=1", "unknown option in the store's address: imutable"),
        ("file:///x?immutable=yes", "immutable is 0 or 1"),
        ("s3://host", "s3://host:port/bucket"),
        ("s3://host/a/b", "s3://host:port/bucket"),
        ("s3://host/bucket?mode=strict", "mode is governance or compliance"),
        ("s3://key:secret@host/bucket", "must not hold credentials"),
    ],
)
def test_it_says_what_is_wrong_with_an_address(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_store(url, access="a", secret="b")


def test_it_asks_for_missing_credentials() -> None:
    with pytest.raises(ValueError, match="access key"):
        open_store("s3://host/bucket")

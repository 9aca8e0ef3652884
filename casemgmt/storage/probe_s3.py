"""Trying to break the locks of an S3 server with the credentials the application has."""

import secrets
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from casemgmt.storage.contract import NotStored, StoreError, StoreUnavailable
from casemgmt.storage.probe_report import Attempt, Outcome, Report, Verdict
from casemgmt.storage.s3 import S3Store
from casemgmt.storage.s3_http import checksum, elements

BYTES = b"A probe of the evidence store. It may be removed.\n"
PREFIX = "probe-"
LOCKED_FOR = timedelta(seconds=120)
BRIEFLY = timedelta(seconds=3)
NOTES = {
    "delete-held": "a legal hold alone protects nothing here",
    "delete-held-after-retention": (
        "a legal hold protects nothing once the file's own retention has ended: "
        "keep extending the retention of held files"
    ),
    "lift-hold": "these credentials may lift a legal hold",
    "write-if-absent": "the server ignores If-None-Match: of two racing uploads of one key the later would win",
    "wrong-checksum": "the server does not check CRC-32: only re-reading finds bytes damaged on their way",
}


class S3Probe:
    """One run. The *protected* object, under retention for two minutes, is attacked. The *brief* one is under a legal
    hold and a retention of seconds, the *held* one under a legal hold alone. In the end the brief one is deleted with
    nothing left to protect it: if that is refused too, refusals tell of permissions and nothing of locks."""

    def __init__(self, store: S3Store) -> None:
        self._store, self._http = store, store.http
        self._has_lock = store.capabilities.retention
        run = secrets.token_hex(8)
        self._protected, self._brief, self._held, self._spoilt = (f"{PREFIX}{run}-0{part}" for part in "abcd")
        self._version: str | None = None
        self._attempts: list[Attempt] = []

    def run(self) -> Report:
        self._remove_probes()
        try:
            self._attack_writing()
            if self._has_lock:
                self._attack_lock()
            else:
                self._try("overwrite", "overwrite the object", lambda: self._put(self._protected, b"other"))
                self._try("delete", "delete the object", lambda: self._delete(self._protected))
        finally:
            left = self._remove_probes()
        verdict, because = self._judge_retention()
        return Report(
            self._store.address,
            verdict,
            because,
            tuple(self._attempts),
            self._judge_holds(),
            tuple(self._notes(left)),
        )

    # -- the attempts

    def _attack_writing(self) -> None:
        self._version = self._put(self._protected, BYTES, period=LOCKED_FOR)
        self._try("write-again", "write under the same key through the application", self._write_again)
        self._try(
            "write-if-absent",
            "write under the same key, asking the server to refuse",
            lambda: self._put(self._protected, b"other", {"If-None-Match": "*"}),
            done=lambda: self._newest() != BYTES,
        )
        self._try(
            "wrong-checksum",
            "store bytes that do not match their CRC-32",
            lambda: self._put(self._spoilt, BYTES, {"x-amz-checksum-crc32": checksum(zlib.crc32(BYTES) ^ 1)}),
            done=lambda: self._exists(self._spoilt),
        )

    def _attack_lock(self) -> None:
        brief = self._put(self._brief, BYTES)
        held = self._put(self._held, BYTES, period=None)
        self._store.hold(self._brief, brief, on=True)
        self._store.hold(self._held, held, on=True)
        brief_ended = self._server_time() + BRIEFLY + timedelta(seconds=1)

        protected, version = self._protected, self._version
        self._try("overwrite", "overwrite the protected object", lambda: self._put(protected, b"other"))
        self._try("delete", "delete the protected object by its name", lambda: self._delete(protected))
        self._try("delete-version", "delete the protected version", lambda: self._delete(protected, version))
        self._try_to_shorten("shorten", "shorten the retention", bypass=False)
        if self._store.mode == "COMPLIANCE":
            self._try_to_shorten("shorten-bypass", "shorten it, claiming the bypass permission", bypass=True)
        self._try(
            "delete-bypass",
            "delete the protected version, claiming the bypass permission",
            lambda: self._delete(protected, version, bypass=True),
        )
        self._try_to_remove("delete-held", "delete a version under a legal hold alone", self._held, held)

        while self._server_time() < brief_ended:
            time.sleep(0.5)
        what = "delete a version under a legal hold whose retention has ended"
        self._try_to_remove("delete-held-after-retention", what, self._brief, brief)
        if self._exists(self._brief, brief):
            self._try(
                "lift-hold",
                "lift the legal hold",
                lambda: self._store.hold(self._brief, brief, on=False),
                done=lambda: self._store.stat(self._brief, brief).held is not True,
            )
        what = "delete a version that nothing protects any more (this should happen)"
        self._try_to_remove("control", what, self._brief, brief)

    # -- the verdict

    def outcome(self, code: str) -> Outcome | None:
        return next((attempt.outcome for attempt in self._attempts if attempt.code == code), None)

    def _judge_retention(self) -> tuple[Verdict, str]:
        if not self._has_lock:
            return Verdict.NOT_LOCKED, "The bucket has no Object Lock: whoever has the credentials can remove objects."
        must_not = ["overwrite", "delete", "delete-version", "shorten"]
        if self._store.mode == "COMPLIANCE":
            must_not.append("shorten-bypass")
        broken = [a.what for a in self._attempts if a.code in must_not and a.outcome is Outcome.HAPPENED]
        if broken:
            return Verdict.NOT_LOCKED, f"The server accepted a lock and yet let us {'; '.join(broken)}."
        if self.outcome("delete-bypass") is Outcome.HAPPENED:
            return Verdict.NOT_LOCKED, (
                f"The server keeps {self._store.mode} locks, and these credentials may lift them: a protected version "
                "was deleted. Take the bypass permission from the application's account, or use mode=compliance."
            )
        if self.outcome("control") is not Outcome.HAPPENED:
            return Verdict.UNCLEAR, (
                "Nothing could be deleted, but neither could a version that nothing protects: the refusals may come "
                "from missing permissions. Run this once with credentials that may delete versions."
            )
        return Verdict.LOCKED, f"Protected versions survived every attempt (retention mode {self._store.mode})."

    def _judge_holds(self) -> Verdict:
        refusals = {self.outcome("delete-held"), self.outcome("delete-held-after-retention")}
        if refusals != {Outcome.REFUSED}:
            return Verdict.NOT_LOCKED
        return Verdict.LOCKED if self.outcome("control") is Outcome.HAPPENED else Verdict.UNCLEAR

    def _notes(self, left: int) -> list[str]:
        happened = {attempt.code for attempt in self._attempts if attempt.outcome is Outcome.HAPPENED}
        notes = [words for code, words in NOTES.items() if code in happened]
        if urlsplit(self._store.address).scheme == "http":
            notes.append("the connection is not encrypted")
        if left:
            notes.append(f"{left} probe versions of a few bytes stay until unlocked; the next run removes them")
        return notes

    # -- the means

    def _try(self, code: str, what: str, act: Callable[[], object], done: Callable[[], bool] | None = None) -> None:
        """``done`` looks whether it came to pass; without one: whether the protected bytes are gone."""
        refusal: StoreError | None = None
        try:
            act()
        except StoreUnavailable:
            raise
        except StoreError as error:
            refusal = error
        came_to_pass = (done or self._is_broken)()
        yes = Outcome.HAPPENED if came_to_pass else Outcome.HARMLESS
        outcome = Outcome.REFUSED if refusal and not came_to_pass else yes
        self._attempts.append(Attempt(code, what, outcome, str(refusal or "").partition(": ")[2]))

    def _try_to_remove(self, code: str, what: str, key: str, version: str | None) -> None:
        self._try(code, what, lambda: self._delete(key, version), done=lambda: not self._exists(key, version))

    def _try_to_shorten(self, code: str, what: str, *, bypass: bool) -> None:
        soon = self._server_time() + timedelta(seconds=20)

        def act() -> None:
            self._store.set_retention(self._protected, self._version, self._store.mode, soon, bypass=bypass)

        def shortened() -> bool:
            until = self._store.stat(self._protected, self._version).retained_until
            return until is None or until <= soon

        self._try(code, what, act, shortened)

    def _is_broken(self) -> bool:
        try:
            with self._store.open(self._protected, version=self._version) as reader:
                return reader.read(1024) != BYTES
        except NotStored:
            return True

    def _newest(self) -> bytes:
        with self._store.open(self._protected) as reader:
            return reader.read(1024)

    def _exists(self, key: str, version: str | None = None) -> bool:
        try:
            self._store.stat(key, version)
        except NotStored:
            return False
        return True

    def _write_again(self) -> None:
        self._store.create(self._protected).abort()

    def _put(
        self, key: str, data: bytes, headers: dict[str, str] | None = None, period: timedelta | None = BRIEFLY
    ) -> str | None:
        # Its own period, or the bucket's default one would keep every probe for days.
        lock = self._store.lock_headers(self._server_time() + period) if self._has_lock and period else {}
        all_headers = {"x-amz-checksum-crc32": checksum(zlib.crc32(data)), **lock, **(headers or {})}
        return self._http.call("PUT", self._store.name(key), None, data, all_headers).headers.get("x-amz-version-id")

    def _delete(self, key: str, version: str | None = None, *, bypass: bool = False) -> None:
        query = {"versionId": version} if version else {}
        headers = {"x-amz-bypass-governance-retention": "true"} if bypass else {}
        self._http.call("DELETE", self._store.name(key), query, headers=headers)

    def _server_time(self) -> datetime:
        """The server's clock decides when a retention has ended, not ours."""
        date = self._http.call("HEAD").headers.get("Date")
        return parsedate_to_datetime(date).astimezone(UTC) if date else datetime.now(UTC)

    def _remove_probes(self) -> int:
        """Removes what this and earlier runs left, as far as the locks have ended; returns how many stay."""
        if not self._store.capabilities.versions:
            for info in self._store.objects():
                if info.key.startswith(PREFIX):
                    self._delete(info.key)
            return 0
        query = {"versions": "", "prefix": f"{self._store.prefix}{PREFIX}"}
        listing = elements(self._http.call("GET", "", query).data)
        left = 0
        for item in [*listing.findall("Version"), *listing.findall("DeleteMarker")]:
            key, version = item.findtext("Key", "").removeprefix(self._store.prefix), item.findtext("VersionId")
            with suppress(StoreError):
                self._store.hold(key, version, on=False)
            try:
                self._delete(key, version)
            except StoreError:
                left += 1
        return left

"""Takes a good package apart, spoils it, covers the tracks, and has it verified."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

from casemgmt.trust.manifest import write_manifest
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.findings import Outcome
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.report import Report
from casemgmt.trust.verify.steps import verify_package
from tests.trust.factory import NAME, Draft, archive, inline

OPENSSL = OpenSsl.found()
TAG_MANIFEST = "tagmanifest-sha256.txt"


def verify(data: bytes, brought: Brought | None = None, *, openssl: OpenSsl | None = OPENSSL) -> Report:
    return verify_package(io.BytesIO(data), brought, threads=1, openssl=openssl)


def failed(report: Report) -> list[int]:
    return report.numbers(Outcome.FAILED)


def finding(report: Report, number: int) -> str:
    return report.steps[number - 1].finding


def files_of(package: Draft) -> dict[str, bytes]:
    entries = package.entries()
    return {
        e.path.removeprefix(NAME + "/"): e.source if isinstance(e.source, bytes) else package.contents[e.source]
        for e in entries
    }


def laid_out(files: dict[str, bytes]) -> bytes:
    return archive([inline(f"{NAME}/{path}", data) for path, data in files.items()], {})


def repacked(good: dict[str, bytes], change: Callable[[dict[str, bytes]], object]) -> Report:
    """The report on a package whose files were changed and whose archive was laid out anew, CRCs and all."""
    files = dict(good)
    change(files)
    return verify(laid_out(files))


def relisted(files: dict[str, bytes]) -> None:
    """Makes both manifests fit the files again, as someone covering their tracks would."""
    payload = {path: hashlib.sha256(data).hexdigest() for path, data in files.items() if path.startswith("data/")}
    files["manifest-sha256.txt"] = write_manifest(payload)
    tags = {
        path: hashlib.sha256(data).hexdigest()
        for path, data in files.items()
        if path not in payload and not path.startswith(TAG_MANIFEST)
    }
    files[TAG_MANIFEST] = write_manifest(tags)

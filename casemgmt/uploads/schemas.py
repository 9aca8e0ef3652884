"""What is said of an upload when it begins, and what is kept of it while it is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from casemgmt.evidence.schemas import NewFile
from casemgmt.storage.contract import Part, Progress

State = Literal["receiving", "stored", "refused", "removed", "expired"]


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """``metadata`` is the header as it came; ``file.size`` is the announced length."""

    file: NewFile
    metadata: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A row of evidence.upload. ``file_id``: the file it became; then ``state`` is ``stored`` whatever the row says."""

    id: int
    file: NewFile
    size: int
    metadata: str
    object_key: str
    state: State
    reason: str | None
    head: bytes
    progress: Progress
    expires_at: datetime
    file_id: int | None

    @property
    def offset(self) -> int:
        """As it was acknowledged; more may be staged."""
        return self.size if self.state == "stored" else self.progress.received


def from_row(row: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> Upload:
    sha256: bytes | None = row["declared_sha256"]
    file = NewFile(
        client_id=UUID(str(row["client_id"])), seizure_id=row["seizure_id"], exhibit_id=row["exhibit_id"],
        kind=row["kind"], name=row["name"], declared_type=row["declared_type"],
        declared_sha256=sha256.hex() if sha256 else None,
        size=row["size"], device_at=row["device_at"], latitude=row["latitude"], longitude=row["longitude"],
        accuracy_m=row["accuracy_m"], shows=row["shows"],
    )  # fmt: skip
    staging = msgspec.json.decode(row["staging"], type=dict[str, Any])
    progress = Progress(
        received=row["received"], parts=tuple(Part(part["etag"], part["crc32"]) for part in parts), **staging
    )
    return Upload(
        row["id"], file, row["size"], row["metadata"], row["object_key"],
        "stored" if row["file_id"] is not None else row["state"], row["reason"], row["head"], progress,
        row["expires_at"], row["file_id"],
    )  # fmt: skip


def staging_of(progress: Progress) -> str:
    """All of it but the parts and the offset, which have rows and columns of their own."""
    fields = {
        "boot": progress.boot, "upload": progress.upload, "mark": progress.mark, "tail": progress.tail,
        "tail_name": progress.tail_name, "tail_version": progress.tail_version,
    }  # fmt: skip
    return msgspec.json.encode(fields).decode()

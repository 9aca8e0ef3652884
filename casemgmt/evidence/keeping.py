"""The transaction that makes stored bytes evidence: the file's row and its event, in two statements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from casemgmt.core import events, sniff
from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.events import Head
from casemgmt.core.ingest import Ingested
from casemgmt.evidence import rules
from casemgmt.evidence.models import File
from casemgmt.evidence.places import Place
from casemgmt.evidence.schemas import NewFile

_COLUMNS = tuple(column.name for column in File.__table__.columns)
# The place is read again, as it is now, and the head of the seizure's stream is locked last: others wait for no more
# than our event.
_KEEP = f"""
with place as (select * from evidence.place($1, $2)),
kept as (
  insert into evidence.file(seizure_id, exhibit_id, agency_id, unit_id, ntk, client_id, kind, object_key, store_version,
    original_name, media_type, declared_type, size, sha256, crc32, hash_declared, device_at, latitude, longitude,
    accuracy_m, retained_until, shows)
  select seizure_id, $2, agency_id, unit_id, ntk, $3::uuid, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
    $10::bigint, $11::bytea, $12::bigint, $13::boolean, $14::timestamptz, $15::numeric, $16::numeric, $17::numeric,
    $18::timestamptz, $19::text
  from place
  on conflict (received_by, client_id) do nothing
  returning {", ".join(_COLUMNS)})
select kept.*, place.seizure, place.exhibit, place.holder_id, place.offered_to, head.seq, head.hash
from kept cross join place cross join lateral ledger.head('seizure:' || place.seizure) head
"""  # noqa: S608 - the columns of our own table


async def keep(
    database: Database, actor: Actor, data: NewFile, ingested: Ingested, retained_until: datetime | None
) -> File | None:
    """Write the row and its event. None, and nothing written, when the record is out of the actor's sight by now or
    the same ``client_id`` was first. Raises Forbidden when the actor may not add to it any more."""
    stored = ingested.stored
    async with database.begin_raw(actor) as connection:
        row = await connection.fetchrow(
            _KEEP, data.seizure_id, data.exhibit_id, data.client_id, data.kind, stored.key, stored.version,
            rules.display_name(data.name), sniff.sniff(ingested.head).name, rules.declared_type(data.declared_type),
            stored.size, bytes.fromhex(stored.sha256), stored.crc32, data.declared_sha256 is not None, data.device_at,
            data.latitude, data.longitude, data.accuracy_m, retained_until, data.shows,
        )  # fmt: skip
        if row is None:
            return None
        found: Mapping[str, Any] = dict(row)
        place = msgspec.convert(found, Place)
        place.check_may_add(actor)
        file = File(**{name: found[name] for name in _COLUMNS})
        await events.follow(
            connection, actor, "evidence:file:received", f"seizure:{place.seizure}", Head(row["seq"], row["hash"]),
            _received(file, place), seizure_id=place.seizure_id,
        )  # fmt: skip
        return file


def _received(file: File, place: Place) -> dict[str, object]:
    return {
        "file": file.object_key,
        "seizure": place.seizure,
        "exhibit": place.exhibit,
        "name": file.original_name,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256.hex(),
        "hash_declared": file.hash_declared,
        "claimed": {
            "device_at": events.timestamp(file.device_at) if file.device_at else None,
            "latitude": _text(file.latitude),
            "longitude": _text(file.longitude),
            "accuracy_m": _text(file.accuracy_m),
            **({"shows": file.shows} if file.shows else {}),
        },
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""What must not exist after a crash: one half of something whose other half is missing."""

from __future__ import annotations

import hashlib
from typing import Any

import asyncpg

from casemgmt.storage.contract import NotStored
from casemgmt.storage.local import LocalStore

_HALVES = {
    "a file without its event": """
        select f.object_key from evidence.file f where not exists (
          select from ledger.entry e where e.seizure_id = f.seizure_id and e.type = 'evidence:file:received'
             and convert_from(e.body, 'UTF8')::jsonb #>> '{data,file}' = f.object_key)""",
    "an event without its file": """
        select e.stream || '/' || e.stream_seq from ledger.entry e
         where e.type = 'evidence:file:received' and not exists (
          select from evidence.file f where f.object_key = convert_from(e.body, 'UTF8')::jsonb #>> '{data,file}')""",
    "a seizure without its event": """
        select s.number from seizures.seizure s where not exists (
          select from ledger.entry e
           where e.stream = 'seizure:' || s.number and e.type = 'seizures:seizure:registered')""",
    "a seizure without exhibits": """
        select s.number from seizures.seizure s where not exists (
          select from exhibits.exhibit e where e.seizure_id = s.id)""",
    "an exhibit nobody can search for": """
        select e.number from exhibits.exhibit e where not exists (
          select from access.exhibit_text t where t.exhibit_id = e.id)""",
    "an exhibit that does not stand where its last event left it": """
        select e.number from exhibits.exhibit e where not exists (
          select from custody.event c where c.exhibit_id = e.id and (c.seq, c.hash) = (e.last_seq, e.last_hash)
             and c.seq = (select max(x.seq) from custody.event x where x.exhibit_id = e.id))""",
    "a chain with a gap": """
        select e.number || ' at ' || c.seq from exhibits.exhibit e join lateral (
          select x.seq, x.prev, row_number() over w as place, lag(x.hash) over w as before
            from custody.event x where x.exhibit_id = e.id window w as (order by x.seq)) c on true
         where c.seq <> c.place or c.prev is distinct from c.before""",
    "a custody event without its ledger entry": """
        select e.number || ' at ' || c.seq from custody.event c join exhibits.exhibit e on e.id = c.exhibit_id
         where not exists (select from ledger.entry l where l.stream = 'exhibit:' || e.number
           and (l.stream_seq, l.leaf_hash) = (c.seq, c.hash))""",
    "a ledger entry without its custody event": """
        select l.stream || '/' || l.stream_seq from ledger.entry l where l.stream like 'exhibit:%' and not exists (
          select from custody.event c join exhibits.exhibit e on e.id = c.exhibit_id
           where l.stream = 'exhibit:' || e.number and (l.stream_seq, l.leaf_hash) = (c.seq, c.hash))""",
    "a hand-over of nothing": """
        select h.number from custody.handover h where not exists (
          select from custody.handover_item i where i.handover_id = h.id)""",
    "an item of a hand-over that is not where its events are": """
        select e.number from custody.handover_item i join exhibits.exhibit e on e.id = i.exhibit_id
         where i.state is distinct from (select c.kind from custody.event c
           where (c.exhibit_id, c.handover_id) = (i.exhibit_id, i.handover_id) order by c.seq desc limit 1)""",
    "an exhibit on offer to another person than its hand-over says": """
        select e.number from exhibits.exhibit e where e.offered_to is distinct from (
          select i.to_id from custody.handover_item i where i.exhibit_id = e.id and i.state = 'offered')""",
}


async def halves(dba: asyncpg.Connection[Any], store: LocalStore) -> list[str]:
    """Everything half-present in the database and the store, in words; empty when all is whole.

    An object without a row is not listed here: it is nobody's evidence, and the sweeper reports it.
    """
    found = [f"{what}: {row[0]}" for what, sql in _HALVES.items() for row in await dba.fetch(sql)]
    for row in await dba.fetch("select object_key, size, sha256 from evidence.file"):
        try:
            with store.open(row["object_key"]) as reader:
                data = reader.read(row["size"] + 1)
        except NotStored:
            found.append(f"a row without bytes: {row['object_key']}")
        else:
            if hashlib.sha256(data).digest() != row["sha256"]:
                found.append(f"a row with other bytes: {row['object_key']}")
    return found

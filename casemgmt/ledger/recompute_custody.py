"""Custody as the pages read it, held against the entries it was written with.

Rows of ``custody.event`` and the columns of an exhibit that move with them are a copy: whoever changes the copy makes
every page lie and touches no entry. Here each exhibit's entries are read in order, each beside its custody event, and
where the exhibit must stand after the last one is worked out again from their bytes alone. One exhibit's state is in
memory at a time. Not compared: the times ``at`` (the server's clock when the row was written, and when the body was).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from casemgmt.core.events import timestamp
from casemgmt.ledger.findings import ENTRY, MOST_FAULTS, Findings, name
from casemgmt.trust.agreement import check_event
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import leaf_hash

BATCH = 2_000

_CUSTODY = """
with e as (
  select l.id, l.stream, l.stream_seq, l.seizure_id, l.exhibit_id, l.detached, l.recovered, l.body, x.id as exhibit
    from ledger.entry l left join exhibits.exhibit x on x.number = substr(l.stream, 9) where l.stream like 'exhibit:%')
select e.id, e.body, e.detached, e.recovered, g.assertion_id is not null as signed,
       e.seizure_id as of_seizure, e.exhibit_id as of_exhibit,
       coalesce(e.stream, 'exhibit:' || y.number, '') as stream, coalesce(e.stream_seq, c.seq) as stream_seq,
       c.seq, c.exhibit_id as event_exhibit, c.seizure_id as event_seizure, c.kind, c.actor_id, c.from_id, c.to_id,
       c.seal_no as seen_seal, c.seal_state as seen_state, c.reason, c.discrepancy, c.note, c.device_at, c.hash, c.prev,
       w.client_id::text as agreement,
       case when c.kind = 'offered' then w.offer when c.handover_id is not null then w.answer end as record,
       h.number as handover, h.from_id as giver, h.to_id as receiver, h.purpose,
       y.id as exhibit, y.number, y.seizure_id, s.number as seizure, y.seal_no, y.seal_state, y.status, y.holder_id,
       y.offered_to, y.last_seq, y.last_hash
  from e full join custody.event c on c.exhibit_id = e.exhibit and c.seq = e.stream_seq
  left join exhibits.exhibit y on y.id = coalesce(c.exhibit_id, e.exhibit)
  left join seizures.seizure s on s.id = y.seizure_id
  left join custody.handover h on h.id = c.handover_id
  left join custody.signature g on g.exhibit_id = c.exhibit_id and g.seq = c.seq
  left join custody.agreement w on w.id = c.agreement_id
 order by coalesce(e.exhibit, c.exhibit_id), stream, stream_seq"""
_WITHOUT_ENTRY = """
select x.number from exhibits.exhibit x
 where not exists (select from ledger.entry l where l.stream = 'exhibit:' || x.number)
   and not exists (select from custody.event c where c.exhibit_id = x.id) order by x.id limit $1"""
_OTHER_SEIZURE = """
select l.id, l.stream, l.stream_seq from ledger.entry l left join seizures.seizure s on s.id = l.seizure_id
 where l.stream like 'seizure:%' and not l.detached and s.number is distinct from substr(l.stream, 9)
 order by l.id limit $1"""
_STATUS = {"storage": "in_storage", "laboratory": "in_laboratory", "court": "in_court", "return": "returned"}


@dataclass(slots=True)
class _Stand:
    """Where an exhibit stands after the entries read so far."""

    last_seq: int = 0
    last_hash: bytes | None = None
    holder_id: object = None
    offered_to: object = None
    seal_no: object = None
    seal_state: object = "none"
    status: str = "held"
    known: bool = True  # False: an entry could not be read, and only number and hash are known

    def after(self, kind: str, data: Mapping[str, Any]) -> None:
        """One more act, as the functions of custody do it."""
        if kind == "registered":
            self.holder_id = _of(data, "holder", "id")
            self.seal_no = data.get("seal")
            self.seal_state = "intact" if self.seal_no else "none"
        if kind in {"disputed", "resolved"}:  # they say something of the chain and move nothing
            return
        self.offered_to = _of(data, "to", "id") if kind == "offered" else None
        if kind == "accepted":
            self.holder_id = _of(data, "to", "id")
            seen, state = _seal(kind, data)
            self.seal_no = self.seal_no if seen is None else seen
            self.seal_state = self.seal_state if state is None else state
            self.status = _STATUS.get(str(data.get("purpose")), "held")


async def check_custody(connection: asyncpg.Connection[Any], found: Findings) -> None:
    """Every custody event and every exhibit against the entries; what is not sequenced yet as well."""
    last: asyncpg.Record | None = None
    stand = _Stand()
    async for row in connection.cursor(_CUSTODY, prefetch=BATCH):
        if last is None or (row["exhibit"], row["stream"]) != (last["exhibit"], last["stream"]):
            _check_exhibit(last, stand, found)
            stand = _Stand()
        _check_event(row, stand, found)
        last = row
    _check_exhibit(last, stand, found)
    for row in await connection.fetch(_WITHOUT_ENTRY, MOST_FAULTS):
        found.add(f"exhibit {row['number']} is in no entry: nobody registered it", by=ENTRY)
    for row in await connection.fetch(_OTHER_SEIZURE, MOST_FAULTS):
        found.add(f"{name(row)} is filed under another seizure than its stream names", by=ENTRY)


def _check_event(row: asyncpg.Record, stand: _Stand, found: Findings) -> None:
    what = f"custody event {row['stream_seq']} of exhibit {row['stream'][8:] or row['event_exhibit']}"
    if row["body"] is None:
        found.add(f"{what} is in no entry", by=ENTRY)
        return
    stand.last_seq, before, stand.last_hash = row["stream_seq"], stand.last_hash, leaf_hash(row["body"])
    try:
        event = Event.parse(row["body"])
    except EventError:  # reported by the pass over the tree
        stand.known = False
        return
    kind = event.type.rpartition(":")[2]
    stand.after(kind, event.data)
    if row["exhibit"] is None:
        # an entry that came back without its records says so; one that names no exhibit is about none
        if not row["detached"] and event.data.get("exhibit") is not None:
            found.add(f"{what} is in the ledger, and there is no such exhibit", by=ENTRY)
        return
    if (row["of_exhibit"], row["of_seizure"]) != (row["exhibit"], row["seizure_id"]):
        found.add(f"{name(row)} is filed under another exhibit or seizure than exhibit {row['number']}", by=ENTRY)
    if kind == "registered" and event.data.get("seizure") != row["seizure"]:
        found.add(f"exhibit {row['number']} was registered with another seizure than {row['seizure']}", by=ENTRY)
    if row["seq"] is None:
        found.add(f"{what} is in the ledger and missing in custody", by=ENTRY)
        return
    wrong = _different(_as_written(row, kind), _as_said(event, kind, stand.last_hash, before, row))
    if wrong:
        found.add(f"{what} says something else than its entry: {wrong}", by=ENTRY)
    by_key = _of(event.data, "signature", "means") in ("passkey", "pin")
    if row["signed"] and not by_key:
        found.add(f"{what} has a signature, and its entry says that it has none", by=ENTRY)
    elif by_key and not row["signed"] and not row["recovered"]:
        found.add(f"the signature of {what} is gone", by=ENTRY)
    if row["record"] is not None:
        try:
            check_event(row["record"], event)
        except TrustError as error:
            found.add(f"{what} is not what was agreed without a network: {error}", by=ENTRY)


def _as_written(row: asyncpg.Record, kind: str) -> dict[str, object]:
    written = {
        "kind": row["kind"], "actor": row["actor_id"], "seizure": row["event_seizure"], "hash": row["hash"],
        "hash before": row["prev"], "to": row["to_id"], "seal": row["seen_seal"], "seal state": row["seen_state"],
    }  # fmt: skip
    if kind != "registered":
        written |= {
            "agreement": row["agreement"], "from": row["from_id"], "reason": row["reason"] or None,
            "discrepancy": row["discrepancy"] or None,
            "note": row["note"] or None, "device time": row["device_at"] and timestamp(row["device_at"]),
            "hand-over": row["handover"], "giver": row["giver"], "receiver": row["receiver"], "purpose": row["purpose"],
        }  # fmt: skip
    return written


def _as_said(event: Event, kind: str, own: bytes, before: bytes | None, row: asyncpg.Record) -> dict[str, object]:
    data = event.data
    seen, state = _seal(kind, data)
    giver, receiver = _of(data, "from", "id"), _of(data, "to", "id")
    said = {
        "kind": kind, "actor": event.actor.get("id"), "seizure": row["seizure_id"], "hash": own, "hash before": before,
        "to": _of(data, "holder", "id") if kind == "registered" else receiver, "seal": seen, "seal state": state,
    }  # fmt: skip
    reason, note, between = data.get("reason"), data.get("note"), (giver, receiver)
    lost = row["recovered"] and row["agreement"] is None  # an entry that came back, and its agreement did not
    if kind in {"disputed", "resolved"}:
        why = data.get("why")
        reason = _of({"first": why[0]}, "first", "code") if isinstance(why, list) and why else data.get("outcome")
        note, between = data.get("words"), (None, None)
    if kind != "registered":
        said |= {
            "agreement": None if lost else data.get("agreement"), "from": giver, "reason": reason or None,
            "discrepancy": data.get("discrepancy") or None,
            "note": note or None, "device time": data.get("device_at"),
            "hand-over": data.get("handover"), "giver": between[0], "receiver": between[1],
            "purpose": data.get("purpose"),
        }  # fmt: skip
    return said


def _check_exhibit(row: asyncpg.Record | None, stand: _Stand, found: Findings) -> None:
    """``row``: any of the exhibit's; each carries where the exhibit stands."""
    if row is None or row["exhibit"] is None:
        return
    said: dict[str, object] = {"last event": stand.last_seq, "last hash": stand.last_hash}
    written: dict[str, object] = {"last event": row["last_seq"], "last hash": row["last_hash"]}
    if stand.known:
        said |= {
            "holder": stand.holder_id, "offered to": stand.offered_to, "seal": stand.seal_no,
            "seal state": stand.seal_state, "status": stand.status,
        }  # fmt: skip
        written |= {
            "holder": row["holder_id"], "offered to": row["offered_to"], "seal": row["seal_no"],
            "seal state": row["seal_state"], "status": row["status"],
        }  # fmt: skip
    if wrong := _different(written, said):
        found.add(f"exhibit {row['number']} stands elsewhere than after event {stand.last_seq}: {wrong}", by=ENTRY)


def _different(written: Mapping[str, object], said: Mapping[str, object]) -> str:
    return ", ".join(
        f"{what} is {_shown(written[what])}, not {_shown(said[what])}" for what in said if written[what] != said[what]
    )


def _shown(value: object) -> str:
    return "nothing" if value is None else value.hex() if isinstance(value, bytes) else str(value)[:80]


def _seal(kind: str, data: Mapping[str, Any]) -> tuple[object, object]:
    """Number and state as whoever acted read them."""
    if kind == "registered":
        return data.get("seal"), "intact" if data.get("seal") else "none"
    return _of(data, "seal", "giver" if kind == "offered" else "receiver"), _of(data, "seal", "state")


def _of(data: Mapping[str, Any], member: str, inner: str) -> object:
    value = data.get(member)
    return value.get(inner) if isinstance(value, dict) else None

"""Do the witnesses of the policy answer, is the policy the one that was meant, and is what was published still true?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg

from casemgmt.core.formats import format_datetime
from casemgmt.doctor.finding import Finding, fault, good, note
from casemgmt.ledger.standing import STANDING, Witnessed, joined, keys_of, quorum_words
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy

LATE = 300  # seconds between what is signed and what is published that are a fault

_NOW = """
select (select p.text from ledger.policy p order by p.version desc limit 1) as policy,
       (select n.text from ledger.pinned n) as pinned,
       (select x.size from ledger.newest_published() x) as published,
       (select x.note from ledger.newest_published() x) as note,
       (select max(c.size) from ledger.checkpoint c) as signed,
       (select min(c.at) from ledger.checkpoint c
         where c.size > coalesce((select x.size from ledger.newest_published() x), 0)) as waiting_since"""
_UNTOLD = """
select p.version from ledger.policy p left join ledger.entry e on e.id = p.entry_id
 where convert_from(e.body, 'UTF8')::jsonb #>> '{data,policy}' is distinct from p.text order by p.version"""
_NOT_IN_FORCE = """
select convert_from(e.body, 'UTF8')::jsonb #>> '{data,version}' as version
  from ledger.log l join ledger.entry e on e.stream = 'ledger:' || l.origin
 where e.type = 'ledger:policy:changed' and e.stream_seq > coalesce(
   (select x.stream_seq from ledger.policy p join ledger.entry x on x.id = p.entry_id
     order by p.version desc limit 1), 0)
 order by e.stream_seq desc limit 1"""
_ROOT = "select root from ledger.checkpoint where size = $1"


async def examine_witnesses(connection: asyncpg.Connection[Any]) -> AsyncIterator[Finding]:
    """Findings read as the sequencer role."""
    now = await connection.fetchrow(_NOW)
    if now is None or now["signed"] is None:
        return
    if now["pinned"] is not None and now["pinned"] != now["policy"]:
        yield fault(
            "the policy file of this installation is not in force",
            "nothing is published until an administrator has put it in force on the page of the ledger",
        )
    for row in await connection.fetch(_UNTOLD):
        yield fault(f"version {row['version']} of the witness policy is not what the ledger was told", "see its event")
    if (lost := await connection.fetchval(_NOT_IN_FORCE)) is not None:
        yield fault(
            f"the ledger was told of version {lost} of the witness policy, and an older one is in force",
            "the database was restored: an administrator puts the policy in force again, as its event has it",
        )
    if now["policy"] is None or (policy := Policy.parse(now["policy"])).quorum == "none":
        yield note(
            "no witness is asked", "whoever holds the ledger's key could show different people different ledgers"
        )
        return
    rows = await connection.fetch(STANDING.format(keys="$1"), keys_of(policy))
    for witness in joined(policy, rows):
        yield _of(witness)
    words = f"what goes out must be cosigned by {quorum_words(policy)}"
    late = now["waiting_since"] and (datetime.now(UTC) - now["waiting_since"]).total_seconds() > LATE
    if now["published"] is None or late:
        yield fault("nothing is published: too few witnesses have cosigned", words)
        return
    try:
        accepted = policy.accept(Note.parse(now["note"])).checkpoint
    except TrustError as error:
        yield fault("what was published last does not hold", str(error))
        return
    yield await _published(connection, accepted, words)


async def _published(connection: asyncpg.Connection[Any], accepted: Checkpoint, words: str) -> Finding:
    if await connection.fetchval(_ROOT, accepted.size) != accepted.root:
        return fault("the ledger is not the one that was published", f"at {accepted.size} entries the roots differ")
    return good(f"{accepted.size} entries are published, cosigned to the quorum", words)


def _of(witness: Witnessed) -> Finding:
    if witness.alarm:
        told = "" if witness.alarm.told is None else f", naming {witness.alarm.told}"
        return fault(
            f"the witness {witness.name} says that this ledger is not the one it saw",
            f"asked to cosign {witness.alarm.asked} entries it answered {witness.alarm.status}{told}\n"
            "nothing is published; see 'When a witness disputes the ledger' in the administrator's guide",
        )
    last = f"it cosigned {witness.size} entries last" if witness.size is not None else "it has cosigned nothing yet"
    if witness.failing_since:
        since = format_datetime(witness.failing_since)
        return note(f"the witness {witness.name} is silent since {since}", f"{witness.words}: {witness.detail}\n{last}")
    if witness.problem:
        return note(f"the witness {witness.name} {witness.words}", f"{witness.detail}\n{last}")
    return good(f"the witness {witness.name} answers", last)

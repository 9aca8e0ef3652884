"""What happened in a case and to its seizures, in the one order in which it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.models import CaseFile
from casemgmt.cases.sentences import sentence
from casemgmt.core.parts import Moment

PAGE = 50
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the ledger holds it. ``data`` is what its body says; texts in it are people's own words."""

    id: int
    type: str
    at: datetime
    actor: str
    data: dict[str, Any]
    seizure_id: int | None
    exhibit_id: int | None

    def moment(self, href: str | None = None) -> Moment:
        """The entry in the reader's language."""
        said = sentence(self.type, self.data)
        return Moment(self.at, said.text, who=self.actor, kind=said.kind, href=href, detail=said.detail or None)


# Two branches, each along its own index, newest first. An event of another case that names one of these seizures
# belongs to that case's timeline.
_OF_CASE_AND_SEIZURES = text(
    "(select e.id, e.type, e.at, e.body, e.seizure_id, e.exhibit_id from ledger.entry e"
    "  where e.case_id = :case and e.id < :before order by e.id desc limit :most)"
    " union all"
    " (select e.id, e.type, e.at, e.body, e.seizure_id, e.exhibit_id from cases.case_seizure s"
    "  cross join lateral (select * from ledger.entry x where x.seizure_id = s.seizure_id and x.case_id is null"
    "                       and x.id < :before order by x.id desc limit :most) e"
    "  where s.case_id = :case and s.left_at is null order by e.id desc limit :most)"
    " order by id desc limit :most"
)
_OF_CASE = text(
    "select e.id, e.type, e.at, e.body, e.seizure_id, e.exhibit_id from ledger.entry e"
    " where e.case_id = :case and e.id < :before order by e.id desc limit :most"
)


async def entries(
    db: AsyncSession, case: CaseFile, *, with_seizures: bool = True, before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[Entry], bool]:
    """Newest first, and whether there are older ones; ``before`` is the id of the last entry of the page before.

    An event about a seizure that the actor may not see is left out by the policies, like the seizure itself.
    """
    statement = _OF_CASE_AND_SEIZURES if with_seizures else _OF_CASE
    values = {"case": case.id, "before": before or _LAST, "most": limit + 1}
    rows = (await db.execute(statement, values)).all()
    found = []
    for row in rows[:limit]:
        body = msgspec.json.decode(bytes(row.body))
        actor, data = body["actor"]["name"], body["data"]
        found.append(Entry(row.id, row.type, row.at, actor, data, row.seizure_id, row.exhibit_id))
    return found, len(rows) > limit

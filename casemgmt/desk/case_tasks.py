"""What stands between a case and the prosecutor, computed from the records and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.codes import Codes
from casemgmt.core.i18n import gettext, ngettext
from casemgmt.core.parts import Task


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts over the exhibits of the case's visible seizures, each with the first exhibit it counts."""

    exhibits: int
    offered: int
    first_offered: int | None
    seals: int
    first_seal: int | None
    without_photo: int
    first_without_photo: int | None


_FACTS = text(
    "select count(*) exhibits,"
    " count(*) filter (where x.offered) offered, min(x.id) filter (where x.offered) first_offered,"
    " count(*) filter (where x.seal) seals, min(x.id) filter (where x.seal) first_seal,"
    " count(*) filter (where x.bare) without_photo, min(x.id) filter (where x.bare) first_without_photo"
    " from (select e.id, e.offered_to is not null offered,"
    "         e.seal_state in ('damaged', 'missing', 'differs')"
    "         or exists (select from custody.event c where c.exhibit_id = e.id"
    "                     and (c.discrepancy <> '' or c.seal_state in ('damaged', 'missing', 'differs'))) seal,"
    "         not exists (select from evidence.file f where f.exhibit_id = e.id) bare"
    "         from exhibits.exhibit e where e.seizure_id = any(:seizures)) x"
).bindparams(bindparam("seizures", type_=ARRAY(BIGINT)))


async def facts_of(db: AsyncSession, seizure_ids: Sequence[int]) -> Facts:
    return Facts(**(await db.execute(_FACTS, {"seizures": seizure_ids})).one()._mapping)


def tasks(facts: Facts, *, place: str, codes: Codes, referred: bool) -> list[Task]:
    """Blocking ones first, each leading to where it is settled; ``place`` is the case's address."""

    def exhibit(id_: int | None, page: str = "") -> str | None:
        return None if id_ is None else f"/exhibits/{codes.encode('exhibit', id_)}{page}"

    waiting, look, done = gettext("Waiting"), gettext("Look at it"), gettext("Done")
    found = [
        Task(gettext("The case holds seized exhibits"), done, "ok")
        if facts.exhibits
        else Task(gettext("Put a seizure into the case"), gettext("To do"), "bad", f"{place}#add-seizure"),
    ]
    if facts.offered:
        words = ngettext("%(num)s hand-over has no answer", "%(num)s hand-overs have no answer", facts.offered)
        found.append(Task(words, waiting, "bad", exhibit(facts.first_offered)))
    elif facts.exhibits:
        found.append(Task(gettext("Every hand-over is answered"), done, "ok"))
    if facts.seals:
        words = ngettext(
            "%(num)s exhibit with a seal remark or a discrepancy",
            "%(num)s exhibits with a seal remark or a discrepancy",
            facts.seals,
        )
        found.append(Task(words, look, "warn", exhibit(facts.first_seal)))
    elif facts.exhibits:
        found.append(Task(gettext("No seal remarks and no discrepancies"), done, "ok"))
    if facts.without_photo:
        words = ngettext("%(num)s exhibit has no file", "%(num)s exhibits have no file", facts.without_photo)
        found.append(Task(words, gettext("To do"), "warn", exhibit(facts.first_without_photo, "/files")))
    elif facts.exhibits:
        found.append(Task(gettext("Every exhibit has a photograph or file"), done, "ok"))
    found.append(
        Task(gettext("Referred to a prosecutor"), done, "ok", f"{place}/referrals")
        if referred
        else Task(gettext("Refer the case to a prosecutor"), gettext("To do"), "info", f"{place}/referrals")
    )
    order = {"bad": 0, "warn": 1, "info": 2, "ok": 3}
    return sorted(found, key=lambda task: order[task.kind])

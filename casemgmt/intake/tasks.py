"""What a registration still lacks: the list to finish before the end of the shift. Nothing here blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from casemgmt.core.codes import Codes
from casemgmt.core.i18n import N_, PN_, gettext
from casemgmt.core.parts import Task
from casemgmt.exhibits.models import Exhibit
from casemgmt.reference.checklist import Progress
from casemgmt.seizures.models import Participant, Seizure

_MISSING = PN_("task", "Not done yet")
_DONE = PN_("task", "Done")


def tasks(
    codes: Codes,
    seizure: Seizure,
    exhibits: Sequence[Exhibit],
    *,
    people: Sequence[Participant],
    photos: Mapping[int, int],
    corrected: Collection[str],
    checklist: Progress | None = None,
) -> Iterator[Task]:
    """``photos`` counts files by exhibit id; ``corrected`` are fields that were completed later; ``checklist``: how far
    that of an examination is, where there is one."""
    address = f"/seizures/{codes.encode('seizure', seizure.id)}"
    roles = {person.role for person in people}
    for exhibit in exhibits:
        if not photos.get(exhibit.id):
            files = f"/exhibits/{codes.encode('exhibit', exhibit.id)}/files"
            yield _task(N_("Photographs of exhibit %(number)s", number=exhibit.no), done=False, href=files)
        if exhibit.quantity_basis == "not_weighed":
            weigh = f"{address}/correct?field=exhibits"
            yield _task(
                N_("Weigh or count exhibit %(number)s", number=exhibit.no), done="exhibits" in corrected, href=weigh
            )
    if checklist is not None:
        yield _checklist(checklist, f"{address}#checklist")
    yield _task(N_("Person from whom seized"), done="seized_from" in roles, href=f"{address}/people")
    yield _task(N_("Attesting witnesses"), done="attesting_witness" in roles, href=f"{address}/people")
    for field, value, text in (
        ("ground", seizure.ground, N_("Legal ground")),
        ("circumstances", seizure.circumstances, N_("Circumstances")),
    ):
        done = bool(value) or field in corrected
        yield _task(text, done=done, href=f"{address}/correct?field={field}")


def _checklist(progress: Progress, href: str) -> Task:
    shown = gettext("%(shown)s of %(all)s shown", shown=len(progress.shown), all=progress.total)
    done = not progress.missing
    return Task(gettext("Photographs of the examination"), shown, "ok" if done else "warn", None if done else href)


def _task(text: object, *, done: bool, href: str) -> Task:
    return Task(str(text), str(_DONE if done else _MISSING), "ok" if done else "warn", None if done else href)

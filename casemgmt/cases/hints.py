"""What else is known under the containers, plates and other identifiers of a case's seizures.

Only among what the actor may see anyway. The search starts from that and never from what matches, so that neither
the answer nor its time tells of a record that is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.models import CaseFile, CaseSeizure
from casemgmt.reference.fold import KeyKind, search_keys
from casemgmt.seizures.models import Conveyance, Seizure

MOST_KEYS = 30
MOST_HITS = 20  # per identifier


@dataclass(frozen=True, slots=True)
class Hint:
    """Another seizure with the same identifier, and the cases it is in."""

    identifier: str
    seizure: Seizure
    cases: Sequence[CaseFile]


_SAME_KEY = text(
    # chr(1) sorts before everything a key may hold: the range is the key alone
    "select k.key, f.id from unnest(:keys) k(key)"
    " cross join lateral access.find_key(k.key, k.key || chr(1), :most) f(id)"
).bindparams(bindparam("keys", type_=ARRAY(TEXT)))


async def same_identifiers(db: AsyncSession, case: CaseFile, seizures: Sequence[Seizure]) -> Sequence[Hint]:
    """Seizures outside this case that carry an identifier of one of ``seizures``."""
    inside = [seizure.id for seizure in seizures]
    painted = await _identifiers(db, inside)
    if not painted:
        return []
    hits = (await db.execute(_SAME_KEY, {"keys": sorted(painted), "most": MOST_HITS})).all()
    identifier_of = {hit.id: painted[hit.key] for hit in hits if hit.id not in inside}
    if not identifier_of:
        return []
    found = (await db.scalars(select(Seizure).where(Seizure.id.in_(identifier_of)).order_by(Seizure.id))).all()
    cases: dict[int, list[CaseFile]] = {}
    holding = (
        select(CaseSeizure.seizure_id, CaseFile)
        .join(CaseFile, CaseFile.id == CaseSeizure.case_id)
        .where(CaseSeizure.seizure_id.in_(identifier_of), CaseSeizure.left_at.is_(None), CaseFile.id != case.id)
        .order_by(CaseFile.id)
        .limit(200)
    )
    for seizure_id, holder in await db.execute(holding):
        cases.setdefault(seizure_id, []).append(holder)
    return [Hint(identifier_of[seizure.id], seizure, cases.get(seizure.id, [])) for seizure in found]


async def _identifiers(db: AsyncSession, seizure_ids: Sequence[int]) -> dict[str, str]:
    """What is painted on the conveyances of these seizures, by search key."""
    if not seizure_ids:
        return {}
    query = (
        select(Conveyance.identifier)
        .where(Conveyance.seizure_id.in_(seizure_ids), Conveyance.identifier != "")
        .order_by(Conveyance.id)
        .limit(MOST_KEYS)
    )
    keys: dict[str, str] = {}
    for identifier in (await db.scalars(query)).all():
        for kind in (KeyKind.CONTAINER, KeyKind.PLATE):
            keys.update(dict.fromkeys(search_keys(kind, identifier), identifier))
    return dict(list(keys.items())[:MOST_KEYS])

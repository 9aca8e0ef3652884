"""How it stands with each witness of the policy, as the worker wrote it down: for pages, refusals and the doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.formats import format_datetime
from casemgmt.core.i18n import N_, Text, gettext
from casemgmt.ledger.policy import InForce, in_force
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import NO_QUORUM, Policy

# One row a key, in the order given; also run by the worker and the doctor on the driver's own connection.
STANDING = """
select k.vkey, c.size, c.at as cosigned_at, s.failing_since, s.problem, s.detail,
       a.status, a.asked, a.told, a.detail as alarm_detail, a.at as alarmed_at
  from unnest({keys}::text[]) with ordinality k(vkey, no)
  left join lateral (select x.size, x.at from ledger.cosignature x where x.vkey = k.vkey
                      order by x.size desc limit 1) c on true
  left join ledger.witness_state s on s.vkey = k.vkey
  left join lateral (select x.* from ledger.alarm x where x.vkey = k.vkey order by x.id desc limit 1) a
         on not exists (select from ledger.cosignature y where y.vkey = k.vkey and y.at > a.at)
 order by k.no
"""
_STANDING = text(STANDING.format(keys="cast(:keys as text[])"))

PROBLEMS: dict[str, Text] = {
    "unreachable": N_("cannot be reached"),
    "slow": N_("did not answer in time"),
    "unknown-log": N_("does not know this log: its agency has to enrol the log's key"),
    "refused-key": N_("does not accept the log's signature: its agency holds another key of this log"),
    "refused": N_("refused the request"),
    "behind": N_("keeps naming another size"),
    "no-cosignature": N_("answered without a valid cosignature by its key"),
    "clock": N_("cosigned with a time far from ours: one of the two clocks is wrong"),
    "other-history": N_("says that this ledger is not the one it saw"),
}


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """What the witness answered: ``status`` 422, or 409 with ``told``, a larger size than we ever signed."""

    at: datetime
    status: int
    asked: int
    told: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """One witness of the policy. ``size`` is the largest it cosigned; ``alarm`` is open or None."""

    name: str
    key: VerifierKey
    url: str | None
    size: int | None
    cosigned_at: datetime | None
    failing_since: datetime | None
    problem: str | None
    detail: str | None
    alarm: AlarmRaised | None

    @property
    def words(self) -> str:
        """What is wrong, in the reader's language; empty when nothing is."""
        return str(PROBLEMS.get(self.problem, self.problem)) if self.problem else ""


async def standing(db: AsyncSession, force: InForce | None = None) -> list[Witnessed]:
    """Every witness of the policy in force, in its order. Raises NotSequencedYet before the log has a key."""
    policy = (force or await in_force(db)).policy
    rows = await db.execute(_STANDING, {"keys": keys_of(policy)})
    return joined(policy, [row._mapping for row in rows])


def keys_of(policy: Policy) -> list[str]:
    return [str(witness.key) for witness in policy.witnesses.values()]


def joined(policy: Policy, rows: Sequence[Any]) -> list[Witnessed]:
    """The witnesses of the policy with their rows of STANDING."""
    return [
        Witnessed(
            name, witness.key, witness.url, row["size"], row["cosigned_at"], row["failing_since"], row["problem"],
            row["detail"],
            None if row["alarmed_at"] is None
            else AlarmRaised(row["alarmed_at"], row["status"], row["asked"], row["told"], row["alarm_detail"]),
        )
        for (name, witness), row in zip(policy.witnesses.items(), rows, strict=True)
    ]  # fmt: skip


def silent_words(witnesses: Sequence[Witnessed]) -> str:
    """Who is silent since when and why, as one line for a refusal; empty when nobody is."""
    return "; ".join(
        gettext(
            "%(name)s since %(when)s (%(why)s)",
            name=witness.name, when=format_datetime(witness.failing_since), why=witness.words or "?",
        )
        for witness in witnesses
        if witness.failing_since
    )  # fmt: skip


def quorum_words(policy: Policy, name: str | None = None) -> str:
    """``2 of customs, police, prosecution``, with groups inside groups in brackets."""
    name = policy.quorum if name is None else name
    if name == NO_QUORUM:
        return gettext("no witnesses: the log's own signature is enough")
    group = policy.groups.get(name)
    if group is None:
        return name
    inside = [f"({quorum_words(policy, m)})" if m in policy.groups else m for m in group.members]
    if group.threshold == len(inside) > 1:
        return gettext("all of %(names)s", names=", ".join(inside))
    return gettext("%(count)s of %(names)s", count=group.threshold, names=", ".join(inside))

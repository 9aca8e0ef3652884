"""What administrators and auditors are shown of the ledger: its key, the policy, each witness, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.clock import utcnow
from casemgmt.core.i18n import gettext, ngettext
from casemgmt.ledger import policy
from casemgmt.ledger.models import Alarm, Log, PolicyVersion, Verification
from casemgmt.ledger.policy import InForce
from casemgmt.ledger.standing import Witnessed, quorum_words, standing
from casemgmt.trust.keys import VerifierKey

SHOWN = 20  # newest versions and alarms on the page
DEMONSTRATION = ".demonstration/"  # in the names of witnesses that prove nothing

_NOW = text(
    "select (select size from ledger.newest_published()) as published,"
    " (select at from ledger.newest_published()) as published_at,"
    " (select max(size) from ledger.checkpoint) as signed,"
    " (select n.text from ledger.pinned n) as pinned,"
    " ledger.halted() as halted"
)


@dataclass(frozen=True, slots=True)
class Oversight:
    """Everything of one moment. ``pinned`` is the policy file's text where it is not the policy in force."""

    key: VerifierKey
    force: InForce
    witnesses: Sequence[Witnessed]
    published: int | None
    published_at: datetime | None
    signed: int | None
    pinned: str | None
    versions: Sequence[PolicyVersion]
    alarms: Sequence[Alarm]
    verified: Verification | None
    """The last time the whole ledger was recomputed."""
    halted: str | None
    """Why the log has stopped, in words for whoever runs it."""

    @property
    def demonstration(self) -> bool:
        return any(DEMONSTRATION in witness.key.name for witness in self.witnesses)

    @property
    def disputing(self) -> list[Witnessed]:
        return [witness for witness in self.witnesses if witness.alarm]

    @property
    def quorum(self) -> str:
        return quorum_words(self.force.policy)

    @property
    def met(self) -> bool:
        """Would the quorum hold with those that are not silent now?"""
        return self.force.policy.met_by({w.name for w in self.witnesses if not w.failing_since})

    def named(self, vkey: str) -> str:
        """The name the policy has for a key; the key's own for one that left it."""
        names = {str(witness.key): witness.name for witness in self.witnesses}
        return names.get(vkey) or VerifierKey.parse(vkey).name


async def oversight(db: AsyncSession) -> Oversight:
    """Raises NotSequencedYet before the log has a key."""
    force = await policy.in_force(db)
    now = (await db.execute(_NOW)).one()
    versions = select(PolicyVersion).order_by(PolicyVersion.version.desc()).limit(SHOWN)
    alarms = select(Alarm).order_by(Alarm.id.desc()).limit(SHOWN)
    in_force = str(force.policy) if force.version else None
    return Oversight(
        key=VerifierKey.parse((await db.execute(select(Log.vkey))).scalar_one()),
        force=force,
        witnesses=await standing(db, force),
        published=now.published, published_at=now.published_at, signed=now.signed,
        pinned=now.pinned if now.pinned is not None and now.pinned != in_force else None,
        versions=(await db.scalars(versions)).all(),
        alarms=(await db.scalars(alarms)).all(),
        verified=await db.scalar(select(Verification).order_by(Verification.id.desc()).limit(1)),
        halted=now.halted,
    )  # fmt: skip


def age(moment: datetime) -> str:
    """``12 minutes ago``, in the largest unit that fits."""
    seconds = max(0, int((utcnow() - moment).total_seconds()))
    if seconds < 120:
        return ngettext("%(num)s second ago", "%(num)s seconds ago", seconds)
    if seconds < 2 * 3600:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", seconds // 60)
    if seconds < 2 * 86_400:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", seconds // 3600)
    return ngettext("%(num)s day ago", "%(num)s days ago", seconds // 86_400)


def change_words(type_: str, data: dict[str, Any]) -> str:
    """One event of a policy change, as the administrator reads it before confirming."""
    match type_:
        case "ledger:log:enrolled":
            return gettext("The log's key is enrolled: %(key)s", key=data["key"])
        case "ledger:log:revoked":
            return gettext("The log's key is revoked: %(key)s", key=data["key"])
        case "ledger:witness:enrolled":
            return gettext("%(name)s is enrolled as a witness, with %(key)s", name=data["witness"], key=data["key"])
        case "ledger:witness:rotated":
            return gettext(
                "%(name)s has another key: %(key)s in place of %(was)s",
                name=data["witness"], key=data["key"], was=data["was"]["key"],
            )  # fmt: skip
        case _:
            return gettext(
                "%(name)s is a witness no longer; its key was %(key)s", name=data["witness"], key=data["key"]
            )

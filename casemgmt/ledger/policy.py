"""The policy in force: which witnesses must have cosigned before anything goes out, and how that is changed.

Every key that comes, is replaced or goes is an event in the stream ``ledger:<origin>``, and so is the policy as a
whole; they and the new version are one transaction. A file alone changes nothing: see docs/design/witnesses.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_, Text
from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.ledger.models import Log, PolicyVersion
from casemgmt.ledger.queries import entry_id_of
from casemgmt.settings import SettingError
from casemgmt.trust.errors import TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import NO_QUORUM, Policy

LONGEST_REASON = 500
LONGEST = 30_000  # bytes: the event that repeats the policy must fit an entry

_LOCK = text("select seq from ledger.head(:stream)")

Said = tuple[str, dict[str, Any]]  # type and data of an event


@dataclass(frozen=True, slots=True)
class InForce:
    """``version`` is 0 before an administrator has named any witness: this log's word is enough then."""

    version: int
    policy: Policy

    @property
    def witnessed(self) -> bool:
        return self.policy.quorum != NO_QUORUM


async def in_force(db: AsyncSession) -> InForce:
    """Raises NotSequencedYet before the log has a key."""
    row = (await db.scalars(select(PolicyVersion).order_by(PolicyVersion.version.desc()).limit(1))).first()
    if row is not None:
        return InForce(row.version, Policy.parse(row.text))
    return InForce(0, Policy((await _own_key(db),)))


async def change(db: AsyncSession, actor: Actor, given: str, reason: str) -> InForce:
    """Put another policy in force. Raises Forbidden, Invalid with words beside ``policy`` and ``reason``, Conflict."""
    if not actor.holds("administrator"):
        raise Forbidden
    own = await _own_key(db)
    wanted = checked(given, own)
    check_reason(reason)
    stream = f"ledger:{own.name}"
    await db.execute(_LOCK, {"stream": stream})  # one change after another
    old = await in_force(db)
    if str(old.policy) == str(wanted) and old.version:
        raise Invalid({"policy": N_("This is the policy in force already.")})
    new = InForce(old.version + 1, wanted)
    for type_, data in key_events(old.policy if old.version else Policy(()), wanted):
        await events.record(db, actor, type_, stream, {**data, "reason": reason.strip()})
    said = {"version": new.version, "policy": str(wanted), "reason": reason.strip()}
    event = Event.parse(await events.record(db, actor, "ledger:policy:changed", stream, said))
    entry_id = await entry_id_of(db, stream, event.seq)
    row = insert(PolicyVersion).values(version=new.version, text=str(wanted), entry_id=entry_id)
    await db.execute(row)
    return new


def check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= LONGEST_REASON or "\x00" in reason:
        raise Invalid({"reason": N_("Say why, for whoever reads the ledger later, in at most 500 characters.")})


def checked(given: str, own: VerifierKey) -> Policy:
    """The policy as text, when this installation can work under it. Raises Invalid."""
    try:
        if len(given.encode()) > LONGEST:
            raise _refused(N_("A policy is at most 30,000 bytes long."))
        policy = Policy.parse(given.replace("\r\n", "\n").strip("\n") + "\n")
    except (TrustError, UnicodeEncodeError) as error:
        raise _refused(N_("This is not a policy: %(error)s", error=str(error))) from error
    if own not in policy.logs:
        raise _refused(N_("The policy must name this installation's log: log %(key)s", key=str(own)))
    for name, witness in policy.witnesses.items():
        if witness.url is not None and not _is_address(witness.url):
            raise _refused(N_("The address of %(name)s must begin with http:// or https://.", name=name))
    if not policy.met_by({name for name, witness in policy.witnesses.items() if witness.url}):
        raise _refused(N_("The quorum could never be met: too few of its witnesses have an address to ask them at."))
    return policy


def read_file(path: Path, own: VerifierKey) -> Policy:
    """The policy file this installation was given. Raises SettingError."""
    try:
        return checked(path.read_text(encoding="utf-8"), own)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"the policy file {path} cannot be read: {error}") from error
    except Invalid as error:
        raise SettingError(f"the policy file {path}: {error.fields['policy']}") from error


def key_events(old: Policy, new: Policy) -> Iterator[Said]:
    """What has to be told about keys when ``new`` follows ``old``: log keys first, then witnesses by name."""
    for key in old.logs:
        if key not in new.logs:
            yield "ledger:log:revoked", _key(key)
    for key in new.logs:
        if key not in old.logs:
            yield "ledger:log:enrolled", _key(key)
    for name, witness in old.witnesses.items():
        if name not in new.witnesses:
            yield "ledger:witness:revoked", {"witness": name, **_key(witness.key)}
    for name, witness in new.witnesses.items():
        before = old.witnesses.get(name)
        if before is None:
            yield "ledger:witness:enrolled", {"witness": name, **_key(witness.key)}
        elif before.key != witness.key:
            yield "ledger:witness:rotated", {"witness": name, **_key(witness.key), "was": _key(before.key)}


def _key(key: VerifierKey) -> dict[str, str]:
    return {"key": str(key), "sha256": key.fingerprint}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def _refused(words: Text) -> Invalid:
    return Invalid({"policy": words})


async def _own_key(db: AsyncSession) -> VerifierKey:
    vkey = await db.scalar(select(Log.vkey))
    if vkey is None:
        raise NotSequencedYet
    return VerifierKey.parse(vkey)

"""Whose a key is, and when it held: read from the ledger itself (docs/spec/signature.md).

Every person's keys have a stream of their own, ``passkeys:<login>``: one entry for each enrolment and each revocation,
of passkeys and of the keys behind PINs.
A key holds for the entries that stand in the ledger after its enrolment and before its revocation; the order is the
ledger's, not that of any clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from casemgmt.trust.agreement import check_event
from casemgmt.trust.encoding import from_base64, is_hash_hex, shown
from casemgmt.trust.errors import EncodingError, PasskeyError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import ES256, Assertion, Flags, PublicKey, verify
from casemgmt.trust.pin import PinSignature

STREAM = "passkeys:"

PASSKEY, PIN, SESSION = "passkey", "pin", "session"
"""By what means an entry is signed. ``pin``: with a key that software keeps in one phone behind a PIN. ``session``: by
somebody who had signed in, and by nothing that can be checked."""

KEYED = (PASSKEY, PIN)
"""The means that leave a signature, strongest first."""

_NAMES = {PASSKEY: "accounts:passkey:", PIN: "accounts:pinkey:"}
ENROLLED = {f"{name}enrolled": means for means, name in _NAMES.items()}
REVOKED = {f"{name}revoked": means for means, name in _NAMES.items()}
"""The means of a key by the type of the entry about it."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an entry says of itself before it is signed.

    `key` is the fingerprint, only with a means in `KEYED`; `record`, only with `PIN`, is the SHA-256 of what was signed
    in the entry's stead on a phone without a network (hex).
    """

    kind: str
    key: str | None = None
    record: str | None = None

    @classmethod
    def of(cls, event: Event) -> "Means | None":
        """None for an entry that says nothing of a signature; raises `PasskeyError` for one that says it wrongly."""
        if "signature" not in event.data:
            return None
        said = event.data["signature"]
        if said == {"means": SESSION}:
            return cls(SESSION)
        names = set(said) if isinstance(said, dict) else set()
        plain = names == {"means", "key"} and said["means"] in KEYED
        if plain or (names == {"means", "key", "record"} and said["means"] == PIN):
            if not is_hash_hex(said["key"]):
                raise PasskeyError("an entry names its key by 64 lower-case hexadecimal digits")
            if not is_hash_hex(said.get("record", said["key"])):
                raise PasskeyError("an entry names its record by 64 lower-case hexadecimal digits")
            return cls(said["means"], said["key"], said.get("record"))
        raise PasskeyError(f"an entry cannot be signed by this means: {shown(repr(said))}")


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key, the means it signs by, and its holder.  `enrolled` and `revoked` are the ledger indexes between which it
    holds; `rp_id` is empty for the key behind a PIN."""

    key: PublicKey
    means: str
    person: int
    rp_id: str
    origin: str
    backup_eligible: bool
    enrolled: int
    revoked: int | None = None

    def check(
        self, made: Assertion | PinSignature, statement: bytes, event: Event, body: bytes, index: int
    ) -> Flags | None:
        """Whether the holder signed this entry, which stands at `index`, while the key held.

        Raises `PasskeyError`, or `AgreementError` for a record agreed on two phones that the entry does not repeat.
        """
        means = Means.of(event)
        if means is None or means.key != self.key.fingerprint:
            raise PasskeyError("the entry does not say that it is signed with this key")
        if means.kind != self.means:
            raise PasskeyError("the key is of another kind than the means the entry names")
        if event.actor.get("id") != self.person:
            raise PasskeyError("the key belongs to another person than the one who acted")
        if index <= self.enrolled:
            raise PasskeyError("the entry stands in the ledger before the key was enrolled")
        if self.revoked is not None and index > self.revoked:
            raise PasskeyError("the entry stands in the ledger after the key was revoked")
        if isinstance(made, PinSignature):
            if self.means != PIN:
                raise PasskeyError("a passkey signs with an authenticator, and nothing of one is here")
            made.check(self.key, statement, body, record=means.record)
            if made.record is not None:
                check_event(made.record, event)
            return None
        if self.means != PASSKEY:
            raise PasskeyError("the key behind a PIN signs without an authenticator")
        return verify(made, statement, self.key, rp_id=self.rp_id, origin=self.origin, body=body)


def signer_keys(chain: Sequence[Event], indexes: Mapping[bytes, int]) -> dict[str, SignerKey]:
    """The keys of one person by fingerprint, from their whole stream.

    `indexes` gives the ledger index of each entry by its leaf hash.  Raises `PasskeyError` for a stream that is not
    whole from its beginning or says what the format does not allow.  That `chain` reaches to the person's last entry
    is for the caller to know (a package's seal names it).
    """
    keys: dict[str, SignerKey] = {}
    for expected, event in enumerate(chain, 1):
        before = chain[expected - 2].hash.hex() if expected > 1 else None
        if not event.stream.startswith(STREAM) or event.stream != chain[0].stream:
            raise PasskeyError(f"{shown(event.stream)} is not this person's stream of keys")
        if event.seq != expected or event.prev != before:
            raise PasskeyError(f"{shown(event.stream)}: entry {expected} is missing or not linked")
        if event.hash not in indexes:
            raise PasskeyError(f"{shown(event.stream)}: entry {expected} has no place in the ledger")
        fingerprint = _text(event.data, "key")
        if event.type in ENROLLED:
            if fingerprint in keys:
                raise PasskeyError(f"{shown(event.stream)}: a key is enrolled twice")
            keys[fingerprint] = _enrolled(event, fingerprint, indexes[event.hash])
        elif event.type in REVOKED:
            keys[fingerprint] = _revoked(event, keys.get(fingerprint), indexes[event.hash])
        else:
            raise PasskeyError(f"{shown(event.stream)}: an entry of this type has no place here: {shown(event.type)}")
    return keys


def _enrolled(event: Event, fingerprint: str, index: int) -> SignerKey:
    data = event.data
    try:
        key = PublicKey(from_base64(_text(data, "spki")))
    except EncodingError as error:
        raise PasskeyError("an enrolment holds its key in base64") from error
    person = data["person"].get("id") if isinstance(data.get("person"), dict) else None
    if key.fingerprint != fingerprint or key.algorithm != data.get("algorithm"):
        raise PasskeyError("an enrolment names another key than it holds")
    if type(person) is not int or event.actor.get("id") != person:
        raise PasskeyError("a key is enrolled by its holder and nobody else")
    if ENROLLED[event.type] == PIN:
        if key.algorithm != ES256:
            raise PasskeyError("the key behind a PIN is ES256 (P-256)")
        return SignerKey(key, PIN, person, "", _text(data, "origin"), False, index)
    eligible = data.get("backup_eligible")
    if not isinstance(eligible, bool):
        raise PasskeyError("an enrolment says whether the key can be copied")
    return SignerKey(key, PASSKEY, person, _text(data, "rp_id"), _text(data, "origin"), eligible, index)


def _revoked(event: Event, found: SignerKey | None, index: int) -> SignerKey:
    if found is None or found.means != REVOKED[event.type]:
        raise PasskeyError(f"{shown(event.stream)}: a key is revoked that was not enrolled")
    # after a recovery an administrator may have to revoke again what the ledger knew as revoked: the first one counts
    return found if found.revoked is not None else replace(found, revoked=index)


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise PasskeyError(f"an entry about a key has no {name!r}")
    return value

"""People's keys: enrolling a passkey, and ending a key of either kind that was lost. Signing with them is custody's.

Enrolment: the password again, then a challenge that is kept for this session and handed out once, then the key with its
entry in the ledger. Format of the entries: docs/spec/signature.md.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn import generate_registration_options, options_to_json, verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from casemgmt.accounts import key_queries
from casemgmt.accounts.models import Passkey, PasskeyRevocation, Person
from casemgmt.accounts.schemas import KEY_NAME, KeyRevocation
from casemgmt.accounts.signin import confirm_password
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, Expired, Forbidden, Invalid
from casemgmt.core.i18n import N_
from casemgmt.reference.lists import KEY_REVOCATIONS
from casemgmt.trust.encoding import to_base64
from casemgmt.trust.errors import TrustError
from casemgmt.trust.passkey import ALGORITHMS, PublicKey, from_base64url, to_base64url

MOST = 10  # keys of one person that hold at a time
LIFETIME = timedelta(minutes=5)  # to touch the device after the password was given
_ASKED = [COSEAlgorithmIdentifier(number) for number in ALGORITHMS]  # ES256 first

_UNREADABLE = N_("The device's answer could not be read. Begin again.")
_REFUSED = N_("The device's answer does not fit what was asked of it. Begin again.")


@dataclass(frozen=True, slots=True)
class Site:
    """What keys are bound to, for good: a key enrolled for one host signs for no other."""

    rp_id: str
    origin: str

    @classmethod
    def of(cls, public_url: str) -> Site | None:
        """None where browsers refuse keys: plain http other than localhost, or a bare number for a host."""
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        local = host == "localhost" or host.endswith(".localhost")
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if parts.scheme == "https" or local:
                return cls(host, origin_of(public_url))
        return None


def origin_of(public_url: str) -> str:
    """The address as browsers name where a page came from."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}".lower()


async def begin_enrolment(database: Database, actor: Actor, site: Site | None, *, password: str) -> Mapping[str, Any]:
    """The options for ``navigator.credentials.create`` as JSON. An enrolment begun before in this session ends.

    Raises Invalid beside ``password``, TooManyAttempts, Conflict when keys cannot be had here or there are too many.
    """
    site = must_have(site)
    async with database.begin(actor) as db:
        held = [key for key in await key_queries.held_by(db, actor.id) if key.row.kind == "passkey"]
    if sum(key.holds for key in held) >= MOST:
        raise Conflict(N_("You have as many keys as one person may have. Revoke one that you do not use."))
    await confirm_password(database, actor.login, password)
    challenge = secrets.token_bytes(32)
    begun = await database.gate("select accounts.begin_enrolment($1, $2, $3)", actor.token, challenge, LIFETIME)
    if begun is None or not begun[0]:
        raise Expired
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name="casemgmt",
        user_name=actor.login,
        user_display_name=actor.name,
        user_id=actor.id.to_bytes(8, "big"),
        challenge=challenge,
        timeout=int(LIFETIME.total_seconds() * 1000),
        attestation=AttestationConveyancePreference.DIRECT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.row.credential or b"") for key in held if key.holds],
        supported_pub_key_algs=_ASKED,
    )
    asked: dict[str, Any] = json.loads(options_to_json(options))
    return asked


async def enrol(
    database: Database, actor: Actor, site: Site | None, credential: object, *, name: str, allow_synced: bool
) -> Passkey:
    """Keep the key that was made, with its entry in the ledger.

    The challenge is spent whatever comes of it. Raises Expired without one, Invalid beside ``credential`` for an answer
    that does not verify, Conflict for a key that is known already.
    """
    site = must_have(site)
    challenge = await database.call("select accounts.take_challenge($1)", actor.token)
    if challenge is None:
        raise Expired
    made = _verify(credential, challenge, site)
    if made["backup_eligible"] and not allow_synced:
        raise Invalid({"credential": N_("This key can be copied to other devices, which is not allowed here.")})
    async with database.begin(actor) as db:
        row = insert(Passkey).values(name=name.strip()[:KEY_NAME], rp_id=site.rp_id, origin=site.origin, **made)
        try:
            async with db.begin_nested():
                new = (await db.execute(row.returning(Passkey))).scalar_one()
        except IntegrityError as error:
            raise Conflict(N_("This key is enrolled already.")) from error
        attested = hashlib.sha256(made["attestation"]).hexdigest()
        data = {
            **named(new, Person(id=actor.id, name=actor.name, badge=actor.badge)),
            "spki": to_base64(new.spki), "algorithm": new.algorithm, "aaguid": made["aaguid"].hex,
            "attestation": {"format": new.attestation_format, "sha256": attested},
            "backup_eligible": new.backup_eligible, "backed_up": new.backed_up,
            "rp_id": new.rp_id, "origin": new.origin,
        }  # fmt: skip
        await events.record(db, actor, "accounts:passkey:enrolled", f"passkeys:{actor.login}", data)
    return new


async def revoke(db: AsyncSession, actor: Actor, key_id: int, data: KeyRevocation) -> None:
    """End a key, one's own or, as an administrator, anybody's. Revoked already: nothing happens.

    Raises NotFound for a key the actor may not see, Invalid.
    """
    key = await key_queries.key(db, key_id)
    if not KEY_REVOCATIONS.may_choose(data.reason, utcnow().date()):
        raise Invalid({"reason": N_("Say why.")})
    if KEY_REVOCATIONS.get(data.reason).needs_note and not data.note.strip():
        raise Invalid({"note": N_("This reason needs a sentence.")})
    if key.row.person_id != actor.id and not actor.holds("administrator"):
        raise Forbidden
    # first of all: whoever signs with the key at this moment is before its revocation in the ledger, or is refused
    await db.execute(text("select pg_advisory_xact_lock(1886544235, :key)"), {"key": key_id})
    if not (await key_queries.key(db, key_id)).holds:
        return
    db.add(PasskeyRevocation(passkey_id=key_id, reason=data.reason, note=data.note.strip()))
    await db.flush()
    said = {**named(key.row, key.person), "reason": data.reason, "note": data.note.strip()}
    type_ = "accounts:pinkey:revoked" if key.row.kind == "pin" else "accounts:passkey:revoked"
    await events.record(db, actor, type_, f"passkeys:{key.person.login}", said)


def must_have(site: Site | None) -> Site:
    if site is None:
        raise Conflict(N_("Keys need an https address (or localhost). Ask your administrator."))
    return site


def named(key: Passkey, person: Person) -> dict[str, Any]:
    """A key as entries name it: a passkey by its credential, a phone's key by the phone."""
    which: dict[str, Any]
    which = {"device": str(key.device)} if key.credential is None else {"credential": to_base64url(key.credential)}
    said = {"id": person.id, "name": person.name, "badge": person.badge}
    return {"person": said, **which, "key": key.fingerprint.hex()}


def _verify(credential: object, challenge: bytes, site: Site) -> dict[str, Any]:
    """The columns of a key from the browser's answer; Invalid for one that does not verify.

    The library raises errors of many kinds for bytes that no authenticator made; all of them are the sender's fault.
    """
    if not isinstance(credential, dict) or len(json.dumps(credential)) > 1 << 17:
        raise Invalid({"credential": _UNREADABLE})
    try:
        found = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=site.rp_id,
            expected_origin=site.origin, require_user_verification=True, supported_pub_key_algs=_ASKED,
        )  # fmt: skip
        public = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
        key = PublicKey(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        client_data = from_base64url(credential["response"]["clientDataJSON"])
        aaguid, format_ = UUID(found.aaguid), AttestationFormat(found.fmt).value
        eligible = found.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    except (
        WebAuthnException, TrustError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError,
        EOFError, struct.error, RecursionError,
    ) as error:  # fmt: skip
        raise Invalid({"credential": _REFUSED}) from error
    return {
        "credential": found.credential_id, "spki": key.spki, "algorithm": key.algorithm, "aaguid": aaguid,
        "attestation_format": format_, "attestation": found.attestation_object,
        "client_data": client_data, "transports": _transports(credential),
        "backup_eligible": eligible,
        "backed_up": found.credential_backed_up,
    }  # fmt: skip


def _transports(credential: Mapping[str, Any]) -> list[str]:
    """How the browser says the device is reached; a hint for the next time and nothing else."""
    said = credential["response"].get("transports")
    return [t for t in said if isinstance(t, str) and t.isascii() and len(t) < 20][:8] if isinstance(said, list) else []

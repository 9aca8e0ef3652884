"""Who vouches for this installation: the organisation's certificate, and authorities that are really asked."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

from casemgmt.doctor.finding import Finding, fault, good, note
from casemgmt.settings import SettingError, Settings
from casemgmt.signing.authority import Authorities, Authority
from casemgmt.signing.certificates import State
from casemgmt.signing.errors import NoTimestampError, SigningError
from casemgmt.signing.opening import Signing, open_signing

_NO_DEMONSTRATION = "replace it before any of this is evidence"


async def examine_vouching(settings: Settings) -> AsyncIterator[Finding]:
    try:
        signing = await asyncio.to_thread(open_signing, settings)
    except SettingError as error:
        yield fault("the organisation's certificate or an authority cannot be used", str(error))
        return
    yield await asyncio.to_thread(_certificate, signing)
    if signing.authorities is None:
        yield note("no timestamp authority is configured", "times are this server's clock")
        return
    for authority in signing.authorities:
        yield await _authority(authority)


def _certificate(signing: Signing) -> Finding:
    if signing.signer is None:
        return note("no certificate of the organisation is configured", "packages and reports are not signed")
    try:
        chain, condition = signing.signer.chain(), signing.signer.condition()
    except SigningError as error:
        return fault("the organisation's certificate cannot be used", str(error))
    if not condition.usable:
        return fault("the organisation's certificate must not sign any more", str(condition))
    if condition.state is State.EXPIRING:
        return fault("the organisation's certificate is about to expire", str(condition))
    if chain.demonstration:
        return note("the organisation's certificate is a demonstration's", _NO_DEMONSTRATION)
    return good("the organisation's certificate is in order", f"{condition}\nSHA-256 {chain.fingerprint}")


async def _authority(authority: Authority) -> Finding:
    """A timestamp over random bytes: it tells the authority nothing."""
    try:
        stamped = await Authorities([authority]).stamp(secrets.token_bytes(32))
    except NoTimestampError as error:
        return fault(f"the timestamp authority {authority.name} gives no valid timestamp", str(error))
    if Authorities([authority]).demonstration:
        return note(f"the timestamp authority is a demonstration's ({authority.name})", _NO_DEMONSTRATION)
    return good(f"the timestamp authority {authority.name} answers", f"its time is {stamped.time.isoformat()}")

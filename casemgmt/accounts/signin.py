"""Sign-in: argon2id, a throttle per login, and a server-side session whose token only the browser has."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casemgmt.accounts.schemas import SignIn
from casemgmt.core.db import Database
from casemgmt.core.errors import Invalid, TooManyAttempts
from casemgmt.core.i18n import N_
from casemgmt.core.web.signin import token_hash

MAX_FAILURES = 10  # per login and quarter of an hour

# RFC 9106, second recommended option: 64 MiB, 3 passes
_hasher = PasswordHasher()
# Each hash takes 64 MiB: two at once at the most, the rest wait their turn.
_threads = ThreadPoolExecutor(2, "argon2")

# A login that does not exist is checked against this, so that it takes as long as one that does.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$5fEaOd6wVhC5vbZWb8mRhsBQ7fNx8EVXdI8mJiN3qVY"
_WRONG = N_("The name or the password is wrong.")


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """``token`` goes to the browser once and is stored nowhere; the database keeps its hash."""

    token: str
    lifetime: timedelta


async def hash_password(password: str) -> str:
    """An argon2id hash with its parameters, made outside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def sign_in(database: Database, data: SignIn, *, user_agent: str, lifetime: timedelta) -> OpenedSession:
    """Open a fresh session. Raises Invalid (never saying which half was wrong) or TooManyAttempts."""
    person_id = await confirm_password(database, data.login.strip().lower(), data.password)
    token = secrets.token_urlsafe(32)
    opened = await database.gate(
        "select accounts.open_session($1, $2, $3, $4, $5)",
        person_id, token_hash(token), secrets.token_urlsafe(24), user_agent, lifetime,
    )  # fmt: skip
    if opened is None or not opened[0]:
        raise Invalid({"login": N_("You hold no appointment today. Ask your administrator.")})
    return OpenedSession(token, lifetime)


async def confirm_password(database: Database, login: str, password: str) -> int:
    """The id of the person whose password this is. Raises Invalid (never saying which half was wrong) or
    TooManyAttempts; a wrong one counts as a failed sign-in."""
    row = await database.gate("select * from accounts.credential_of($1)", login)
    if row is None:
        raise RuntimeError("accounts.credential_of answers with one row, always")
    if row["recent_failures"] >= MAX_FAILURES:
        raise TooManyAttempts
    known = row["password_hash"] or _NOBODY
    right = await asyncio.get_running_loop().run_in_executor(_threads, _verify, known, password)
    if not right or row["password_hash"] is None:
        await database.gate("select accounts.note_failure($1)", login)
        raise Invalid({"password": _WRONG})
    return int(row["person_id"])


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False

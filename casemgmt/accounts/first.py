"""The first administrator of an installation; everyone after that is made by an administrator."""

from __future__ import annotations

import asyncpg

from casemgmt.accounts.signin import hash_password
from casemgmt.core.errors import Conflict
from casemgmt.core.i18n import N_


async def first_administrator(owner_dsn: str, *, login: str, name: str, password: str) -> None:
    """Make them, signing in as ``owner_login``. Raises Conflict when the installation has an administrator."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute(
            "select accounts.first_administrator($1, $2, $3)", login, name, await hash_password(password)
        )
    except asyncpg.PostgresError as error:
        if error.sqlstate == "CM001":
            raise Conflict(N_("There is an administrator already; they can add others.")) from error
        raise
    finally:
        await connection.close()

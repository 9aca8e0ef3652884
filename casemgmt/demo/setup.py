"""Fills an empty installation: the cast as an administrator would add it, then a few days of its work."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import asyncpg
from sqlalchemy import select

from casemgmt.accounts import actions
from casemgmt.accounts.first import first_administrator
from casemgmt.accounts.models import Agency
from casemgmt.accounts.schemas import NewAgency, NewAppointment, NewPerson, NewUnit, SignIn
from casemgmt.accounts.signin import sign_in
from casemgmt.core.actor import Actor
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, NotSignedIn
from casemgmt.core.web.signin import load_actor, token_hash
from casemgmt.demo.cast import AGENCIES, PASSWORD, PEOPLE, UNITS
from casemgmt.demo.records import Office, make_records
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import open_signer
from casemgmt.settings import Settings
from casemgmt.storage.config import open_store


async def ensure_demo(settings: Settings) -> list[str]:
    """Make the cast and its work where there is nothing yet; safe to repeat.

    Returns who signs in as whom, a line each.
    """
    if settings.owner_dsn is None:
        raise RuntimeError("the demonstration needs the owner's connection to make its first administrator")
    database = Database(settings.app_dsn, settings.gate_dsn)
    await database.open()
    try:
        with suppress(Conflict):  # there is one from an earlier start
            await first_administrator(settings.owner_dsn, login="admin", name=PEOPLE["admin"].name, password=PASSWORD)
        administrator = await signed_in(database, "admin")
        async with database.begin(administrator) as db:
            fresh = await db.scalar(select(Agency.id).limit(1)) is None
        if fresh:
            await _fill(database, administrator)
            await _work(database, settings)
    finally:
        await database.close()
    width = max(map(len, PEOPLE))
    return [
        f"Demonstration. Everybody's password is {PASSWORD}; sign in as:",
        *(f"  {login:{width}}  {role.name}, {role.appointment}: {role.says}" for login, role in PEOPLE.items()),
    ]


async def begin_log(settings: Settings) -> None:
    """Sign the empty ledger unless that was done: a policy can only be put in force for a log that has a key."""
    connection = await asyncpg.connect(settings.sequencer_dsn)
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    try:
        if await connection.fetchval("select vkey from ledger.log") is None:
            await Sequencer.resume(connection, open_signer(settings), store, settings.retention)
    finally:
        store.close()
        await connection.close()


async def signed_in(database: Database, login: str) -> Actor:
    """One of the cast, in a session of a quarter of an hour."""
    opened = await sign_in(
        database, SignIn(login, PASSWORD), user_agent="casemgmt demonstration", lifetime=timedelta(minutes=15)
    )
    actor = await load_actor(database, token_hash(opened.token))
    if actor is None:
        raise NotSignedIn
    return actor


async def _fill(database: Database, administrator: Actor) -> None:
    async with database.begin(administrator) as db:
        agencies = {
            key: (await actions.add_agency(db, administrator, NewAgency(key, agency.kind, agency.name))).id
            for key, agency in AGENCIES.items()
        }
        units = {}
        for key, unit in UNITS.items():
            data = NewUnit(agencies[unit.agency], unit.code, unit.name, unit.place)
            units[key] = (await actions.add_unit(db, administrator, data)).id
        for login, role in PEOPLE.items():
            if login == "admin":
                continue
            person = await actions.add_person(db, administrator, NewPerson(login, role.name, PASSWORD, role.badge))
            unit_id = units.get(role.place or "") if role.appointment != "auditor" else None
            agency_id = agencies.get(role.place or "") if role.appointment == "auditor" else None
            await actions.appoint(db, administrator, person.id, NewAppointment(role.appointment, unit_id, agency_id))


async def _work(database: Database, settings: Settings) -> None:
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    try:
        cast = {login: await signed_in(database, login) for login in PEOPLE if login != "admin"}
        await make_records(Office(database, store, Codes(settings.hashids_salt), settings, cast))
    finally:
        store.close()

"""``casemgmt first-administrator``: the one account that nobody inside can make."""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from casemgmt.accounts.first import first_administrator
from casemgmt.accounts.schemas import NewPerson
from casemgmt.core.errors import Conflict
from casemgmt.embedded.inspection import settings_for_inspection
from casemgmt.settings import PREFIX, SettingError, Settings, load


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt first-administrator",
        description="Makes the first administrator of an installation. The password is asked for, or read from a pipe.",
    )
    parser.add_argument("login", help="small Latin letters, digits, dot, dash")
    parser.add_argument("name", help="as it will be shown")
    parser.add_argument("--data", metavar="DIR", help="the data directory of `casemgmt up` (default: ./data)")
    args = parser.parse_args(argv)
    try:
        person = msgspec.convert({"login": args.login, "name": args.name, "password": _password()}, NewPerson)
    except msgspec.ValidationError as error:
        print(f"casemgmt: {error}", file=sys.stderr)
        return 2
    if os.environ.get(f"{PREFIX}OWNER_URL") or os.environ.get(f"{PREFIX}OWNER_URL_FILE"):
        return _make(load(), person)
    data = Path(args.data or os.environ.get(f"{PREFIX}DATA_DIR") or "data").expanduser().absolute()
    with settings_for_inspection(data, os.environ) as settings:
        return _make(settings, person)


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password (at least 10 characters): ")
    return sys.stdin.readline().rstrip("\n")


def _make(settings: Settings, person: NewPerson) -> int:
    if settings.owner_dsn is None:
        raise SettingError(f"{PREFIX}OWNER_URL is not set: the first administrator is made as owner_login")
    making = first_administrator(settings.owner_dsn, login=person.login, name=person.name, password=person.password)
    try:
        asyncio.run(making)
    except Conflict as refusal:
        print(f"casemgmt: {refusal.message}", file=sys.stderr)
        return 1
    print(f"{person.name} may sign in as {person.login} and add agencies, units and people.")
    return 0

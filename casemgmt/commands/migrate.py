"""``casemgmt migrate``: bring a configured database to this release. ``casemgmt up`` does it by itself."""

import argparse
import asyncio
from collections.abc import Sequence

from casemgmt import migrations
from casemgmt.settings import PREFIX, SettingError, load


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt migrate", description="Brings the configured database to this release."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the database is behind")
    args = parser.parse_args(argv)
    owner_dsn = load().owner_dsn
    if owner_dsn is None:
        raise SettingError(f"{PREFIX}OWNER_URL is not set: migrations sign in as owner_login")
    newest = migrations.newest()
    if not args.check:
        asyncio.run(migrations.upgrade(owner_dsn))
    found = asyncio.run(migrations.current(owner_dsn))
    print(f"The database is at {found or 'nothing'}; this release wants {newest}.")
    return 0 if found == newest else 1

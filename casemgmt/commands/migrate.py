"""``casemgmt migrate``: bring a configured database and store to this release. ``casemgmt up`` does it by itself."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import closing

from casemgmt import migrations
from casemgmt.settings import PREFIX, SettingError, load
from casemgmt.storage.config import open_store


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt migrate",
        description="Brings the configured database to this release and makes the store's bucket.",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the database is behind")
    args = parser.parse_args(argv)
    settings = load()
    owner_dsn = settings.owner_dsn
    if owner_dsn is None:
        raise SettingError(f"{PREFIX}OWNER_URL is not set: migrations sign in as owner_login")
    newest = migrations.newest()
    if not args.check:
        asyncio.run(migrations.upgrade(owner_dsn))
        address, access, secret = settings.store_url, settings.store_access_key, settings.store_secret_key
        with closing(open_store(address, access=access, secret=secret)) as store:
            store.prepare()
    found = asyncio.run(migrations.current(owner_dsn))
    print(f"The database is at {found or 'nothing'}; this release wants {newest}.")
    return 0 if found == newest else 1

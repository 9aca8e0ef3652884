"""``casemgmt ledger``: recompute the ledger from its bytes, or bring an older database back to it from the store."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from casemgmt.embedded.inspection import settings_for_inspection
from casemgmt.ledger.errors import LedgerError
from casemgmt.ledger.findings import Findings
from casemgmt.ledger.policy import read_file
from casemgmt.ledger.recompute import recompute
from casemgmt.ledger.recover import recover
from casemgmt.ledger.reimport import Recovered
from casemgmt.ledger.signer import open_signer
from casemgmt.settings import PREFIX, SettingError, Settings, load
from casemgmt.storage.config import open_store
from casemgmt.storage.contract import Store, StoreError
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="casemgmt ledger", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser(
        "verify",
        help="read every entry here and in the store; nothing is changed",
        description="Recomputes the ledger from the bytes of its entries and compares tree, checkpoints, chains, the "
        "write-once store and the signer's record. Exit code 0 only when everything holds.",
    )
    verify.add_argument("--log-key", metavar="VKEY", help="the log's public key as it was published")
    bring_back = commands.add_parser(
        "recover",
        help="after a backup was restored: bring back what the store holds beyond it",
        description="Imports the entries that the write-once store holds beyond this database, up to the last signed "
        "checkpoint, and lists what has to be entered again. Stop worker and web server first.",
    )
    bring_back.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint somebody else holds (a witness, a package): the store must reach it; may be repeated",
    )
    for command in (verify, bring_back):
        command.add_argument("--data", type=Path, metavar="DIR", help="the data directory of `casemgmt up`")
    args = parser.parse_args(argv)
    try:
        if args.command == "recover":
            known = [Note.parse(path.read_text("utf-8")) for path in args.checkpoint]
            with _settings(args.data) as settings:
                print(recovery(asyncio.run(_recover(settings, known))))
            return 0
        published = VerifierKey.parse(args.log_key) if args.log_key else None
        with _settings(args.data) as settings:
            found = asyncio.run(_verify(settings, published))
    except TrustError as error:
        parser.error(str(error))
    except (LedgerError, StoreError, OSError) as error:
        raise SettingError(str(error)) from error
    print(report(found))
    return 1 if found.faults else 0


def report(found: Findings) -> str:
    """For a person: what was read, then every fault, the first one first."""
    lines = [
        f"{found.entries} entries in the tree, {found.checkpoints} signed checkpoints, {found.streams} streams, "
        f"{found.objects} objects in the store; {found.waiting} entries wait to be sequenced.",
        f"Root: {found.root.hex()}",
        *(f"FAULT: {fault}" for fault in found.faults),
        "NOT VERIFIED."
        if found.faults
        else "VERIFIED: every hash, tile, signed root and chain holds, and custody is as its entries say.",
    ]
    return "\n".join(lines)


def recovery(done: Recovered) -> str:
    """For a person: what came back, then what has to be entered again."""
    words = {
        "key": "KEYS THAT WERE REVOKED AND HOLD AGAIN: revoke them before anybody signs in",
        "lost-key": "Keys that have to be enrolled again",
        "signature": "Hand-overs whose signature was in the lost database alone",
        "agreement": "Agreements between two phones that did not come back, or whose hand-over did not",
        "seizure": "Seizures that have to be entered again",
        "exhibit": "Exhibits that have to be entered again",
        "case": "Case files that have to be entered again",
        "file": "Files that are in the store and have no record any more",
        "change": "Other events whose change this database does not have",
    }
    lines = [
        f"The ledger is back from {done.before} to {done.after} entries; {done.entries} of them came from the store.",
        f"Custody was made up for on {done.caught_up} exhibits; {done.keys} keys were enrolled or revoked again.",
    ]
    for kind, heading in words.items():
        if found := done.numbers.get(kind):
            lines += [f"{heading}: {len(found)}", *(f"  {number}" for number in found)]
    if done.confirmed:
        lines += [f"Witnesses that cosigned the recovered ledger: {', '.join(done.confirmed)}"]
    if done.silent:
        lines += [
            "Witnesses that could not be asked; get their newest checkpoint and recover once more with --checkpoint:",
            *(f"  {name}: {why}" for name, why in done.silent.items()),
        ]
    if done.behind:
        lines += [f"Exhibits whose custody stands where the backup has it: {len(done.behind)}"]
        lines += [f"  {number}: {reason}" for number, reason in done.behind.items()]
    return "\n".join([*lines, "Run `casemgmt ledger verify` now, before people sign in."])


@contextmanager
def _settings(data: Path | None) -> Iterator[Settings]:
    """Those of the environment, or of a data directory, whose database is started when it is not running."""
    if data is None:
        yield load()
    else:
        with settings_for_inspection(data.absolute(), os.environ) as settings:
            yield settings


async def _verify(settings: Settings, published: VerifierKey | None) -> Findings:
    async with _connected(settings.verifier_dsn, "VERIFIER_URL", "verifier") as connection:
        with closing(_store(settings)) as store:
            record = await _record(settings)
            return await recompute(connection, published, store=store, record=record)


async def _record(settings: Settings) -> Checkpoint | None:
    """What the signer says it signed last; None, and said so, where it cannot be asked from here."""
    try:
        return await open_signer(settings).last()
    except (SettingError, LedgerError) as error:
        print(f"The signer's record is not compared: {error}")
        return None


async def _recover(settings: Settings, known: Sequence[Note]) -> Recovered:
    signer = open_signer(settings)
    async with (
        _connected(settings.owner_dsn, "OWNER_URL", "owner_login") as owner,
        _connected(settings.sequencer_dsn, "SEQUENCER_URL", "sequencer") as connection,
    ):
        with closing(_store(settings)) as store:
            key = await signer.verifier()
            policy = read_file(settings.policy_file, key) if settings.policy_file else None
            return await recover(
                owner, connection, signer, store, retention=settings.retention, known=known, policy=policy
            )


def _store(settings: Settings) -> Store:
    return open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)


@asynccontextmanager
async def _connected(dsn: str | None, variable: str, role: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    if dsn is None:
        raise SettingError(f"{PREFIX}{variable} is not set, nor --data given: the ledger is reached as role {role}")
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise SettingError(f"the database cannot be reached as role {role}: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()

"""``casemgmt ledger verify``: recompute the ledger of a database from the bytes of its entries."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from casemgmt.embedded.cluster import Cluster
from casemgmt.ledger.recompute import Findings, recompute
from casemgmt.settings import PREFIX, SettingError, load
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt ledger",
        description="Recomputes the ledger from the bytes of its entries and compares tree, checkpoints and chains. "
        "Exit code 0 only when everything holds.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="read every entry; nothing is changed")
    verify.add_argument("--data", type=Path, metavar="DIR", help="the data directory of a running `casemgmt up`")
    verify.add_argument("--log-key", metavar="VKEY", help="the log's public key as it was published")
    args = parser.parse_args(argv)
    try:
        published = VerifierKey.parse(args.log_key) if args.log_key else None
    except TrustError as error:
        parser.error(f"--log-key: {error}")
    found = asyncio.run(_run(_dsn(args.data), published))
    print(report(found))
    return 1 if found.faults else 0


def report(found: Findings) -> str:
    """For a person: what was read, then every fault, the first one first."""
    lines = [
        f"{found.entries} entries in the tree, {found.checkpoints} signed checkpoints, {found.streams} streams; "
        f"{found.waiting} entries wait to be sequenced.",
        f"Root: {found.root.hex()}",
        *(f"FAULT: {fault}" for fault in found.faults),
        "NOT VERIFIED." if found.faults else "VERIFIED: every hash, tile, signed root and chain holds.",
    ]
    return "\n".join(lines)


def _dsn(data: Path | None) -> str:
    if data is not None:
        return Cluster(data / "postgres").dsn("verifier")
    dsn = load().verifier_dsn
    if dsn is None:
        raise SettingError(f"{PREFIX}VERIFIER_URL is not set, nor --data given: the ledger is read as role verifier")
    return dsn


async def _run(dsn: str, published: VerifierKey | None) -> Findings:
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise SettingError(f"the database cannot be reached as role verifier: {error}") from error
    try:
        return await recompute(connection, published)
    finally:
        await connection.close()

"""``casemgmt signer``: holds the ledger's key in a process, and better under an account, of its own."""

import argparse
import asyncio
import grp
import signal
from collections.abc import Sequence
from pathlib import Path

from casemgmt.core.logs import configure_logs
from casemgmt.ledger.errors import LedgerError
from casemgmt.ledger.signer import load_log_key, record_of
from casemgmt.ledger.signer_service import serve
from casemgmt.ledger.signing_record import SigningRecord
from casemgmt.settings import SettingError
from casemgmt.trust.errors import TrustError
from casemgmt.trust.note import Note


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt signer",
        description="Signs the ledger's checkpoints for the worker, through a private Unix socket, until SIGTERM. It "
        "remembers what it signed last and signs only what provably continues it. It needs no CASEMGMT_* variable.",
    )
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the ledger's key, mode 0600")
    parser.add_argument("--socket", type=Path, required=True, metavar="PATH", help="for CASEMGMT_SIGNER_SOCKET")
    parser.add_argument("--record", type=Path, metavar="FILE", help="what was signed last (default: beside the key)")
    parser.add_argument("--group", metavar="NAME", help="whose members may connect; without it only this account")
    parser.add_argument(
        "--begin-with",
        type=Path,
        metavar="FILE",
        help="begin the record with this checkpoint: once, for a key that signed before there was a record",
    )
    args = parser.parse_args(argv)
    configure_logs()
    record = SigningRecord(load_log_key(args.key), args.record or record_of(args.key))
    try:
        if args.begin_with:
            record.begin_with(Note.parse(args.begin_with.read_text("utf-8")))
        record.last()  # a damaged record is said now, not at the first signature
        asyncio.run(_serve(record, args.socket, _group(args.group)))
    except (LedgerError, TrustError, OSError) as error:
        raise SettingError(f"the signer cannot start: {error}") from error
    return 0


def _group(name: str | None) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise SettingError(f"there is no group {name}") from None


async def _serve(record: SigningRecord, path: Path, group: int | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(record, path, stop, group=group)

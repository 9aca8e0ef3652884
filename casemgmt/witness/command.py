"""``casemgmt witness``: make a key, print it for paper, enrol a log, serve."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import segno

from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.witness.answering import Witness
from casemgmt.witness.errors import StateError
from casemgmt.witness.http import Server
from casemgmt.witness.keeping import enrol, keeping, make_key, read_key


def main(argv: Sequence[str]) -> int:
    """0: done. 2: it must not or cannot be done, and why."""
    args = _parser().parse_args(argv)
    quiet = getattr(args, "quiet", False)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger().setLevel(logging.WARNING if quiet else logging.INFO)
    directory: Path = args.directory.expanduser().absolute()
    try:
        if args.command == "make-key":
            make_key(directory, args.name)
            show(directory)
        elif args.command == "show":
            show(directory)
        elif args.command == "enrol":
            return _enrol(directory, args.log_key)
        else:
            host, port = args.listen
            asyncio.run(serve(directory, host, port, args.prefix, with_stdin=args.while_stdin_open))
    except (StateError, OSError) as error:
        print(f"casemgmt witness: {error}", file=sys.stderr)
        return 2
    return 0


def show(directory: Path) -> None:
    """The verifier key, and its fingerprint for paper; on a terminal also as a QR code."""
    key = read_key(directory).verifier
    print(f"Verifier key of this witness, for the log's administrator:\n\n  {key}\n")
    print("Its fingerprint, SHA-256 of that line, for paper and for comparing by voice:\n")
    groups = [key.fingerprint[i : i + 8] for i in range(0, 64, 8)]
    for line in (groups[:4], groups[4:]):
        print("  " + " ".join(line))
    if sys.stdout.isatty():
        print()
        segno.make(str(key), error="m").terminal(compact=True, border=2)


async def serve(directory: Path, host: str, port: int, prefix: str, *, with_stdin: bool = False) -> None:
    """Until SIGINT or SIGTERM, or the end of the input. Raises StateError when the state must not be used."""
    with keeping(directory) as keeper:
        server = await asyncio.start_server(Server(Witness(keeper).answer, prefix).connected, host, port)
        address = server.sockets[0].getsockname()
        logging.info("%s answers on %s port %s", keeper.key.name, address[0], address[1])
        for origin, known in keeper.logs.items():
            logging.info("knows %s, cosigned up to %s entries", origin, known.last.size)
        if not keeper.logs:
            logging.warning("no log is enrolled: `casemgmt witness enrol` does it")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if with_stdin:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
        async with server:
            await stop.wait()


def _enrol(directory: Path, text: str) -> int:
    try:
        log = VerifierKey.parse(text)
    except TrustError as error:
        raise StateError(f"this is not a log's key: {error}") from error
    new = enrol(directory, log, lambda: int(time.time()))
    print(f"{log.name} {'is witnessed from now on' if new else 'was enrolled already'}. Its key's fingerprint:")
    print(f"  {log.fingerprint}\nCompare it with the one its agency published on paper.")
    return 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise argparse.ArgumentTypeError("an address and a port, as in 127.0.0.1:7380")
    return host.strip("[]"), int(port)


def _prefix(text: str) -> str:
    stripped = text.rstrip("/")
    if stripped and not stripped.startswith("/"):
        raise argparse.ArgumentTypeError("a path that begins with a slash")
    return stripped


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="casemgmt witness",
        description="Cosigns the checkpoints of logs you enrol, when they only grew: for the agencies that watch over "
        "an installation they do not run. See docs/guide/witness.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("make-key", help="make the witness's key in a new directory")
    made.add_argument("--name", required=True, metavar="NAME", help="e.g. police.example.org/witness; for good")
    shown = commands.add_parser("show", help="print the verifier key and its fingerprint")
    added = commands.add_parser("enrol", help="witness a log from now on; stop the service first")
    served = commands.add_parser("serve", help="answer add-checkpoint requests until SIGTERM")
    served.add_argument("--listen", type=_address, default=("127.0.0.1", 7380), metavar="ADDRESS:PORT")
    served.add_argument(
        "--prefix", type=_prefix, default="", metavar="/PATH", help="what stands before /add-checkpoint"
    )
    served.add_argument("--quiet", action="store_true", help="say only what was refused and what failed")
    served.add_argument("--while-stdin-open", action="store_true", help="end when the program that started it ends")
    for command in (made, shown, added, served):
        command.add_argument("directory", type=Path, metavar="DIR", help="where the key and the state are kept")
    added.add_argument("log_key", metavar="VKEY", help="the log's verifier key, as its agency published it")
    return parser

"""``casemgmt up``: a whole installation on this machine."""

import argparse
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from casemgmt.embedded.runtime import run_embedded
from casemgmt.settings import PREFIX

_DEFAULT_DATA = "data"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt up", description="Runs database, store, web server and worker on this machine, until Ctrl-C."
    )
    parser.add_argument("--data", metavar="DIR", help=f"everything is kept here (default: ./{_DEFAULT_DATA})")
    parser.add_argument("--port", metavar="N", help="0 takes any free one (default: 8000)")
    parser.add_argument("--demo", action="store_true", help="fill an empty installation with the demonstration cast")
    parser.add_argument(
        "--log-name",
        metavar="NAME",
        help="what the ledger signs as, e.g. customs.example.org/evidence; first start only",
    )
    parser.add_argument(
        "--lan",
        metavar="NAME",
        nargs="?",
        const="",
        help="serve telephones on the local network over HTTPS, as this machine's address or as NAME, which the "
        "network's own name service must know (passkeys need a name)",
    )
    args = parser.parse_args(argv)
    environ = dict(os.environ)
    if args.port is not None:
        environ[f"{PREFIX}PORT"] = args.port
    if args.demo:
        environ[f"{PREFIX}DEMO"] = "1"
    data = Path(args.data or environ.get(f"{PREFIX}DATA_DIR") or _DEFAULT_DATA).expanduser().absolute()
    # Until the server listens to signals itself, SIGTERM ends it the way Ctrl-C does: tidily.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run_embedded(data, environ, args.log_name, lan=args.lan)
    return 0

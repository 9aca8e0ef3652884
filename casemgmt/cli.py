"""The ``casemgmt`` command. Each subcommand is a module with ``main(argv) -> int`` and a parser of its own.

Only the module that is asked for is imported, so ``casemgmt verify`` starts at once and needs no server parts.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from casemgmt.embedded.errors import EmbeddedError
from casemgmt.settings import SettingError

COMMANDS = {
    "up": ("casemgmt.commands.up", "run everything on this machine: database, store, web server, worker"),
    "serve": ("casemgmt.commands.serve", "run the web server with a configured database and store"),
    "worker": ("casemgmt.commands.worker", "run the background work beside `casemgmt serve`"),
    "signer": ("casemgmt.commands.signer", "hold the ledger's key in a process of its own"),
    "migrate": ("casemgmt.commands.migrate", "bring a configured database and store to this release"),
    "first-administrator": ("casemgmt.commands.first_administrator", "make the account that can make all others"),
    "doctor": ("casemgmt.doctor", "check the database, the roles and what the object store really protects"),
    "ledger": ("casemgmt.commands.ledger", "recompute the ledger, or bring it back from the store"),
    "verify": ("casemgmt.trust.verify.command", "check an evidence package: offline, without server or account"),
    "witness": ("casemgmt.witness.command", "cosign the ledger of an installation you watch over"),
    "verify-html": ("casemgmt.commands.verify_html", "write the page that checks packages in a browser"),
    "walkthrough": ("casemgmt.walkthrough", "run the main job over HTTP against a temporary instance"),
    "roles-sql": ("casemgmt.commands.roles_sql", "print the SQL that makes the roles on a configured database"),
    "make-keys": ("casemgmt.commands.make_keys", "make the keys of a configured installation"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code: 0 done, 1 a check failed, 2 it could not be tried."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = _parser().parse_args(given[:1]).command
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("casemgmt").setLevel(logging.INFO)
    module, _ = COMMANDS[command]
    try:
        return int(importlib.import_module(module).main(given[1:]))
    except (SettingError, EmbeddedError) as error:
        print(f"casemgmt: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    summaries = "\n".join(f"  {name:{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="casemgmt",
        description=f"Evidence and seizure case management.\n\ncommands:\n{summaries}",
        epilog="`casemgmt COMMAND --help` tells more about each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands above")
    return parser


if __name__ == "__main__":
    sys.exit(main())

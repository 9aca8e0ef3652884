"""``casemgmt roles-sql``: what a database administrator runs once on a server we do not start ourselves."""

import argparse
from collections.abc import Sequence

from casemgmt.embedded.roles import script_for_dba


def main(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="casemgmt roles-sql",
        description="Prints a psql script; passwords are psql variables, so none is printed or kept.",
    ).parse_args(argv)
    print(script_for_dba())
    return 0

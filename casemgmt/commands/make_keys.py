"""``casemgmt make-keys``: the ledger's signing key and the salt of the opaque codes, for a configured installation."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from casemgmt.embedded.keys import make_keys


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="casemgmt make-keys", description="Makes the keys of an installation and prints the settings naming them."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="made with mode 0700; what is already there stays")
    parser.add_argument("--log-name", metavar="NAME", required=True, help="e.g. customs.example.org/evidence; for good")
    args = parser.parse_args(argv)
    files = make_keys(args.directory, args.log_name)
    print(f"CASEMGMT_LOG_KEY_FILE={files.log_key.absolute()}")
    print(f"CASEMGMT_HASHIDS_SALT_FILE={files.hashids_salt.absolute()}")
    return 0

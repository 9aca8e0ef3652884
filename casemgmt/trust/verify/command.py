"""The offline verifier on the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from casemgmt.trust.encoding import from_utf8
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Policy
from casemgmt.trust.verify.steps import verify_package


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the report.  Answers 0 only when every step holds, 1 when not, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="casemgmt verify",
        description="Checks an evidence package offline, in nine numbered steps.",
    )
    parser.add_argument("package", type=Path, help="the package, a .zip file")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--log-key", metavar="VKEY", help="the log's public key, as its agency publishes it")
    trust.add_argument("--policy", type=Path, metavar="FILE", help="your own trust policy (c2sp.org/tlog-policy)")
    parser.add_argument("--threads", type=int, choices=range(1, 65), metavar="N", help="threads that hash (1 to 64)")
    options = parser.parse_args(argv)
    try:
        log_key = VerifierKey.parse(options.log_key) if options.log_key else None
        policy = Policy.parse(from_utf8(options.policy.read_bytes())) if options.policy else None
    except TrustError as error:
        parser.error(f"what you gave to trust cannot be used: {error}")
    except OSError as error:
        parser.error(f"cannot read {options.policy}: {error.strerror}")
    report = verify_package(options.package, log_key=log_key, policy=policy, threads=options.threads)
    sys.stdout.write(str(report))
    return 0 if report.holds else 1

"""The offline verifier on the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from casemgmt.trust.encoding import from_utf8
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Policy
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.steps import MOST_THREADS, verify_package


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the report.  Answers 0 when every step holds but for what the package says it does not have, 1 when one
    failed, 2 for a wrong command line, 3 when nothing failed and something was not checked."""
    parser = argparse.ArgumentParser(
        prog="casemgmt verify",
        description="Checks an evidence package offline, in twelve numbered steps.",
        epilog="Exit status: 0 verified, 1 a step failed, 2 wrong command line, 3 nothing failed, not all was checked.",
    )
    parser.add_argument("package", type=Path, help="the package, a .zip file")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--log-key", metavar="VKEY", help="the log's public key, as its agency publishes it")
    trust.add_argument("--policy", type=Path, metavar="FILE", help="your own trust policy (c2sp.org/tlog-policy)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the organisation's CA certificates (PEM)")
    parser.add_argument("--tsa-ca", type=Path, metavar="FILE", help="the timestamp authority's CA certificates (PEM)")
    parser.add_argument(
        "--threads", type=int, choices=range(1, MOST_THREADS + 1), metavar="N", help="threads that hash (1 to 64)"
    )
    options = parser.parse_args(argv)
    try:
        log_key = VerifierKey.parse(options.log_key) if options.log_key else None
        policy = Policy.parse(from_utf8(options.policy.read_bytes())) if options.policy else None
        ca, timestamp_ca = _certificates(options.ca), _certificates(options.tsa_ca)
    except (TrustError, ValueError) as error:
        parser.error(f"what you gave to trust cannot be used: {error}")
    except OSError as error:
        parser.error(f"cannot read {error.filename}: {error.strerror}")
    brought = Brought(log_key, policy, ca, timestamp_ca)
    report = verify_package(options.package, brought, threads=options.threads, openssl=OpenSsl.found())
    sys.stdout.write(str(report))
    return report.status


def _certificates(path: Path | None) -> bytes | None:
    if path is None:
        return None
    pem = path.read_bytes()
    x509.load_pem_x509_certificates(pem)
    return pem

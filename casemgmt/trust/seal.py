"""The seal: the ledger entry that names a package's tag manifest and the last event of every exhibit in it."""

import hashlib
from collections.abc import Mapping

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import PackageError, ProofError
from casemgmt.trust.events import EXHIBIT_STREAM, PASSKEY_STREAM, Event, Link, heads
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.proof import Proof, unpack_hashes
from casemgmt.trust.tree import verify_consistency, verify_inclusion

SEALED = "packages:package:sealed"


def seal_data(
    package: str,
    tag_manifest: bytes,
    streams: Mapping[str, list[Link]],
    ledger_size: int,
    *,
    signature: bytes | None = None,
    timestamp: bytes | None = None,
) -> dict[str, object]:
    """The ``data`` of the sealing event.

    Naming the last event of each exhibit and of each signer's passkeys is what stops the newest events, or the
    revocation of a key, from being left out in silence.  `signature` and `timestamp` are those over `tag_manifest`.
    """
    return {
        "package": package,
        "tagmanifest_sha256": hashlib.sha256(tag_manifest).hexdigest(),
        "exhibits": heads(streams, EXHIBIT_STREAM),
        "signers": heads(streams, PASSKEY_STREAM),
        "ledger_size": ledger_size,
        "signature_sha256": None if signature is None else hashlib.sha256(signature).hexdigest(),
        "timestamp_sha256": None if timestamp is None else hashlib.sha256(timestamp).hexdigest(),
    }


def check_seal(
    body: bytes, expected: Mapping[str, object], proof: Proof, earlier: Checkpoint, later: Checkpoint
) -> Event:
    """The sealing event, if it says what is `expected` and stands in the ledger after `earlier`.

    `earlier` is the checkpoint of the package's other proofs, `later` that of the seal's own `proof`,
    whose extra data must prove that the one ledger grew into the other.
    """
    event = Event.parse(body)
    if event.type != SEALED:
        raise PackageError(f"the seal is of type {event.type}, not {SEALED}")
    for name in expected:
        if event.data.get(name) != expected[name]:
            raise PackageError(f"the seal does not name this package's {name}")
    if set(event.data) != set(expected):
        raise PackageError("the seal says more than a seal says")
    if later.origin != earlier.origin:
        raise PackageError("the seal is in another ledger")
    if not verify_inclusion(leaf_hash(body), proof.index, later.size, proof.path, later.root):
        raise ProofError(f"the seal is not at index {proof.index} of the ledger of {later.size} entries")
    if proof.index < earlier.size:
        raise ProofError("the seal is older than the package's own proofs")
    growth = unpack_hashes(proof.extra or b"")
    if not verify_consistency(earlier.size, later.size, growth, earlier.root, later.root):
        raise ProofError(f"the ledger of {later.size} entries does not begin with that of {earlier.size}")
    return event

"""Steps 5 to 8: the trust policy, the place of every entry in the ledger, the chains, the seal."""

from casemgmt.trust import withheld
from casemgmt.trust.contents import LEDGER, POLICY, SIGNATURES
from casemgmt.trust.disputes import disputes
from casemgmt.trust.encoding import from_decimal, is_hash_hex, shown
from casemgmt.trust.errors import PackageError, PolicyError, ProofError
from casemgmt.trust.events import EXHIBIT_STREAM, MAX_BODY, PASSKEY_STREAM, WHOLE, Event, chains
from casemgmt.trust.manifest import BAG_INFO, TAG_MANIFEST
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.policy import Policy
from casemgmt.trust.promise import SIGNATURE, TIMESTAMP
from casemgmt.trust.proof import Proof
from casemgmt.trust.seal import check_seal, seal_data
from casemgmt.trust.verify.examination import MAX_LIST, Examination
from casemgmt.trust.verify.findings import Finding, some
from casemgmt.trust.verify.reader import Archive
from casemgmt.trust.withheld import ENTRY, parse_withheld


def check_policy(found: Examination) -> Finding:
    """5. The key that must have signed the ledger, who must have cosigned it, and whose word that is."""
    policy = Policy.parse(found.text(POLICY))
    if found.brought.policy is not None:
        policy = found.brought.policy
    if found.brought.log_key is not None:
        policy = policy.pinned_to(found.brought.log_key)
    if not policy.logs:
        raise PolicyError("the policy names no log")
    found.policy = policy
    keys = ", ".join(str(key) for key in policy.logs)
    whose = "given by you" if found.brought.log else "found in the package, NOT yet compared with the published key"
    theirs = "" if found.brought.policy or not policy.witnesses else " Their keys were found in the package, too."
    return Finding(f"Log key {whose}: {keys}. {_quorum(policy)}{theirs}")


def _quorum(policy: Policy) -> str:
    group = policy.groups.get(policy.quorum)
    if group is not None:
        return f"Quorum of witnesses: {group.threshold} of {', '.join(group.members)}."
    return f"Quorum of witnesses: {policy.quorum}."


def check_inclusion(found: Examination) -> Finding:
    """6. Every entry, shown or withheld, is in the ledger, at one checkpoint signed by the log and its witnesses."""
    note, accepted = "", None
    events: dict[int, Event] = {}
    leaves: dict[int, bytes] = {}
    for index, extension in _ledger_entries(found.archive):
        proof = Proof.parse(found.text(f"{LEDGER}{index}.tlog-proof"))
        if accepted is None:
            note, accepted = str(proof.checkpoint), found.policy.accept(proof.checkpoint)
        if proof.index != index or str(proof.checkpoint) != note or proof.extra is not None:
            raise ProofError(f"the proof of entry {index} is for another entry or another checkpoint")
        if extension == "event":
            events[index] = Event.parse(found.archive.read(f"{LEDGER}{index}.event", MAX_BODY))
            leaf = events[index].hash
        else:
            leaf = leaves[index] = _leaf(found.text(f"{LEDGER}{index}.leaf"))
        proof.verify_path(leaf, accepted)
    if accepted is None:
        raise PackageError("the package has no entries")
    tree = accepted.checkpoint
    if (found.info["Ledger-Origin"], found.info["Ledger-Size"]) != (tree.origin, str(tree.size)):
        raise PackageError(f"{BAG_INFO} names another ledger than the proofs")
    found.events, found.leaves, found.accepted = events, leaves, accepted
    witnesses = ", ".join(sorted(accepted.witnessed)) or "no witness"
    hidden = f", and {len(leaves)} withheld ones," if leaves else ""
    return Finding(
        f"{len(events)} entries{hidden} are in the ledger {tree.origin} of {tree.size} entries; "
        f"signed by the log, cosigned by {witnesses}."
    )


def check_chains(found: Examination) -> Finding:
    """7. The entries of every exhibit and every signer's keys are whole: from 1 without gap, each naming the last."""
    if found.promise.withheld:
        found.withheld = parse_withheld(found.archive.read(withheld.PATH, MAX_LIST))
    hidden = {row.index: row for row in found.withheld if row.kind == ENTRY}
    if len(found.withheld) != found.promise.withheld:
        raise PackageError(f"{withheld.PATH} has {len(found.withheld)} lines, promised were {found.promise.withheld}")
    if {index: row.unread.hash for index, row in hidden.items()} != found.leaves:
        raise PackageError(f"{withheld.PATH} and the ledger directory withhold different entries")
    found.streams = chains(found.links)
    lengths = {kind: [len(c) for s, c in found.streams.items() if s.startswith(kind)] for kind in WHOLE}
    exhibits, signers = lengths[EXHIBIT_STREAM], lengths[PASSKEY_STREAM]
    rest = sum(map(len, found.streams.values())) - sum(exhibits) - sum(signers)
    return Finding(
        f"{len(exhibits)} exhibits with {sum(exhibits)} entries, and what is recorded of the keys of {len(signers)} "
        f"people: no gap, no double, every link holds. {rest} entries of other records, as an excerpt."
        + (f" {len(hidden)} entries are withheld, proved to exist." if hidden else "")
        + _disputed(found)
    )


def _disputed(found: Examination) -> str:
    """A chain can be whole and say of itself that people agreed otherwise."""
    said = disputes(found.streams)
    parts = [f"and nobody has resolved it: {some([*map(shown, said.standing)])}"] if said.standing else []
    parts += [f"and it was resolved in words: {some([*map(shown, said.resolved)])}"] if said.resolved else []
    return f" DISPUTED, {'; '.join(parts)}." if parts else ""


def check_package_seal(found: Examination) -> Finding:
    """8. A later entry names this tag manifest, what was made over it, and the last entry of every whole chain."""
    if found.accepted is None:
        raise ProofError("no accepted checkpoint")
    archive, promised, earlier = found.archive, found.promise.files, found.accepted.checkpoint
    expected = seal_data(
        *(archive.root, archive.read(TAG_MANIFEST, MAX_LIST), found.streams, earlier.size),
        signature=archive.read(SIGNATURE, MAX_LIST) if SIGNATURE in promised else None,
        timestamp=archive.read(TIMESTAMP, MAX_LIST) if TIMESTAMP in promised else None,
    )
    proof = Proof.parse(found.text(SEAL_PROOF))
    later = found.policy.accept(proof.checkpoint).checkpoint
    seal = check_seal(archive.read(SEAL_EVENT, MAX_BODY), expected, proof, earlier, later)
    return Finding(
        f"Sealed at {seal.at} by entry {proof.index}; the ledger grew from {earlier.size} to {later.size} entries "
        "without a change to the earlier ones."
    )


def _leaf(text: str) -> bytes:
    value = text.removesuffix("\n")
    if not is_hash_hex(value) or text != value + "\n":
        raise PackageError(f"not the leaf hash of a withheld entry: {shown(text)}")
    return bytes.fromhex(value)


def _ledger_entries(archive: Archive) -> list[tuple[int, str]]:
    """Index and ``event`` or ``leaf`` of every entry, ascending; each has its proof, and nothing else lies there."""
    kinds: dict[str, str] = {}
    proofs = set()
    for path in archive.members:
        if not path.startswith(LEDGER) or path == POLICY or path.startswith(SIGNATURES):
            continue
        stem, _, extension = path.removeprefix(LEDGER).partition(".")
        if extension == "tlog-proof":
            proofs.add(stem)
        elif extension in ("event", "leaf"):
            if stem in kinds:
                raise PackageError(f"entry {shown(stem)} is both shown and withheld")
            kinds[stem] = extension
        else:
            raise PackageError(f"does not belong in the ledger directory: {path}")
    if set(kinds) != proofs:
        raise PackageError(f"an event without proof or a proof without event: {some(sorted(set(kinds) ^ proofs))}")
    return sorted((from_decimal(stem), extension) for stem, extension in kinds.items())

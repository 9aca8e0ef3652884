"""Step 10: what people signed with their own keys, and what rests on less."""

from collections import Counter
from collections.abc import Sequence

from casemgmt.trust.contents import LEDGER, SIGNATURES
from casemgmt.trust.encoding import from_decimal, shown
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import EXHIBIT_STREAM, MAX_BODY
from casemgmt.trust.personal import NAMES, PersonalSignature, SignedEntry, check_signatures
from casemgmt.trust.signers import PASSKEY, PIN, SESSION
from casemgmt.trust.verify.examination import MAX_DOCUMENT, Examination
from casemgmt.trust.verify.findings import Finding, Outcome
from casemgmt.trust.withheld import ENTRY

HANDOVERS = {f"custody:handover:{kind}" for kind in ("offered", "accepted", "refused", "withdrawn")}
"""Entries in which one person answers to another for an exhibit."""

_MOST = 20  # people named in one sentence


def check_people(found: Examination) -> Finding:
    """10. Each entry that says so is signed with a key its actor had enrolled before and not revoked by then."""
    signatures = {index: PersonalSignature.from_files(files) for index, files in _files(found).items()}
    indexes = {event.hash: index for index, event in found.events.items()}

    def body(index: int) -> bytes:
        return found.archive.read(f"{LEDGER}{index}.event", MAX_BODY)

    found.signed = check_signatures(found.streams, indexes, signatures, body)
    by_passkey = [entry for entry in found.signed if entry.means == PASSKEY]
    weaker = _weaker(found)
    if not any(entry.means in (PASSKEY, PIN) for entry in found.signed):
        return Finding(f"No entry here is signed with a person's own key.{weaker}", Outcome.NONE)
    words = f"{len(by_passkey)} entries are signed with passkeys, user verified{_names(by_passkey)}."
    copied = sum(entry.flags is not None and entry.flags.backup_eligible for entry in by_passkey)
    if copied:
        words += f" {copied} of them by keys that can be copied to other devices."
    return Finding(words + weaker)


def _names(entries: Sequence[SignedEntry]) -> str:
    people = Counter(f"{entry.event.actor.get('name')} ({entry.login})" for entry in entries)
    listed = ", ".join(f"{name[:80]} {count}" for name, count in sorted(people.items())[:_MOST])
    return (f": {listed}" if listed else "") + (" ..." if len(people) > _MOST else "")


def _weaker(found: Examination) -> str:
    by_pin = [entry for entry in found.signed if entry.means == PIN]
    sessions = sum(entry.means == SESSION for entry in found.signed)
    said = {entry.index for entry in found.signed}
    silent = sum(event.type in HANDOVERS and index not in said for index, event in found.events.items())
    parts = [f"{len(by_pin)} by PIN, with software keys in one phone{_names(by_pin)}"] if by_pin else []
    parts += [f"{sessions} by session only"] if sessions else []
    parts += [f"{silent} hand-overs that do not say how they are signed"] if silent else []
    hidden = sum(row.kind == ENTRY and row.stream.startswith(EXHIBIT_STREAM) for row in found.withheld)
    parts += [f"{hidden} withheld entries of exhibits, any of which may be a hand-over"] if hidden else []
    return f" WEAKER: {', '.join(parts)}." if parts else ""


def _files(found: Examination) -> dict[int, dict[str, bytes]]:
    files: dict[int, dict[str, bytes]] = {}
    for path in found.archive.members:
        if path.startswith(SIGNATURES):
            index, _, name = path.removeprefix(SIGNATURES).partition("/")
            if name not in NAMES:
                raise PackageError(f"does not belong among the signatures: {shown(path)}")
            files.setdefault(from_decimal(index), {})[name] = found.archive.read(path, MAX_DOCUMENT)
    return files

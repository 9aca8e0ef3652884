"""Named bad packages, each with the one step that must refuse it, in every verifier."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from casemgmt.trust.contents import Why
from casemgmt.trust.hashing import HASH_SIZE
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.proof import Proof
from casemgmt.trust.withheld import PATH, parse_withheld, write_withheld
from tests.kit.forging import Change, Files, forged
from tests.trust.factory import NAME, Draft, draft, full_draft, receive
from tests.trust.people import AIDA, NURLAN, Person
from tests.trust.repacking import files_of, laid_out

EXHIBIT = "KG-2027-000123/1"


@dataclass(frozen=True)
class Bad:
    name: str
    step: int
    make: Callable[[], bytes]


def _swap(files: Files, one: str, other: str) -> None:
    files[one], files[other] = files[other], files[one]


def _signed(files: Files) -> list[str]:
    return [path.rpartition("/")[0] for path in files if path.endswith("/statement.txt")]


def _swap_signatures(files: Files) -> None:
    first, *_, last = _signed(files)
    for name in ("statement.txt", "clientData.json", "authData.bin", "sig.der", "pub.pem"):
        _swap(files, f"{first}/{name}", f"{last}/{name}")


def _swap_statements(files: Files) -> None:
    first, *_, last = _signed(files)
    _swap(files, f"{first}/statement.txt", f"{last}/statement.txt")


def _proof_of_another(files: Files) -> None:
    first, second = [path for path in files if path.startswith("ledger/") and path.endswith(".tlog-proof")][:2]
    files[first] = files[second]


def _fewer_cosignatures(files: Files) -> None:
    for path in files:
        if path.startswith("ledger/") and path.endswith(".tlog-proof"):
            _cut_last_signature(files, path)


def _cut_last_signature(files: Files, path: str) -> None:
    files[path] = b"".join(files[path].splitlines(keepends=True)[:-1])


def _cut_growth(files: Files) -> None:
    proof = Proof.parse(files[SEAL_PROOF].decode())
    assert proof.extra
    files[SEAL_PROOF] = str(replace(proof, extra=proof.extra[:-HASH_SIZE] or None)).encode()


def _change_entry(files: Files) -> None:
    path = next(path for path in files if path.endswith(".event") and b'"description":"' in files[path])
    files[path] = files[path].replace(b'"description":"', b'"description":"not ')


def _drop_entries(files: Files, words: bytes, most: int = 100) -> None:
    found = [p for p in files if p.startswith("ledger/") and p.endswith(".event") and words in files[p]][:most]
    assert found
    for path in found:
        del files[path], files[path.removesuffix(".event") + ".tlog-proof"]


def _redacted() -> Draft:
    package = draft()
    package.withhold_file(0)
    package.withheld[package.indexes[0]] = Why("informant", "Names who told us")
    return package


def _other_withheld(files: Files, kind: str) -> None:
    rows = parse_withheld(files[PATH])
    row = next(row for row in rows if row.kind == kind)
    if kind == "file":
        changed = replace(row, sha256="ab" * 32)
    else:
        changed = replace(row, leaf_hash="ab" * 32)
        files[f"ledger/{row.index}.leaf"] = b"ab" * 32 + b"\n"
    files[PATH] = write_withheld(changed if one is row else one for one in rows)


def _renamed_in_list(files: Files) -> None:
    rows = list(csv.reader(io.StringIO(files["metadata/files.csv"].decode())))
    rows[1][2] = "another name.jpg"
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    files["metadata/files.csv"] = text.getvalue().encode()


def _with_handover(*, revoked: bool = False, flags: int = 5, key_of: Person = AIDA) -> bytes:
    """A good package in which one more hand-over by Aida is laid, whose signature does not hold."""
    package = draft()
    ledger, begin = package.ledger, package.ledger.tree.size
    ledger.append(key_of.stream, *key_of.enrolment, actor=key_of.actor)
    if revoked:
        ledger.append(key_of.stream, *key_of.revocation, actor=key_of.actor)
    said = {"signature": key_of.means}
    index = ledger.append(f"exhibit:{EXHIBIT}", "custody:handover:offered", said, actor=AIDA.actor)
    package.size = ledger.tree.size
    return _with_more(package, begin, {index: key_of.sign([ledger.bodies[index]], flags=flags)})


def _with_more(package: Draft, begin: int, signatures: Mapping[int, PersonalSignature]) -> bytes:
    """With every entry from `begin`, and these signatures by index."""
    ledger = package.ledger

    def lay(files: Files) -> None:
        for place in range(begin, package.size):
            files[f"ledger/{place}.event"] = ledger.bodies[place]
            files[f"ledger/{place}.tlog-proof"] = str(ledger.proof(place, package.size)).encode()
        for index, signature in signatures.items():
            files.update({f"ledger/sig/{index}/{name}": data for name, data in signature.files().items()})

    return forged(package, lay)


def _two_streams_of_keys() -> bytes:
    """Both keys are enrolled by Aida and both sign: whatever one stream revokes, the other goes on."""
    package = draft()
    ledger, begin = package.ledger, package.ledger.tree.size
    signatures = {}
    for person in (AIDA, replace(AIDA, login="aida.again")):
        ledger.append(person.stream, *person.enrolment, actor=person.actor)
        said = {"signature": person.means}
        index = ledger.append(f"exhibit:{EXHIBIT}", "custody:handover:offered", said, actor=person.actor)
        signatures[index] = person.sign([ledger.bodies[index]])
    package.size = ledger.tree.size
    return _with_more(package, begin, signatures)


def _other_exhibit_in_the_seal() -> bytes:
    """Whose number is the real one's as some tools would write it."""
    package = draft()
    prepared = package.prepared()
    exhibits = cast("dict[str, object]", prepared.seal_data()["exhibits"])
    named = {number.replace("/", "%2F"): head for number, head in exhibits.items()}
    files = files_of(package)
    files[SEAL_EVENT], proof = package.seal(prepared, exhibits=named)
    files[SEAL_PROOF] = str(proof).encode()
    return laid_out(files)


def _withheld_and_here() -> bytes:
    """Two photographs of one exhibit: the second lies where the first, which is withheld, is said to belong."""
    package = draft()
    receive(package, EXHIBIT, b"another photograph")
    here = package.files[0].row.path.replace("/0001", "/0002")
    package.files[-1] = replace(package.files[-1], row=replace(package.files[-1].row, path=here))
    package.withhold_file(0)
    package.size = package.ledger.tree.size

    def lay(files: Files) -> None:
        files[PATH] = write_withheld(replace(row, path=here) for row in parse_withheld(files[PATH]))

    return forged(package, lay)


def _idle_key() -> bytes:
    """Whoever reads a package learns of no key that they need not know."""
    package = draft()
    index = package.ledger.append(AIDA.stream, *AIDA.enrolment, actor=AIDA.actor)
    package.size = package.ledger.tree.size

    def lay(files: Files) -> None:
        files[f"ledger/{index}.event"] = package.ledger.bodies[index]
        files[f"ledger/{index}.tlog-proof"] = str(package.ledger.proof(index, package.size)).encode()

    return forged(package, lay)


def _plain(change: Change) -> bytes:
    """Changed by somebody who holds no key and makes only the archive fit."""
    files = files_of(full_draft())
    change(files)
    return laid_out(files)


def _other_byte(path: str) -> Change:
    def change(files: Files) -> None:
        found = next(name for name in files if name.startswith(path))
        files[found] = bytes([files[found][0] ^ 1]) + files[found][1:]

    return change


def _full(change: Change, *, afterwards: Change = lambda _: None) -> Callable[[], bytes]:
    return lambda: forged(full_draft(), change, afterwards=afterwards)


def _nothing(_: Files) -> None:
    return


def _no_enrolment(files: Files) -> None:
    _drop_entries(files, b'"passkeys:aida"')


def _gap(files: Files) -> None:
    _drop_entries(files, b'"custody:exhibit:moved"', 1)


def _withheld(kind: str) -> Callable[[], bytes]:
    return lambda: forged(_redacted(), lambda files: _other_withheld(files, kind))


def _weaker_seal(files: Files) -> None:
    _cut_last_signature(files, SEAL_PROOF)


def _no_timestamp(files: Files) -> None:
    del files["tagmanifest-sha256.txt.tsr"]


BAD = (
    Bad("a file with another byte", 3, lambda: _plain(_other_byte("data/exhibits/"))),
    Bad("a list with another byte", 4, lambda: _plain(_other_byte("metadata/case.jsonld"))),
    Bad("a file nobody listed", 4, lambda: _plain(lambda files: files.update({"metadata/more.txt": b"!"}))),
    Bad("a timestamp that was promised and is not there", 4, lambda: _plain(_no_timestamp)),
    Bad("the signature of one entry beside another", 10, _full(_swap_signatures)),
    Bad("swapped statements", 10, _full(_swap_statements)),
    Bad("the enrolment of a key left out", 10, _full(_no_enrolment)),
    Bad("a key revoked before it signed", 10, lambda: _with_handover(revoked=True)),
    Bad("a user the authenticator did not verify", 10, lambda: _with_handover(flags=1)),
    Bad("the key of another person", 10, lambda: _with_handover(key_of=NURLAN)),
    Bad("an enrolment of somebody who signed nothing", 10, _idle_key),
    Bad("one person with two streams of keys", 10, _two_streams_of_keys),
    Bad("the proof of another entry", 6, _full(_proof_of_another)),
    Bad("an entry with other words", 6, _full(_change_entry)),
    Bad("a cosignature less than the quorum", 6, _full(_fewer_cosignatures)),
    Bad("an entry missing in an exhibit's chain", 7, _full(_gap)),
    Bad("a seal of an exhibit whose number has %2F for /", 8, _other_exhibit_in_the_seal),
    Bad("a seal with a cosignature less", 8, _full(_nothing, afterwards=_weaker_seal)),
    Bad("a proof of growth cut short", 8, _full(_nothing, afterwards=_cut_growth)),
    Bad("a withheld entry that was never recorded", 6, _withheld("entry")),
    Bad("a withheld file with another hash", 9, _withheld("file")),
    Bad("a withheld file that is here all the same", 9, _withheld_and_here),
    Bad("a file under a name nobody gave it", 9, _full(_renamed_in_list)),
)

GOOD = {
    "full": lambda: full_draft().archive(),
    "redacted": lambda: _redacted().archive(),
    "bare": lambda: draft().archive(),
}

__all__ = ["BAD", "GOOD", "NAME", "Bad"]

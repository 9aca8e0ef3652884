"""Named bad packages, each with the one step that must refuse it, in every verifier."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.contents import Why
from casemgmt.trust.hashing import HASH_SIZE
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.passkey import Assertion, PublicKey
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.pin import CONTEXT, ENROLMENT
from casemgmt.trust.proof import Proof
from casemgmt.trust.withheld import PATH, parse_withheld, write_withheld
from tests.kit.forging import Change, Files, forged
from tests.trust.agreed import agree
from tests.trust.factory import NAME, Draft, draft, full_draft, hand_over, receive
from tests.trust.people import AIDA, BOLOT, CHOLPON, NURLAN, ORIGIN, RP_ID, Person
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


_WHY = {"reason": "seal_differs"}
_REFUSED = {"decision": "refused", **_WHY}
_CHOLPON = {"badge": "C-10", "login": "cholpon", "name": "Cholpon"}
NUMBER = "2026-0412-00137-9/1"


def pin_draft() -> Draft:
    """Offered with a passkey, accepted by PIN; then agreed on two phones without a network."""
    package = draft(exhibits=[NUMBER])
    for person in (AIDA, BOLOT, CHOLPON):
        kind, data = person.enrolment
        package.indexes.append(package.ledger.append(person.stream, kind, data, actor=person.actor))
    hand_over(package, [NUMBER], AIDA, "offered")
    hand_over(package, [NUMBER], BOLOT, "accepted")
    agree(package, NUMBER, BOLOT, CHOLPON)
    package.size = package.ledger.tree.size
    return package


def _by_pin(
    *, revoked: bool = False, enrolment: tuple[str, dict[str, Any]] | None = None, means: str = "pin",
    context: bytes = CONTEXT,
) -> bytes:  # fmt: skip
    """A good package in which one more hand-over by Bolot is laid, signed by PIN; what holds of it not, is given."""
    package = draft()
    ledger, begin = package.ledger, package.ledger.tree.size
    ledger.append(BOLOT.stream, *(enrolment or BOLOT.enrolment), actor=BOLOT.actor)
    if revoked:
        ledger.append(BOLOT.stream, *BOLOT.revocation, actor=BOLOT.actor)
    said = {"signature": {**BOLOT.means, "means": means}}
    index = ledger.append(f"exhibit:{EXHIBIT}", "custody:handover:offered", said, actor=BOLOT.actor)
    package.size = ledger.tree.size
    return _with_more(package, begin, {index: BOLOT.sign([ledger.bodies[index]], context=context)})


class _Exponent3(Person):
    """A passkey of a kind whose signatures have been forged before."""

    @cached_property
    def _rsa(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(3, 2048)

    @property
    def key(self) -> PublicKey:
        found = PublicKey.__new__(PublicKey)  # its own check refuses it
        spki = self._rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        object.__setattr__(found, "spki", spki)
        return found

    @property
    def enrolment(self) -> tuple[str, dict[str, Any]]:
        kind, data = super().enrolment
        return kind, {**data, "algorithm": -257}

    def sign(self, bodies: Sequence[bytes], *, flags: int = 5) -> PersonalSignature:
        made = super().sign(bodies, flags=flags)
        assert isinstance(made.made, Assertion)
        said = made.made.authenticator_data + hashlib.sha256(made.made.client_data).digest()
        signature = self._rsa.sign(said, PKCS1v15(), SHA256())
        return replace(made, made=replace(made.made, signature=signature))


def _exponent_3() -> bytes:
    person = _Exponent3(AIDA.id, "aida", "Aida")
    package = draft()
    ledger, begin = package.ledger, package.ledger.tree.size
    ledger.append(person.stream, *person.enrolment, actor=person.actor)
    said = {"signature": person.means}
    index = ledger.append(f"exhibit:{EXHIBIT}", "custody:handover:offered", said, actor=person.actor)
    package.size = ledger.tree.size
    return _with_more(package, begin, {index: person.sign([ledger.bodies[index]])})


def _pin_as_passkey() -> tuple[str, dict[str, Any]]:
    """The key behind the PIN, enrolled as if an authenticator held it."""
    _, data = BOLOT.enrolment
    more = {"backup_eligible": False, "backed_up": False, "rp_id": RP_ID, "origin": ORIGIN}
    return "accounts:passkey:enrolled", {**data, **more}


def _agreed(**changes: Any) -> Callable[[], bytes]:
    """An agreement of two phones whose records are signed well and say something else than the entry."""

    def make() -> bytes:
        package = draft(exhibits=[NUMBER])
        ledger, begin = package.ledger, package.ledger.tree.size
        for person in (BOLOT, CHOLPON):
            ledger.append(person.stream, *person.enrolment, actor=person.actor)
        agree(package, NUMBER, BOLOT, CHOLPON, **changes)
        package.size, signatures = ledger.tree.size, package.signatures
        package.signatures, package.indexes = {}, [index for index in package.indexes if index < begin]
        return _with_more(package, begin, signatures)

    return make


def _pin(change: Change) -> Callable[[], bytes]:
    return lambda: forged(pin_draft(), change)


def _of_record(files: Files) -> str:
    return next(path for path in files if path.endswith("/record.json"))


def _other_record(files: Files) -> None:
    path = _of_record(files)
    files[path] = files[path].replace(b'"Post 7"', b'"Post 8"')
    assert b"Post 8" in files[path]


def _no_record(files: Files) -> None:
    del files[_of_record(files)]


def _swap_pins(files: Files) -> None:
    """A signature over the record beside the entry that was signed itself, and the other way round."""
    by_pin = [folder for folder in _signed(files) if f"{folder}/authData.bin" not in files]
    first, *_, last = by_pin
    for name in ("statement.txt", "sig.der", "pub.pem"):
        _swap(files, f"{first}/{name}", f"{last}/{name}")


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
    Bad("an RSA key with the exponent 3", 10, _exponent_3),
    Bad("a key behind a PIN revoked before it signed", 10, lambda: _by_pin(revoked=True)),
    Bad("a signature by PIN by a key that is enrolled as a passkey", 10, lambda: _by_pin(enrolment=_pin_as_passkey())),
    Bad("an entry that says passkey and is signed by PIN", 10, lambda: _by_pin(means="passkey")),
    Bad("an entry that is signed by another means", 10, lambda: _by_pin(means="face")),
    Bad("a signature by PIN made for something else", 10, lambda: _by_pin(context=ENROLMENT)),
    Bad("the signature by PIN of one entry beside another", 10, _pin(_swap_pins)),
    Bad("another record than was agreed", 10, _pin(_other_record)),
    Bad("a record that is not there", 10, _pin(_no_record)),
    Bad("an agreement about another exhibit", 10, _agreed(item={"exhibit": "2026-0412-00137-9/2"})),
    Bad("an agreement with another decision", 10, _agreed(item=_REFUSED, said=_WHY)),
    Bad("an agreement with another seal", 10, _agreed(said={"seal": {"receiver": "AB-00451870", "state": "intact"}})),
    Bad("an agreement with another state of the seal", 10, _agreed(item={"seal_state": "damaged"})),
    Bad("an agreement whose words the entry changed", 10, _agreed(said={"agreed": {"exhibit": NUMBER}})),
    Bad("an agreement by another person", 10, _agreed(record={"by": {**_CHOLPON, "name": "Bolot"}})),
    Bad("an agreement with another key", 10, _agreed(record={"key": "ab" * 32})),
    Bad("an agreement of another name", 10, _agreed(record={"id": "7b1f0a52-5d0c-4f0e-9a53-4b8a8f0f3c12"})),
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
    "pin": lambda: pin_draft().archive(),
    "full": lambda: full_draft().archive(),
    "redacted": lambda: _redacted().archive(),
    "bare": lambda: draft().archive(),
}

__all__ = ["BAD", "GOOD", "NAME", "Bad"]

"""The shell script judges the published vectors of docs/spec/signature.md, by which every verifier is made."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from casemgmt.trust.passkey import PublicKey, from_base64url
from tests.kit.verifiers import KIT
from tests.trust.factory import event_body
from tests.trust.people import BOLOT, CHOLPON
from tests.trust.vectors import vectors

VECTORS = vectors("signature.json")
ALGORITHM = {"ES256": -7, "EdDSA": -8, "RS256": -257}


def laid(case: dict[str, Any], folder: Path) -> list[str]:
    """The files of a vector as a package has them, and the arguments of the script."""
    folder.mkdir()
    body = case["bodies"][case.get("index", 0)] if isinstance(case["bodies"], list) else case["bodies"]
    (folder / "entry.event").write_bytes(body.encode() if isinstance(body, str) else body)
    (folder / "statement.txt").write_text(case["statement"], newline="")
    (folder / "clientData.json").write_bytes(case["client_data"].encode())
    (folder / "authData.bin").write_bytes(_bytes(case["authenticator_data"]))
    (folder / "sig.der").write_bytes(_bytes(case["signature"]))
    spki = case["spki"]
    lines = "\n".join(spki[i : i + 64] for i in range(0, len(spki), 64))
    (folder / "pub.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    return [str(folder / "entry.event"), str(folder)]


def _bytes(text: str) -> bytes:
    return base64.b64decode(text) if set(text) & set("+/=") else from_base64url(text.rstrip("="))


def judged(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", str(KIT / "verify_passkey.sh"), *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def enrolment(case: dict[str, Any], fingerprint: str, algorithm: int, person: int) -> bytes:
    who = {"id": person, "name": "Somebody", "badge": "1"}
    data = {
        "person": who, "key": fingerprint, "spki": case["spki"], "algorithm": algorithm,
        "rp_id": case["rp_id"], "origin": case["origin"],
    }  # fmt: skip
    return event_body("passkeys:somebody", 1, None, kind="accounts:passkey:enrolled", data=data, actor=who)


@pytest.mark.parametrize("case", VECTORS["signed"], ids=lambda case: case["name"])
def test_every_good_vector_holds_with_its_enrolment(case: dict[str, Any], tmp_path: Path) -> None:
    arguments = laid(case, tmp_path / "sig")
    body = json.loads(Path(arguments[0]).read_bytes())
    if body.get("data", {}).get("signature", {}).get("means") != "passkey":
        pytest.skip("a vector whose entry does not say by what means it is signed")
    enrolled = tmp_path / "enrolment.event"
    enrolled.write_bytes(enrolment(case, case["fingerprint"], case["algorithm"], body["actor"]["id"]))
    status, said = judged([*arguments, str(enrolled)])
    assert status == 0, said
    assert "user verified; enrolled for Somebody" in said


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_every_bad_vector_is_refused(case: dict[str, Any], tmp_path: Path) -> None:
    arguments = laid(case, tmp_path / "sig")
    try:
        body = json.loads(Path(arguments[0]).read_bytes())
        key = body["data"]["signature"]["key"]
        person = body["actor"]["id"]
    except (KeyError, ValueError):
        key, person = "0" * 64, 1
    enrolled = tmp_path / "enrolment.event"
    enrolled.write_bytes(enrolment(case, key, case.get("algorithm", -7), person))
    status, said = judged([*arguments, str(enrolled)])
    assert status == 1, said
    assert said.startswith("REFUSED: ")


PINS = vectors("pin.json")
PEOPLE = {person.id: person for person in (BOLOT, CHOLPON)}


def laid_pin(case: dict[str, Any], folder: Path) -> list[str]:
    """As ``laid``, of a signature by PIN, with the enrolment of whoever acts."""
    folder.mkdir()
    (folder / "entry.event").write_bytes(case["event"].encode())
    (folder / "statement.txt").write_text(case["statement"], newline="")
    (folder / "sig.der").write_bytes(base64.b64decode(case["signature"]))
    (folder / "pub.pem").write_bytes(PublicKey(base64.b64decode(case["spki"])).pem)
    if "record" in case:
        (folder / "record.json").write_bytes(case["record"].encode())
    person = PEOPLE[json.loads(case["event"])["actor"]["id"]]
    kind, data = person.enrolment
    enrolled = folder / "enrolment.event"
    enrolled.write_bytes(event_body(person.stream, 1, None, kind=kind, data=data, actor=person.actor))
    return [str(folder / "entry.event"), str(folder), str(enrolled)]


@pytest.mark.parametrize("case", PINS["signed"], ids=lambda case: case["name"])
def test_every_good_signature_by_pin_holds_and_is_called_weaker(case: dict[str, Any], tmp_path: Path) -> None:
    status, said = judged(laid_pin(case, tmp_path / "sig"))
    assert status == 0, said
    assert "WEAKER than a passkey (software in one phone); enrolled for" in said


# A record that an entry does not name is a file that belongs to no entry: verify_all.sh says so.
OF_A_PACKAGE = {"a record that the entry does not name"}


@pytest.mark.parametrize("case", PINS["refused"], ids=lambda case: case["name"])
def test_every_bad_signature_by_pin_is_refused(case: dict[str, Any], tmp_path: Path) -> None:
    if case["name"] in OF_A_PACKAGE:
        return
    status, said = judged(laid_pin(case, tmp_path / "sig"))
    assert status == 1, said
    assert said.startswith("REFUSED: "), said


@pytest.mark.parametrize(
    ("name", "guard", "instead"),
    [
        ("a key of another kind: RSA with the exponent 3", "*0203010001)", "*)"),
        ("one bit of the signature", ">/dev/null 2>&1 ||", ">/dev/null 2>&1 || true ||"),
    ],
)
def test_a_script_without_the_guard_accepts(name: str, guard: str, instead: str, tmp_path: Path) -> None:
    text = (KIT / "verify_passkey.sh").read_text(encoding="utf-8")
    assert guard in text
    script = tmp_path / "verify_passkey.sh"
    script.write_text(text.replace(guard, instead), encoding="utf-8")
    (case,) = [case for case in VECTORS["refused"] if case["name"] == name]
    arguments = laid(case, tmp_path / "sig")
    for path, status in ((KIT / "verify_passkey.sh", 1), (script, 0)):
        done = subprocess.run(["sh", str(path), *arguments], capture_output=True, check=False, timeout=60)
        assert done.returncode == status, done.stdout

"""The shell script judges the published vectors of docs/spec/signature.md, by which every verifier is made."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from casemgmt.trust.passkey import from_base64url
from tests.kit.verifiers import KIT
from tests.trust.factory import event_body
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

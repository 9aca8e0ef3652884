"""Passkey signatures over entries: the vectors of docs/spec/signature.md, our verifier and openssl side by side."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.errors import EncodingError, PasskeyError, TrustError
from casemgmt.trust.passkey import (
    Assertion,
    PublicKey,
    challenge,
    from_base64url,
    hashes,
    statement,
    to_base64url,
    verify,
)
from tests.trust.vectors import vectors

VECTORS = vectors("signature.json")
by_name = pytest.mark.parametrize("case", VECTORS["signed"], ids=lambda case: str(case["name"]))


def assertion(case: dict[str, Any]) -> Assertion:
    return Assertion(
        case["client_data"].encode(), base64.b64decode(case["authenticator_data"]), base64.b64decode(case["signature"])
    )


def check(case: dict[str, Any]) -> None:
    key, said = PublicKey(base64.b64decode(case["spki"])), case["statement"].encode()
    for body in case["bodies"]:
        verify(assertion(case), said, key, rp_id=case["rp_id"], origin=case["origin"], body=body.encode())


@by_name
def test_it_verifies_the_signed_examples(case: dict[str, Any]) -> None:
    check(case)
    key, bodies = PublicKey(base64.b64decode(case["spki"])), [b.encode() for b in case["bodies"]]
    assert statement(bodies) == case["statement"].encode()
    assert to_base64url(challenge(statement(bodies))) == case["challenge"]
    assert (key.algorithm, key.fingerprint, key.pem.decode()) == (case["algorithm"], case["fingerprint"], case["pem"])
    assert PublicKey.from_pem(key.pem) == key


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_each_named_bad_case_and_says_why(case: dict[str, Any]) -> None:
    with pytest.raises(PasskeyError) as refused:
        check(case)
    assert case["words"] in str(refused.value)


def test_the_bad_cases_are_bad_for_one_reason_only() -> None:
    """Guard of the vectors: what is signed with the right key is wrong in what it says, not in the signature."""
    for case in VECTORS["refused"]:
        if case["words"] in ("not by this key", "passkey is"):
            continue
        signed = assertion(case)
        PublicKey(base64.b64decode(case["spki"])).verify(
            signed.signature, signed.authenticator_data + hashlib.sha256(signed.client_data).digest()
        )


def commands() -> str:
    """Those of the specification page, with the arguments of the test in place of its capitals."""
    page = (Path(__file__).parents[2] / "docs" / "spec" / "signature.md").read_text("utf-8")
    written = page.split("```")[3].replace("ENTRY.event", '"$1"').replace(" RP_ID ", ' "$2" ')
    choice = 'd="-digest sha256"; openssl pkey -pubin -in pub.pem -noout -text | grep -q ED25519 && d=""\n'
    return "set -eu\n" + choice + written.replace("-digest sha256", "$d")


def openssl(case: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """The commands of the specification page, in a directory with the five files."""
    made = assertion(case)
    (folder / "statement.txt").write_text(case["statement"])
    (folder / "clientData.json").write_bytes(made.client_data)
    (folder / "authData.bin").write_bytes(made.authenticator_data)
    (folder / "sig.der").write_bytes(made.signature)
    (folder / "pub.pem").write_bytes(PublicKey(base64.b64decode(case["spki"])).pem)
    (folder / "1.event").write_text(case["bodies"][0])
    return subprocess.run(
        ["sh", "-c", commands(), "sh", "1.event", case["rp_id"]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@by_name
def test_openssl_alone_verifies_the_signed_examples(case: dict[str, Any], tmp_path: Path) -> None:
    done = openssl(case, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2] == case["fingerprint"]


@pytest.mark.parametrize(
    "name",
    [
        "another person's key", "one bit of the signature", "an assertion for entry A kept with entry B",
        "the user not verified", "another relying party", "an entry the statement does not name",
        "client data in another order", "an enrolment given as a signature",
    ],
)  # fmt: skip
def test_openssl_alone_refuses_what_we_refuse(name: str, tmp_path: Path) -> None:
    (case,) = [case for case in VECTORS["refused"] if case["name"] == name]
    assert openssl(case, tmp_path).returncode != 0


@pytest.mark.parametrize("field", ["client_data", "authenticator_data", "signature", "statement", "spki"])
def test_any_byte_changed_in_what_is_kept_is_refused(field: str) -> None:
    """Every byte of every one of the five files, each with three other values."""
    case = VECTORS["signed"][0]
    text = field in ("client_data", "statement")
    whole = case[field].encode() if text else base64.b64decode(case[field])
    for place in range(len(whole)):
        for change in (0x01, 0x20, 0x80):
            bad = bytes([*whole[:place], whole[place] ^ change, *whole[place + 1 :]])
            said = bad if field == "statement" else case["statement"].encode()
            made = assertion(case)
            parts = {"client_data": made.client_data, "authenticator_data": made.authenticator_data,
                     "signature": made.signature, field: bad}  # fmt: skip
            with pytest.raises(PasskeyError):
                verify(
                    Assertion(parts["client_data"], parts["authenticator_data"], parts["signature"]), said,
                    PublicKey(bad if field == "spki" else base64.b64decode(case["spki"])),
                    rp_id=case["rp_id"], origin=case["origin"],
                )  # fmt: skip


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_bytes_of_any_kind_give_a_sentence_and_nothing_else(a: bytes, b: bytes, c: bytes, d: bytes) -> None:
    case = VECTORS["signed"][0]
    with pytest.raises(TrustError):
        verify(Assertion(a, b, c), d, PublicKey(base64.b64decode(case["spki"])), rp_id="localhost", origin="o")
    with pytest.raises(TrustError):
        PublicKey(a)
    with pytest.raises(TrustError):
        PublicKey.from_pem(a)


@given(st.binary(max_size=100))
def test_base64url_has_one_spelling(data: bytes) -> None:
    assert from_base64url(to_base64url(data)) == data


@pytest.mark.parametrize("text", ["AA==", "AB", "A", "a+b=", "é", "AA\n"])
def test_base64url_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        from_base64url(text)


def test_a_statement_has_a_bound_and_no_double() -> None:
    with pytest.raises(PasskeyError, match="twice"):
        statement([b"a", b"a"])
    with pytest.raises(PasskeyError, match="lines"):
        statement([])
    with pytest.raises(PasskeyError, match="at most"):
        statement(str(n).encode() for n in range(1001))
    assert len(hashes(statement(str(n).encode() for n in range(1000)))) == 1000


def test_openssl_is_here() -> None:
    assert shutil.which("openssl")

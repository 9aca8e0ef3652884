"""A key on a PKCS#11 token, played by SoftHSM: it signs, is named when it is away, and is found again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from casemgmt.signing.credentials import Pkcs11
from casemgmt.signing.demonstration import Demonstration
from casemgmt.signing.errors import CredentialError
from casemgmt.signing.signer import OrganisationSigner
from tests.signing.conftest import pkcs12, run
from tests.signing.makers import issue

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "246810"
CONTENT = b"tag manifest\n"
ROOT = issue("Root", ca=True)

FILL = """
import json, sys, pkcs11
from pkcs11 import Attribute as A
from pkcs11.util.ec import decode_ec_private_key
from pkcs11.util.rsa import decode_rsa_private_key
from pkcs11.util.x509 import decode_x509_certificate
with pkcs11.lib(sys.argv[1]).get_token(token_label="evidence office").open(rw=True, user_pin=sys.argv[2]) as session:
    for item in json.load(sys.stdin):
        named = {A.LABEL: item["label"], A.TOKEN: True}
        session.create_object(decode_x509_certificate(bytes.fromhex(item["certificate"])) | named)
        decode = decode_rsa_private_key if item["label"] == "rsa" else decode_ec_private_key
        session.create_object(decode(bytes.fromhex(item["key"])) | named | {A.SIGN: True, A.SENSITIVE: True})
"""

Token = tuple[Path, str]


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory, missing_part: Callable[[str], None], demo: Demonstration) -> Token:
    """An RSA key of the demonstration and an elliptic one, each with its certificate, on a token of this module."""
    module = next((m for m in MODULES if Path(m).exists()), None)
    if module is None:
        missing_part("softhsm2 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")  # read once, when the library is loaded
    make = ["softhsm2-util", "--init-token", "--free", "--label", "evidence office", "--so-pin", PIN, "--pin", PIN]
    subprocess.run(make, check=True, capture_output=True)
    leaf, key = issue("Elliptic", by=ROOT)
    objects = [
        {"label": "rsa", "key": _plain(_rsa_key(demo)), "certificate": _der(pkcs12(demo).certificate)},
        {"label": "elliptic", "key": _plain(key), "certificate": _der(leaf)},
    ]
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(module), PIN],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(str(module)), "evidence office"


def _plain(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()).hex()


def _der(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.DER).hex()


def _rsa_key(demo: Demonstration) -> rsa.RSAPrivateKey:
    signer = pkcs12(demo)
    with signer.signer([signer.certificate]) as opened:
        key = load_der_private_key(opened.signing_key.dump(), None)  # type: ignore[attr-defined]
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


async def test_a_token_signs_what_openssl_verifies(token: Token, demo: Demonstration, tmp_path: Path) -> None:
    for label, others in (("rsa", list(pkcs12(demo).others)), ("elliptic", [ROOT[0]])):
        signer = OrganisationSigner(partial(Pkcs11, *token, label, PIN), others, [], None)
        (tmp_path / "content").write_bytes(CONTENT)
        (tmp_path / "ca.pem").write_bytes(signer.chain().issuers_pem)
        verify = (
            "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "content.p7s", "-content",
            "content", "-CAfile", "ca.pem", "-purpose", "any", "-out", "/dev/null",
        )  # fmt: skip
        for _ in range(2):  # a session of its own each time
            (tmp_path / "content.p7s").write_bytes(await signer.sign_detached(CONTENT))
            done = run(*verify, where=tmp_path)
            assert done.returncode == 0, done.stdout
        (tmp_path / "content").write_bytes(CONTENT + b"!")
        assert run(*verify, where=tmp_path).returncode != 0


def test_a_wrong_pin_a_wrong_label_and_no_token_are_named(token: Token) -> None:
    module, name = token
    with pytest.raises(CredentialError, match=r"'evidence office' cannot be used: \w+") as refused:
        Pkcs11(module, name, "rsa", "99999999")
    assert "99999999" not in str(refused.value)
    with pytest.raises(CredentialError, match="no certificate labelled 'absent'"):
        Pkcs11(module, name, "absent", PIN)
    with pytest.raises(CredentialError, match="'another token' cannot be used"):
        Pkcs11(module, "another token", "rsa", PIN)
    with pytest.raises(CredentialError, match="cannot be used"):
        Pkcs11(Path("/nowhere/token.so"), name, "rsa", PIN)


def test_a_library_that_crashes_costs_one_answer_and_not_this_process(
    tmp_path: Path, missing_part: Callable[[str], None]
) -> None:
    if shutil.which("cc") is None:
        missing_part("no C compiler to make a library that crashes")
    (tmp_path / "crash.c").write_text("__attribute__((constructor)) void c(void) { *(volatile int *)0 = 1; }")
    build = ["cc", "-shared", "-fPIC", "-o", str(tmp_path / "crash.so"), str(tmp_path / "crash.c")]
    assert subprocess.run(build, check=False).returncode == 0
    with pytest.raises(CredentialError, match="its library ended with -11"):
        Pkcs11(tmp_path / "crash.so", "any", "rsa", PIN)


async def test_a_token_that_was_away_at_first_is_found_again(token: Token, demo: Demonstration) -> None:
    names = iter(["pulled out", token[1]])
    others = list(pkcs12(demo).others)
    signer = OrganisationSigner(lambda: Pkcs11(token[0], next(names), "rsa", PIN), others, [], None)
    with pytest.raises(CredentialError, match="pulled out"):
        await signer.sign_detached(CONTENT)
    assert await signer.sign_detached(CONTENT)

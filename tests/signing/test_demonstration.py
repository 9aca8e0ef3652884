"""What a demonstration makes for itself: marked in every subject, private, and made once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from casemgmt.settings import SettingError, load
from casemgmt.signing.demonstration import Demonstration, ensure_demonstration
from casemgmt.signing.opening import open_signing
from tests.test_settings import LEAST


def given(demo: Demonstration, **more: str) -> dict[str, str]:
    return LEAST | {
        "CASEMGMT_SEAL_PKCS12_FILE": str(demo.pkcs12),
        "CASEMGMT_SEAL_PKCS12_PASSWORD_FILE": str(demo.password),
        "CASEMGMT_TIMESTAMP_AUTHORITIES": demo.authority,
    } | more  # fmt: skip


def test_every_certificate_says_that_it_is_a_demonstrations(demo: Demonstration) -> None:
    for file in demo.directory.glob("*.pem"):
        for certificate in x509.load_pem_x509_certificates(file.read_bytes()):
            assert "DEMONSTRATION" in certificate.subject.rfc4514_string()
            assert "DEMONSTRATION" in certificate.issuer.rfc4514_string()


def test_nobody_else_may_read_it_and_nothing_more_can_be_issued(demo: Demonstration) -> None:
    assert {f.stat().st_mode & 0o777 for f in demo.directory.iterdir() if f.name != "lock"} == {0o600}
    assert demo.directory.stat().st_mode & 0o077 == 0
    assert not list(demo.directory.glob("*ca.key"))


def test_it_is_made_once_even_when_several_begin_together(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: ensure_demonstration(tmp_path / "keys" / "demonstration"), range(3)))
    assert len({m.ca.read_bytes() for m in made}) == 1
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["demonstration"]


def test_settings_that_name_it_open_and_tell_that_it_is_one(demo: Demonstration) -> None:
    signing = open_signing(load(given(demo)))
    assert signing.demonstration()
    assert sorted(signing.key_files()) == ["organisation-ca.pem", "timestamp-ca.pem"]
    assert signing.key_files()["organisation-ca.pem"] == demo.ca.read_bytes()


def test_without_settings_nothing_signs_and_nothing_is_a_demonstration() -> None:
    signing = open_signing(load(LEAST))
    assert (signing.signer, signing.authorities) == (None, None)
    assert not signing.demonstration()
    assert signing.key_files() == {}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SEAL_PKCS12_FILE", "/nowhere/seal.p12", "cannot be read"),
        ("SEAL_CHAIN_FILE", "/nowhere/chain.pem", "cannot be read"),
        ("SEAL_PKCS11_MODULE", "/usr/lib/token.so", "which one signs"),
        ("TIMESTAMP_AUTHORITIES", "https://tsa.example.org/tsr", "the path of its CA"),
        ("TIMESTAMP_AUTHORITIES", "ftp://user:hidden@tsa.example.org/ /etc/ca.pem", "the path of its CA"),
        ("TIMESTAMP_AUTHORITIES", "https://tsa.example.org/tsr /nowhere/ca.pem 1.2.3", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start_by_name(demo: Demonstration, name, value, told) -> None:
    with pytest.raises(SettingError, match=told) as refused:
        open_signing(load(given(demo, **{f"CASEMGMT_{name}": value})))
    assert "CASEMGMT_" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_passwords_do_not_show_when_settings_are_printed(demo: Demonstration) -> None:
    addresses = f"https://user:hidden-too@tsa.example.org/ {demo.tsa_ca}"
    settings = load(given(demo, CASEMGMT_TIMESTAMP_AUTHORITIES=addresses))
    assert demo.password.read_text() not in repr(settings)
    assert "hidden-too" not in repr(settings)


def test_a_machine_without_openssl_says_so(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from casemgmt.signing.demonstration import ensure_demonstration;"
        f"ensure_demonstration(Path({str(tmp_path / 'demonstration')!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert "the openssl command is not installed" in done.stderr
    assert not (tmp_path / "demonstration").exists()

"""``casemgmt up --lan``: a secure origin without anybody's help, and an authority that cannot be misused."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image

from casemgmt.embedded import lan
from casemgmt.embedded.lan import NoNetworkError, make_certificates, named_address
from casemgmt.embedded.lan_door import for_everybody
from casemgmt.embedded.lan_guide import invitation
from tests.chromium import chromium
from tests.frontend.looking import axe, overflow

LOOPBACK = [IPv4Address("127.0.0.1")]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What the terminal of an instance says, and its data directory."""
    home = Path(f"/dev/shm/casemgmt-lan-{socket.gethostname()}-{time.monotonic_ns()}")
    home.mkdir(mode=0o711)
    command = [sys.executable, "-m", "casemgmt", "up", "--data", str(home), "--lan", "localhost", "--port", "0"]
    output = tmp_path_factory.mktemp("lan") / "output"
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        while "Stop with Ctrl-C" not in output.read_text():
            assert process.poll() is None and time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield output.read_text(), home
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home)


def addresses(said: str) -> tuple[str, str]:
    """The guide's address and the application's."""
    guide, app = re.search(r"open (http://\S+) and", said), re.search(r"Then open (https://\S+)", said)
    assert guide and app, said
    return guide[1], app[1]


def test_a_telephone_that_installed_the_certificate_reaches_the_register(instance: tuple[str, Path]) -> None:
    guide, app = addresses(instance[0])
    page = httpx.get(guide).text
    authority = re.search(r'href="/(\S+\.crt)"', page)
    assert authority
    answer = httpx.get(f"{guide}/{authority[1]}")
    assert answer.headers["Content-Type"].startswith("application/x-x509-ca-cert")
    certificate = x509.load_der_x509_certificate(answer.content)
    context = ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())
    assert httpx.get(f"{app}/healthz", verify=context).status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{app}/healthz")


def test_the_guide_and_the_terminal_show_the_same_fingerprint_to_compare(instance: tuple[str, Path]) -> None:
    said, home = instance
    shown = "".join(re.findall(r"^   ((?:[0-9A-F]{2}:){15}[0-9A-F]{2})$", said, re.MULTILINE))
    command = ["openssl", "x509", "-in", str(home / "keys/lan/authority.crt"), "-noout", "-fingerprint", "-sha256"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.strip().rpartition("=")[2].replace(":", "") == shown.replace(":", "")
    page = re.sub(r"<[^>]+>", "", httpx.get(addresses(said)[0]).text)
    assert shown.replace(":", "") in page


def test_the_pages_are_a_secure_origin_with_everything_that_needs_one(instance: tuple[str, Path]) -> None:
    guide, app = addresses(instance[0])
    with chromium() as (_, browser):
        telephone = browser.new_context(ignore_https_errors=True, viewport={"width": 320, "height": 640})
        page = telephone.new_page()
        page.goto(f"{app}/sign-in")
        assert page.evaluate("isSecureContext && 'serviceWorker' in navigator && !!window.PublicKeyCredential")
        cookies = telephone.cookies()
        assert all(cookie["secure"] for cookie in cookies)
        page.goto(guide)
        assert overflow(page) == 0
        assert axe(page) == []
        page.screenshot(path="test-results/screens/lan.png", full_page=True)


def test_nothing_but_the_guide_is_answered_without_https(instance: tuple[str, Path]) -> None:
    guide, _ = addresses(instance[0])
    for path in ("/sign-in", "/seizures", "/api/v1/me", "/keys/lan/authority.key"):
        assert httpx.get(f"{guide}{path}").status_code == 404


def test_the_codes_in_the_terminal_can_be_scanned(instance: tuple[str, Path]) -> None:
    guide, app = addresses(instance[0])
    picture = drawn([line for line in instance[0].splitlines() if re.fullmatch(r" {3}[█▀▄ ]{20,}", line)])
    assert {code.text for code in zxingcpp.read_barcodes(picture)} == {guide, app}


def drawn(lines: list[str]) -> Image.Image:
    """A dark terminal's block characters as a picture: each is two pixels high."""
    width = max(len(line) for line in lines)
    small = Image.new("L", (width, 2 * len(lines)), 0)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            small.putpixel((column, 2 * row), 255 if block in "█▀" else 0)
            small.putpixel((column, 2 * row + 1), 255 if block in "█▄" else 0)
    return small.resize((small.width * 4, small.height * 4), Image.Resampling.NEAREST)


def test_keys_are_for_their_owner_alone(instance: tuple[str, Path]) -> None:
    for key in (instance[1] / "keys" / "lan").glob("*.key"):
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.read_text() not in instance[0]


@pytest.mark.parametrize(("name", "accepted"), [("evidence.post.lan", True), ("bank.example.com", False)])
def test_whoever_stole_the_authority_could_not_pose_as_another_site(tmp_path: Path, name: str, accepted: bool) -> None:
    files = make_certificates(tmp_path, "evidence.post.lan", LOOPBACK, datetime.now(UTC))
    authority = x509.load_der_x509_certificate(files.authority)
    key, server_key = lan._key(tmp_path / "authority.key"), lan._key(tmp_path / "server.key")
    forged = lan._server(server_key, key, authority, [x509.DNSName(name)], datetime.now(UTC))
    (tmp_path / "forged.crt").write_bytes(forged.public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-CAfile", str(tmp_path / "authority.crt"), str(tmp_path / "forged.crt")]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verified.returncode == 0) is accepted, verified.stderr
    assert accepted or "permitted subtree violation" in verified.stderr


def test_the_authority_stays_and_the_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, "192.168.1.7", LOOPBACK, NOW)
    served = first.certificate.read_bytes()
    assert make_certificates(tmp_path, "192.168.1.7", LOOPBACK, NOW + timedelta(days=300)) == first
    assert first.certificate.read_bytes() == served
    later = make_certificates(tmp_path, "192.168.1.7", LOOPBACK, NOW + timedelta(days=380))
    assert later.authority == first.authority
    assert later.certificate.read_bytes() != served


def test_another_address_gets_a_certificate_from_the_same_authority(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, "192.168.1.7", LOOPBACK, NOW)
    moved = make_certificates(tmp_path, "10.0.0.9", LOOPBACK, NOW)
    assert moved.authority == first.authority
    held = x509.load_pem_x509_certificate(moved.certificate.read_bytes())
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert IPv4Address("10.0.0.9") in names.get_values_for_type(x509.IPAddress)


def test_a_name_the_authority_may_not_vouch_for_needs_a_new_authority(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, "192.168.1.7", LOOPBACK, NOW)
    assert make_certificates(tmp_path, "evidence.post.lan", LOOPBACK, NOW).authority != first.authority


@pytest.mark.parametrize("name", ["", "a b", "x/y", "пост", "a..b", "x" * 64, "http://x"])
def test_what_is_no_name_is_refused_in_words(name: str) -> None:
    with pytest.raises(NoNetworkError, match="neither"):
        named_address(name)


def test_an_address_and_a_port_that_were_set_stay() -> None:
    assert for_everybody({})["CASEMGMT_PORT"] == "8443"
    assert for_everybody({"CASEMGMT_HOST": "10.0.0.9", "CASEMGMT_PORT": "443"})["CASEMGMT_PORT"] == "443"


def test_the_invitation_names_both_addresses(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, "10.0.0.9", LOOPBACK, NOW)
    said = invitation("https://10.0.0.9:8443", "http://10.0.0.9:8080", files)
    assert files.fingerprint[:47] in said
    assert files.fingerprint[48:] in said

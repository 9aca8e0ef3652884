"""Timestamps: asked for over HTTP, checked before they count, and an outage named authority by authority."""

import hashlib
import shutil
import time
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response

from casemgmt.signing import tokens
from casemgmt.signing.authority import LONGEST_ANSWER, Authorities, HttpAuthority
from casemgmt.signing.demonstration import POLICY, Demonstration
from casemgmt.signing.errors import AuthorityError, NoTimestampError
from casemgmt.signing.tokens import check_response, make_request
from tests.servers import free_port
from tests.signing.conftest import Server, local, run, trusted

CONTENT = b"a checkpoint\n"
DIGEST = hashlib.sha256(CONTENT).digest()


async def test_an_authority_asked_over_http_gives_what_openssl_verifies(
    server: Server, demo: Demonstration, tmp_path: Path
) -> None:
    stamped = await Authorities([server.authority(demo, policy=POLICY)]).stamp(CONTENT)
    assert (stamped.authority, stamped.policy) == ("127.0.0.1", POLICY)
    assert abs(stamped.time.timestamp() - time.time()) < 60
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "content.tsr").write_bytes(stamped.response)
    verify = ("openssl", "ts", "-verify", "-data", "content", "-in", "content.tsr", "-CAfile")
    assert run(*verify, demo.tsa_ca, where=tmp_path).returncode == 0
    (tmp_path / "content").write_bytes(CONTENT + b"!")
    assert "message imprint mismatch" in run(*verify, demo.tsa_ca, where=tmp_path).stdout


async def test_openssl_says_no_to_another_authority_and_to_a_changed_answer(
    authorities: Authorities, demo: Demonstration, other: Demonstration, tmp_path: Path
) -> None:
    response = (await authorities.stamp(CONTENT)).response
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "content.tsr").write_bytes(response)
    verify = ("openssl", "ts", "-verify", "-data", "content", "-in", "content.tsr", "-CAfile")
    assert run(*verify, other.tsa_ca, where=tmp_path).returncode != 0
    broken = bytearray(response)
    broken[-30] ^= 1  # in the signature
    (tmp_path / "content.tsr").write_bytes(broken)
    assert run(*verify, demo.tsa_ca, where=tmp_path).returncode != 0


async def test_after_the_authoritys_certificate_has_expired_a_reader_gives_the_time_of_the_timestamp(
    authorities: Authorities, demo: Demonstration, tmp_path: Path
) -> None:
    stamped = await authorities.stamp(CONTENT)
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "content.tsr").write_bytes(stamped.response)
    verify = ("openssl", "ts", "-verify", "-data", "content", "-in", "content.tsr", "-CAfile", demo.tsa_ca)
    late = run(*verify, "-attime", "2200000000", where=tmp_path)
    assert late.returncode != 0
    assert "certificate has expired" in late.stdout
    assert run(*verify, "-attime", str(int(stamped.time.timestamp())), where=tmp_path).returncode == 0


async def test_the_next_authority_is_asked_when_one_is_away(server: Server, demo: Demonstration) -> None:
    away = HttpAuthority(f"http://127.0.0.1:{free_port()}/tsr", trusted(demo), None, 5.0)
    stamped = await Authorities([away, server.authority(demo)]).stamp(CONTENT)
    assert server.asked == 1
    assert stamped.token


async def test_when_none_answers_each_is_named_with_its_reason(server: Server, demo: Demonstration) -> None:
    server.behaviour = lambda _: (503, b"busy")
    away = HttpAuthority(f"http://user:hidden-word@127.0.0.1:{free_port()}/tsr", trusted(demo), None, 5.0)
    with pytest.raises(NoTimestampError) as failed:
        await Authorities([away, server.authority(demo)]).stamp(CONTENT)
    assert len(failed.value.reasons) == 2
    assert "cannot be asked" in failed.value.reasons[0]
    assert "HTTP status 503" in failed.value.reasons[1]
    assert "hidden-word" not in str(failed.value)


async def test_a_password_in_the_address_is_sent_as_basic_authentication(server: Server, demo: Demonstration) -> None:
    server.url = server.url.replace("http://", "http://customs:p%40ss@")
    await Authorities([server.authority(demo)]).stamp(CONTENT)
    assert server.authorization == "Basic Y3VzdG9tczpwQHNz"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "not a timestamp"),
        (b"<html>captive portal</html>", "not a timestamp"),
        (b"\x30\x82\xff\xff" + b"\x30" * 200, "not a timestamp"),
        (b"\x30\x80" * 5000, "not a timestamp"),
        (b"x" * (LONGEST_ANSWER + 1), "more than"),
    ],
)
async def test_what_is_no_timestamp_is_refused_in_words(server: Server, demo: Demonstration, answer, told) -> None:
    server.behaviour = lambda _: (200, answer)
    with pytest.raises(NoTimestampError, match=told):
        await Authorities([server.authority(demo)]).stamp(CONTENT)


async def test_a_refusal_is_told_with_the_authoritys_own_words(server: Server, demo: Demonstration) -> None:
    refusal = tokens.Response({"status": {"status": "rejection", "status_string": ["no contract"]}}).dump()
    server.behaviour = lambda _: (200, refusal)
    with pytest.raises(NoTimestampError, match="refused: rejection no contract"):
        await Authorities([server.authority(demo)]).stamp(CONTENT)


async def test_an_authority_that_drips_is_left_within_its_time(server: Server, demo: Demonstration) -> None:
    server.pause = 0.05
    began = time.monotonic()
    with pytest.raises(NoTimestampError, match="did not finish"):
        await Authorities([server.authority(demo, timeout=1.0)]).stamp(CONTENT)
    assert time.monotonic() - began < 10


def test_a_timestamp_of_something_else_an_old_one_and_another_policy_are_refused(demo: Demonstration) -> None:
    request = make_request(DIGEST)
    elsewhere = local(demo).ask(make_request(hashlib.sha256(b"else").digest()).der)
    with pytest.raises(AuthorityError, match="about another hash"):
        check_response(elsewhere, request, trusted(demo))
    with pytest.raises(AuthorityError, match="our nonce"):
        check_response(local(demo).ask(make_request(DIGEST).der), request, trusted(demo))
    answer = local(demo).ask(request.der)
    wanted = tokens.Request(request.der, request.digest, request.algorithm, request.nonce, "1.2.3.4")
    with pytest.raises(AuthorityError, match=r"not 1\.2\.3\.4"):
        check_response(answer, wanted, trusted(demo))


def test_a_timestamp_of_an_authority_under_another_ca_is_refused(demo: Demonstration, other: Demonstration) -> None:
    request = make_request(DIGEST)
    with pytest.raises(AuthorityError, match="not signed by an authority we trust"):
        check_response(local(other).ask(request.der), request, trusted(demo))


def test_a_changed_signature_of_a_timestamp_is_refused(demo: Demonstration) -> None:
    request = make_request(DIGEST)
    answer = bytearray(local(demo).ask(request.der))
    answer[-30] ^= 1
    with pytest.raises(AuthorityError, match="not signed by an authority we trust"):
        check_response(bytes(answer), request, trusted(demo))


@pytest.fixture
def loose(demo: Demonstration, other: Demonstration, tmp_path: Path) -> Demonstration:
    """An authority that sends more certificates than its own, unsorted as openssl writes them: no strict DER."""
    shutil.copytree(demo.directory, tmp_path / "loose")
    made = Demonstration(tmp_path / "loose")
    (made.directory / "more.pem").write_bytes(
        b"".join(p.read_bytes() for p in (demo.tsa_ca, demo.ca, other.ca, other.tsa_ca))
    )
    configuration = made.directory / "tsa.cnf"
    configuration.write_text(configuration.read_text().replace("signer_key", "certs = more.pem\nsigner_key"))
    return made


def test_an_answer_in_loose_encoding_is_checked_with_openssl_instead(
    loose: Demonstration, other: Demonstration
) -> None:
    request = make_request(DIGEST)
    answer = local(loose).ask(request.der)
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(answer)
    assert check_response(answer, request, trusted(loose)).token
    with pytest.raises(AuthorityError, match="not signed by an authority we trust"):
        check_response(answer, request, trusted(other))
    broken = bytearray(answer)
    broken[-30] ^= 1
    with pytest.raises(AuthorityError, match="not signed by an authority we trust"):
        check_response(bytes(broken), request, trusted(loose))

"""RFC 3161 requests, and what an answer must be before it counts as a timestamp.

Numbered as they are checked: 1 it can be read, 2 it was granted, 3 it is about our hash, 4 it carries our nonce, 5 the
policy is the one asked for, 6 it is signed by a timestamping certificate under the CA we trust.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import algos, cms, core, tsp
from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from casemgmt.signing.certificates import to_pem
from casemgmt.signing.errors import AuthorityError
from casemgmt.signing.openssl import OpensslError, openssl

_GRANTED = {"granted", "granted_with_mods"}


class Response(core.Sequence):  # type: ignore[misc]
    """TimeStampResp as RFC 3161 has it: asn1crypto's own takes no refusal, which comes without a token."""

    _fields = [  # noqa: RUF012
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: ``der`` is what is sent."""

    der: bytes
    digest: bytes
    algorithm: str
    nonce: int
    policy: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """A verified answer: the CMS token inside, the authority's time (UTC), its policy and serial number."""

    response: bytes
    token: bytes
    time: datetime
    policy: str
    serial: int


def make_request(digest: bytes, algorithm: str = "sha256", policy: str | None = None) -> Request:
    """Ask for a timestamp over ``digest``, made with ``algorithm`` (its name as hashlib has it)."""
    nonce = secrets.randbits(63) | 1 << 62  # always the same length, never negative
    asked = {
        "version": 1,
        "message_imprint": {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}),
            "hashed_message": digest,
        },
        "nonce": nonce,
        "cert_req": True,
    }
    if policy is not None:
        asked["req_policy"] = policy
    return Request(tsp.TimeStampReq(asked).dump(), digest, algorithm, nonce, policy)


def check_response(response: bytes, request: Request, trusted: Sequence[x509.Certificate]) -> Token:
    """Raises AuthorityError, which says which check failed."""
    token = _read(response, request)
    _check_signature(response, request, trusted, token.policy)
    return token


def _read(response: bytes, request: Request) -> Token:
    try:
        answer = Response.load(response, strict=True)
        status = answer["status"]["status"].native
        if status not in _GRANTED:
            raise AuthorityError(f"refused: {status} {_reason(answer)}".strip())
        content = answer["time_stamp_token"]
        info = content["content"]["encap_content_info"]["content"].parsed
        imprint, nonce = info["message_imprint"], info["nonce"].native
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        hashed, policy = imprint["hashed_message"].native, info["policy"].dotted
        token = Token(response, content.dump(), info["gen_time"].native, policy, info["serial_number"].native)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AuthorityError(f"the answer is not a timestamp: {str(error).splitlines()[0][:200]}") from error
    if (algorithm, hashed) != (request.algorithm, request.digest):
        raise AuthorityError("the timestamp is about another hash")
    if nonce != request.nonce:
        raise AuthorityError("the timestamp does not carry our nonce: it may be an old one")
    if request.policy is not None and policy != request.policy:
        raise AuthorityError(f"the timestamp follows policy {policy}, not {request.policy}")
    if token.time.tzinfo is None:
        raise AuthorityError("the timestamp's time has no zone")
    return token


def _reason(answer: Response) -> str:
    texts = answer["status"]["status_string"].native or []
    failure = answer["status"]["fail_info"].native or ()
    return " ".join([*map(str, texts), *sorted(failure)])[:200]


def _check_signature(response: bytes, request: Request, trusted: Sequence[x509.Certificate], policy: str) -> None:
    """With rfc3161-client; where the answer is not strict DER, as many authorities' are not, with openssl."""
    try:
        decoded = decode_timestamp_response(response)
    except ValueError:
        _check_with_openssl(response, request, trusted)
        return
    if decoded.status != 0:
        _check_with_openssl(response, request, trusted)  # granted with modifications: not known to the library
        return
    builder = VerifierBuilder(nonce=request.nonce, policy_id=x509.ObjectIdentifier(policy))
    for certificate in trusted:
        if certificate.subject == certificate.issuer:
            builder = builder.add_root_certificate(certificate)
        else:
            builder = builder.add_intermediate_certificate(certificate)
    try:
        builder.build().verify(decoded, request.digest)
    except (VerificationError, ValueError) as error:
        raise AuthorityError(f"the timestamp is not signed by an authority we trust: {error}") from error


def _check_with_openssl(response: bytes, request: Request, trusted: Sequence[x509.Certificate]) -> None:
    with tempfile.TemporaryDirectory(prefix="casemgmt-ts-") as name:
        where = Path(name)
        (where / "ca.pem").write_bytes(to_pem(trusted))
        (where / "query").write_bytes(request.der)
        (where / "response").write_bytes(response)
        try:
            openssl("ts", "-verify", "-queryfile", "query", "-in", "response", "-CAfile", "ca.pem", where=where)
        except OpensslError as error:
            raise AuthorityError(f"the timestamp is not signed by an authority we trust: {error}") from error

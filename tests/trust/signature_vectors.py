"""Writes docs/spec/vectors/signature.json: ``python -m tests.trust.signature_vectors``.

ES256 by Chromium's virtual authenticator; the other algorithms and the bad cases by keys in software. Every run makes
other keys, so this is run when the format changes and not otherwise.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from casemgmt.trust.encoding import to_base64
from casemgmt.trust.passkey import ALGORITHMS, EDDSA, ES256, RS256, PublicKey, challenge, from_base64url, statement
from casemgmt.trust.passkey import to_base64url as b64u
from casemgmt.walkthrough.authenticator import BACKED_UP, PRESENT, VERIFIED, SoftAuthenticator, sign, spki
from tests.chromium import chromium
from tests.passkeys.browser_keys import VirtualAuthenticator

FILE = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "signature.json"
ORIGIN, RP_ID = "https://evidence.example.org", "evidence.example.org"


def body(exhibit: int, seq: int, fingerprint: str, type_: str = "offered") -> bytes:
    """An entry as the ledger holds it, with its key named inside."""
    return rfc8785.dumps(
        {
            "v": 1, "type": f"custody:handover:{type_}", "stream": f"exhibit:2026-0412-00137-9/{exhibit}", "seq": seq,
            "prev": f"{seq:064x}", "at": "2026-11-21T20:44:21.118Z", "nonce": f"{exhibit * 16 + seq:032x}",
            "actor": {"id": 17, "name": "Өмүрбек Асанов", "badge": "04412"},
            "data": {"exhibit": f"2026-0412-00137-9/{exhibit}", "handover": "2026-0412-8-00003-5",
                     "signature": {"means": "passkey", "key": fingerprint}},
        }
    )  # fmt: skip


class Signed(dict[str, Any]):
    """One case. Text stands as text, bytes in base64."""

    @classmethod
    def make(cls, name: str, bodies: list[bytes], said: bytes, answer: dict[str, Any], key: bytes,
             *, rp_id: str = RP_ID, origin: str = ORIGIN) -> Signed:  # fmt: skip
        got = {field: from_base64url(value) for field, value in answer["response"].items() if value}
        return cls(
            name=name, rp_id=rp_id, origin=origin, bodies=[b.decode() for b in bodies], statement=said.decode(),
            client_data=got["clientDataJSON"].decode(), authenticator_data=to_base64(got["authenticatorData"]),
            signature=to_base64(got["signature"]), spki=to_base64(key),
        )  # fmt: skip


class Soft:
    """A key in software and entries that name it."""

    def __init__(self, algorithm: int = ES256, **options: Any) -> None:
        self.device = SoftAuthenticator(ORIGIN, algorithm, **options)
        self.device.create({"rp": {"id": RP_ID}, "challenge": "AA"})
        ((self.id, self.private),) = self.device.keys.items()
        self.spki = spki(self.private)
        self.bodies = [body(n, 2, hashlib.sha256(self.spki).hexdigest()) for n in (1, 2)]

    def signed(self, name: str, *, said: bytes | None = None, asked: bytes | None = None, **more: Any) -> Signed:
        """``said``: the statement to keep; ``asked``: the challenge that is signed. Both fit unless given."""
        said = statement(self.bodies) if said is None else said
        options = {"challenge": b64u(asked or challenge(said)), "rpId": RP_ID, "allowCredentials": [{"id": self.id}]}
        return Signed.make(name, self.bodies, said, self.device.get(options), self.spki, **more)

    def over(self, name: str, client_data: bytes | None = None, authenticator_data: bytes | None = None) -> Signed:
        """The same person signs with something else in the two files."""
        made = self.signed(name)
        client = made["client_data"].encode() if client_data is None else client_data
        data = self.device._authenticator_data(RP_ID, self.device.flags)
        data = data if authenticator_data is None else authenticator_data
        made["client_data"], made["authenticator_data"] = client.decode(), to_base64(data)
        made["signature"] = to_base64(sign(self.private, data + hashlib.sha256(client).digest()))
        return made


def refused() -> Iterator[tuple[str, Signed]]:
    """Each bad case with a piece of what is said of it."""
    one, other = Soft(), Soft()
    a, b = one.bodies
    good = one.signed("")

    def changed(name: str, **fields: Any) -> Signed:
        return Signed(good | {"name": name} | fields)

    yield "not by this key", changed("another person's key", spki=to_base64(other.spki))
    flipped = bytearray(json_bytes(good["signature"]))
    flipped[-1] ^= 1
    yield "not by this key", changed("one bit of the signature", signature=to_base64(bytes(flipped)))
    attached = one.signed(
        "an assertion for entry A kept with entry B", said=statement([b]), asked=challenge(statement([a]))
    )
    yield "challenge is not", Signed(attached | {"bodies": [b.decode()]})
    lines = good["statement"].splitlines(keepends=True)
    yield "challenge is not", changed("the lines of the statement in another order", statement="".join(lines[::-1]))
    yield "challenge is not", changed("one entry less in the statement", statement=lines[0], bodies=[a.decode()])
    plain = hashlib.sha256(statement([a, b])).digest()
    yield "challenge is not", one.signed("a challenge without the context", asked=plain)
    yield "does not name", changed("an entry the statement does not name", bodies=[body(3, 2, "0" * 64).decode()])
    yield "lower-case", changed("a statement in capitals", statement=good["statement"].upper())
    yield "lower-case", changed("a statement without its last newline", statement=good["statement"][:-1])
    yield "lower-case", changed("an empty statement", statement="")
    yield "twice", one.signed("an entry twice", said=lines[0].encode() * 2)
    yield from _refused_client_data(one, good["statement"].encode())
    yield from _refused_authenticator_data(one)
    for what, key in (("P-384", ec.generate_private_key(ec.SECP384R1())), ("RSA of 1024 bits", _short())):
        yield "passkey is", changed(f"a key of another kind: {what}", spki=to_base64(spki(key)))
    yield "passkey is", _exponent_3()


def _exponent_3() -> Signed:
    """Well signed, by an RSA key whose kind has been forged before."""
    one = Soft(RS256)
    one.private = one.device.keys[one.id] = rsa.generate_private_key(3, 2048)
    one.spki = spki(one.private)
    one.bodies = [body(1, 2, hashlib.sha256(one.spki).hexdigest())]
    return one.signed("a key of another kind: RSA with the exponent 3")


def _refused_client_data(one: Soft, said: bytes) -> Iterator[tuple[str, Signed]]:
    c = b64u(challenge(said))
    yield "webauthn.get", one.over("an enrolment given as a signature", one.device._client_data("webauthn.create", c))
    for words, name, text in (
        ("not at", "signed at another site", f'{{"type":"webauthn.get","challenge":"{c}","origin":"https://evil.example"}}'),
        ("another site", "signed inside another site's page",
         f'{{"type":"webauthn.get","challenge":"{c}","origin":"{ORIGIN}","crossOrigin":true}}'),
        ("not JSON", "a name twice in client data",
         f'{{"type":"webauthn.get","challenge":"{c}","origin":"{ORIGIN}","challenge":"{c}"}}'),
        ("not begin", "client data in another order",
         f'{{"challenge":"{c}","type":"webauthn.get","origin":"{ORIGIN}"}}'),
        ("not begin", "client data with spaces",
         f'{{"type": "webauthn.get", "challenge": "{c}", "origin": "{ORIGIN}"}}'),
        ("not JSON", "client data cut off", f'{{"type":"webauthn.get","challenge":"{c}"'),
    ):  # fmt: skip
        yield words, one.over(name, text.encode())


def _refused_authenticator_data(one: Soft) -> Iterator[tuple[str, Signed]]:
    site, count = hashlib.sha256(RP_ID.encode()).digest(), bytes(4)
    for words, name, data in (
        ("another site", "another relying party", hashlib.sha256(b"other.example.org").digest() + b"\x05" + count),
        ("not verify its user", "the user not verified", site + bytes([PRESENT]) + count),
        ("nobody was present", "nobody present", site + bytes([VERIFIED]) + count),
        ("cannot have the flags", "copied, yet not possible to copy", site + bytes([5 | BACKED_UP]) + count),
        ("cannot have the flags", "a reserved flag", site + b"\x07" + count),
        ("cannot have the flags", "a new key inside a signature", site + b"\x45" + count),
        ("longer or shorter", "a byte behind the end", site + b"\x05" + count + b"\0"),
        ("longer or shorter", "extensions announced and not there", site + b"\x85" + count),
        ("has 37 to", "one byte short", site + b"\x05" + count[1:]),
    ):
        yield words, one.over(name, authenticator_data=data)


def _short() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505  it is there to be refused


def json_bytes(text: str) -> bytes:
    return from_base64url(text.rstrip("=").replace("+", "-").replace("/", "_"))


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>keys</title>")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def blank_site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()


_CREATE = """async o => (await navigator.credentials.create({publicKey:
  PublicKeyCredential.parseCreationOptionsFromJSON(o)})).toJSON()"""
_GET = """async o => (await navigator.credentials.get({publicKey:
  PublicKeyCredential.parseRequestOptionsFromJSON(o)})).toJSON()"""


def by_chromium() -> Iterator[Signed]:
    """Enrol with the virtual authenticator, then sign one offer of two exhibits and one acceptance."""
    with blank_site() as origin, chromium() as (_, browser):
        context = browser.new_context()
        page = context.new_page()
        page.goto(origin)
        VirtualAuthenticator(context, page)
        made = page.evaluate(_CREATE, {
            "rp": {"id": "localhost", "name": "casemgmt"}, "user": {"id": "AQ", "name": "a", "displayName": "a"},
            "challenge": "AAAA", "pubKeyCredParams": [{"type": "public-key", "alg": a} for a in ALGORITHMS],
            "authenticatorSelection": {"userVerification": "required", "residentKey": "preferred"},
        })  # fmt: skip
        key = from_base64url(made["response"]["publicKey"])
        fingerprint = PublicKey(key).fingerprint
        for name, bodies in (
            ("Chromium's virtual authenticator: an offer of two exhibits", [body(n, 2, fingerprint) for n in (1, 2)]),
            ("Chromium's virtual authenticator: an acceptance", [body(1, 3, fingerprint, "accepted")]),
        ):
            said = statement(bodies)
            asked = {"challenge": b64u(challenge(said)), "rpId": "localhost", "userVerification": "required",
                     "allowCredentials": [{"type": "public-key", "id": made["id"]}]}  # fmt: skip
            yield Signed.make(name, bodies, said, page.evaluate(_GET, asked), key, rp_id="localhost", origin=origin)


def main() -> None:
    signed = [*by_chromium()]
    signed += [Soft(a).signed(f"{ALGORITHMS[a]} by a key in software") for a in (ES256, EDDSA, RS256)]
    for case in signed:
        said, key = case["statement"].encode(), PublicKey(json_bytes(case["spki"]))
        case |= {"challenge": b64u(challenge(said)), "algorithm": key.algorithm, "fingerprint": key.fingerprint,
                 "pem": key.pem.decode()}  # fmt: skip
        signed[signed.index(case)] = Signed(case)
    FILE.write_text(
        json.dumps(
            {
                "source": "ES256: Chromium's virtual CTAP 2 authenticator and software; EdDSA, RS256 and every refused"
                " case: software. Text is text; authenticator_data, signature and spki are base64",
                "context": "evidence-custody-v1\u0000",
                "signed": signed,
                "refused": [{**case, "words": words} for words, case in refused()],
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n",
        "utf-8",
    )


if __name__ == "__main__":
    main()

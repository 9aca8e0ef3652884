"""Whose a passkey is and when it held, from the stream of a person's keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.encoding import to_base64
from casemgmt.trust.errors import PasskeyError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import ES256, Assertion, PublicKey, challenge, from_base64url, statement, to_base64url
from casemgmt.trust.signers import Means, SignerKey, signer_keys
from casemgmt.walkthrough.authenticator import SoftAuthenticator, spki

ORIGIN, RP_ID = "https://evidence.example.org", "evidence.example.org"
AIDA = {"id": 17, "name": "Aida Asanova", "badge": "04412"}
ADMINISTRATOR = {"id": 1, "name": "Root", "badge": ""}


@dataclass
class Stream:
    """A person's stream of keys in a ledger where every entry takes the next index."""

    name: str = "passkeys:aida"
    chain: list[Event] = field(default_factory=list)
    indexes: dict[bytes, int] = field(default_factory=dict)
    index: int = 100

    def add(self, type_: str, data: dict[str, Any], actor: dict[str, Any] = AIDA) -> Event:
        event, _ = self.entry(
            type_, self.name, len(self.chain) + 1, data, actor, self.chain[-1] if self.chain else None
        )
        self.chain.append(event)
        return event

    def entry(
        self, type_: str, stream: str, seq: int, data: dict[str, Any], actor: dict[str, Any], before: Event | None
    ) -> tuple[Event, bytes]:
        body = canonical_json(
            {"v": 1, "type": type_, "stream": stream, "seq": seq, "prev": before.hash.hex() if before else None,
             "at": "2026-11-21T20:44:21.118Z", "actor": actor, "nonce": "0" * 32, "data": data}
        )  # fmt: skip
        event = Event.parse(body)
        self.index += 1
        self.indexes[event.hash] = self.index
        return event, body

    def keys(self) -> dict[str, SignerKey]:
        return signer_keys(self.chain, self.indexes)


class Aida:
    """Somebody with one key."""

    def __init__(self) -> None:
        self.device = SoftAuthenticator(ORIGIN)
        self.device.create({"rp": {"id": RP_ID}, "challenge": "AA"})
        ((self.credential, private),) = self.device.keys.items()
        self.key = PublicKey(spki(private))

    def enrolment(self, **changed: Any) -> dict[str, Any]:
        return {
            "person": AIDA, "credential": self.credential, "key": self.key.fingerprint,
            "spki": to_base64(self.key.spki), "algorithm": ES256,
            "aaguid": "0" * 32, "attestation": {"format": "none", "sha256": "0" * 64},
            "backup_eligible": False, "backed_up": False, "rp_id": RP_ID, "origin": ORIGIN,
        } | changed  # fmt: skip

    def revocation(self) -> dict[str, Any]:
        return {
            "person": AIDA,
            "credential": self.credential,
            "key": self.key.fingerprint,
            "reason": "lost",
            "note": "",
        }

    def signs(self, body: bytes) -> tuple[Assertion, bytes]:
        said = statement([body])
        options = {"challenge": to_base64url(challenge(said)), "rpId": RP_ID,
                   "allowCredentials": [{"id": self.credential}]}  # fmt: skip
        got = {name: from_base64url(value) for name, value in self.device.get(options)["response"].items()}
        return Assertion(got["clientDataJSON"], got["authenticatorData"], got["signature"]), said


@pytest.fixture
def aida() -> Aida:
    return Aida()


@pytest.fixture
def stream(aida: Aida) -> Stream:
    made = Stream()
    made.add("accounts:passkey:enrolled", aida.enrolment())
    return made


def offer(stream: Stream, aida: Aida, actor: dict[str, Any] = AIDA, **data: Any) -> tuple[Event, bytes, int]:
    said = {"signature": {"means": "passkey", "key": aida.key.fingerprint}} | data
    event, body = stream.entry("custody:handover:offered", "exhibit:1/1", 1, said, actor, None)
    return event, body, stream.index


def test_a_key_holds_for_its_person_after_its_enrolment_and_before_its_revocation(stream: Stream, aida: Aida) -> None:
    event, body, index = offer(stream, aida)
    stream.add("accounts:passkey:revoked", aida.revocation(), ADMINISTRATOR)
    later, late_body, late = offer(stream, aida, note="later")
    key = stream.keys()[aida.key.fingerprint]
    assert (key.enrolled, key.revoked) == (101, 103)
    key.check(*aida.signs(body), event, body, index)
    with pytest.raises(PasskeyError, match="after the key was revoked"):
        key.check(*aida.signs(late_body), later, late_body, late)
    with pytest.raises(PasskeyError, match="before the key was enrolled"):
        key.check(*aida.signs(body), event, body, 100)


def test_a_key_of_one_person_does_not_sign_for_another(stream: Stream, aida: Aida) -> None:
    event, body, index = offer(stream, aida, actor={"id": 18, "name": "Nurlan", "badge": ""})
    with pytest.raises(PasskeyError, match="another person"):
        stream.keys()[aida.key.fingerprint].check(*aida.signs(body), event, body, index)


@pytest.mark.parametrize(
    "said", [{"means": "session"}, {"means": "passkey", "key": "0" * 64}], ids=["session", "another key"]
)
def test_an_entry_that_says_otherwise_is_not_made_stronger_by_a_signature(
    said: dict[str, str], stream: Stream, aida: Aida
) -> None:
    event, body, index = offer(stream, aida, signature=said)
    with pytest.raises(PasskeyError, match="does not say"):
        stream.keys()[aida.key.fingerprint].check(*aida.signs(body), event, body, index)


def test_the_signature_of_one_entry_does_not_fit_another(stream: Stream, aida: Aida) -> None:
    _, body, _ = offer(stream, aida)
    event, other, index = offer(stream, aida, note="other")
    with pytest.raises(PasskeyError, match="does not name this entry"):
        stream.keys()[aida.key.fingerprint].check(*aida.signs(body), event, other, index)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("another key", {"key": "0" * 64}),
        ("another key", {"algorithm": -8}),
        ("nobody else", {"person": AIDA | {"id": 18}}),
        ("nobody else", {"person": None}),
        ("base64", {"spki": "!"}),
        ("not readable", {"spki": "AAAA"}),
        ("can be copied", {"backup_eligible": "no"}),
        ("'rp_id'", {"rp_id": ""}),
        ("'origin'", {"origin": None}),
    ],
)
def test_an_enrolment_that_contradicts_itself_is_refused(words: str, changed: dict[str, Any], aida: Aida) -> None:
    stream = Stream()
    stream.add("accounts:passkey:enrolled", aida.enrolment(**changed))
    with pytest.raises(PasskeyError, match=words):
        stream.keys()


def test_nobody_enrols_a_key_for_somebody_else(aida: Aida) -> None:
    stream = Stream()
    stream.add("accounts:passkey:enrolled", aida.enrolment(), ADMINISTRATOR)
    with pytest.raises(PasskeyError, match="nobody else"):
        stream.keys()


def test_a_revocation_left_out_breaks_the_chain(stream: Stream, aida: Aida) -> None:
    stream.add("accounts:passkey:revoked", aida.revocation())
    stream.add("accounts:passkey:enrolled", Aida().enrolment())
    del stream.chain[1]
    with pytest.raises(PasskeyError, match="entry 2 is missing"):
        stream.keys()


def test_a_key_revoked_again_after_a_recovery_ended_with_its_first_revocation(stream: Stream, aida: Aida) -> None:
    stream.add("accounts:passkey:revoked", aida.revocation())
    (once,) = stream.keys().values()
    stream.add("accounts:passkey:revoked", aida.revocation())
    assert list(stream.keys().values()) == [once]
    assert once.revoked is not None


@pytest.mark.parametrize("what", ["twice enrolled", "revoked only", "stranger", "unplaced", "other"])
def test_a_stream_that_cannot_be_is_refused(what: str, stream: Stream, aida: Aida) -> None:
    if what == "twice enrolled":
        stream.add("accounts:passkey:enrolled", aida.enrolment())
    elif what == "revoked only":
        stream.add("accounts:passkey:revoked", Aida().revocation())
    elif what == "stranger":
        stream.add("accounts:password:set", {"key": aida.key.fingerprint})
    elif what == "unplaced":
        stream.indexes.clear()
    else:
        stream.name = "passkeys:nurlan"
        stream.add("accounts:passkey:enrolled", Aida().enrolment())
    with pytest.raises(PasskeyError):
        stream.keys()


@pytest.mark.parametrize(
    "said",
    [None, "passkey", {"means": "passkey"}, {"means": "pin"}, {"means": "session", "key": "0" * 64},
     {"means": "passkey", "key": "0" * 63}, {"means": "passkey", "key": "A" * 64}, []],
    ids=json.dumps,
)  # fmt: skip
def test_means_that_do_not_exist_are_refused(said: Any, stream: Stream, aida: Aida) -> None:
    event, *_ = offer(stream, aida, signature=said)
    with pytest.raises(PasskeyError):
        Means.of(event)


def test_an_entry_may_say_nothing_of_a_signature(stream: Stream) -> None:
    assert Means.of(stream.chain[0]) is None

"""Who signed which entries of a package with their own key, and which entries rest on weaker means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import AgreementError, PasskeyError
from casemgmt.trust.events import PASSKEY_STREAM, Event, Link, read_events
from casemgmt.trust.passkey import Assertion, Flags, PublicKey
from casemgmt.trust.pin import PinSignature
from casemgmt.trust.signers import Means, SignerKey, signer_keys

FILES = ("statement.txt", "clientData.json", "authData.bin", "sig.der", "pub.pem")
"""What lies in ``ledger/sig/<index>/`` of an entry signed with a passkey."""

PIN_FILES = ("statement.txt", "sig.der", "pub.pem")
"""What lies there of an entry signed by PIN; with ``RECORD`` where two phones agreed without a network."""

RECORD = "record.json"
NAMES = frozenset((*FILES, RECORD))


@dataclass(frozen=True, slots=True)
class PersonalSignature:
    """What was kept of one act of signing; the same for every entry that was signed by it."""

    statement: bytes
    made: Assertion | PinSignature
    key: PublicKey

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "PersonalSignature":
        """Raises `PasskeyError` unless `files` are those of one means."""
        key = PublicKey.from_pem(files["pub.pem"]) if "pub.pem" in files else None
        if key is not None and set(files) == set(FILES):
            made = Assertion(files["clientData.json"], files["authData.bin"], files["sig.der"])
            return cls(files["statement.txt"], made, key)
        if key is not None and set(files) - {RECORD} == set(PIN_FILES):
            return cls(files["statement.txt"], PinSignature(files["sig.der"], files.get(RECORD)), key)
        raise PasskeyError(f"a signature has the files {', '.join(FILES)}; one by PIN {', '.join(PIN_FILES)}")

    def files(self) -> dict[str, bytes]:
        found = {"statement.txt": self.statement, "sig.der": self.made.signature, "pub.pem": self.key.pem}
        match self.made:
            case Assertion(client_data, authenticator_data):
                found |= {"clientData.json": client_data, "authData.bin": authenticator_data}
            case PinSignature(record=bytes(record)):
                found[RECORD] = record
        return found


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """An entry and the means it is signed by; `login` only with a key, `flags` only with a passkey."""

    index: int
    event: Event
    means: str
    login: str | None = None
    flags: Flags | None = None


def check_signatures(
    streams: Mapping[str, list[Link]],
    indexes: Mapping[bytes, int],
    signatures: Mapping[int, PersonalSignature],
    body_of: Callable[[int], bytes],
) -> list[SignedEntry]:
    """The entries that say by what means they are signed, in ledger order, the signatures of keys verified.

    `indexes` are ledger indexes by leaf hash; `signatures` and `body_of` go by index.  Raises `PasskeyError` for an
    entry that says it is signed with a key and is not, for a signature of no such entry, and for a signer's
    stream without signed entries.
    """
    holders = _holders(streams, indexes)
    found: list[SignedEntry] = []
    for event in sorted(read_events(streams), key=lambda event: indexes[event.hash]):
        index, means = indexes[event.hash], Means.of(event)
        if means is None or means.key is None:
            if index in signatures:
                raise PasskeyError(f"entry {index} has a signature that it does not speak of")
            if means is not None:
                found.append(SignedEntry(index, event, means.kind))
            continue
        try:
            found.append(_verified(index, event, means, signatures.get(index), holders, body_of))
        except (PasskeyError, AgreementError) as error:
            raise PasskeyError(f"entry {index}: {error}") from error
    strays = set(signatures) - {entry.index for entry in found}
    if strays:
        raise PasskeyError(f"a signature of an entry that is not here: {min(strays)}")
    idle = {login for login, _ in holders.values()} - {entry.login for entry in found}
    if idle:
        raise PasskeyError(f"the keys of somebody who signed nothing here: {shown(min(idle))}")
    return found


def _verified(
    index: int,
    event: Event,
    means: Means,
    signed: PersonalSignature | None,
    holders: Mapping[str, tuple[str, SignerKey]],
    body_of: Callable[[int], bytes],
) -> SignedEntry:
    if signed is None:
        raise PasskeyError("it says that it is signed with a key, and the signature is missing")
    if means.key is None or means.key not in holders:
        raise PasskeyError("it is signed with a key of which no enrolment is here")
    login, holder = holders[means.key]
    if signed.key != holder.key:
        raise PasskeyError("the public key beside it is not the one it names")
    flags = holder.check(signed.made, signed.statement, event, body_of(index), index)
    return SignedEntry(index, event, means.kind, login, flags)


def _holders(streams: Mapping[str, list[Link]], indexes: Mapping[bytes, int]) -> dict[str, tuple[str, SignerKey]]:
    """Login and key by fingerprint.

    A person has one stream: the keys of a second one would outlive what the first says of their holder.
    """
    holders: dict[str, tuple[str, SignerKey]] = {}
    people: dict[int, str] = {}
    for stream, links in streams.items():
        if not stream.startswith(PASSKEY_STREAM):
            continue
        chain = [link for link in links if isinstance(link, Event)]
        for fingerprint, key in signer_keys(chain, indexes).items():
            if fingerprint in holders:
                raise PasskeyError(f"one key is enrolled for two people: {fingerprint}")
            if people.setdefault(key.person, stream) != stream:
                raise PasskeyError(f"one person has two streams of keys: {shown(people[key.person])}, {shown(stream)}")
            holders[fingerprint] = stream.removeprefix(PASSKEY_STREAM), key
    return holders

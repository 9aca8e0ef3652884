import pytest

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import PolicyError, SignatureInvalidError, TrustError
from casemgmt.trust.keys import COSIGNATURE, NOTE, Signature, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from tests.trust.vectors import vectors

LOG = SigningKey("ledger.example/2027", NOTE, bytes(32))
NAMES = ("customs", "police", "prosecutor")
WITNESSES = {name: SigningKey(f"{name}.example/witness", COSIGNATURE, name.encode().ljust(32)) for name in NAMES}
CHECKPOINT = Checkpoint(LOG.name, 7, bytes(32))
AGENCIES = f"log {LOG.verifier}\n" + "".join(
    f"witness {name} {key.verifier} https://{name}.example/\n" for name, key in WITNESSES.items()
)


def cosigned(*names: str) -> Note:
    signatures = [WITNESSES[name].cosign(CHECKPOINT.body, 1_800_000_000) for name in names]
    return CHECKPOINT.signed(LOG).with_signatures(signatures)


def test_a_policy_without_quorum_needs_only_the_log() -> None:
    accepted = Policy((LOG.verifier,)).accept(cosigned())
    assert (accepted.checkpoint, accepted.log, accepted.witnessed) == (CHECKPOINT, LOG.verifier, {})


def test_two_of_three_agencies_must_have_cosigned() -> None:
    policy = Policy.parse(f"{AGENCIES}group agencies 2 customs police prosecutor\nquorum agencies\n")
    assert set(policy.accept(cosigned("police", "customs")).witnessed) == {"police", "customs"}
    assert set(policy.accept(cosigned(*NAMES)).witnessed) == set(NAMES)
    for too_few in (cosigned(), cosigned("police"), cosigned("police", "police")):
        with pytest.raises(PolicyError, match="quorum agencies is not met"):
            policy.accept(too_few)


@pytest.mark.parametrize(
    ("rule", "enough", "too_few"),
    [
        ("quorum police", {"police"}, {"customs", "prosecutor"}),
        ("group g any customs police\nquorum g", {"customs"}, {"prosecutor"}),
        ("group g all customs police\nquorum g", {"customs", "police"}, {"customs", "prosecutor"}),
        ("group g any customs police\ngroup h all g prosecutor\nquorum h", {"police", "prosecutor"}, {"prosecutor"}),
    ],
)
def test_each_form_of_quorum_means_what_it_says(rule: str, enough: set[str], too_few: set[str]) -> None:
    policy = Policy.parse(f"{AGENCIES}{rule}\n")
    assert policy.met_by(enough)
    assert not policy.met_by(too_few)
    assert not policy.met_by(["g", "h"])


def test_it_refuses_a_checkpoint_of_a_log_it_does_not_name() -> None:
    other = SigningKey("other.example/log", NOTE, bytes(32))
    with pytest.raises(PolicyError, match="no log of the policy"):
        Policy((other.verifier,)).accept(cosigned())
    renamed = Checkpoint(other.name, 7, bytes(32))
    with pytest.raises(PolicyError, match="no log of the policy"):
        Policy((LOG.verifier,)).accept(Note(renamed.body, (LOG.sign(renamed.body),)))


def test_a_false_cosignature_condemns_the_checkpoint_even_without_a_quorum() -> None:
    good = WITNESSES["police"].cosign(CHECKPOINT.body, 5)
    false = Signature(good.name, good.key_id, good.value[:-1] + bytes([good.value[-1] ^ 1]))
    with pytest.raises(SignatureInvalidError):
        Policy.parse(f"{AGENCIES}quorum none\n").accept(cosigned().with_signatures([false]))


def test_pinning_a_key_the_policy_does_not_name_is_refused() -> None:
    policy = Policy((LOG.verifier,))
    assert policy.pinned_to(LOG.verifier) == policy
    with pytest.raises(PolicyError, match="does not name the log key"):
        policy.pinned_to(SigningKey(LOG.name, NOTE, bytes(31) + b"\1").verifier)


def test_what_is_written_is_read_back() -> None:
    policy = Policy.parse(
        f"# agencies\n\n\t{AGENCIES}group pair all customs police\ngroup g 1 pair prosecutor\nquorum g\n"
    )
    assert Policy.parse(str(policy)) == policy
    assert policy.witnesses["police"].url == "https://police.example/"
    assert str(Policy((LOG.verifier,))) == f"log {LOG.verifier}\nquorum none\n"


@pytest.mark.parametrize("case", vectors("policies.json")["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_a_malformed_policy(case: dict[str, str]) -> None:
    with pytest.raises(TrustError) as refused:
        Policy.parse(case["policy"])
    assert isinstance(refused.value, PolicyError)


@pytest.mark.parametrize("case", vectors("policies.json")["accepted"], ids=lambda case: str(case["name"]))
def test_it_reads_the_examples(case: dict[str, str]) -> None:
    assert Policy.parse(case["policy"])

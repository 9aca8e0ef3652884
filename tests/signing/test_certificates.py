"""The certificate is looked at before anything is signed: whole chain, for signing, in date, not revoked."""

from datetime import timedelta
from pathlib import Path

import pytest

from casemgmt.signing.certificates import State, build_chain
from casemgmt.signing.credentials import Pkcs12
from casemgmt.signing.errors import CredentialError, NotValidNowError
from casemgmt.signing.signer import OrganisationSigner
from tests.signing.makers import NOW, PASSWORD, issue, revoke, write_pkcs12

ROOT = issue("Root", ca=True, until=NOW + timedelta(days=3000))
MIDDLE = issue("Middle", by=ROOT, ca=True, until=NOW + timedelta(days=2000))
LEAF = issue("Customs", by=MIDDLE)


def test_a_chain_is_put_in_order_whatever_order_it_came_in() -> None:
    chain = build_chain(LEAF[0], [ROOT[0], issue("Stranger")[0], MIDDLE[0]])
    assert [c.subject for c in chain.certificates] == [c.subject for c, _ in (LEAF, MIDDLE, ROOT)]
    assert chain.issuers_pem.count(b"BEGIN CERTIFICATE") == 2


def test_a_chain_that_does_not_reach_its_root_names_who_is_missing() -> None:
    with pytest.raises(CredentialError, match="the issuer CN=Root of the certificate CN=Middle is missing"):
        build_chain(LEAF[0], [MIDDLE[0]])


def test_an_issuer_of_the_same_name_with_another_key_is_not_the_issuer() -> None:
    with pytest.raises(CredentialError, match="CN=Middle"):
        build_chain(LEAF[0], [issue("Middle", by=ROOT, ca=True)[0], ROOT[0]])


def test_a_certificate_for_encrypting_does_not_sign() -> None:
    with pytest.raises(CredentialError, match="not one for signing"):
        build_chain(issue("Mail", by=ROOT, signs=False)[0], [ROOT[0]])


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (NOW, State.GOOD),
        (NOW - timedelta(days=2), State.NOT_YET),
        (NOW + timedelta(days=380), State.EXPIRING),
        (NOW + timedelta(days=401), State.EXPIRED),
    ],
)
def test_the_dates_of_a_certificate_decide_on_the_day(at, state) -> None:
    condition = build_chain(LEAF[0], [MIDDLE[0], ROOT[0]]).condition(at)
    assert condition.state is state
    assert condition.usable is (state in {State.GOOD, State.EXPIRING})


def test_an_expired_issuer_counts_as_much_as_an_expired_certificate() -> None:
    short = issue("Middle", by=ROOT, ca=True, until=NOW + timedelta(days=5))
    condition = build_chain(issue("Customs", by=short)[0], [short[0], ROOT[0]]).condition(NOW + timedelta(days=6))
    assert (condition.state, condition.subject) == (State.EXPIRED, "CN=Middle")


def test_a_revoked_certificate_is_known_from_its_issuers_list() -> None:
    chain = build_chain(LEAF[0], [MIDDLE[0], ROOT[0]], [revoke(LEAF[0], MIDDLE)])
    assert chain.condition(NOW).state is State.REVOKED


def test_a_revocation_list_that_is_out_of_date_is_not_taken_for_an_all_clear() -> None:
    innocent = issue("Somebody else", by=MIDDLE)[0]
    chain = build_chain(LEAF[0], [MIDDLE[0], ROOT[0]], [revoke(innocent, MIDDLE), revoke(innocent, ROOT)])
    assert "not revoked in current revocation lists" in str(chain.condition(NOW))
    later = chain.condition(NOW + timedelta(days=30))
    assert "revocation was not checked" in str(later)


def test_a_revocation_list_with_somebody_elses_signature_is_refused() -> None:
    forged = revoke(LEAF[0], issue("Middle", ca=True))
    with pytest.raises(CredentialError, match="is of no issuer of the chain"):
        build_chain(LEAF[0], [MIDDLE[0], ROOT[0]], [forged])


@pytest.mark.parametrize("day", [-2, 401])
async def test_nothing_is_signed_with_a_certificate_out_of_date(tmp_path: Path, day: int) -> None:
    file = write_pkcs12(tmp_path / "seal.p12", LEAF, MIDDLE[0], ROOT[0])
    signer = OrganisationSigner(lambda: Pkcs12(file, PASSWORD), [], [], None, clock=lambda: NOW + timedelta(days=day))
    with pytest.raises(NotValidNowError, match=r"expired|not valid yet"):
        await signer.sign_detached(b"content")


async def test_nothing_is_signed_with_a_revoked_certificate(tmp_path: Path) -> None:
    file = write_pkcs12(tmp_path / "seal.p12", LEAF, MIDDLE[0], ROOT[0])
    signer = OrganisationSigner(lambda: Pkcs12(file, PASSWORD), [], [revoke(LEAF[0], MIDDLE)], None)
    with pytest.raises(NotValidNowError, match="revoked"):
        await signer.sign_detached(b"content")


def test_a_pkcs12_file_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    file = write_pkcs12(tmp_path / "seal.p12", LEAF)
    with pytest.raises(CredentialError) as refused:
        Pkcs12(file, "hidden-guess")
    assert str(file) in str(refused.value)
    assert "hidden-guess" not in str(refused.value)
    with pytest.raises(CredentialError, match="cannot be read"):
        Pkcs12(tmp_path / "absent.p12", "")
    (tmp_path / "text.p12").write_text("not a key")
    with pytest.raises(CredentialError, match="cannot be opened"):
        Pkcs12(tmp_path / "text.p12", "")

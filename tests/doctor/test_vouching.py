"""The doctor asks every authority and looks at the certificate: good, a demonstration's, about to end, unusable."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from casemgmt.doctor.finding import Outcome
from casemgmt.doctor.vouching import examine_vouching
from casemgmt.settings import Settings, TimestampAuthority, load
from casemgmt.signing.demonstration import Demonstration
from tests.servers import free_port
from tests.signing.conftest import Server, demo, server
from tests.signing.makers import NOW, PASSWORD, issue, write_pkcs12
from tests.test_settings import LEAST

__all__ = ["demo", "server"]


def with_certificate(folder: Path, *, days: int) -> Settings:
    root = issue("Root", ca=True, until=NOW + timedelta(days=3000))
    file = write_pkcs12(folder / "seal.p12", issue("Customs", by=root, until=NOW + timedelta(days=days)), root[0])
    settings = load(LEAST)
    return replace(settings, seal=replace(settings.seal, pkcs12_file=file, pkcs12_password=PASSWORD))


async def findings(settings: Settings) -> list[tuple[Outcome, str]]:
    return [(finding.outcome, str(finding)) async for finding in examine_vouching(settings)]


async def test_nothing_configured_is_worth_knowing_and_no_fault() -> None:
    found = await findings(load(LEAST))
    assert [outcome for outcome, _ in found] == [Outcome.NOTE, Outcome.NOTE]


@pytest.mark.parametrize(("days", "outcome", "said"), [
    (400, Outcome.GOOD, "revocation was not checked"), (20, Outcome.FAULT, "about to expire"),
    (-0.5, Outcome.FAULT, "must not sign any more"),
])  # fmt: skip
async def test_a_certificate_is_good_about_to_expire_or_must_not_sign(tmp_path, days, outcome, said) -> None:
    (found, text), _ = await findings(with_certificate(tmp_path, days=days))
    assert (found, said in text) == (outcome, True), text


async def test_a_demonstrations_certificate_and_authority_are_called_so(demo: Demonstration) -> None:
    settings = load(LEAST)
    seal = replace(settings.seal, pkcs12_file=demo.pkcs12, pkcs12_password=demo.password.read_text())
    authority = TimestampAuthority(demo.directory.as_uri(), demo.tsa_ca)
    found = await findings(replace(settings, seal=seal, timestamp_authorities=(authority,)))
    assert [outcome for outcome, _ in found] == [Outcome.NOTE, Outcome.NOTE]
    assert all("demonstration's" in text for _, text in found)


async def test_every_authority_is_asked_and_a_silent_one_is_a_fault(demo: Demonstration, server: Server) -> None:
    both = (
        TimestampAuthority(server.url, demo.tsa_ca),
        TimestampAuthority(f"http://127.0.0.1:{free_port()}/tsr", demo.tsa_ca),
    )
    found = await findings(replace(load(LEAST), timestamp_authorities=both))
    assert [outcome for outcome, _ in found] == [Outcome.NOTE, Outcome.NOTE, Outcome.FAULT]
    assert server.asked == 1
    assert "gives no valid timestamp" in found[2][1]


async def test_a_certificate_that_cannot_be_opened_is_a_fault(tmp_path: Path) -> None:
    settings = with_certificate(tmp_path, days=400)
    wrong = replace(settings, seal=replace(settings.seal, pkcs12_password="another"))
    assert [outcome for outcome, _ in await findings(wrong)] == [Outcome.FAULT]

"""Sealing with an organisation's certificate and a timestamp authority: present, away, and slow."""

from __future__ import annotations

import asyncio
import io
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from litestar import Litestar

from casemgmt.core.db import Database
from casemgmt.core.errors import SentBefore
from casemgmt.packages import sealing
from casemgmt.packages.errors import NoTimestamp, NotSigned
from casemgmt.packages.making import Plan, make
from casemgmt.packages.models import Package
from casemgmt.packages.ordering import Order
from casemgmt.packages.queries import packages_of_case
from casemgmt.packages.workshop import Workshop
from casemgmt.signing.authority import Authorities, HttpAuthority
from casemgmt.signing.certificates import read_certificates
from casemgmt.signing.credentials import Credential, Pkcs12
from casemgmt.signing.demonstration import Demonstration, ensure_demonstration
from casemgmt.signing.errors import CredentialError
from casemgmt.signing.local_authority import LocalAuthority
from casemgmt.signing.opening import Signing
from casemgmt.signing.signer import OrganisationSigner
from casemgmt.trust import kit
from casemgmt.trust.package import Prepared
from casemgmt.trust.verify.findings import Outcome
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.report import Report
from casemgmt.trust.verify.steps import verify_package
from tests.cast import Browser, Member, World
from tests.packages.conftest import Clients, Scene, reason

Browsers = Callable[[Member | None], Browser]
Outside = Callable[[Member], httpx.AsyncClient]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return ensure_demonstration(tmp_path_factory.mktemp("signing") / "demonstration")


def signing(demo: Demonstration, *authorities: LocalAuthority | HttpAuthority) -> Signing:
    stamping = Authorities(authorities) if authorities else None

    def opened() -> Credential:
        return Pkcs12(demo.pkcs12, demo.password.read_text())

    return Signing(OrganisationSigner(opened, [], [], stamping), stamping)


def good(demo: Demonstration) -> LocalAuthority:
    return LocalAuthority(demo.directory, read_certificates(demo.tsa_ca.read_bytes(), "root"), None, 20.0)


def dead(demo: Demonstration) -> HttpAuthority:
    """An address at which nobody listens."""
    return HttpAuthority("http://127.0.0.1:9/", read_certificates(demo.tsa_ca.read_bytes(), "root"), None, 0.5)


async def verified(client: httpx.AsyncClient, scene: Scene, package: Package) -> tuple[Report, dict[str, bytes]]:
    answer = await client.get(await reason(client, scene.codes.encode("package", package.id)))
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    return verify_package(io.BytesIO(answer.content), openssl=OpenSsl.found()), files


async def test_a_signed_and_stamped_package_holds_in_steps_11_and_12_and_says_it_is_a_demonstration(
    scene: Scene, world: World, database: Database, demo: Demonstration, outside: Outside, sequenced: None
) -> None:
    workshop = Workshop(database, signing(demo, good(demo)), UTC)
    package = await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))
    report, files = await verified(outside(world.saule), scene, package)
    assert report.status == 0, str(report)
    assert report.numbers(Outcome.HOLDS)[-2:] == [11, 12]
    assert report.steps[10].finding.startswith("DEMONSTRATION")
    assert b"Organisation-Signature: CAdES-B-T\n" in files["bag-info.txt"]
    assert b"Timestamp: RFC3161\n" in files["bag-info.txt"]
    assert {"keys/organisation-ca.pem", "keys/timestamp-ca.pem"} <= set(files)


async def test_without_an_authority_nothing_is_sealed_unless_that_was_configured(
    scene: Scene, world: World, database: Database, demo: Demonstration, outside: Outside, sequenced: None
) -> None:
    order = Order(uuid.uuid4())
    with pytest.raises(NoTimestamp):
        workshop = Workshop(database, signing(demo, dead(demo)), UTC)
        await sealing.seal(workshop, world.saule.actor, scene.case.id, order)
    async with database.begin(world.saule.actor) as db:
        assert await packages_of_case(db, scene.case.id) == []
    workshop = Workshop(database, signing(demo, dead(demo)), UTC, without_timestamp=True)
    package = await sealing.seal(workshop, world.saule.actor, scene.case.id, order)
    report, files = await verified(outside(world.saule), scene, package)
    assert report.status == 0, str(report)
    assert report.numbers(Outcome.NONE) == [10, 12]
    assert b"Organisation-Signature: CAdES-B-B\n" in files["bag-info.txt"]
    assert b"Timestamp: none\n" in files["bag-info.txt"]


async def test_a_second_authority_answers_for_a_dead_one(
    scene: Scene, world: World, database: Database, demo: Demonstration, sequenced: None
) -> None:
    workshop = Workshop(database, signing(demo, dead(demo), good(demo)), UTC)
    assert await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))


async def test_a_key_that_cannot_be_reached_seals_nothing(
    scene: Scene, world: World, database: Database, sequenced: None
) -> None:
    def away() -> Credential:
        raise CredentialError("the token is away")

    workshop = Workshop(database, Signing(OrganisationSigner(away, [], [], None), None), UTC)
    with pytest.raises(NotSigned):
        await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))


async def test_what_is_sent_twice_at_once_is_sealed_once_and_after_a_crash_under_the_same_number(
    scene: Scene, world: World, database: Database, sequenced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = Workshop(database, Signing(None, None), UTC)
    order = Order(uuid.uuid4(), asked=b"one")

    async def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "make", crash)
        with pytest.raises(ConnectionError):
            await sealing.seal(workshop, world.saule.actor, scene.case.id, order)
    async with database.begin(world.saule.actor) as db:
        assert await packages_of_case(db, scene.case.id) == []
    sent = [sealing.seal(workshop, world.saule.actor, scene.case.id, order) for _ in range(4)]
    packages = await asyncio.gather(*sent)
    assert len({package.id for package in packages}) == 1
    another = await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))
    serials = [int(package.number.split("-")[3]) for package in (packages[0], another)]
    assert serials[1] == serials[0] + 1
    with pytest.raises(SentBefore):
        await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(order.client_id, asked=b"two"))


async def test_no_transaction_is_open_while_signatures_are_made(
    scene: Scene, world: World, database: Database, app: Litestar, sequenced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = 0
    begin = Database.begin

    def counted(self: Database, *given: object, **more: object) -> object:
        nonlocal opened
        manager = begin(self, *given, **more)  # type: ignore[arg-type]
        enter, leave = manager.__aenter__, manager.__aexit__

        class Counting:
            async def __aenter__(self) -> object:
                nonlocal opened
                opened += 1
                return await enter()

            async def __aexit__(self, *error: object) -> object:
                nonlocal opened
                opened -= 1
                return await leave(*error)  # type: ignore[arg-type]

        return Counting()

    seen = []

    async def watched(workshop: Workshop, plan: Plan) -> Prepared:
        seen.append(opened)
        return await make(workshop, plan)

    monkeypatch.setattr(Database, "begin", counted)
    monkeypatch.setattr(sealing, "make", watched)
    workshop = Workshop(database, Signing(None, None), UTC)
    await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))
    assert seen == [0]


async def test_the_refusal_is_told_in_the_browser_and_to_machines(
    scene: Scene, world: World, app: Litestar, api: Clients, browser: Clients, demo: Demonstration, sequenced: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    app.state.signing, before = signing(demo, dead(demo)), app.state.signing
    try:
        body = {"client_id": str(uuid.uuid4())}
        answer = await api(world.saule).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:casemgmt:problem:no-timestamp")
        codes = [scene.exhibit_code(0, 0), scene.exhibit_code(0, 1), scene.exhibit_code(1, 0)]
        form = {"client_id": str(uuid.uuid4()), "exhibits": codes, "languages": ["en"], "step": "seal"}
        page = await browser(world.saule).submit(f"/cases/{scene.case_code}/packages", form)  # type: ignore[attr-defined]
        assert page.status_code == 503
        assert "No timestamp authority has answered" in page.text
    finally:
        app.state.signing = before


async def test_the_page_and_the_letter_show_who_stands_for_it_and_what_to_compare(
    scene: Scene, world: World, database: Database, browser: Browsers, demo: Demonstration, sequenced: None
) -> None:
    workshop = Workshop(database, signing(demo, good(demo)), UTC)
    package = await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))
    code = scene.codes.encode("package", package.id)
    page = await browser(world.saule).get(f"/packages/{code}")
    assert page.status_code == 200
    for words in ("DEMONSTRATION", "CAdES-B-T", "No other agency has cosigned", f"/packages/{code}/letter"):
        assert words in page.text
    letter = await browser(world.saule).get(f"/packages/{code}/letter")
    assert letter.status_code == 200
    ca = read_certificates(demo.ca.read_bytes(), "root")[0].fingerprint(SHA256()).hex()
    plain = letter.text.replace("<span>", "").replace("</span>", "").replace(" ", "").replace("<wbr>", "")
    for number in (package.tagmanifest_sha256.hex(), ca, kit.sha256(kit.PAGE)):
        assert number in plain

"""A dispute between two phones as people see it: on the shift, on the exhibit, and where a supervisor ends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from casemgmt.core.clock import utcnow
from casemgmt.demo.cast import PASSWORD, PEOPLE
from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.trust.passkey import to_base64url as b64u
from tests.browser.conftest import Hand
from tests.trust.phones import Phone


@contextmanager
def signed_in(instance: str, login: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=instance, timeout=60) as client:
        said = client.post("/api/v1/sessions", json={"login": login, "password": PASSWORD})
        assert said.is_success, said.text
        client.headers["Authorization"] = f"Bearer {said.json()['token']}"
        yield client


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    """One of this file's own: a dispute stands on everybody's first page until it is resolved."""
    with TemporaryInstance(demo=True, settings={"TIME_ZONE": "Asia/Bishkek"}) as running:
        yield running.url


@pytest.fixture
def disputed(instance: str) -> dict[str, Any]:
    """Aida and Nurlan agreed on an exhibit a month ago by their phones' clocks, and bring it only now."""
    at = (utcnow() - timedelta(days=40)).isoformat()
    seizure = {
        "client_id": str(uuid.uuid4()), "seized_at": utcnow().isoformat(), "place": "Ak-Tilek",
        "exhibits": [{"category": "DRUG", "description": "package", "seal": "B-4711"}],
    }  # fmt: skip
    with signed_in(instance, "aida") as client:
        (exhibit,) = client.post("/api/v1/seizures", json=seizure).json()["exhibits"]
        phones = [Phone(login, PEOPLE[login].name, PEOPLE[login].badge) for login in ("aida", "nurlan")]
        offer = phones[0].offer(
            [{"exhibit": exhibit["number"], "what": "DRUG", "seal": "B-4711"}], at=at, place="Ak-Tilek",
            note="Handed over by torchlight, the post was without power.",
        )  # fmt: skip
        reply = {"exhibit": exhibit["number"], "decision": "accepted", "seal": "B-4711", "seal_state": "intact"}
        answer = phones[1].answer(offer, [reply], at=at)
        made = client.post("/api/v1/agreements", json={
            "offer": b64u(offer.body), "offer_signature": b64u(offer.signature), "answer": b64u(answer.body),
            "answer_signature": b64u(answer.signature), "keys": [b64u(phone.key.spki) for phone in phones],
        }).json()  # fmt: skip
    assert made["state"] == "disputed", made
    return {"exhibit": exhibit["id"], "agreement": made["agreement"]}


def test_a_dispute_is_seen_by_both_and_ended_by_their_supervisor(
    desk: Hand, phone: Hand, disputed: dict[str, Any]
) -> None:
    aida = phone("aida")
    aida.sign_in()
    where = f'a[href="/agreements/{disputed["agreement"]}"]'
    expect(aida.page.locator(where)).to_be_visible()
    aida.look("60-shift-disputed", again=False)
    aida.page.goto(f"/exhibits/{disputed['exhibit']}")
    expect(aida.page.get_by_text(aida.words("Custody is disputed"))).to_be_visible()
    aida.look("61-exhibit-disputed", again=False)
    aida.page.goto("/hand-overs")
    aida.look("62-hand-overs-disputed", again=False)
    aida.page.locator(where).click()
    expect(aida.page.get_by_text(aida.words("This did not take effect"))).to_be_visible()
    expect(aida.page.get_by_role("button", name=aida.words("Resolve"))).to_have_count(0)
    aida.look("63-agreement-disputed")

    saule = desk("saule")
    saule.sign_in()
    saule.page.locator(where).click()
    with saule.refusal():
        saule.press("Resolve")
    saule.look("64-resolve-refused", again=False, error=True)
    saule.page.get_by_role("radio", name=saule.words("The record is right as it stands"), exact=True).check()
    saule.page.locator("#words").fill("Both say that Nurlan never took it along. Aida has it.")
    saule.press("Resolve")
    expect(saule.page.get_by_text(saule.words("A dispute, resolved"))).to_be_visible()
    saule.look("65-agreement-resolved")
    saule.page.goto("/agreements?list=all")
    saule.look("66-agreements")
    saule.page.goto(f"/exhibits/{disputed['exhibit']}")
    expect(saule.page.locator("main")).to_contain_text("dispute about it was resolved")
    saule.look("67-exhibit-resolved")
    aida.look_again_at_night()

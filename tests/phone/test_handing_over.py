"""Two telephones without a network hand over, and the server says later what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cast import World
from tests.phone.pair import Phone, picture, with_pair

pytestmark = pytest.mark.browser


def ready(giver: Phone, receiver: Phone, world: World) -> None:
    for phone, member in ((giver, world.aida), (receiver, world.nurlan)):
        phone.set_up(member)
        phone.ready_for_offline()


async def test_two_phones_without_a_network_agree_on_a_hand_over(server: str, world: World, photo: Path) -> None:
    def visit(giver: Phone, receiver: Phone) -> None:
        ready(giver, receiver, world)
        for phone in (giver, receiver):
            phone.offline()
        giver.register(photo, seal="A-100200")
        giver.offer(1)
        picture(giver.page, "handing-over/1-offer")
        receiver.receive(giver)
        expect(receiver.page.locator("[data-items] input:checked")).to_have_count(0)
        picture(receiver.page, "handing-over/2-decide")
        receiver.accept_all()
        picture(receiver.page, "handing-over/3-answer")
        giver.scan("Scan the answer", receiver)
        picture(giver.page, "handing-over/4-receipt")
        for phone in (giver, receiver):
            expect(phone.page.locator("[data-receipt-state]")).to_have_text(
                "Agreed on phones, not yet checked by server"
            )

    await with_pair(server, visit)

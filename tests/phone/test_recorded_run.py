"""The recorded run: two phones, ten exhibits with photographs, everything without a network, then the network back.

What happens is written down as it happens (test-results/recorded-run/transcript.md) with a picture of every screen.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from casemgmt.trust.agreement import check_event, check_pair, parse_answer, parse_offer
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import PublicKey
from tests.cast import Member, World
from tests.phone.pair import Phone, with_pair

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

EXHIBITS = 10
FOLDER = Path("test-results/recorded-run")
AGREED = "Agreed on phones, not yet checked by server"


class Transcript:
    """Lines of what was done and seen, each with a picture of the screen it was seen on."""

    def __init__(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.iterdir():
            old.unlink()
        self.start = time.monotonic()
        self.lines = ["# Two phones hand over ten exhibits without a network", ""]

    def note(self, words: str, phone: Phone | None = None) -> None:
        line = f"{len(self.lines) - 1:02}. +{time.monotonic() - self.start:5.1f} s  {words}"
        if phone:
            name = f"{len(self.lines) - 1:02}.png"
            phone.page.screenshot(path=FOLDER / name, full_page=True)
            line += f"  ({name})"
        self.lines.append(line)
        (FOLDER / "transcript.md").write_text("\n".join(self.lines) + "\n", encoding="utf-8")


def photograph(folder: Path, number: int) -> Path:
    """A photograph of its own: what it shows says which one it is."""
    image = Image.effect_noise((800, 600), 60).convert("RGB")
    ImageDraw.Draw(image).text((40, 40), f"Exhibit {number}", fill="white", font_size=96)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    path = folder / f"IMG_{number:04}.jpg"
    path.write_bytes(out.getvalue())
    return path


async def test_ten_exhibits_change_hands_without_a_network_and_are_on_the_server_once(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    photos = [photograph(tmp_path, number) for number in range(1, EXHIBITS + 1)]
    numbers: list[str] = []
    log = Transcript()

    def visit(giver: Phone, receiver: Phone) -> None:
        for phone, member in ((giver, world.aida), (receiver, world.nurlan)):
            phone.set_up(member)
            phone.ready_for_offline()
            log.note(f"{member.name}'s phone is made ready with a network: PIN, key, pages, reader of codes", phone)
            phone.offline()
        log.note("No network on either phone from here")
        for number, photo in enumerate(photos, 1):
            giver.register(photo, seal=f"KG-BAG-{98000 + number}")
            log.note(f"Registered without a network: exhibit {number}, one photograph, its bag", giver)
        giver.offer(EXHIBITS)
        log.note("Ten exhibits chosen, purpose Storage, signed with the PIN; the codes take turns", giver)
        receiver.receive(giver)
        expect(receiver.page.locator("[data-items] > section")).to_have_count(EXHIBITS)
        expect(receiver.page.locator("[data-items] input:checked")).to_have_count(0)
        log.note("The receiver's camera has read the offer: ten exhibits with seals, nothing chosen", receiver)
        receiver.accept_all()
        log.note("All intact, signed with the PIN; the answer's codes take turns", receiver)
        giver.scan("Scan the answer", receiver)
        for phone in (giver, receiver):
            expect(phone.page.locator("[data-receipt-state]")).to_have_text(AGREED)
        log.note("The giver's camera has read the answer: both phones have the same signed pair", giver)
        the_network_comes_back(giver, receiver)

    def the_network_comes_back(giver: Phone, receiver: Phone) -> None:
        receiver.offline(False)
        receiver.page.evaluate("dispatchEvent(new Event('online'))")
        expect(receiver.page.locator("[data-receipt-state]")).to_contain_text("The server has it and waits")
        log.note("The receiver's phone is in the network first: the server waits for the exhibits", receiver)
        giver.offline(False)
        giver.page.evaluate("dispatchEvent(new Event('online'))")
        expect(giver.page.locator("[data-receipt-state]")).to_have_text("Checked by server", timeout=120_000)
        log.note("The giver's phone has sent ten registrations with photographs, then the pair", giver)
        receiver.page.evaluate("dispatchEvent(new Event('online'))")
        expect(receiver.page.locator("[data-receipt-state]")).to_have_text("Checked by server", timeout=60_000)
        log.note("The receiver's phone has the same answer", receiver)
        numbers.extend(phone.page.locator("[data-receipt-number]").inner_text() for phone in (giver, receiver))
        for phone in (giver, receiver):
            phone.page.goto("/phone")
            expect(phone.page.locator("[data-waiting]")).to_be_hidden()
            assert not [row for row in phone.rows() if row["state"] not in ("verified", "draft")]
            phone.expect_chunks(0)
            log.note("Nothing waits on the phone any more, and no photograph is left on it", phone)

    await with_pair(server, visit)
    assert numbers[0] == numbers[1]
    log.note(f"Both receipts carry the number {numbers[0]}")
    await check_the_server(db_dba, world.aida, world.nurlan, numbers[0], photos)
    log.note("On the server: ten exhibits once, held by the receiver; ten hashes equal; both signatures hold; in order")


async def check_the_server(dba: Dba, giver: Member, receiver: Member, number: str, photos: list[Path]) -> None:
    """Everything once, verified, in order; the signatures are held against the records by the verifier's own code."""
    exhibits = await dba.fetch(
        "select x.* from exhibits.exhibit x join seizures.seizure s on s.id = x.seizure_id where s.created_by = $1"
        " order by x.seal_no", giver.id,
    )  # fmt: skip
    assert [x["seal_no"] for x in exhibits] == sorted(f"KG-BAG-{98000 + n}" for n in range(1, EXHIBITS + 1))
    assert {x["holder_id"] for x in exhibits} == {receiver.id}
    for exhibit, photo in zip(exhibits, photos, strict=True):
        files = await dba.fetch("select sha256 from evidence.file where exhibit_id = $1", exhibit["id"])
        assert [f["sha256"].hex() for f in files] == [hashlib.sha256(photo.read_bytes()).hexdigest()]
        events = await dba.fetch("select * from custody.event where exhibit_id = $1 order by seq", exhibit["id"])
        assert [e["kind"] for e in events] == ["registered", "offered", "accepted"]
        assert [e["actor_id"] for e in events] == [giver.id, giver.id, receiver.id]
        assert all(later["prev"] == earlier["hash"] for earlier, later in pairwise(events))
    (agreement,) = await dba.fetch("select * from custody.agreement where from_id = $1", giver.id)
    brought = await dba.fetch(
        "select person_id from custody.agreement_bringing where agreement_id = $1", agreement["id"]
    )
    assert {row["person_id"] for row in brought} == {giver.id, receiver.id}
    (handover,) = await dba.fetch("select * from custody.handover where from_id = $1", giver.id)
    assert (handover["number"], handover["to_id"], handover["agreement_id"]) == (number, receiver.id, agreement["id"])
    offer, answer = parse_offer(agreement["offer"]), parse_answer(agreement["answer"])
    check_pair(offer, answer)
    offer.check_signature(agreement["offer_signature"], PublicKey(agreement["offer_spki"]))
    answer.check_signature(agreement["answer_signature"], PublicKey(agreement["answer_spki"]))
    assert [item.exhibit for item in offer.items] == [x["number"] for x in sorted(exhibits, key=lambda x: x["id"])]
    for exhibit in exhibits:
        bodies = await dba.fetch(
            "select body from ledger.entry where stream = $1 and type like 'custody:handover:%' order by stream_seq",
            f"exhibit:{exhibit['number']}",
        )  # fmt: skip
        for record, row in zip((agreement["offer"], agreement["answer"]), bodies, strict=True):
            check_event(record, Event.parse(row["body"]))
            assert json.loads(row["body"])["data"]["signature"]["means"] == "pin"

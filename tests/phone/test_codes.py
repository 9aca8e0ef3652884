"""The phone's own reader of codes against the vectors of docs/spec/agreement.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.phone.handset import Handset, with_phone

pytestmark = pytest.mark.browser
VECTORS = json.loads(Path("docs/spec/vectors/agreement.json").read_text(encoding="utf-8"))

_READ = """async ([offerLines, answerLines]) => {
    const base = document.querySelector('script[type=module]').src.replace(/app\\.js$/, 'phone/');
    const [codes, agreement] = await Promise.all(['codes.js', 'agreement.js'].map((name) => import(base + name)));
    const read = async (kind, lines) => {
        const collector = new codes.Collector(kind);
        for (const line of lines.toReversed()) collector.add(line);
        return collector.record();
    };
    try {
        const offer = await agreement.checkOffer(await read('offer', offerLines));
        const answer = await agreement.checkAnswer(await read('answer', answerLines), offer);
        const text = (signed) => new TextDecoder().decode(signed.bytes);
        const again = [await codes.lines('offer', offer), await codes.lines('answer', answer)];
        return {offer: text(offer), answer: text(answer), again};
    } catch (error) {
        return {why: error.why ?? error.name + ': ' + error.message};
    }
}"""


def read(phone: Handset, offer: list[str], answer: list[str]) -> dict[str, Any]:
    return dict(phone.page.evaluate(_READ, [offer, answer]))


async def test_the_lines_of_every_signed_vector_are_read_and_their_records_are_the_same(server: str) -> None:
    def visit(phone: Handset) -> None:
        phone.page.goto("/phone/receive")
        for vector in VECTORS["signed"]:
            found = read(phone, vector["offer_lines"], vector["answer_lines"])
            assert found.get("why") is None, (vector["name"], found)
            assert found["offer"] == vector["offer"]["record"]
            assert found["answer"] == vector["answer"]["record"]
            again = read(phone, *found["again"])  # the phone's own lines, cut and packed its own way
            assert (again["offer"], again["answer"]) == (found["offer"], found["answer"])

    await with_phone(server, visit)


async def test_a_line_that_was_changed_or_belongs_elsewhere_gives_no_record(server: str) -> None:
    vector = VECTORS["signed"][0]
    offer, answer = vector["offer_lines"], vector["answer_lines"]
    at = len(offer[0]) - 9
    changed = offer[0][:at] + ("A" if offer[0][at] != "A" else "B") + offer[0][at + 1 :]

    def visit(phone: Handset) -> None:
        phone.page.goto("/phone/receive")
        assert "why" not in read(phone, offer, answer)
        assert "why" in read(phone, [changed, *offer[1:]], answer)
        assert "why" in read(phone, offer, offer)
        assert "why" in read(phone, answer, answer)

    await with_phone(server, visit)

"""Quantities that make sense, and chains of custody that hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.exhibits.rules import Link, check, find_break, with_basis
from casemgmt.exhibits.schemas import NewExhibit

DAY = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (NewExhibit(category="DRUG"), None),
        (NewExhibit(category="DRUG", quantity=Decimal("0.000001"), unit="g", basis="net"), None),
        (NewExhibit(category="CURR", quantity=Decimal(40), unit="pcs"), None),
        (NewExhibit(category="CURR", quantity=Decimal("4E+1"), unit="pcs"), None),
        (NewExhibit(category="CURR", quantity=Decimal("40.5"), unit="pcs"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal("0.0000001"), unit="g", basis="net"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal(0), unit="g", basis="net"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal("1E+12"), unit="g", basis="net"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal("Infinity"), unit="g", basis="net"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal(5), unit="g"), "basis"),
        (NewExhibit(category="DRUG", quantity=Decimal(5)), "unit"),
        (NewExhibit(category="DRUG", quantity=Decimal(5), unit="pairs", basis="net"), "unit"),
        (NewExhibit(category="DRUG", basis="net", unit="g"), "quantity"),
        (NewExhibit(category="DRUG", quantity=Decimal(5), unit="g", basis="not_weighed"), "quantity"),
        (NewExhibit(category="NOPE"), "category"),
        (NewExhibit(category="CURR", value=Decimal("10.00")), "currency"),
        (NewExhibit(category="CURR", value=Decimal("10.001"), currency="USD"), "value"),
        (NewExhibit(category="CURR", value=Decimal("10.00"), currency="USD"), None),
    ],
)
def test_a_quantity_or_a_value_that_makes_no_sense_is_named(data: NewExhibit, wrong: str | None) -> None:
    assert list(check(data, DAY)) == ([wrong] if wrong else [])


def test_how_it_was_measured_is_never_guessed_where_only_a_person_knows() -> None:
    assert with_basis(NewExhibit(category="DRUG", quantity=Decimal(5), unit="g")) == ""
    assert with_basis(NewExhibit(category="CURR", quantity=Decimal(5), unit="pcs")) == "counted"
    assert with_basis(NewExhibit(category="CURR")) == "not_weighed"


NUMBER = "2026-0412-00137-9/1"
ACTOR = Actor(b"", 7, "aida", "Aida Asanova", "04412", "", ())


def chain_of(length: int) -> tuple[list[Link], dict[int, bytes], tuple[int, bytes]]:
    links: list[Link] = []
    bodies: dict[int, bytes] = {}
    head = events.Head(0, None)
    for seq in range(1, length + 1):
        body = events.build("custody:exhibit:registered", f"exhibit:{NUMBER}", head, ACTOR, {"n": seq})
        bodies[seq] = body
        links.append(Link(seq, events.leaf_hash(body), head.hash))
        head = events.Head(seq, events.leaf_hash(body))
    assert head.hash is not None
    return links, bodies, (head.seq, head.hash)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_whole_chain_is_whole(length: int) -> None:
    links, bodies, head = chain_of(length)
    assert find_break(NUMBER, head, links, bodies) is None


def test_every_single_changed_byte_of_a_body_breaks_the_chain() -> None:
    links, bodies, head = chain_of(3)
    for position in range(len(bodies[2])):
        body = bytearray(bodies[2])
        body[position] ^= 1
        found = find_break(NUMBER, head, links, {**bodies, 2: bytes(body)})
        assert found is not None
        assert found.seq == 2


def test_a_missing_a_swapped_or_a_foreign_event_breaks_the_chain() -> None:
    links, bodies, head = chain_of(4)
    other = hashlib.sha256(b"other").digest()
    broken = [
        (head, links[:1] + links[2:], bodies),
        (head, links, {k: v for k, v in bodies.items() if k != 3}),
        (head, [links[0], links[2], links[1], links[3]], bodies),
        (head, [*links[:2], replace(links[2], prev=other), links[3]], bodies),
        (head, [*links[:2], replace(links[2], hash=other), links[3]], bodies),
        (head, links[:3], bodies),
        ((4, other), links, bodies),
        ((5, head[1]), links, bodies),
        (head, [], {}),
    ]
    for end, rows, entries in broken:
        assert find_break(NUMBER, end, rows, entries) is not None
    assert find_break("2026-0412-00137-9/2", head, links, bodies) is not None

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.canonical import canonical_json, parse_canonical
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import MAX_BODY, Event, chains, heads
from tests.trust.factory import event_body
from tests.trust.vectors import vectors

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@given(JSON)
def test_canonical_bytes_equal_those_of_an_independent_implementation(value: Any) -> None:
    data = canonical_json(value)
    assert data == rfc8785.dumps(value)
    assert parse_canonical(data) == value


@pytest.mark.parametrize("case", vectors("canonical.json")["accepted"], ids=lambda case: str(case["name"]))
def test_it_writes_the_canonical_examples(case: dict[str, Any]) -> None:
    assert canonical_json(json.loads(case["input"])).hex() == case["canonical"]


@pytest.mark.parametrize("case", vectors("canonical.json")["refused"], ids=lambda case: str(case["name"]))
def test_it_refuses_any_other_spelling(case: dict[str, str]) -> None:
    with pytest.raises(TrustError):
        parse_canonical(bytes.fromhex(case["bytes"]))


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), b"bytes", {1: "a"}, "\ud800", {"\ud800": 1}, object(), {1.5}])
def test_it_refuses_to_write_what_readers_could_take_differently(value: object) -> None:
    with pytest.raises(EventError):
        canonical_json({"data": value})


def test_it_refuses_to_write_or_read_what_is_nested_too_deeply() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(EventError, match="deeply"):
        canonical_json(value)
    with pytest.raises(EventError):
        parse_canonical(b"[" * 60_000 + b"]" * 60_000)


@given(st.binary())
def test_bytes_that_are_no_event_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(TrustError):
        Event.parse(data)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", 2),
        ("v", True),
        ("type", "custody:handover"),
        ("type", "Custody:handover:accepted"),
        ("stream", ""),
        ("stream", 5),
        ("seq", 0),
        ("seq", True),
        ("seq", "1"),
        ("prev", "0" * 64),
        ("at", "2027-02-30T00:00:00Z"),
        ("at", "2027-02-03T00:00:00+03:00"),
        ("at", "2027-02-03"),
        ("actor", "officer"),
        ("nonce", "00"),
        ("data", []),
    ],
)
def test_it_refuses_an_event_whose_member_is_out_of_form(member: str, value: object) -> None:
    body = json.loads(event_body("exhibit:A", 1, None))
    with pytest.raises(EventError, match=member):
        Event.parse(canonical_json({**body, member: value}))


def test_it_refuses_an_event_with_a_member_too_many_or_too_few() -> None:
    body = json.loads(event_body("exhibit:A", 1, None))
    without = {name: value for name, value in body.items() if name != "nonce"}
    for wrong in ({**body, "note": "x"}, without, [body], "text", None):
        with pytest.raises(EventError, match="has the members"):
            Event.parse(canonical_json(wrong))
    with pytest.raises(EventError, match="at most"):
        Event.parse(canonical_json({**body, "data": {"x": "y" * MAX_BODY}}))


def chain(stream: str, length: int) -> list[Event]:
    events: list[Event] = []
    for seq in range(1, length + 1):
        events.append(Event.parse(event_body(stream, seq, events[-1].hash if events else None)))
    return events


def test_whole_chains_are_sorted_by_stream_and_their_heads_named() -> None:
    one, two = chain("exhibit:KG/1", 4), chain("package:P", 2)
    streams = chains([*two, *one[::-1]])
    assert streams == {"package:P": two, "exhibit:KG/1": one}
    assert heads(streams, "exhibit:") == {"KG/1": {"seq": 4, "hash": one[3].hash.hex()}}


def test_it_refuses_a_chain_with_a_gap_a_double_a_late_start_or_a_wrong_link() -> None:
    events = chain("exhibit:A", 4)
    with pytest.raises(EventError, match="event 2 is missing"):
        chains([events[0], *events[2:]])
    with pytest.raises(EventError, match="event 1 is missing"):
        chains(events[1:])
    with pytest.raises(EventError, match="event 2 is twice"):
        chains([*events[:2], Event.parse(event_body("exhibit:A", 2, events[0].hash, nonce="1" * 32))])
    with pytest.raises(EventError, match="does not name the event before"):
        chains([*events[:2], Event.parse(event_body("exhibit:A", 3, events[0].hash))])


def test_of_other_streams_an_excerpt_is_enough_but_its_links_must_hold() -> None:
    events = chain("seizure:S", 5)
    assert chains([events[1], events[4], events[3]]) == {"seizure:S": [events[1], events[3], events[4]]}
    with pytest.raises(EventError, match="event 4 is twice"):
        chains([events[3], events[3]])
    with pytest.raises(EventError, match="does not name the event before"):
        chains([events[3], Event.parse(event_body("seizure:S", 5, events[1].hash))])

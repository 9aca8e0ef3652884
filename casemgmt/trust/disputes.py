"""Exhibits about which two people agreed something that did not take effect (docs/spec/agreement.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from casemgmt.trust.events import EXHIBIT_STREAM, Event, Link

DISPUTED, RESOLVED = "custody:exhibit:disputed", "custody:exhibit:resolved"


@dataclass(frozen=True, slots=True)
class Disputes:
    """Numbers of exhibits: with a dispute that nobody has resolved, and with one that somebody has."""

    standing: tuple[str, ...]
    resolved: tuple[str, ...]


def disputes(streams: Mapping[str, list[Link]]) -> Disputes:
    """What the chains say. The end of a dispute counts where it follows the dispute about the same two records."""
    standing, resolved = [], []
    for stream, chain in sorted(streams.items()):
        if not stream.startswith(EXHIBIT_STREAM):
            continue
        left: set[tuple[object, object]] = set()
        ended = 0
        for event in chain:
            if not isinstance(event, Event):
                continue
            records = (str(event.data.get("offer")), str(event.data.get("answer")))
            if event.type == DISPUTED:
                left.add(records)
            elif event.type == RESOLVED and records in left:
                left.remove(records)
                ended += 1
        number = stream.removeprefix(EXHIBIT_STREAM)
        standing += [number] if left else []
        resolved += [number] if ended else []
    return Disputes(tuple(standing), tuple(resolved))

"""How times, people, places, seals and events are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from casemgmt.packages.report.glyphs import shown
from casemgmt.packages.report.model import Claim, Exhibit, Person, Seal, Step, Why
from casemgmt.packages.report.words import Words

LINE = 90
"""Characters of a line: a line break costs as much."""


@dataclass(frozen=True, slots=True)
class Writer:
    words: Words
    zone: tzinfo

    def moment(self, at: datetime) -> str:
        """In the report's zone, with its offset: no reader has to guess."""
        at = at.astimezone(self.zone)
        offset = f"{at:%z}"
        return f"{at:%d.%m.%Y %H:%M:%S} {offset[:3]}:{offset[3:5]}"

    def claimed(self, at: datetime | None) -> str:
        return self.words("steps.not_claimed") if at is None else self.moment(at)

    def person(self, person: Person) -> str:
        if not person.badge:
            return person.name
        return f"{person.name}, {self.words('report.badge', badge=person.badge)}"

    def place(self, place: Claim) -> str:
        lines = [place.words] if place.words else []
        if place.latitude is not None and place.longitude is not None:
            position = {"latitude": place.latitude, "longitude": place.longitude}
            if place.accuracy_m is None:
                lines.append(self.words("seizures.claimed_exactly", **position))
            else:
                lines.append(self.words("seizures.claimed", **position, accuracy=place.accuracy_m))
        return "\n".join(lines)

    def why(self, why: Why) -> str:
        return ", ".join(filter(None, [self.words.code("withholding_reasons", why.code), why.words]))

    def seal(self, seal: Seal) -> str:
        """Empty when nothing is known of it."""
        state = self.words.code("seal_states", seal.state)
        return ", ".join(filter(None, [seal.number, state]))

    def quantity(self, exhibit: Exhibit) -> str:
        if exhibit.quantity is None:
            return self.words("exhibits.not_measured")
        measured = f"{exhibit.quantity} {self.words.code('units', exhibit.unit)}".strip()
        return f"{measured} ({self.words.code('quantity_bases', exhibit.basis)})"


def event(step: Step, write: Writer, long: int) -> dict[str, Any]:
    """One event of a chain, as the template prints it."""
    words, signed = write.words, step.signed
    if step.at is None or step.withheld is not None:
        return _withheld(step, write)
    means = words(f"steps.{signed.means}" if signed.means in {"passkey", "pin", "session"} else "steps.unsaid")
    keyed = signed.means in {"passkey", "pin"}
    left: list[tuple[str, str]] = []
    if step.giver is not None and step.receiver is not None:
        left = [
            (words("steps.from"), write.person(step.giver)),
            (words("steps.to"), write.person(step.receiver)),
        ]
    right = [
        (words("steps.server"), write.moment(step.at)),
        (words("steps.device"), write.claimed(step.claimed_at)),
        (words("steps.handover"), step.handover),
        (words("steps.purpose"), words.code("handover_purposes", step.purpose)),
    ]
    wide = [row for row in _wide(step, write) if row[1].strip()]
    if not keyed and step.kind not in {"disputed", "resolved"}:
        wide.append((words("steps.means"), means, False))
    spoken = [row[1] for row in (*left, *right)] + [row[1] for row in wide]
    hashes = [[means, signed.key]] if keyed else []
    return {
        "seq": str(step.seq),
        "kind": words(f"kinds.{step.kind}") if step.kind in words.tree["kinds"] else step.kind,
        "who": shown(write.person(step.actor)),
        "left": [[name, shown(said)] for name, said in left],
        "right": [[name, shown(said)] for name, said in right if said],
        "wide": [[name, shown(said), warn] for name, said, warn in wide],
        "hashes": [*hashes, [words("steps.file", index=step.index), step.sha256]],
        "long": sum(len(said) + LINE * said.count("\n") for said in spoken) > long,
    }


def _withheld(step: Step, write: Writer) -> dict[str, Any]:
    words, why = write.words, "" if step.withheld is None else write.why(step.withheld)
    return {
        "seq": str(step.seq), "kind": words("steps.withheld"), "who": shown(why), "left": [], "right": [],
        "wide": [], "hashes": [[words("steps.leaf", index=step.index), step.sha256]], "long": False,
    }  # fmt: skip


def _wide(step: Step, write: Writer) -> list[tuple[str, str, bool]]:
    """What needs the whole line; the third is true where a reader must not miss it."""
    words = write.words
    reasons = {"disputed": "dispute_reasons", "resolved": "dispute_outcomes"}.get(step.kind, "refusal_reasons")
    side = {"offered": "steps.seal_given", "accepted": "steps.seal_received", "refused": "steps.seal_received"}
    return [
        (words("steps.place"), write.place(step.place), False),
        (
            words(side.get(step.kind, "steps.seal_recorded")),
            write.seal(step.seal),
            step.seal.state in {"damaged", "missing", "differs"},
        ),
        (words("steps.reason"), words.code(reasons, step.reason), step.kind == "disputed"),
        (words("steps.discrepancy"), step.discrepancy, True),
        (words("steps.note"), step.note, False),
    ]

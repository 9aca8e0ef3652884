"""From ledger entries to the graph: it says nothing that the entries shown in the package do not say."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casemgmt.packages.case_graph.terms import (
    ACTION,
    CONTEXT,
    CORE,
    INVESTIGATION,
    OBSERVABLE,
    Names,
    Node,
    Ref,
    base,
    hexadecimal,
    node,
    ref,
    time,
)
from casemgmt.trust.events import EXHIBIT_STREAM, Event
from casemgmt.trust.file_list import FileRow
from casemgmt.trust.receipts import DESCRIBED, RECEIVED

SEIZED = "seizures:seizure:registered"
REGISTERED = "custody:exhibit:registered"


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """``entries`` are those shown in the package with their ledger indexes, ``files`` those that lie in it.

    ``origin`` names the ledger.
    """

    origin: str
    case_number: str
    case_title: str
    agency: str
    entries: Sequence[tuple[int, Event]]
    files: Sequence[FileRow]


def case_graph(record: CaseRecord) -> bytes:
    """JSON-LD, UTF-8; the same record gives the same bytes."""
    nodes = _Graph(record).nodes()
    document = {"@context": {**CONTEXT, "kb": base(record.origin)}, "@graph": nodes}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


@dataclass
class _Graph:
    record: CaseRecord
    names: Names = field(init=False)
    _exhibits: dict[str, Event] = field(default_factory=dict)  # by number, the first shown entry of each
    _receipts: dict[object, Event] = field(default_factory=dict)  # by file
    _showings: dict[object, tuple[str, Event]] = field(default_factory=dict)  # the last word on each file
    _made: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = Names(self.record.origin)
        for _, event in self.record.entries:
            if event.stream.startswith(EXHIBIT_STREAM):
                self._exhibits.setdefault(event.stream.removeprefix(EXHIBIT_STREAM), event)
            elif event.type == RECEIVED:
                self._receipts[event.data.get("file")] = event
                self._hear(event, event.data.get("claimed"))
            elif event.type == DESCRIBED:
                self._hear(event, event.data)

    def _hear(self, event: Event, said: object) -> None:
        """``said`` holds what a file is said to show, if anything is."""
        point = said.get("shows") if isinstance(said, dict) else None
        self._showings.pop(event.data.get("file"), None)
        if isinstance(point, str):
            self._showings[event.data.get("file")] = point, event

    def nodes(self) -> list[Node]:
        record, names = self.record, self.names
        investigation = node(
            names("Investigation", record.case_number),
            "case-investigation:Investigation",
            {f"{CORE}name": record.case_number, f"{CORE}description": [record.case_title],
             f"{INVESTIGATION}investigationForm": "case"},
        )  # fmt: skip
        agency = names("Organization", record.agency)
        self._add(node(agency, "uco-identity:Organization", {f"{CORE}name": record.agency}))
        for number in self._seizures():
            values = {f"{CORE}name": f"Seizure {number}", f"{INVESTIGATION}authorizationType": "seizure",
                      f"{INVESTIGATION}authorizationIdentifier": [number]}  # fmt: skip
            self._add(node(names("Authorization", number), "case-investigation:Authorization", values))
        provenance = self._provenance()
        actions = self._actions(provenance)
        investigation[f"{CORE}object"] = [ref(name) for name in [*provenance.values(), *actions]]
        return [investigation, *self._made.values()]

    def _add(self, made: Node) -> str:
        name = str(made["@id"])
        self._made.setdefault(name, made)
        return name

    def _seizures(self) -> list[str]:
        numbers = (event.data.get("seizure") for _, event in self.record.entries)
        return sorted({number for number in numbers if isinstance(number, str)})

    def _provenance(self) -> dict[str, str]:
        """A record of each exhibit or seizure with the files that belong to it, by its number; returns their names."""
        files: dict[str, list[Ref]] = {}
        for row in self.record.files:
            event = self._receipts[row.file]
            owner = str(event.data.get("exhibit") or event.data.get("seizure"))
            files.setdefault(owner, []).append(ref(self._file(row)))
        records: dict[str, str] = {}
        for number in dict.fromkeys([*self._exhibits, *files]):
            items = [ref(self._item(number))] if number in self._exhibits else []
            values = {f"{CORE}description": [f"Evidence {number}"], f"{INVESTIGATION}exhibitNumber": number,
                      f"{CORE}object": [*items, *files.get(number, [])]}  # fmt: skip
            name = self.names("ProvenanceRecord", number)
            records[number] = self._add(node(name, "case-investigation:ProvenanceRecord", values))
        return records

    def _item(self, number: str) -> str:
        first = self._exhibits[number]
        description = first.data.get("description") if first.type == REGISTERED else None
        values = {f"{CORE}name": number, f"{CORE}description": [description] if description else None}
        return self._add(node(self.names("Item", number), "uco-core:Item", values))

    def _file(self, row: FileRow) -> str:
        names, key = self.names, row.file
        value = node(names("Hash", key), "uco-types:Hash", {
            "uco-types:hashMethod": "SHA256", "uco-types:hashValue": hexadecimal(row.sha256)})  # fmt: skip
        content = node(names("ContentDataFacet", key), "uco-observable:ContentDataFacet", {
            f"{OBSERVABLE}mimeType": self._receipts[key].data.get("media_type"), f"{OBSERVABLE}sizeInBytes": row.size,
            f"{OBSERVABLE}hash": [value]})  # fmt: skip
        facet = node(names("FileFacet", key), "uco-observable:FileFacet", {
            f"{OBSERVABLE}fileName": row.original_name, f"{OBSERVABLE}filePath": row.path,
            f"{OBSERVABLE}sizeInBytes": row.size})  # fmt: skip
        values = {f"{CORE}name": row.path, f"{CORE}description": self._showing(key),
                  f"{CORE}hasFacet": [facet, content]}  # fmt: skip
        return self._add(node(names("File", key), "uco-observable:File", values))

    def _showing(self, key: str) -> list[str] | None:
        if key not in self._showings:
            return None
        point, event = self._showings[key]
        return [f"Said to show: {point}. Claimed by {event.actor.get('name', '')}, {event.at}"]

    def _actions(self, provenance: Mapping[str, str]) -> list[str]:
        """Every custody entry, receipt, later word on a file and seizure; of one exhibit each is informed by the one
        before."""
        present: set[object] = {row.file for row in self.record.files}
        last: dict[str, str] = {}
        actions = []
        for index, event in self.record.entries:
            if event.type == SEIZED or event.stream.startswith(EXHIBIT_STREAM):
                key = event.stream
            elif event.type in {RECEIVED, DESCRIBED}:
                key = ""  # of its own: it follows nothing
            else:
                continue
            objects = self._objects(event, provenance, present)
            name = self._add(self._action(index, event, objects, last.get(key)))
            actions.append(name)
            if key:
                last[key] = name
        return actions

    def _objects(
        self, event: Event, provenance: Mapping[str, str], present: Collection[object]
    ) -> tuple[list[Ref], list[Ref]]:
        """What the action was about, and what came of it."""
        exhibit = event.data.get("exhibit")
        about = [ref(self.names("Item", exhibit))] if isinstance(exhibit, str) and exhibit in self._exhibits else []
        if event.type in {RECEIVED, DESCRIBED}:
            file = event.data.get("file")
            named = [ref(self.names("File", file))] if file in present else []
            return (about, named) if event.type == RECEIVED else ([*about, *named], [])
        record = provenance.get(str(exhibit or event.data.get("seizure")))
        return about, [ref(record)] if record and event.type in (SEIZED, REGISTERED) else []

    def _action(self, index: int, event: Event, objects: tuple[list[Ref], list[Ref]], before: str | None) -> Node:
        about, result = objects
        seizure = event.data.get("seizure")
        others = [self._person(event.data[side]) for side in ("from", "to") if isinstance(event.data.get(side), dict)]
        performer = self._person(event.actor)
        return node(
            self.names("InvestigativeAction", event.hash.hex()),
            "case-investigation:InvestigativeAction",
            {
                f"{CORE}name": event.type,
                f"{CORE}description": [f"Ledger entry {index}, leaf hash {event.hash.hex()}"],
                f"{ACTION}startTime": time(event.at),
                f"{ACTION}endTime": time(event.at),
                f"{ACTION}performer": ref(performer),
                f"{ACTION}participant": [ref(name) for name in dict.fromkeys(others) if name != performer],
                f"{ACTION}location": self._location(event.data.get("place")),
                f"{ACTION}object": about,
                f"{ACTION}result": result,
                f"{INVESTIGATION}relevantAuthorization": [ref(self.names("Authorization", seizure))]
                if seizure
                else None,
                f"{INVESTIGATION}wasInformedBy": [ref(before)] if before else None,
            },
        )

    def _person(self, person: Mapping[str, Any]) -> str:
        name, badge = str(person.get("name", "")), person.get("badge")
        values = {f"{CORE}name": name, f"{CORE}description": [f"Badge {badge}"] if badge else None}
        return self._add(node(self.names("Person", person.get("id")), "uco-identity:Person", values))

    def _location(self, place: object) -> list[Ref] | None:
        words = place.get("claimed") if isinstance(place, dict) else place
        if not isinstance(words, str) or not words:
            return None
        name = self._add(node(self.names("Location", words), "uco-location:Location", {f"{CORE}name": words}))
        return [ref(name)]

"""The graph, and what the CASE community's own validator says to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casemgmt.packages.case_graph.graph import CaseRecord, case_graph
from casemgmt.trust.events import Event
from casemgmt.trust.receipts import file_row
from tests.trust.factory import Ledger

AIDA = {"id": 7, "name": "Асанова Ү.", "badge": "C-7"}
NURLAN = {"id": 8, "name": "Nurlan", "badge": ""}


def record(actions: int = 2) -> CaseRecord:
    """One exhibit with one file, registered and handed to and fro until there are so many actions."""
    ledger, seizure, exhibit = Ledger(), "2027-0412-00137-9", "2027-0412-00137-9/1"
    ledger.append(f"seizure:{seizure}", "seizures:seizure:registered", {"seizure": seizure, "place": "Ак-Тилек"},
                  actor=AIDA)  # fmt: skip
    ledger.append(f"exhibit:{exhibit}", "custody:exhibit:registered",
                  {"exhibit": exhibit, "seizure": seizure, "description": "Телефон"}, actor=AIDA)  # fmt: skip
    received = {"file": "k", "seizure": seizure, "exhibit": exhibit, "name": "фото «1».jpg", "size": 300_000,
                "sha256": "ab" * 32, "media_type": "image/jpeg", "claimed": {"shows": "goods"}}  # fmt: skip
    ledger.append(f"seizure:{seizure}", "evidence:file:received", received, actor=AIDA)
    described = {"file": "k", "seizure": seizure, "exhibit": exhibit, "sha256": "ab" * 32, "shows": "unloading"}
    ledger.append(f"seizure:{seizure}", "evidence:file:described", described, actor=NURLAN)
    for number in range(actions):
        said = {"exhibit": exhibit, "from": AIDA, "to": NURLAN, "place": {"claimed": f"Room {number % 3}"}}
        kind = "custody:handover:" + ("accepted" if number % 2 else "offered")
        ledger.append(f"exhibit:{exhibit}", kind, said, actor=NURLAN if number % 2 else AIDA)
    entries = [(index, Event.parse(body)) for index, body in enumerate(ledger.bodies)]
    row = file_row(f"data/exhibits/{exhibit.replace('/', '-')}/0001.jpg", entries[2][1])
    return CaseRecord("ledger.customs.example/2027", "2027-0412-3-00001-1", "Судно 17", "Customs", entries, [row])


def validated(path: Path, *, offline: bool = True) -> int:
    program = Path(sys.executable).with_name("case_validate")
    alone = ["unshare", "--user", "--map-root-user", "--net"] if offline else []
    return subprocess.run([*alone, program, path], capture_output=True, check=False).returncode


@pytest.fixture
def without_network(missing_part: Callable[[str], None]) -> bool:
    """Whether a process can be cut off from every network here."""
    if not Path(sys.executable).with_name("case_validate").exists():
        missing_part("case_validate, of the package case-utils")
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--net", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def nodes(graph: bytes, type_: str) -> list[dict[str, Any]]:
    return [node for node in json.loads(graph)["@graph"] if node["@type"].endswith(f":{type_}")]


def test_the_validator_accepts_the_graph_offline_and_with_200_actions(tmp_path: Path, without_network: bool) -> None:
    for actions in (2, 200):
        path = tmp_path / f"{actions}.jsonld"
        path.write_bytes(case_graph(record(actions)))
        assert validated(path, offline=without_network) == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("case-investigation:exhibitNumber", "case-investigation:exhibitNumbr"),
        ('"@type": "xsd:hexBinary"', '"@type": "xsd:string"'),
    ],
)
def test_the_validator_refuses_a_misspelt_property_and_a_hash_of_another_type(
    tmp_path: Path, without_network: bool, right: str, wrong: str
) -> None:
    path = tmp_path / "case.jsonld"
    path.write_text(case_graph(record()).decode().replace(right, wrong))
    assert validated(path, offline=without_network) != 0


def test_a_photograph_carries_the_last_word_on_what_it_shows_as_a_claim_of_whoever_said_it() -> None:
    graph = case_graph(record())
    (file,) = nodes(graph, "File")
    (words,) = file["uco-core:description"]
    assert words.startswith("Said to show: unloading. Claimed by Nurlan, 2")
    (action,) = [a for a in nodes(graph, "InvestigativeAction") if a["uco-core:name"] == "evidence:file:described"]
    assert {"@id": file["@id"]} in action["uco-action:object"]


def test_the_actions_of_an_exhibit_are_one_chain_in_ledger_order() -> None:
    graph = case_graph(record(5))
    actions = nodes(graph, "InvestigativeAction")
    assert len(actions) == 9
    custody = [a for a in actions if a["uco-core:name"].startswith("custody:")]
    informed = [a.get("case-investigation:wasInformedBy") for a in custody]
    assert informed == [None, *([{"@id": action["@id"]}] for action in custody[:-1])]
    assert nodes(graph, "Person")[0]["uco-core:name"] == "Асанова Ү."
    assert {p["uco-core:name"] for p in nodes(graph, "Person")} == {"Асанова Ү.", "Nurlan"}


def test_the_hash_of_a_file_is_that_of_the_list() -> None:
    (file,) = nodes(case_graph(record()), "File")
    content = file["uco-core:hasFacet"][1]
    assert content["uco-observable:hash"][0]["uco-types:hashValue"] == {"@type": "xsd:hexBinary", "@value": "AB" * 32}
    assert file["uco-core:hasFacet"][0]["uco-observable:fileName"] == "фото «1».jpg"


def test_the_same_things_have_the_same_names_in_every_package() -> None:
    small, large = (json.loads(case_graph(record(n)))["@graph"] for n in (2, 4))
    assert {node["@id"] for node in small} <= {node["@id"] for node in large}
    assert case_graph(record()) == case_graph(record())

"""Act 1: a customs officer at a border post registers a seizure from a phone browser."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from casemgmt.demo.photos import NAMES, photo
from casemgmt.walkthrough.stage import CONTAINER, CONTAINER_TYPED_IN_CYRILLIC, DRIVER, SEAL, Stage
from casemgmt.walkthrough.visitor import Visitor, read


def register_from_the_phone(stage: Stage) -> None:
    """The form as a phone without JavaScript sends it, two photographs and all."""
    stage.transcript.heading("1. The border post")
    aida = stage.enter("aida")
    pictures = {name: photo(name) for name in NAMES}
    hashes = [hashlib.sha256(data).hexdigest() for data in pictures.values()]
    fields: list[tuple[str, Any]] = [
        ("seized_at", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")),
        ("device_time", datetime.now(UTC).isoformat(timespec="seconds")),
        ("place", "Ak-Tilek, lane 2"),
        ("place_latitude", "42.874600"), ("place_longitude", "74.569800"), ("place_accuracy", "12"),
        ("exhibits-0-category", "DRUG"), ("exhibits-0-quantity", "1981"), ("exhibits-0-unit", "g"),
        ("exhibits-0-basis", "gross"), ("exhibits-0-seal", SEAL),
        ("exhibits-0-description", "Resin-like substance in two bags under the trailer"),
        ("exhibits-1-category", "CURR"), ("exhibits-1-quantity", "12500"), ("exhibits-1-unit", "pcs"),
        ("exhibits-1-seal", "A7654321"), ("exhibits-1-description", "Banknotes in a sealed bag"),
        ("conveyances-0-kind", "container"), ("conveyances-0-identifier", CONTAINER),
        ("participants-0-role", "seized_from"), ("participants-0-name", DRIVER),
        ("participants-1-role", "attesting_witness"), ("participants-1-name", "Ainura Toktosheva"),
        ("photos_sha256", json.dumps(hashes)),
        *(("photos", (name, data, "image/jpeg")) for name, data in pictures.items()),
    ]  # fmt: skip
    answer = aida.submit("/seizures/new", "/seizures/new", fields)
    stage.expect(answer, 303, "the registration with two photographs is saved in one step")
    code = answer.headers["location"].split("/")[2]
    remember(stage, aida, "seizure", code)
    seizure = stage.things["seizure"]
    stage.transcript.say(f"The seizure has the number {seizure['number']}, final at once.")
    saved = aida.page(answer.headers["location"]).data.decode()
    files = sorted(set(re.findall(r"/files/(\w+)", saved)))
    stage.transcript.check(len(files) == len(pictures), "each photograph has a record of its own")
    records = [stage.expect(aida.api("GET", f"/files/{file}"), 200, f"the record of file {file}") for file in files]
    held = sorted(record["sha256"] for record in records)
    stage.transcript.check(held == sorted(hashes), "the server's hashes are those the phone declared")
    status, data, _ = aida.download(f"/files/{files[0]}")
    stage.transcript.check(
        status == 200 and hashlib.sha256(data).hexdigest() in hashes, "a photograph comes back byte for byte"
    )
    stage.things["photo_hashes"] = hashes
    stage.things["file"] = files[0]


def refuse_a_wrong_hash(stage: Stage) -> None:
    """Bytes that are not what was declared are refused, and the refusal is on record."""
    aida, exhibit = stage.enter("aida"), stage.things["exhibits"][0]["id"]
    headers = {"Content-Type": "image/jpeg", "X-Content-SHA256": "0" * 64, "X-File-Name": "third.jpg"}
    answer = aida.put(f"/exhibits/{exhibit}/files/{uuid.uuid4()}", photo(NAMES[0]), headers)
    stage.expect(answer, 422, "a photograph whose bytes differ from the declared hash is refused")


def register_at_the_other_post(stage: Stage) -> None:
    """Another officer at another post meets the same container, typed with Cyrillic letters; through JSON this time."""
    timur = stage.enter("timur")
    data = {
        "client_id": str(uuid.uuid4()),
        "seized_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "place": "Torugart",
        "exhibits": [{"category": "TOBA", "quantity": "40", "unit": "cartons", "seal": "T0000001"}],
        "conveyances": [{"kind": "container", "identifier": CONTAINER_TYPED_IN_CYRILLIC}],
    }
    first = stage.expect(timur.api("POST", "/seizures", data), 201, "a second seizure at another post, by a program")
    again = stage.expect(timur.api("POST", "/seizures", data), 201, "sent again, because the answer was lost")
    stage.transcript.check(first["number"] == again["number"], "the repeat is the same seizure and not another")
    stage.things["other_seizure"] = first


def remember(stage: Stage, visitor: Visitor, name: str, code: str) -> None:
    """Keep a seizure and its exhibits as they now are."""
    stage.things[name] = stage.expect(visitor.api("GET", f"/seizures/{code}"), 200, f"{visitor.name} sees the seizure")
    if "exhibits" not in stage.things:
        found = stage.expect(visitor.api("GET", "/exhibits"), 200, f"{visitor.name} sees the exhibits")["exhibits"]
        stage.things["exhibits"] = sorted((e for e in found if e["seizure_id"] == code), key=lambda e: e["number"])
    stage.things["exhibits"] = [read(visitor.api("GET", f"/exhibits/{e['id']}")) for e in stage.things["exhibits"]]

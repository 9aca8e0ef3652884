"""One situation in which everybody of the cast has seen something and nobody everything."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from litestar import Litestar

from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.trust.passkey import to_base64url
from tests.cast import Api, Member, World
from tests.looking import look_into
from tests.passkeys.conftest import with_key
from tests.trust.phones import Phone
from tests.uploads.client import encoded

CONTAINER = "MSKU3070316"
OWNER = "Zamirbek Toktogulov"
UNREGISTERED = "2199-0000-699999-2/9999"
CASE_TITLE = "Heroin behind the onions"
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 4 + b"\xff\xd9"

Clients = Callable[[Member | None], Api]


@dataclass(frozen=True)
class Scene:
    """``codes`` of the records by name, their ``numbers``, and the ``secrets``: words that betray the first seizure.

    Aida of the border post registered a seizure of two exhibits with a photograph and offered both to Nurlan, who
    accepted one and refused the other. Her supervisor Saule granted it to the crime unit of the police, where Elena put
    it into a case and referred case and seizure to the prosecutors. A package is sealed. Timur of the other post has a
    seizure and Marat of customs investigation a case, which nobody shared. Timur has a key. Aida and Nurlan agreed on
    their phones about an exhibit that is not registered.
    """

    world: World
    codes: dict[str, str]
    numbers: dict[str, str]

    @property
    def secrets(self) -> list[str]:
        return [*self.numbers.values(), CONTAINER, OWNER, CASE_TITLE]


async def build(app: Litestar, world: World, api: Clients) -> Scene:
    """Every step through the API, by who would do it. The sequencer must be running."""
    scene = await _Builder(app.state.codes, world, api).build()
    holder = await with_key(app.state.database, world.timur)
    scene.codes["key"] = app.state.codes.encode("passkey", holder.key.id)
    await look_into(app, app.state.codes.decode("file", scene.codes["file"]))
    return scene


class _Builder:
    def __init__(self, codes: Codes, world: World, api: Clients) -> None:
        self._codes, self._world, self._api = codes, world, api
        self.found: dict[str, str] = {}
        self.numbers: dict[str, str] = {}

    async def build(self) -> Scene:
        world = self._world
        for login in ("timur", "nurlan", "elena"):
            self.found[login] = self._codes.encode("person", world.people[login].id)
        for unit in ("crime_unit", "prosecutors"):
            self.found[unit] = self._codes.encode("unit", world.units[unit])
        await self._seizures()
        await self._handover()
        await self._agreement()
        await self._grants()
        await self._case()
        await self._package()
        return Scene(world, self.found, self.numbers)

    async def _do(self, who: Member, method: str, path: str, body: Any = None, **options: Any) -> Any:
        async with self._api(who) as client:
            answer: httpx.Response = await client.request(method, f"/api/v1{path}", json=body, timeout=60, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def _seizures(self) -> None:
        world = self._world
        first = await self._do(world.aida, "POST", "/seizures", registration(CONTAINER, OWNER, exhibits=2))
        other = await self._do(world.timur, "POST", "/seizures", registration("", "", exhibits=1))
        self.numbers |= {"seizure": first["number"], "other_seizure": other["number"]}
        self.found |= {"seizure": first["id"], "other_seizure": other["id"]}
        self.found["other_exhibit"] = other["exhibits"][0]["id"]
        for name, exhibit in zip(("exhibit", "refused_exhibit"), first["exhibits"], strict=True):
            self.found[name], self.numbers[name] = exhibit["id"], exhibit["number"]
        self._exhibits = first["exhibits"]
        file = await self._put(f"/exhibits/{self.found['exhibit']}/files/{uuid.uuid4()}")
        self.found["file"] = file["id"]
        self.found["upload"] = str(uuid.uuid4())
        said = encoded(id=self.found["upload"], exhibit=self.found["exhibit"])
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Upload-Metadata": said}
        await self._do(world.aida, "POST", "/uploads", headers=headers)

    async def _put(self, path: str) -> Any:
        async with self._api(self._world.aida) as client:
            answer = await client.put(f"/api/v1{path}?kind=photo", content=PHOTO)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def _handover(self) -> None:
        world = self._world
        items = [
            {"exhibit": e["id"], "seq": 1, "prev": e["custody"]["hash"], "seal": e["seal"]} for e in self._exhibits
        ]
        offer = {"client_id": str(uuid.uuid4()), "to": self.found["nurlan"], "purpose": "storage", "exhibits": items}
        made = await self._do(world.aida, "POST", "/hand-overs", offer)
        self.found["handover"], self.numbers["handover"] = made["id"], made["number"]
        accept, refuse = self._exhibits
        decisions = [
            {"exhibit": accept["id"], "decision": "accepted", "seal": accept["seal"], "seal_state": "intact"},
            {"exhibit": refuse["id"], "decision": "refused", "reason": "seal_differs", "note": "another number"},
        ]
        await self._do(world.nurlan, "POST", f"/hand-overs/{made['id']}/answer", {"items": decisions})

    async def _agreement(self) -> None:
        """Aida and Nurlan agreed on an exhibit that nobody has registered yet."""
        world, at = self._world, timestamp(utcnow())
        phones = [Phone(m.login, m.name, m.actor.badge) for m in (world.aida, world.nurlan)]
        item = {"exhibit": UNREGISTERED, "what": "DRUG"}
        offer = phones[0].offer([item], at=at)
        answer = phones[1].answer(offer, [{"exhibit": UNREGISTERED, "decision": "accepted"}], at=at)
        sent = {
            "offer": to_base64url(offer.body), "offer_signature": to_base64url(offer.signature),
            "answer": to_base64url(answer.body), "answer_signature": to_base64url(answer.signature),
            "keys": [to_base64url(phone.key.spki) for phone in phones],
        }  # fmt: skip
        for who in (world.aida, world.nurlan):
            made = await self._do(who, "POST", "/agreements", sent)
        self.found |= {"agreement": made["agreement"], "agreement_id": made["id"], "agreement_sent": json.dumps(sent)}

    async def _grants(self) -> None:
        path, saule = f"/seizures/{self.found['seizure']}/grants", self._world.saule
        grant = {"purpose": "investigation", "endless": True}
        unit = await self._do(saule, "POST", path, grant | {"to": f"unit:{self.found['crime_unit']}", "onward": True})
        ended = await self._do(saule, "POST", path, grant | {"to": f"person:{self.found['elena']}"})
        await self._do(saule, "POST", f"/grants/{ended['id']}/end", {"reason": "the unit has one"})
        self.found |= {"grant": unit["id"], "ended_grant": ended["id"]}

    async def _case(self) -> None:
        elena, marat = self._world.elena, self._world.marat
        case = await self._do(elena, "POST", "/cases", {"client_id": str(uuid.uuid4()), "title": CASE_TITLE})
        other = await self._do(marat, "POST", "/cases", {"client_id": str(uuid.uuid4()), "title": "Another container"})
        self.found |= {"case": case["id"], "other_case": other["id"]}
        self.numbers |= {"case": case["number"], "other_case": other["number"]}
        await self._do(elena, "POST", f"/cases/{case['id']}/seizures", {"seizure": self.numbers["seizure"]})
        to, goes_along = self.found["prosecutors"], [self.found["seizure"]]
        referral = {"client_id": str(uuid.uuid4()), "unit": to, "seizures": goes_along}
        await self._do(elena, "POST", f"/cases/{case['id']}/referrals", referral)
        (given,) = await self._do(elena, "GET", f"/cases/{case['id']}/grants")
        self.found["case_grant"] = given["id"]

    async def _package(self) -> None:
        dinara, case = self._world.dinara, self.found["case"]
        package = await self._do(dinara, "POST", f"/cases/{case}/packages", {"client_id": str(uuid.uuid4())})
        self.found["package"], self.numbers["package"] = package["id"], package["number"]
        address = f"/packages/{package['id']}/downloads"
        download = await self._do(dinara, "POST", address, {"reason": "for the hearing"})
        self.found["archive"] = download["url"]
        timeline = await self._do(dinara, "GET", f"/cases/{case}/timeline")
        self.found["event"] = next(e["id"] for e in timeline["events"] if e["type"] == "evidence:file:received")


def registration(container: str, owner: str, *, exhibits: int) -> dict[str, Any]:
    """A seizure as a program sends it."""
    return {
        "client_id": str(uuid.uuid4()),
        "seized_at": timestamp(utcnow()),
        "place": "Ak-Tilek",
        "participants": [{"role": "owner", "name": owner}] if owner else [],
        "conveyances": [{"kind": "container", "identifier": container}] if container else [],
        "exhibits": [{"category": "DRUG", "description": f"package {n}", "seal": f"B-100{n}"} for n in range(exhibits)],
    }

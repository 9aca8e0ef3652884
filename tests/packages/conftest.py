"""A customs case with two seizures and photographs, ready to be sealed."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import httpx
import pytest
from litestar import Litestar

from casemgmt.cases import actions as cases
from casemgmt.cases.models import CaseFile
from casemgmt.cases.schemas import NewCase
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import Api, Member, World
from tests.ledger.running import sequenced
from tests.records import Registered, register_seizure

__all__ = ["sequenced"]

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 400 + b"\xff\xd9"


@dataclass(frozen=True)
class Scene:
    """``saule`` supervises the unit of both seizures and leads the case."""

    case: CaseFile
    seizures: list[Registered]
    contents: list[bytes]
    codes: Codes

    @property
    def case_code(self) -> str:
        return self.codes.encode("case", self.case.id)

    def exhibit_code(self, seizure: int, exhibit: int) -> str:
        return self.codes.encode("exhibit", self.seizures[seizure].exhibits[exhibit].id)


Clients = Callable[[Member | None], Api]


@pytest.fixture
async def scene(app: Litestar, database: Database, world: World, api: Clients) -> Scene:
    codes: Codes = app.state.codes
    seizures = [
        await register_seizure(database, world.aida, "B-1001", "B-1002"),
        await register_seizure(database, world.aida, "B-2001"),
    ]
    async with database.begin(world.saule.actor) as db:
        data = NewCase(client_id=uuid.uuid4(), title="Vessel 17")
        case, _ = await cases.open_case(db, world.saule.actor, data, UTC)
        for made in seizures:
            await cases.add_seizure(db, world.saule.actor, case, made.seizure)
    contents = []
    places = [f"exhibits/{codes.encode('exhibit', made.exhibits[0].id)}" for made in seizures]
    places.append(f"seizures/{codes.encode('seizure', seizures[0].seizure.id)}")
    for number, place in enumerate(places):
        content = JPEG + bytes([number]) * (1 << 20)
        url = f"/api/v1/{place}/files/{uuid.uuid4()}"
        headers = {"X-File-Name": "=photo.jpg", "Content-Type": "image/jpeg"}
        answer = await api(world.aida).put(url, content=content, headers=headers)
        assert answer.status_code == 201, answer.text
        contents.append(content)
    return Scene(case, seizures, contents, codes)


@dataclass(frozen=True)
class Sealed:
    code: str
    number: str
    described: dict[str, Any]


async def seal(client: httpx.AsyncClient, scene: Scene, **more: Any) -> Sealed:
    body = {"client_id": str(uuid.uuid4()), **more}
    answer = await client.post(f"/api/v1/cases/{scene.case_code}/packages", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    described = answer.json()
    return Sealed(described["id"], described["number"], described)


@pytest.fixture
async def sealed(scene: Scene, world: World, api: Clients, sequenced: None) -> Sealed:
    return await seal(api(world.saule), scene)


async def reason(client: httpx.AsyncClient, code: str) -> str:
    """Give a reason for downloading and return the archive's address."""
    answer = await client.post(f"/api/v1/packages/{code}/downloads", json={"reason": "for the hearing"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


@pytest.fixture
async def outside(server: str) -> AsyncIterator[Callable[[Member], httpx.AsyncClient]]:
    """A client over a real socket: cuts, ranges and exact lengths are seen as they are."""
    clients: list[httpx.AsyncClient] = []

    def client(member: Member) -> httpx.AsyncClient:
        clients.append(
            httpx.AsyncClient(base_url=server, headers={"Authorization": f"Bearer {member.token}"}, timeout=30)
        )
        return clients[-1]

    yield client
    for opened in clients:
        await opened.aclose()

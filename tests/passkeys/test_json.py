"""Keys and signed hand-overs through JSON, as a program with an authenticator of its own does it; both steps repeat."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from litestar import Litestar

from casemgmt.accounts.signin import hash_password
from casemgmt.demo.cast import PASSWORD
from casemgmt.trust.passkey import Assertion, PublicKey, verify
from casemgmt.walkthrough.authenticator import SoftAuthenticator
from tests.cast import World
from tests.passkeys.conftest import Holder, Signers
from tests.records import Registered


def offer(app: Litestar, world: World, made: Registered, **more: Any) -> dict[str, Any]:
    codes, exhibit = app.state.codes, made.exhibits[0]
    item = {
        "exhibit": codes.encode("exhibit", exhibit.id), "seq": 1, "prev": exhibit.last_hash.hex(), "seal": "B-1001",
    }  # fmt: skip
    to = codes.encode("person", world.nurlan.id)
    return {"client_id": str(uuid.uuid4()), "to": to, "purpose": "storage", "exhibits": [item], **more}


async def send(client: httpx.AsyncClient, path: str, body: Any, status: int) -> Any:
    answer = await client.post(f"/api/v1{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_program_enrols_signs_and_reads_the_files_back(app, world, made, api, db_dba):
    await db_dba.execute(
        "insert into accounts.credential(person_id, password_hash) values ($1, $2)",
        world.aida.id, await hash_password(PASSWORD),
    )  # fmt: skip
    client, device = api(world.aida), SoftAuthenticator("http://localhost:8000")
    options = (await send(client, "/keys/enrolments", {"password": PASSWORD}, 201))["options"]
    key = await send(client, "/keys", {"name": "phone", "credential": device.create(options)}, 201)
    assert [k["id"] for k in (await client.get("/api/v1/keys")).json()] == [key["id"]]

    body = offer(app, world, made, sign_with=key["id"])
    waiting = await send(client, "/hand-overs/signature-requests", body, 201)
    shown = (await client.get(f"/api/v1/signature-requests/{waiting['request']}")).json()
    assert shown["options"]["challenge"] == waiting["options"]["challenge"]
    path = f"/signature-requests/{waiting['request']}/signature"
    credential = device.get(waiting["options"])
    first = await send(client, path, {"credential": credential}, 201)
    again = await send(client, path, {"credential": credential}, 201)
    repeated = await send(client, "/hand-overs/signature-requests", body, 200)
    assert first["id"] == again["id"] == repeated["id"]
    assert first["exhibits"][0]["offer_signed"] == {
        "means": "passkey",
        "key": key["fingerprint"],
        "synced": False,
        "fits": True,
    }

    code = body["exhibits"][0]["exhibit"]
    (listed,) = (await client.get(f"/api/v1/exhibits/{code}/signatures")).json()
    files = {name: (await client.get(url)).content for name, url in listed["files"].items()}
    assertion = Assertion(files["clientData.json"], files["authData.bin"], files["sig.der"])
    verify(
        assertion, files["statement.txt"], PublicKey.from_pem(files["pub.pem"]), rp_id="localhost",
        origin="http://localhost:8000", body=waiting["events"][0].encode(),
    )  # fmt: skip
    for name in ("other.txt", "statement"):
        assert (await client.get(f"/api/v1/exhibits/{code}/signatures/2/{name}")).status_code == 404
    assert (await client.get(f"/api/v1/exhibits/{code}/signatures/{10**12}/sig.der")).status_code == 404

    ended = await send(client, f"/keys/{key['id']}/revocation", {"reason": "lost"}, 200)
    assert ended["revoked"]["reason"] == "lost"
    (problem,) = [
        await send(client, "/hand-overs/signature-requests", offer(app, world, made, sign_with=key["id"]), 422)
    ]
    assert "sign_with" in problem["errors"]


async def test_a_conflict_is_problem_details(app, world, made, api, desk: Signers, aida: Holder):
    client = api(world.aida)
    body = offer(app, world, made, sign_with=desk.code(aida))
    waiting = await send(client, "/hand-overs/signature-requests", body, 201)
    await desk.offer(world.aida, world.marat, made.exhibits[:1])
    path = f"/signature-requests/{waiting['request']}/signature"
    problem = await send(client, path, {"credential": aida.device.get(waiting["options"])}, 409)
    assert problem["type"].endswith(":conflict")
    gone = await send(client, f"/signature-requests/{uuid.uuid4()}/signature", {"credential": {}}, 409)
    assert gone["type"].endswith(":expired")


@pytest.mark.parametrize("key", [None, 5, [], "", "x", "0" * 400])
async def test_a_key_that_is_none_is_refused_beside_its_field(app, world, made, api, key):
    problem = await send(api(world.aida), "/hand-overs/signature-requests", offer(app, world, made, sign_with=key), 422)
    assert list(problem["errors"]) == ["sign_with"]


DOCUMENTED = (
    "/api/v1/hand-overs/signature-requests",
    "/api/v1/hand-overs/{code}/answer/signature-requests",
    "/api/v1/signature-requests/{request_id}/signature",
    "/api/v1/keys",
    "/api/v1/keys/enrolments",
)


async def test_the_schema_documents_both_steps(world, api):
    schema = (await api(world.aida).get("/api/v1/schema/openapi.json")).json()
    for path in DOCUMENTED:
        assert schema["paths"][path]["post"]["description"], path


async def test_the_page_goes_both_ways_without_scripts(app, world, made, browser, desk: Signers, aida: Holder):
    """A form that chose a key leads to the page that waits for it, and on without it."""
    fields = {"sign_with": desk.code(aida), "purpose": "storage", "client_id": str(uuid.uuid4())}
    fields |= {"to": app.state.codes.encode("person", world.nurlan.id)}
    item = offer(app, world, made)["exhibits"][0]
    fields |= {f"exhibits-0-{name}": str(value) for name, value in item.items()}
    client = browser(world.aida)
    sent = await client.submit("/hand-overs", fields)
    assert sent.status_code == 303
    address = sent.headers["location"]
    assert address.startswith("/signing/")
    page = await client.get(address)
    assert made.exhibits[0].number in page.text
    assert (await client.submit(address, {"credential": "{}"})).status_code == 422
    assert (await browser(world.nurlan).get(address)).status_code == 409
    done = await client.submit(f"{address}/without")
    assert done.status_code == 303
    assert "Signed in only; not signed with a key" in (await client.get(done.headers["location"])).text
    assert (await client.get(address)).status_code == 409

"""The look for half-present records finds each kind of them when somebody makes one."""

from __future__ import annotations

import uuid

import pytest

from tests.faults.halves import halves
from tests.faults.house import House

BREAKS = {
    "a file without its event": "delete from ledger.entry where type = 'evidence:file:received'",
    "an event without its file": "delete from evidence.file",
    "a seizure without its event": "delete from ledger.entry where type = 'seizures:seizure:registered'",
    "a seizure without exhibits": "delete from exhibits.exhibit",
    "an exhibit nobody can search for": "delete from access.exhibit_text",
    "an exhibit that does not stand where its last event left it": "update exhibits.exhibit set last_seq = 9",
    "a chain with a gap": "update custody.event set prev = sha256('') where seq = 2",
    "a custody event without its ledger entry": "delete from ledger.entry where stream like 'exhibit:%'",
    "a ledger entry without its custody event": "delete from custody.event",
    "a hand-over of nothing": "delete from custody.handover_item",
    "an item of a hand-over that is not where its events are": "update custody.handover_item set state = 'withdrawn'",
    "an exhibit on offer to another person than its hand-over says": "update exhibits.exhibit set offered_to = null",
    "a row without bytes": "update evidence.file set object_key = id || '-not-there-00'",
    "a row with other bytes": "update evidence.file set sha256 = sha256('')",
}


@pytest.fixture(scope="module")
async def worked(house: House) -> House:
    """With at least one file and one open hand-over."""
    seizure, to = await house.register(), await house.code_of("Nurlan")
    exhibit = seizure["exhibits"][0]
    item = {"exhibit": exhibit["id"], "seq": 1, "prev": exhibit["custody"]["hash"], "seal": exhibit["seal"]}
    offer = {"client_id": str(uuid.uuid4()), "to": to, "purpose": "storage", "exhibits": [item]}
    async with house.client("aida") as aida:
        sent = await aida.put(f"/api/v1/exhibits/{exhibit['id']}/files/{uuid.uuid4()}", content=b"photograph")
        sent.raise_for_status()
        (await aida.post("/api/v1/hand-overs", json=offer)).raise_for_status()
    return house


@pytest.mark.parametrize("what", BREAKS)
async def test_it_finds(worked: House, what: str) -> None:
    async with worked.dba() as dba:
        assert await halves(dba, worked.store) == []
        await dba.execute("begin; set local session_replication_role = replica")
        for table in ("ledger.entry", "evidence.file", "exhibits.exhibit", "custody.event", "custody.handover_item"):
            await dba.execute(f"alter table {table} disable trigger all")
        await dba.execute(BREAKS[what])
        assert any(found.startswith(f"{what}:") for found in await halves(dba, worked.store))
        await dba.execute("rollback")

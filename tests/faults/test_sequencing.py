"""``kill -9`` while the sequencer writes a batch."""

from __future__ import annotations

import pytest

from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.tree import MerkleTree
from tests.faults.house import House

_HAS_LEAF = "select exists (select from ledger.leaf l join ledger.entry e on e.id = l.entry_id where e.leaf_hash = $1)"


@pytest.mark.parametrize(
    ("table", "is_stored"),
    [
        ("ledger.leaf", False),  # in the statement of the tree: PostgreSQL finishes it, and nobody is left to go on
        ("ledger.checkpoint", True),  # stored and signed, and not written down
    ],
)
async def test_killed_while_it_writes_a_batch_the_sequencer_signs_the_same_tree_and_no_other(
    house: House, table: str, is_stored: bool
) -> None:
    await house.verified()
    stored = len(house.batches())
    async with house.dba() as dba:
        before = await dba.fetch("select size, root from ledger.checkpoint order by size")
    async with house.held_back(table) as held:
        acknowledged = [(await house.register())["exhibits"][0] for _ in range(3)]
        await held.somebody_waits()
        house.kill()
        await held.release()
    async with house.dba() as dba:
        left = await dba.fetch("select size, root from ledger.checkpoint order by size")
        assert left == before, "nothing is signed for the database yet"
        assert await dba.fetchval("select count(*) from ledger.leaf") > before[-1]["size"]
    assert (len(house.batches()) > stored) is is_stored
    await house.restart()

    found = await house.verified()
    async with house.dba() as dba:
        for exhibit in acknowledged:
            assert await dba.fetchval(_HAS_LEAF, bytes.fromhex(exhibit["custody"]["hash"]))
        bodies = await dba.fetch(
            "select e.body from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"
        )
        tree = MerkleTree(leaf_hash(row["body"]) for row in bodies)
        signed = await dba.fetch("select size, root from ledger.checkpoint order by size")
    assert signed[: len(before)] == before, "what was signed once stays signed"
    for row in signed:
        assert tree.root(row["size"]) == row["root"]
    assert found.entries == tree.size == signed[-1]["size"]
    assert found.objects == len(signed) - 1, "one object for each signed batch"

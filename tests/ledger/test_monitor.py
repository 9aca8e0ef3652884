"""The log as an outsider sees it: enough to follow every hash, and not one byte of an event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from casemgmt.app import create_app
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import StoredTree, tile_path, tiles_for_consistency, tiles_for_root
from tests.cast import settings_for
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain, tree_of


@pytest.fixture
async def outsider(ledger: Dsn, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings_for(ledger, tmp_path))
    await app.state.database.open()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url="http://log") as client:
        yield client
    await app.state.database.close()


async def read_checkpoint(outsider: httpx.AsyncClient) -> Checkpoint:
    note = Note.parse((await outsider.get("/ledger/checkpoint")).text)
    note.require(VerifierKey.parse((await outsider.get("/ledger/key")).text.strip()))
    return Checkpoint.parse(note.text)


async def test_an_outsider_computes_every_signed_root_from_the_tiles(
    outsider: httpx.AsyncClient, writer: Writer, sequencer: Sequencer
) -> None:
    earlier: list[Checkpoint] = []
    for count in (1, 299, 300):
        await writer.write(count=count)
        await drain(sequencer, sequencer.size + count)
        now = await read_checkpoint(outsider)
        wanted = {*tiles_for_root(now.size)}
        for old in earlier:
            wanted |= {*tiles_for_consistency(old.size, now.size)}
        tiles = {}
        for tile in wanted:
            answer = await outsider.get(f"/ledger/{tile_path(*tile)}")
            assert answer.status_code == 200
            assert len(answer.content) == 32 * tile.width
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            tiles[tile] = answer.content
        assert StoredTree(now.size, tiles).root() == now.root
        earlier.append(now)
    assert [old.size for old in earlier] == [1, 300, 600]


async def test_a_narrow_tile_is_the_beginning_of_what_became_of_it(
    outsider: httpx.AsyncClient, writer: Writer, sequencer: Sequencer
) -> None:
    await writer.write(count=300)
    await drain(sequencer, 300)
    full = (await outsider.get("/ledger/tile/0/000")).content
    assert len(full) == 8192
    assert (await outsider.get("/ledger/tile/0/000.p/17")).content == full[: 17 * 32]
    assert (await outsider.get("/ledger/tile/0/001.p/44")).status_code == 200


NOT_THERE = (
    "0/001.p/45", "0/001", "0/002.p/1", "1/000.p/2", "2/000.p/1", "8/000.p/1", "63/000", "0/000.p/0", "0/000.p/256",
    "0/000.p/017", "0/0", "0/0000", "0/x000/000", "00/000", "-1/000", "0/000.p", "entries/000", "0/%00", "0/000%00",
    "0/x999/x999/x999/x999/x999/x999/999", "..%2fkey", "0/٠٠٠", "",
)  # fmt: skip


async def test_what_is_not_under_the_checkpoint_or_not_spelt_as_the_format_says_does_not_exist(
    outsider: httpx.AsyncClient, writer: Writer, sequencer: Sequencer
) -> None:
    await writer.write(count=300)
    await drain(sequencer, 300)
    answers = {path: (await outsider.get(f"/ledger/tile/{path}")).status_code for path in NOT_THERE}
    assert answers == dict.fromkeys(NOT_THERE, 404)


async def test_what_is_in_the_tree_and_not_signed_is_not_shown(
    outsider: httpx.AsyncClient, writer: Writer, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(count=5)
    await drain(sequencer, 5)
    await writer.write(count=5)

    async def down(*_: object) -> None:
        raise ConnectionError("the store is down")

    monkeypatch.setattr(Sequencer, "_store", down)
    with pytest.raises(ConnectionError):
        await sequencer.advance()
    assert (await tree_of(writer.connection)).size == 10
    assert (await read_checkpoint(outsider)).size == 5
    assert (await outsider.get("/ledger/tile/0/000.p/5")).status_code == 200
    assert (await outsider.get("/ledger/tile/0/000.p/6")).status_code == 404


async def test_nothing_it_shows_holds_a_byte_of_an_event(
    outsider: httpx.AsyncClient, writer: Writer, sequencer: Sequencer
) -> None:
    await writer.write("exhibit:secret", 3)
    await drain(sequencer, 3)
    shown = [(await outsider.get(f"/ledger/{path}")).content for path in ("checkpoint", "key", "tile/0/000.p/3")]
    assert not any(b"secret" in content or b"custody" in content for content in shown)
    assert (await outsider.get("/ledger/tile/entries/000.p/3")).status_code == 404

"""Archived batches: read as the specification says, by our reader and by one written from the page alone."""

from __future__ import annotations

import base64
import io
import random
from typing import Any

import pytest

from casemgmt.trust.batch import BatchReader, Row, batch_key, framed, full_tiles, write_batch
from casemgmt.trust.beside import Beside
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import BatchError
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import SigningKey, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import TileFrontier
from casemgmt.trust.tree import MerkleTree
from tests.trust.vectors import vectors

BATCHES = vectors("batches.json")
KEY = SigningKey.generate("test.example/ledger")


def read(content: bytes) -> tuple[Any, list[bytes], list[Any], list[Row], list[Beside]]:
    batch = BatchReader(io.BytesIO(content).read)
    entries, tiles, rows, beside = list(batch.entries()), list(batch.tiles()), list(batch.rows()), list(batch.beside())
    batch.end()
    return batch.header, entries, tiles, rows, beside


def by_the_page(content: bytes) -> tuple[list[str], str, list[bytes], bytes]:
    """Somebody who has docs/spec/ledger.md and nothing of ours: head, note, entries, and what follows them."""
    head, _, rest = content.partition(b"\n\n")
    lines = head.decode().split("\n")
    note, entries, *_ = map(int, lines[5].split())
    body, entry = rest[note : note + entries], []
    while body:
        length = int.from_bytes(body[:2], "big")
        entry.append(body[2 : 2 + length])
        body = body[2 + length :]
    return lines, rest[:note].decode(), entry, rest[note + entries :]


def batch_of(first: int, count: int) -> tuple[bytes, list[bytes]]:
    """The object of entries ``first`` to ``first + count``, and all entries up to its end."""
    bodies = [b'{"n":%d}' % n for n in range(first + count)]
    before = TileFrontier().extended([leaf_hash(body) for body in bodies[:first]])[0]
    after, tiles = before.extended([leaf_hash(body) for body in bodies[first:]])
    note = Checkpoint(KEY.name, first, before.root()).signed(KEY)
    rows = [Row(n, "e", None, 1, None, 2, "t") for n in range(count)]
    full = b"".join(tile.data for tile in sorted(tiles) if tile.width == 256)
    return b"".join(write_batch(note, KEY.name, first, after.root(), bodies[first:], rows, full)), bodies


@pytest.mark.parametrize("batch", BATCHES["batches"])
def test_the_vectors_are_read_and_written_byte_for_byte(batch: dict[str, Any]) -> None:
    content = base64.b64decode(batch["object"])
    header, entries, tiles, rows, beside = read(content)
    assert (header.first, header.size) == (batch["first"], batch["size"])
    assert entries == [base64.b64decode(entry) for entry in batch["entries"]]
    assert [[r.id, r.event_id, r.seizure_id, r.exhibit_id, r.case_id, r.actor_id, r.at] for r in rows] == batch["rows"]
    assert header.root == base64.b64decode(batch["root"]) == MerkleTree(map(leaf_hash, entries)).root()
    header.before.require(VerifierKey.parse(BATCHES["vkey"]))
    assert batch_key(header.origin, header.first) == batch["key"]
    assert [{"entries": list(one.entries), **one.members} for one in beside] == batch["beside"]
    parts = write_batch(header.before, header.origin, header.first, header.root, entries, rows, b"", beside)
    assert b"".join(parts) == content
    assert header.length == len(content)
    assert tiles == []


@pytest.mark.parametrize("bad", BATCHES["refused"], ids=lambda bad: bad["why"])
def test_a_malformed_object_is_refused(bad: dict[str, str]) -> None:
    with pytest.raises(BatchError):
        read(base64.b64decode(bad["object"]))


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 256), (2, 254), (250, 600), (0, 1), (255, 1)])
def test_whoever_has_only_the_page_reads_the_same(first: int, count: int) -> None:
    content, bodies = batch_of(first, count)
    lines, note, entries, behind = by_the_page(content)
    assert lines[0] == "casemgmt-ledger-batch/v1"
    assert (int(lines[2]), int(lines[3])) == (first, first + count)
    assert Checkpoint.parse(Note.parse(note).text).size == first
    assert entries == bodies[first:]
    assert base64.b64decode(lines[4]) == MerkleTree(map(leaf_hash, bodies)).root()
    header, ours, tiles, _, _ = read(content)
    assert ours == entries
    assert [tile for tile, _ in tiles] == full_tiles(first, first + count)
    assert b"".join(data for _, data in tiles) == behind[: 8192 * len(tiles)]
    assert header.count == count


def test_no_cut_and_no_changed_byte_is_anything_but_refused_or_another_batch() -> None:
    content, _ = batch_of(3, 4)
    whole = read(content)
    chance = random.Random(1)
    for _ in range(300):
        place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
        changed = content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
        try:
            assert read(changed) != whole
        except BatchError:
            continue
    for end in range(0, len(content), 7):
        with pytest.raises(BatchError):
            read(content[:end])


def test_an_entry_of_nothing_or_of_more_than_the_format_holds_is_not_written() -> None:
    assert framed([b"x" * 65_535])[:2] == b"\xff\xff"
    for entry in (b"", b"x" * 65_536):
        with pytest.raises(BatchError):
            framed([entry])

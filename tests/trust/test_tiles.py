import random
from bisect import bisect_left

import pytest

from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import leaf_hash, node_hash
from casemgmt.trust.tiles import (
    StoredTree,
    Tile,
    TileFrontier,
    TileId,
    parse_tile_path,
    tile_path,
    tiles_for_consistency,
    tiles_for_inclusion,
    tiles_for_root,
)
from casemgmt.trust.tree import MerkleTree, verify_consistency, verify_inclusion
from tests.trust.vectors import vectors

LEAVES = [leaf_hash(i.to_bytes(4)) for i in range(66_000)]
TREE = MerkleTree(LEAVES)


def grown(sizes: list[int]) -> tuple[TileFrontier, dict[TileId, bytes]]:
    """A frontier and its store after appending up to each of `sizes` in turn."""
    frontier, store = TileFrontier(), dict[TileId, bytes]()
    for size in sizes:
        frontier, changed = frontier.extended(LEAVES[frontier.size : size])
        store.update({TileId(tile.level, tile.number, tile.width): tile.data for tile in changed})
    return frontier, store


def test_proofs_from_tiles_equal_those_of_the_tree_at_every_size_below_600() -> None:
    _, store = grown(list(range(1, 600)))
    sample = random.Random(6962)
    for size in range(1, 600):
        assert _root(size, store) == TREE.root(size)
        for index in {0, size - 1, sample.randrange(size), sample.randrange(size)}:
            assert _inclusion(index, size, store) == TREE.inclusion(index, size)
        for old in {0, 1, size, size - 1, sample.randrange(size), size & ~255}:
            assert _consistency(old, size, store) == TREE.consistency(old, size)


@pytest.mark.parametrize("size", [65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 65_791, 65_792, 65_793, 66_000])
def test_proofs_from_tiles_hold_where_levels_fill_up(size: int) -> None:
    _, store = grown([size])
    sample = random.Random(size)
    assert _root(size, store) == TREE.root(size)
    for index in [0, 255, 256, 65_278, size - 1, *sample.sample(range(size), 20)]:
        assert _inclusion(index, size, store) == TREE.inclusion(index, size)
    for old in [1, 255, 256, 257, 65_279, size, *sample.sample(range(size), 20)]:
        assert _consistency(old, size, store) == TREE.consistency(old, size)


def test_a_store_that_keeps_only_the_widest_tiles_still_serves_every_earlier_size() -> None:
    _, store = grown([600])
    widest = {(tile.level, tile.number): data for tile, data in store.items()}
    for size in (1, 17, 255, 256, 257, 300, 511, 512, 513, 600):
        tiles = {tile: widest[tile.level, tile.number] for tile in tiles_for_inclusion(0, size)}
        assert StoredTree(size, tiles).inclusion(0) == TREE.inclusion(0, size)


def test_batches_of_any_length_give_the_same_tiles_roots_and_restored_frontier() -> None:
    sample = random.Random(9162)
    frontier, store = TileFrontier(), dict[TileId, bytes]()
    while frontier.size < 66_000:
        step = sample.choice([1, 2, 200, 256, 300, 5_000])
        frontier, changed = frontier.extended(LEAVES[frontier.size : frontier.size + step])
        store.update({TileId(tile.level, tile.number, tile.width): tile.data for tile in changed})
        assert frontier.root() == TREE.root(frontier.size)
        tiles = {tile: store[tile] for tile in tiles_for_root(frontier.size)}
        restored = TileFrontier.restore(frontier.size, tiles)
        assert restored.root() == frontier.root()
        frontier = sample.choice([frontier, restored])
    full = {tile: data for tile, data in store.items() if tile.width == 256}
    assert full == {tile: data for tile, data in grown([66_000])[1].items() if tile.width == 256}


def test_only_tiles_that_changed_are_answered() -> None:
    frontier, changed = grown([257])[0].extended([LEAVES[257]])
    assert changed == [Tile(0, 1, 2, LEAVES[256] + LEAVES[257])]
    assert frontier.extended([])[1] == []


def test_a_batch_that_could_not_be_stored_leaves_the_frontier_as_it_was() -> None:
    frontier, _ = grown([300])
    frontier.extended(LEAVES[300:900])
    with pytest.raises(TreeError):
        frontier.extended([LEAVES[300], b"not a hash"])
    assert (frontier.size, frontier.root()) == (300, TREE.root(300))


def test_a_damaged_store_is_an_error_or_another_root_never_a_wrong_proof() -> None:
    _, store = grown([300])
    with pytest.raises(TreeError, match=r"tile/0/001\.p/44"):
        TileFrontier.restore(300, {})
    with pytest.raises(TreeError, match="missing or too short"):
        StoredTree(300, {tile: data[:-1] for tile, data in store.items()}).inclusion(299)
    flipped = {tile: bytes([data[0] ^ 1]) + data[1:] for tile, data in store.items()}
    assert TileFrontier.restore(300, flipped).root() != TREE.root(300)
    proof = StoredTree(300, flipped).inclusion(5)
    assert not verify_inclusion(LEAVES[5], 5, 300, proof, TREE.root(300))


def test_a_proof_among_ten_million_entries_needs_a_handful_of_tiles() -> None:
    sample = random.Random(10_000_000)
    for index in sample.sample(range(10_000_000), 500):
        assert len(tiles_for_inclusion(index, 10_000_000)) <= 6
        assert len(tiles_for_consistency(index, 10_000_000)) <= 8


class Sparse:
    """A tree too large to hold: every leaf is the same, but for those around every edge. Its hashes are computed
    from the definition (RFC 9162 section 2.1.1), without tiles; equal subtrees are hashed once."""

    def __init__(self, size: int) -> None:
        self.size = size
        edges = {(1 << 8 * level) * count for level in range(4) for count in (1, 2, 255)} | {size >> 1, size}
        self.odd = sorted({edge + by for edge in edges for by in (-2, -1, 0, 1) if 0 <= edge + by < size} | {0})
        self._known: dict[tuple[int, int], bytes] = {}

    def leaf(self, index: int) -> bytes:
        return leaf_hash(index.to_bytes(8) if index in self.odd else b"the same")

    def hash(self, start: int, stop: int) -> bytes:
        if stop - start == 1:
            return self.leaf(start)
        odd = bisect_left(self.odd, start) < bisect_left(self.odd, stop)
        key = (start if odd else -1, stop - start)
        if key not in self._known:
            middle = start + (1 << (stop - start - 1).bit_length() - 1)
            self._known[key] = node_hash(self.hash(start, middle), self.hash(middle, stop))
        return self._known[key]

    def tile(self, level: int, number: int, width: int) -> bytes:
        step, first = 1 << 8 * level, number << 8
        assert (first + width) * step <= self.size, "no such tile at this size"
        return b"".join(self.hash(i * step, (i + 1) * step) for i in range(first, first + width))

    def tiles(self, wanted: list[TileId]) -> dict[TileId, bytes]:
        return {tile: self.tile(*tile) for tile in wanted}

    def path(self, index: int, start: int, stop: int) -> list[bytes]:
        if stop - start == 1:
            return []
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        if index < middle:
            return [*self.path(index, start, middle), self.hash(middle, stop)]
        return [*self.path(index, middle, stop), self.hash(start, middle)]


LARGE = [
    256**3 + by for by in (-65_537, -257, -256, -2, -1, 0, 1, 2, 255, 256, 257, 65_536, 65_793)
] + [10_000_000, 256**2 * 3 + 256 * 5 + 7, 256**3 * 2 + 256**2 * 3 + 256 * 4 + 5]  # fmt: skip


@pytest.mark.parametrize("size", LARGE)
def test_proofs_roots_and_growth_of_trees_of_millions_hold_with_a_partial_tile_at_every_level(size: int) -> None:
    sparse = Sparse(size)
    root = StoredTree(size, sparse.tiles(tiles_for_root(size))).root()
    assert root == sparse.hash(0, size)
    for index in sparse.odd:
        path = StoredTree(size, sparse.tiles(tiles_for_inclusion(index, size))).inclusion(index)
        assert path == sparse.path(index, 0, size)
        assert verify_inclusion(sparse.leaf(index), index, size, path, root)
    for old in sparse.odd[1:]:
        proof = StoredTree(size, sparse.tiles(tiles_for_consistency(old, size))).consistency(old)
        assert verify_consistency(old, size, proof, sparse.hash(0, old), root)


@pytest.mark.parametrize("size", LARGE)
def test_a_tree_of_millions_grows_by_exactly_the_tiles_that_changed(size: int) -> None:
    sparse, before = Sparse(size), size - 258
    frontier = TileFrontier.restore(before, sparse.tiles(tiles_for_root(before)))
    assert frontier.root() == sparse.hash(0, before)
    frontier, changed = frontier.extended([sparse.leaf(index) for index in range(before, size)])
    assert (frontier.size, frontier.root()) == (size, sparse.hash(0, size))
    for tile in changed:
        assert tile.data == sparse.tile(tile.level, tile.number, tile.width)
    widest = {(level, (size >> 8 * level) >> 8): (size >> 8 * level) % 256 for level in range(4)}
    edge = {place: width for place, width in widest.items() if width and size >> 8 * place[0] > before >> 8 * place[0]}
    assert {(tile.level, tile.number): tile.width for tile in changed if tile.width < 256} == edge


def test_tile_paths_are_those_of_the_specification() -> None:
    for case in vectors("tiles.json")["paths"]:
        tile = TileId(case["level"], case["number"], case["width"])
        assert tile_path(*tile) == case["path"]
        assert parse_tile_path(case["path"]) == tile


@pytest.mark.parametrize("path", vectors("tiles.json")["refused_paths"])
def test_it_refuses_a_tile_path_in_any_other_spelling(path: str) -> None:
    with pytest.raises(TreeError):
        parse_tile_path(path)


def test_a_tree_of_70000_entries_has_the_tiles_the_specification_counts() -> None:
    leaves = [leaf_hash(i.to_bytes(4)) for i in range(70_000)]
    tiles = TileFrontier().extended(leaves)[1]
    widths = [(tile.level, tile.width) for tile in tiles]
    assert widths.count((0, 256)) == 273
    assert [w for w in widths if w != (0, 256)] == [(0, 112), (1, 256), (1, 17), (2, 1)]


def _root(size: int, store: dict[TileId, bytes]) -> bytes:
    return StoredTree(size, {tile: store[tile] for tile in tiles_for_root(size)}).root()


def _inclusion(index: int, size: int, store: dict[TileId, bytes]) -> list[bytes]:
    return StoredTree(size, {tile: store[tile] for tile in tiles_for_inclusion(index, size)}).inclusion(index)


def _consistency(old: int, size: int, store: dict[TileId, bytes]) -> list[bytes]:
    return StoredTree(size, {tile: store[tile] for tile in tiles_for_consistency(old, size)}).consistency(old)

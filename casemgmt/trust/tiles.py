"""The tree stored as C2SP tlog-tiles: rows or files of up to 256 hashes, from which any proof is computed.

Tile `number` of `level` holds the hashes of the nodes of height 8 * level, 256 to a full tile.  The
rightmost tile of a level may be partial; a full tile is also one hash in the level above.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from casemgmt.trust.encoding import MAX_DECIMAL, shown
from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import HASH_SIZE, fold_perfect, node_hash
from casemgmt.trust.shape import (
    Range,
    consistency_ranges,
    inclusion_ranges,
    perfect_nodes,
    range_hash,
)

TILE_HEIGHT = 8
FULL_WIDTH = 1 << TILE_HEIGHT
FULL_BYTES = FULL_WIDTH * HASH_SIZE

_PATH = re.compile(
    r"tile/(?P<level>[0-9]{1,2})/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?",
    re.ASCII,
)


class TileId(NamedTuple):
    """`width` is the number of hashes the tile has at the tree size in question, 1 to 256."""

    level: int
    number: int
    width: int


class Tile(NamedTuple):
    """A tile with its hashes, 32 bytes each, concatenated."""

    level: int
    number: int
    width: int
    data: bytes


def tile_path(level: int, number: int, width: int) -> str:
    """Where a monitor finds the tile, e.g. ``tile/0/x001/234.p/17``."""
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    partial = "" if width == FULL_WIDTH else f".p/{width}"
    return f"tile/{level}/{name}{partial}"


def parse_tile_path(path: str) -> TileId:
    """The tile a path names; only the one spelling `tile_path` writes is accepted."""
    match = _PATH.fullmatch(path)
    if match:
        width = int(match["width"] or FULL_WIDTH)
        number = int(match["number"].replace("x", "").replace("/", ""))
        tile = TileId(int(match["level"]), number, width)
        if tile.level <= 63 and 1 <= width <= FULL_WIDTH and tile_path(*tile) == path:
            return tile
    raise TreeError(f"not a tile path: {shown(path)}")


def tiles_for_inclusion(index: int, size: int) -> list[TileId]:
    """Tiles needed to prove leaf `index` in the tree of `size`: about two for each level."""
    return _tiles_for(inclusion_ranges(index, size), size)


def tiles_for_consistency(old: int, new: int) -> list[TileId]:
    """Tiles, at the widths of the tree of size `new`, needed to prove that it begins with `old`."""
    return _tiles_for(consistency_ranges(old, new), new)


def tiles_for_root(size: int) -> list[TileId]:
    """Tiles needed to compute the root at `size`; also what `TileFrontier.restore` needs."""
    if not 0 <= size <= MAX_DECIMAL:
        raise TreeError(f"no tree has {size} leaves")
    return _tiles_for([(0, size)], size)


class StoredTree:
    """The tree of one size, read from tiles fetched beforehand (see the ``tiles_for_`` functions).

    `tiles` may hold more tiles than needed, and each may be wider than asked for: a store that keeps
    only the newest, widest form of a tile serves every earlier size as well.  A tile is hashed once,
    so that the proofs for many leaves of one package cost little more than one.
    """

    def __init__(self, size: int, tiles: Mapping[TileId, bytes]) -> None:
        self.size = size
        self._tiles = tiles
        self._folded: dict[TileId, list[list[bytes]]] = {}

    def root(self) -> bytes:
        return range_hash(self._node, 0, self.size)

    def inclusion(self, index: int) -> list[bytes]:
        """Proof that leaf `index` is in this tree, the leaf's sibling first."""
        return [range_hash(self._node, *r) for r in inclusion_ranges(index, self.size)]

    def consistency(self, old: int) -> list[bytes]:
        """Proof that this tree begins with the tree of size `old`."""
        return [range_hash(self._node, *r) for r in consistency_ranges(old, self.size)]

    def _node(self, height: int, index: int) -> bytes:
        tile = _tile_of(height, index, self.size)
        rows = self._folded.get(tile)
        if rows is None:
            rows = self._folded[tile] = self._fold(tile)
        rest = height % TILE_HEIGHT
        return rows[rest][index % (FULL_WIDTH >> rest)]

    def _fold(self, tile: TileId) -> list[list[bytes]]:
        """[height in the tile]: its nodes. A proof of one leaf needs nearly all of them."""
        data = self._tiles.get(tile)
        if data is None or len(data) < tile.width * HASH_SIZE:
            raise TreeError(f"missing or too short: {tile_path(*tile)}")
        rows = [_hashes(data[: tile.width * HASH_SIZE])]
        while len(rows) < TILE_HEIGHT:
            below = rows[-1]
            rows.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        return rows


class TileFrontier:
    """The growing edge of a stored tree: at most one partial tile (8 KiB) a level, whatever the size.

    Immutable: `extended` answers a new frontier, so that a transaction that fails to store the
    tiles leaves its caller with the frontier that still fits the store.
    """

    def __init__(self) -> None:
        self.size = 0
        self._right: list[bytes] = []  # [level]: hashes of its partial tile, b"" when none

    @classmethod
    def restore(cls, size: int, tiles: Mapping[TileId, bytes]) -> "TileFrontier":
        """The frontier of a stored tree of `size`, from the tiles of `tiles_for_root(size)`.

        Compare `root()` with the last checkpoint before extending: that is what detects a damaged store.
        """
        frontier = cls()
        frontier.size = size
        for level in range(-(-size.bit_length() // TILE_HEIGHT)):
            count = size >> (TILE_HEIGHT * level)
            tile = TileId(level, count >> TILE_HEIGHT, count % FULL_WIDTH)
            data = tiles.get(tile, b"")[: tile.width * HASH_SIZE]
            if len(data) != tile.width * HASH_SIZE:
                raise TreeError(f"missing or too short: {tile_path(*tile)}")
            frontier._right.append(data)
        return frontier

    def root(self) -> bytes:
        return range_hash(self._node, 0, self.size)

    def extended(self, leaves: Iterable[bytes]) -> tuple["TileFrontier", list[Tile]]:
        """The frontier after appending leaf hashes, and the tiles that are new or wider than before.

        Every tile that became full is answered once, full; a partial tile only at its last width.
        """
        batch = list(leaves)
        if any(len(leaf) != HASH_SIZE for leaf in batch):
            raise TreeError(f"a leaf hash has {HASH_SIZE} bytes")
        after = TileFrontier()
        after.size = self.size + len(batch)
        changed: list[Tile] = []
        level = 0
        while batch:
            first = self.size >> (TILE_HEIGHT * (level + 1))
            row = (self._right[level] if level < len(self._right) else b"") + b"".join(batch)
            full = len(row) // FULL_BYTES
            tiles = [row[i * FULL_BYTES : (i + 1) * FULL_BYTES] for i in range(full)]
            changed += [Tile(level, first + i, FULL_WIDTH, data) for i, data in enumerate(tiles)]
            batch = [fold_perfect(_hashes(data)) for data in tiles]
            rest = row[full * FULL_BYTES :]
            if rest:
                changed.append(Tile(level, first + full, len(rest) // HASH_SIZE, rest))
            after._right.append(rest)
            level += 1
        after._right.extend(self._right[level:])
        return after, changed

    def _node(self, height: int, index: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        first = ((index << rest) % FULL_WIDTH) * HASH_SIZE
        return fold_perfect(_hashes(self._right[level][first : first + (HASH_SIZE << rest)]))


def _hashes(data: bytes) -> list[bytes]:
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def _tile_of(height: int, index: int, size: int) -> TileId:
    """The tile that holds, or whose hashes fold to, the node (height, index) of the tree of `size`."""
    level, rest = divmod(height, TILE_HEIGHT)
    number = (index << rest) >> TILE_HEIGHT
    width = min(FULL_WIDTH, (size >> (TILE_HEIGHT * level)) - (number << TILE_HEIGHT))
    return TileId(level, number, width)


def _tiles_for(ranges: list[Range], size: int) -> list[TileId]:
    nodes = [node for r in ranges for node in perfect_nodes(*r)]
    return sorted({_tile_of(height, index, size) for height, index in nodes})

"""A Merkle tree in memory, and the two verifications of RFC 9162 that need no tree at all."""

from collections.abc import Iterable, Sequence

from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import EMPTY_ROOT, HASH_SIZE, node_hash
from casemgmt.trust.shape import consistency_ranges, inclusion_ranges, range_hash


class MerkleTree:
    """Append-only tree over leaf hashes, with every earlier size still provable.

    Holds 64 bytes a leaf; for a log kept in a database see `tiles.TileFrontier` and `tiles.StoredTree`.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]  # [height][index]: perfect subtrees only
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Adds one leaf *hash* (see `hashing.leaf_hash`) and answers its index."""
        if len(leaf) != HASH_SIZE:
            raise TreeError(f"a leaf hash has {HASH_SIZE} bytes, this has {len(leaf)}")
        self._levels[0].append(leaf)
        height = 0
        while len(self._levels[height]) % 2 == 0:
            parent = node_hash(self._levels[height][-2], self._levels[height][-1])
            height += 1
            if height == len(self._levels):
                self._levels.append([])
            self._levels[height].append(parent)
        return self.size - 1

    def root(self, size: int | None = None) -> bytes:
        """Root of the tree as it was at `size` leaves; now, when not given."""
        return range_hash(self._node, 0, self._known(size))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that leaf `index` is in the tree of `size`, the leaf's sibling first."""
        return [range_hash(self._node, *r) for r in inclusion_ranges(index, self._known(size))]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Proof that the tree of `size` begins with the tree of size `old`."""
        return [range_hash(self._node, *r) for r in consistency_ranges(old, self._known(size))]

    def _known(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise TreeError(f"this tree has {self.size} leaves and never had {size}")
        return size

    def _node(self, height: int, index: int) -> bytes:
        return self._levels[height][index]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows leaf hash `leaf` at `index` in the tree (`size`, `root`).

    RFC 9162 section 2.1.3.2.  Any malformed, short or overlong proof is simply false.
    """
    if not 0 <= index < size or not _all_hashes(leaf, root, *proof):
        return False
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = node_hash(sibling, result)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            result = node_hash(result, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and result == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows that the tree (`new`, `new_root`) begins with the tree (`old`, `old_root`).

    RFC 9162 section 2.1.4.2, and beyond it: everything begins with the empty tree, by an empty proof.
    Any malformed, short or overlong proof is simply false.
    """
    if not 0 <= old <= new or not _all_hashes(old_root, new_root, *proof):
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:  # the old tree is one perfect subtree: its root starts the path
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == old_root and second == new_root


def _all_hashes(*values: bytes) -> bool:
    return all(isinstance(value, bytes) and len(value) == HASH_SIZE for value in values)

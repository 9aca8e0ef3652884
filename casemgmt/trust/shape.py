"""Which subtrees make up a root or a proof: the recursion of RFC 9162 section 2.1 without any hash.

A *range* is ``(start, stop)``, the leaves start <= i < stop.  A *node* is ``(height, index)``, the
perfect subtree over the leaves index * 2**height <= i < (index + 1) * 2**height.  Trees in memory
and trees stored as tiles answer the same question, "the hash of this node", so both share this file.
"""

from collections.abc import Callable

from casemgmt.trust.encoding import MAX_DECIMAL
from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import EMPTY_ROOT, node_hash

NodeReader = Callable[[int, int], bytes]
"""Answers the 32-byte hash of the node (height, index)."""

Range = tuple[int, int]
Node = tuple[int, int]


def split_point(size: int) -> int:
    """Leaves in the left subtree of a tree of `size` >= 2: the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Ranges whose hashes prove leaf `index` in the tree of `size`, the leaf's sibling first."""
    if not 0 <= index < size <= MAX_DECIMAL:
        raise TreeError(f"a tree of {size} leaves has no leaf {index}")
    ranges: list[Range] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + split_point(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Ranges whose hashes prove that the tree of size `new` begins with the tree of size `old`.

    Empty for `old` 0 or `old` equal to `new`: there is nothing to prove.
    """
    if not 0 <= old <= new <= MAX_DECIMAL:
        raise TreeError(f"a tree of {new} leaves has no earlier size {old}")
    if old in (0, new):
        return []
    ranges: list[Range] = []
    start, stop = 0, new
    while stop != old:
        middle = start + split_point(stop - start)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:  # otherwise the range is the whole old tree, whose root the verifier already has
        ranges.append((start, stop))
    return ranges[::-1]


def perfect_nodes(start: int, stop: int) -> list[Node]:
    """The perfect subtrees a range is made of, left to right, each at most half the one before.

    `start` must be a multiple of the largest of them, which holds for every range of a proof.
    """
    nodes: list[Node] = []
    while start < stop:
        height = (stop - start).bit_length() - 1
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def range_hash(node: NodeReader, start: int, stop: int) -> bytes:
    """Merkle tree hash of the leaves of a range (of the empty range: the hash of nothing)."""
    if start == stop:
        return EMPTY_ROOT
    hashes = [node(height, index) for height, index in perfect_nodes(start, stop)]
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result

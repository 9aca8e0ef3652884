from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import EMPTY_ROOT, fold_perfect, leaf_hash
from casemgmt.trust.tree import MerkleTree, verify_consistency, verify_inclusion
from tests.trust import naive
from tests.trust.vectors import vectors

LIMIT = 130
ENTRIES = [b"entry %d" % i for i in range(LIMIT)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
TREE = MerkleTree(LEAVES)
ROOTS = [naive.mth(ENTRIES[:n]) for n in range(LIMIT + 1)]


def test_it_reproduces_the_reference_tree() -> None:
    reference = vectors("merkle.json")
    tree = MerkleTree(leaf_hash(bytes.fromhex(entry)) for entry in reference["entries"])
    assert [tree.root(n).hex() for n in range(tree.size + 1)] == reference["roots"]
    for case in reference["inclusion"]:
        assert [h.hex() for h in tree.inclusion(case["index"], case["size"])] == case["proof"]
    for case in reference["consistency"]:
        assert [h.hex() for h in tree.consistency(case["old"], case["new"])] == case["proof"]


@pytest.mark.parametrize("size", range(LIMIT + 1))
def test_every_root_and_proof_equals_the_definition(size: int) -> None:
    root = naive.mth(ENTRIES[:size])
    assert TREE.root(size) == root
    for index in range(size):
        proof = TREE.inclusion(index, size)
        assert verify_inclusion(LEAVES[index], index, size, proof, root)
    for old in range(size + 1):
        proof = TREE.consistency(old, size)
        assert verify_consistency(old, size, proof, ROOTS[old], root)


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 100, 127, 128, 129, LIMIT])
def test_every_proof_hash_is_the_one_the_rfc_defines(size: int) -> None:
    for index in range(size):
        assert TREE.inclusion(index, size) == _path(index, size)
    for old in range(1, size + 1):
        assert TREE.consistency(old, size) == naive.proof(old, ENTRIES[:size])


@cache
def _path(index: int, size: int) -> list[bytes]:
    return naive.path(index, ENTRIES[:size])


def test_it_refuses_sizes_and_leaves_the_tree_never_had() -> None:
    for impossible in (
        lambda: TREE.root(LIMIT + 1),
        lambda: TREE.root(-1),
        lambda: TREE.inclusion(5, 5),
        lambda: TREE.inclusion(-1, 5),
        lambda: TREE.consistency(6, 5),
        lambda: TREE.consistency(-1, 5),
        lambda: MerkleTree([b"short"]),
        lambda: fold_perfect([]),
        lambda: fold_perfect(LEAVES[:3]),
    ):
        with pytest.raises(TreeError):
            impossible()


def test_everything_begins_with_the_empty_tree_but_only_by_an_empty_proof() -> None:
    assert TREE.consistency(0, 7) == []
    assert verify_consistency(0, 7, [], EMPTY_ROOT, ROOTS[7])
    assert verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert not verify_consistency(0, 7, [LEAVES[0]], EMPTY_ROOT, ROOTS[7])
    assert not verify_consistency(0, 7, [], ROOTS[1], ROOTS[7])
    assert not verify_consistency(0, 0, [], EMPTY_ROOT, ROOTS[1])


@given(st.data())
def test_an_inclusion_proof_altered_in_any_way_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LIMIT))
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    altered = data.draw(_alterations(proof))
    assert not verify_inclusion(LEAVES[index], index, size, altered, ROOTS[size])
    other = data.draw(st.integers(-1, LIMIT).filter(lambda i: i != index))
    assert not verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
    assert not verify_inclusion(data.draw(_hash), index, size, proof, ROOTS[size])
    assert not verify_inclusion(LEAVES[index], index, size, proof, data.draw(_hash))


@given(st.data())
def test_a_consistency_proof_altered_in_any_way_proves_nothing(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, LIMIT))
    old = data.draw(st.integers(1, new))
    proof = TREE.consistency(old, new)
    altered = data.draw(_alterations(proof))
    assert not verify_consistency(old, new, altered, ROOTS[old], ROOTS[new])
    assert not verify_consistency(old, new, proof, data.draw(_hash), ROOTS[new])
    assert not verify_consistency(old, new, proof, ROOTS[old], data.draw(_hash))
    assert not verify_consistency(new + 1, new, proof, ROOTS[old], ROOTS[new])


@given(st.integers(), st.integers(), st.lists(st.binary(max_size=40), max_size=70), st.binary(), st.binary())
def test_garbage_is_false_and_never_an_exception(a: int, b: int, proof: list[bytes], x: bytes, y: bytes) -> None:
    assert not verify_inclusion(x[:31], a, b, proof, y)
    assert not verify_inclusion(LEAVES[0], a, b, proof, LEAVES[1])
    assert not verify_consistency(a, b, proof, LEAVES[0], LEAVES[1])
    assert not verify_consistency(a, b, proof, x[:31], y)


_hash = st.binary(min_size=32, max_size=32)


@st.composite
def _alterations(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """`proof` with a hash added, removed, replaced or two exchanged."""
    altered = list(proof)
    kinds = ["add"] if not altered else ["add", "remove", "replace", "shorten"]
    kind = draw(st.sampled_from(kinds))
    at = draw(st.integers(0, len(altered) - (kind != "add")))
    if kind == "add":
        altered.insert(at, draw(_hash))
    elif kind == "remove":
        del altered[at]
    elif kind == "replace":
        altered[at] = draw(_hash.filter(lambda h: h != proof[at]))
    else:
        altered[at] = altered[at][:-1]
    return altered

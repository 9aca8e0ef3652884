// RFC 9162 sections 2.1.3.2 and 2.1.4.2: is a leaf in a tree, did one tree grow into another.
const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);
const leafHash = bytes => sha256(LEAF, bytes);
const nodeHash = (left, right) => sha256(NODE, left, right);

function included(leaf, index, size, proof, root) {
  if (index >= size) return false;
  let fn = index, sn = size - 1n, found = leaf;
  for (const sibling of proof) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      found = nodeHash(sibling, found);
      while (!(fn & 1n) && fn) { fn >>= 1n; sn >>= 1n; }
    } else found = nodeHash(found, sibling);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n && same(found, root);
}

function grew(old, size, proof, oldRoot, root) {
  if (old > size) return false;
  if (old === 0n) return !proof.length && same(oldRoot, sha256());
  if (old === size) return !proof.length && same(oldRoot, root);
  const path = old & old - 1n ? proof : [oldRoot, ...proof];
  if (!path.length) return false;
  let fn = old - 1n, sn = size - 1n;
  while (fn & 1n) { fn >>= 1n; sn >>= 1n; }
  let first = path[0], second = path[0];
  for (const sibling of path.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      first = nodeHash(sibling, first);
      second = nodeHash(sibling, second);
      while (!(fn & 1n) && fn) { fn >>= 1n; sn >>= 1n; }
    } else second = nodeHash(second, sibling);
    fn >>= 1n; sn >>= 1n;
  }
  return sn === 0n && same(first, oldRoot) && same(second, root);
}

// C2SP signed notes, checkpoints, proofs and trust policies. Ed25519 is the browser's own.
async function ed25519(key, signature, message) {
  let imported;
  try { imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]); }
  catch { throw new Unable("no_signatures"); }
  return crypto.subtle.verify("Ed25519", imported, signature, message);
}

const isName = name => name !== "" && !/[\s+\x00-\x1f]/.test(name);

function parseKey(text, kind) {
  const [name, id, ...rest] = text.split("+");
  const material = base64(rest.join("+"));
  const wanted = hex(sha256(encode(name + "\n"), material)).slice(0, 8);
  if (!isName(name) || id !== wanted || material.length !== 33 || material[0] !== kind) throw new Fault("bad_key", shown(text));
  return { text, name, id, kind, material, public: material.slice(1) };
}

function parsePolicy(text) {
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null };
  const keys = new Set(), grouped = new Set();
  const newKey = (given, kind) => {
    const key = parseKey(given, kind), known = hex(key.public);
    if (keys.has(known)) throw new Fault("policy_line", shown(given));
    keys.add(known);
    return key;
  };
  const known = name => policy.witnesses.has(name) || policy.groups.has(name);
  const rows = text.split("\n");
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text) || rows.pop() !== "" || rows.length > 999) throw new Fault("malformed", "trust.policy");
  for (const line of rows) {
    const [word, ...rest] = line.split(/[ \t]+/).filter(Boolean);
    if (!word || word.startsWith("#")) continue;
    const free = () => { if (rest[0] === "none" || known(rest[0])) throw new Fault("policy_line", shown(line)); return rest[0]; };
    if (word === "log" && (rest.length === 1 || rest.length === 2)) policy.logs.push(newKey(rest[0], 1));
    else if (word === "witness" && (rest.length === 2 || rest.length === 3)) policy.witnesses.set(free(), newKey(rest[1], 4));
    else if (word === "group" && rest.length >= 3) {
      const name = free(), members = rest.slice(2);
      const count = rest[1] === "any" ? 1 : rest[1] === "all" ? members.length : Number(decimal(rest[1]));
      if (count < 1 || count > members.length) throw new Fault("policy_line", shown(line));
      for (const member of members) {
        if (!known(member) || grouped.has(member)) throw new Fault("policy_line", shown(line));
        grouped.add(member);
      }
      policy.groups.set(name, { count, members });
    } else if (word === "quorum" && rest.length === 1 && policy.quorum === null && (rest[0] === "none" || known(rest[0]))) policy.quorum = rest[0];
    else throw new Fault("policy_line", shown(line));
  }
  if (policy.quorum === null) throw new Fault("no_quorum_line");
  if (!policy.logs.length) throw new Fault("no_log");
  return policy;
}

function quorumMet(policy, witnessed) {
  const held = new Set(witnessed);
  for (const [name, group] of policy.groups) {
    if (group.members.filter(member => held.has(member)).length >= group.count) held.add(name);
  }
  return policy.quorum === "none" || held.has(policy.quorum);
}

function parseProof(bytes, path) {
  const text = utf8(bytes, path), blank = text.indexOf("\n\n"), end = text.lastIndexOf("\n\n");
  const head = text.slice(0, blank).split("\n");
  if (blank < 0 || blank === end || /[\x00-\x09\x0b-\x1f]/.test(text) || head.shift() !== "c2sp.org/tlog-proof@v1") throw new Fault("malformed", path);
  const extra = head[0]?.startsWith("extra ") ? base64(head.shift().slice(6)) : null;
  const index = head.shift() ?? "";
  const body = text.slice(blank + 2, end + 1), signatures = text.slice(end + 2).split("\n");
  if (!index.startsWith("index ") || head.length > 63 || extra?.length === 0 || signatures.pop() !== "" || signatures.length > 100) throw new Fault("malformed", path);
  const [origin, size, root, ...more] = body.split("\n");
  if (!isName(origin) || more.length !== 1 || more[0]) throw new Fault("malformed", path);
  return {
    index: decimal(index.slice(6)), path: head.map(hash32), extra, note: text.slice(blank + 2), body,
    origin, size: decimal(size), root: hash32(root),
    signatures: signatures.map(line => {
      const found = /^— ([^ ]+) ([^ ]+)$/.exec(line), value = base64(found?.[2] ?? "!");
      if (!isName(found[1]) || value.length < 5) throw new Fault("malformed", path);
      return { name: found[1], id: hex(value.slice(0, 4)), value: value.slice(4) };
    }),
  };
}

// One bad signature by a key of the policy condemns the whole note; lines of other keys are ignored.
async function signedBy(proof, key) {
  let found = false;
  for (const one of proof.signatures.filter(line => line.name === key.name && line.id === key.id)) {
    let message = encode(proof.body), value = one.value;
    if (key.kind === 4) {
      if (value.length !== 72) throw new Fault("bad_signature", shown(key.name));
      const time = new DataView(value.buffer).getBigUint64(0);
      message = join(encode("cosignature/v1\ntime " + time + "\n"), message);
      value = value.slice(8);
    }
    if (value.length !== 64 || !await ed25519(key.public, value, message)) throw new Fault("bad_signature", shown(key.name));
    found = true;
  }
  return found;
}

async function accept(policy, proof) {
  const logs = [], witnessed = [];
  for (const key of policy.logs) if (key.name === proof.origin && await signedBy(proof, key)) logs.push(key);
  if (!logs.length) throw new Fault("no_log_signature", shown(proof.origin));
  for (const [name, key] of policy.witnesses) if (await signedBy(proof, key)) witnessed.push(name);
  if (!quorumMet(policy, witnessed)) throw new Fault("quorum", policy.quorum, witnessed.join(", ") || "–");
  return witnessed;
}

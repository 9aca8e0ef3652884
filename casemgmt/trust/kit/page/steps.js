// The numbered steps of docs/spec/verification.md. 11 and 12 need certificates: this page leaves them to openssl.
const SEAL = "tagmanifest-sha256.txt";
const UNLISTED = [SEAL, SEAL + ".event", SEAL + ".tlog-proof"];
const SIGNATURE = SEAL + ".p7s", TIMESTAMP = SEAL + ".tsr", BESIDE = [SIGNATURE, TIMESTAMP];
const PROMISES = {
  "Package-Layout": /^2$/, "Organisation-Signature": /^(none|CAdES-B-[BT])$/, "Report-Signature": /^(none|PAdES-B-[BT])$/,
  "Timestamp": /^(none|RFC3161)$/, "Withheld": /^(none|[1-9][0-9]{0,8})$/,
};
const MOST_LIST = 64 << 20, MOST_DOCUMENT = 1 << 20;

async function checkArchive(found, told) {
  found.archive = new Archive(found.file);
  await found.archive.open(told);
  return ["ok1", found.archive.members.size, found.file.size];
}

async function checkBag(found) {
  const { archive } = found;
  if (utf8(await archive.read("bagit.txt", 1000), "bagit.txt") !== "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n") throw new Fault("malformed", "bagit.txt");
  const info = parseInfo(await archive.read("bag-info.txt", MOST_DOCUMENT));
  let bytes = 0, count = 0;
  for (const [path, member] of archive.members) if (path.startsWith("data/")) { bytes += member.size; count++; }
  if (info.get("Payload-Oxum") !== bytes + "." + count) throw new Fault("info", "Payload-Oxum", bytes + "." + count);
  if (info.get("External-Identifier") !== archive.root) throw new Fault("info", "External-Identifier", archive.root);
  const day = info.get("Bagging-Date") ?? "";
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || !isTime(day + "T00:00:00Z")) throw new Fault("info", "Bagging-Date", "YYYY-MM-DD");
  decimal(info.get("Ledger-Size") ?? "");
  for (const [label, allowed] of Object.entries(PROMISES)) {
    if (!allowed.test(info.get(label) ?? "")) throw new Fault("info", label, String(allowed));
  }
  found.info = info;
  return ["ok2", count, bytes];
}

// Small files are read at once, with their CRC-32; large ones go through the Workers.
const SMALL = 1 << 18;

async function checkHashes(found, hashes, told) {
  const { archive } = found, wrong = [], jobs = [];
  for (const [path, wanted] of hashes) {
    const member = archive.members.get(path);
    const judge = digest => { if (hex(digest) !== wanted) wrong.push(path); };
    if (!member) wrong.push(path);
    else if (member.size > SMALL) jobs.push({ blob: archive.blob(path), done: judge });
    else { judge(sha256(await archive.read(path, SMALL))); await told(member.size); }
  }
  await hashAll(jobs, told);
  if (wrong.length) throw new Fault("hash", ...some(wrong.sort()));
}

async function checkPayload(found, told) {
  const path = "manifest-sha256.txt";
  found.manifest = parseManifest(await found.archive.read(path, MOST_LIST), path);
  const stray = [...found.manifest.keys()].filter(name => !name.startsWith("data/"));
  if (stray.length) throw new Fault("unlisted", ...some(stray));
  await checkHashes(found, found.manifest, told);
  return ["ok3", found.manifest.size];
}

async function checkTags(found, told) {
  const { archive } = found;
  const tags = parseManifest(await archive.read(SEAL, MOST_LIST), SEAL);
  const payload = parseManifest(await archive.read("manifest-sha256.txt", MOST_LIST), "manifest-sha256.txt");
  const promised = [["Organisation-Signature", SIGNATURE], ["Timestamp", TIMESTAMP]].filter(([label]) => found.info.get(label) !== "none");
  const listed = new Set([...UNLISTED, ...promised.map(([, path]) => path), ...tags.keys(), ...payload.keys()]);
  const missing = [...listed].filter(path => !archive.members.has(path));
  if (missing.length) throw new Fault("missing", ...some(missing.sort()));
  const more = [...archive.members.keys()].filter(path => !listed.has(path));
  if (more.length) throw new Fault("unlisted", ...some(more.sort()));
  const wrong = [...tags.keys()].filter(path => path.startsWith("data/") || UNLISTED.includes(path) || BESIDE.includes(path));
  if (wrong.length) throw new Fault("unlisted", ...some(wrong));
  await checkHashes(found, tags, told);
  for (const path of [...UNLISTED, ...BESIDE]) if (archive.members.has(path)) await archive.read(path, MOST_LIST);
  return ["ok4", tags.size];
}

async function checkPolicy(found) {
  const path = "ledger/trust.policy";
  const own = found.own.trim();
  found.policy = parsePolicy(utf8(await found.archive.read(path, MOST_DOCUMENT), path));
  if (own.includes(" ")) found.policy = parsePolicy(own.replace(/\r\n?/g, "\n") + "\n");
  else if (own) {
    const key = parseKey(own, 1);
    found.policy.logs = found.policy.logs.filter(log => log.text === key.text);
    if (!found.policy.logs.length) throw new Fault("other_log", shown(own));
  }
  const keys = found.policy.logs.map(log => log.text).join(", ");
  return [own ? "ok5own" : "ok5", keys, found.policy.quorum];
}

async function readLedger(found) {
  const { archive } = found, kinds = { event: new Set(), leaf: new Set(), "tlog-proof": new Set() }, folders = new Map();
  for (const path of archive.members.keys()) {
    if (!path.startsWith("ledger/") || path === "ledger/trust.policy") continue;
    const entry = /^ledger\/([0-9]+)\.(event|leaf|tlog-proof)$/.exec(path);
    const part = /^ledger\/sig\/([0-9]+)\/([A-Za-z]+\.[a-z]+)$/.exec(path);
    if (entry) kinds[entry[2]].add(entry[1]);
    else if (part && SIGNATURE_FILES.includes(part[2])) folders.set(part[1], (folders.get(part[1]) ?? 0) + 1);
    else throw new Fault("unlisted", path);
  }
  const both = [...kinds.event].filter(index => kinds.leaf.has(index));
  const known = new Set([...kinds.event, ...kinds.leaf]);
  const unpaired = [...known].filter(index => !kinds["tlog-proof"].has(index)).concat([...kinds["tlog-proof"]].filter(index => !known.has(index)), both);
  if (unpaired.length) throw new Fault("unpaired", ...some(unpaired));
  found.folders = folders;
  return { known, withheld: kinds.leaf };
}

async function checkInclusion(found, told) {
  const { archive } = found, { known, withheld } = await readLedger(found);
  const csv = "metadata/withheld.csv";
  found.withheld = archive.members.has(csv) ? parseWithheld(await archive.read(csv, MOST_LIST), csv) : [];
  if (found.info.get("Withheld") !== String(found.withheld.length || "none")) throw new Fault("withheld_list");
  const entries = new Map(found.withheld.filter(row => row.kind === "entry").map(row => [row.index, row]));
  if (entries.size !== withheld.size || ![...withheld].every(index => entries.has(index))) throw new Fault("withheld_list");
  let first = null;
  found.events = []; found.links = []; found.index = new Map();
  for (const name of [...known].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))) {
    const path = "ledger/" + name, index = decimal(name);
    const proof = parseProof(await archive.read(path + ".tlog-proof", MOST_DOCUMENT), path + ".tlog-proof");
    if (!first) { found.witnessed = await accept(found.policy, proof); first = proof; }
    if (proof.index !== index || proof.note !== first.note || proof.extra) throw new Fault("other_proof", name);
    let link;
    if (withheld.has(name)) {
      const row = entries.get(name), text = utf8(await archive.read(path + ".leaf", 100), path + ".leaf");
      if (text !== row.leaf_hash + "\n") throw new Fault("withheld_list");
      link = { stream: row.stream, seq: row.seq, leaf: Uint8Array.from(row.leaf_hash.match(/../g), pair => parseInt(pair, 16)) };
    } else {
      link = parseEvent(await archive.read(path + ".event", MOST_BODY), path + ".event");
      found.events.push(link);
    }
    if (!included(link.leaf, index, first.size, proof.path, first.root)) throw new Fault("not_included", name, first.size);
    found.links.push(link);
    await told(0);
    found.index.set(link, index);
  }
  if (!first) throw new Fault("missing", "ledger/*.event");
  if (found.info.get("Ledger-Origin") !== first.origin) throw new Fault("info", "Ledger-Origin", shown(first.origin));
  if (found.info.get("Ledger-Size") !== String(first.size)) throw new Fault("info", "Ledger-Size", first.size);
  found.checkpoint = first;
  return ["ok6", found.links.length, first.origin, first.size, found.witnessed.join(", ") || "–"];
}

async function checkChains(found) {
  found.streams = chains(found.links);
  const whole = [...found.streams].filter(([stream]) => stream.startsWith("exhibit:"));
  const events = whole.reduce((sum, [, chain]) => sum + chain.length, 0);
  return ["ok7", whole.length, events, found.links.length - events];
}

async function checkSeal(found) {
  const { archive, checkpoint } = found;
  const manifest = await archive.read(SEAL, MOST_LIST);
  const seal = parseEvent(await archive.read(SEAL + ".event", MOST_BODY), SEAL + ".event");
  const proof = parseProof(await archive.read(SEAL + ".tlog-proof", MOST_DOCUMENT), SEAL + ".tlog-proof");
  await accept(found.policy, proof);
  const [signature, timestamp] = await Promise.all(BESIDE.map(async path => archive.members.has(path) ? hex(sha256(await archive.read(path, MOST_LIST))) : null));
  const expected = {
    package: archive.root, tagmanifest_sha256: hex(sha256(manifest)), exhibits: heads(found.streams, "exhibit:"),
    signers: heads(found.streams, "passkeys:"), ledger_size: Number(checkpoint.size), signature_sha256: signature, timestamp_sha256: timestamp,
  };
  if (seal.type !== "packages:package:sealed") throw new Fault("seal_says", "type");
  for (const name of new Set([...Object.keys(expected), ...Object.keys(seal.data)])) {
    if (!(name in expected) || !(name in seal.data) || canonical(expected[name]) !== canonical(seal.data[name])) throw new Fault("seal_says", shown(name));
  }
  if (proof.origin !== checkpoint.origin || proof.index < checkpoint.size || !included(seal.leaf, proof.index, proof.size, proof.path, proof.root)) throw new Fault("seal_place", proof.index, proof.size);
  const extra = proof.extra ?? new Uint8Array(), growth = [];
  for (let at = 0; at < extra.length; at += 32) growth.push(extra.slice(at, at + 32));
  if (extra.length % 32 || !grew(checkpoint.size, proof.size, growth, checkpoint.root, proof.root)) throw new Fault("not_grown", proof.size, checkpoint.size);
  found.sealed = seal;
  return ["ok8", seal.at, proof.index, checkpoint.size, proof.size];
}

async function checkReceipts(found) {
  const path = "metadata/files.csv", { archive } = found;
  const rows = readRows(await archive.read(path, MOST_LIST), path, FILE_COLUMNS);
  const listed = new Set(rows.map(row => row[0])), payload = [...found.manifest.keys()].filter(name => !REPORT.test(name));
  if (listed.size !== rows.length || listed.size !== payload.length || !payload.every(name => listed.has(name))) throw new Fault("lists_differ");
  for (const row of rows) {
    if (found.manifest.get(row[0]) !== row[3] || String(archive.members.get(row[0]).size) !== row[4]) throw new Fault("no_receipt", row[0]);
  }
  found.receipts = matchReceipts(found, rows);
  found.leftOut = found.receipts.filter(receipt => receipt.left).length;
  return ["ok9", rows.length, found.withheld.length, found.leftOut];
}

const HANDOVER = /^custody:handover:(offered|accepted|refused|withdrawn)$/;

async function checkSignatures(found) {
  const keys = signerKeys(found), signed = new Set(), signers = new Set();
  let weaker = 0, pins = 0;
  for (const event of found.events) {
    const means = event.data.signature, index = found.index.get(event);
    if (means === undefined) { if (HANDOVER.test(event.type)) weaker++; continue; }
    if (canonical(means) === '{"means":"session"}') { weaker++; continue; }
    const pin = means?.means === "pin", record = pin && "record" in means;
    if (!pin && means?.means !== "passkey" || Object.keys(means).length !== 2 + record || !isHash(means.key) || record && !isHash(means.record)) throw new Fault("means", index);
    if (found.folders.get(String(index)) !== (pin ? 3 + record : 5)) throw new Fault("missing", "ledger/sig/" + index + "/");
    await checkSigned(found, event, index, keys);
    signed.add(String(index));
    pins += pin;
    event.checked = [pin ? "signed_pin" : "signed", keys.get(means.key).person.name];
    signers.add(keys.get(means.key).stream);
  }
  const idle = [...found.streams.keys()].filter(stream => stream.startsWith("passkeys:") && !signers.has(stream));
  if (idle.length) throw new Fault("idle", ...some(idle));
  const stray = [...found.folders.keys()].filter(index => !signed.has(index));
  if (stray.length) throw new Fault("unlisted", ...some(stray.map(index => "ledger/sig/" + index + "/")));
  return [signed.size ? "ok10" : "none10", signed.size - pins, weaker, pins];
}

const STEPS = [
  [1, checkArchive, []], [2, checkBag, [1]], [3, checkPayload, [1]], [4, checkTags, [2]], [5, checkPolicy, [1]],
  [6, checkInclusion, [2, 5]], [7, checkChains, [6]], [8, checkSeal, [4, 7]], [9, checkReceipts, [3, 7]], [10, checkSignatures, [4, 8]],
];

// own: the reader's log key or policy, as text. told(step, part) is awaited, so that the page stays alive.
async function verifyPackage(file, own = "", told = async () => {}) {
  const found = { file, own }, results = [], failed = new Set();
  let read = 0, last = 0;
  for (const [number, check, needs] of STEPS) {
    const unmet = needs.find(need => failed.has(need));
    let outcome = "holds", finding;
    await told(number, read / Math.max(1, file.size));
    if (unmet !== undefined) { outcome = "not_checked"; finding = ["needs", unmet]; }
    else try {
      await startHashing();
      finding = await check(found, async bytes => {
        if (number > 1) read += bytes;
        if (performance.now() - last > 100) { last = performance.now(); await told(number, number > 1 ? read / file.size : bytes); }
      });
    } catch (error) {
      outcome = error instanceof Unable ? "not_checked" : "failed";
      finding = error.finding ?? ["malformed", shown(error.message)];
    }
    if (outcome !== "holds") failed.add(number);
    if (outcome === "holds" && finding[0].startsWith("none")) outcome = "none";
    results.push({ number, outcome, finding });
  }
  const kept = (...labels) => labels.map(label => found.info?.get(label)).filter(kind => kind && kind !== "none").join(", ");
  for (const [number, kinds] of [[11, kept("Organisation-Signature", "Report-Signature")], [12, kept("Timestamp")]]) {
    const needs = [2, 4].find(step => failed.has(step));
    results.push({ number, outcome: needs || kinds ? "not_checked" : "none", finding: needs ? ["needs", needs] : kinds ? ["openssl", kinds] : ["none11"] });
  }
  return { name: found.archive?.root ?? "", results, found, own: own.trim() };
}

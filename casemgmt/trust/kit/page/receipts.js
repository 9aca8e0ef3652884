// Step 9. Every payload file was received under an entry of its own; what is withheld was recorded all the same.
const RECEIVED = "evidence:file:received", REPORT = /^data\/report\/custody-report\.[a-z]{2,3}\.pdf$/;
const FILE_COLUMNS = "path,file,original_name,sha256,size,received_at,received_by";
const WITHHELD_COLUMNS = "kind,path,sha256,size,index,leaf_hash,stream,seq,code,reason";

function receiptOf(event) {
  const data = event.data, number = data.exhibit ?? data.seizure;
  const directory = (data.exhibit != null ? "data/exhibits/" : "data/seizures/") + String(number).replace(/\//g, "-");
  if (typeof number !== "string" || !PATH.test(directory) || !isHash(data.sha256) || !Number.isInteger(data.size) ||
    typeof data.file !== "string" || typeof data.name !== "string" || typeof event.actor.name !== "string") throw new Fault("not_receipt", shown(event.stream), event.seq);
  const row = [data.file, data.name, data.sha256, String(data.size), event.at, event.actor.name];
  return { directory, number, key: JSON.stringify([directory, ...row]), left: true, event };
}

function readRows(bytes, path, columns) {
  const [head, ...rows] = parseCsv(bytes, path);
  const width = columns.split(",").length;
  if (String(head) !== columns || rows.some(row => row.length !== width)) throw new Fault("malformed", path);
  return rows.map(row => row.map(unguarded));
}

function matchReceipts(found, rows) {
  const receipts = new Map(), byLeaf = new Map(), owners = new Map();
  for (const event of found.events.filter(one => one.type === RECEIVED)) {
    const receipt = receiptOf(event);
    if ((owners.get(receipt.directory) ?? receipt.number) !== receipt.number) throw new Fault("shared", receipt.directory);
    owners.set(receipt.directory, receipt.number);
    receipts.set(receipt.key, [...(receipts.get(receipt.key) ?? []), receipt]);
    byLeaf.set(hex(event.leaf), receipt);
  }
  for (const [path, ...row] of rows) {
    const directory = path.slice(0, path.lastIndexOf("/"));
    const receipt = receipts.get(JSON.stringify([directory, ...row]))?.find(one => one.left);
    if (!receipt || directory.startsWith("data/exhibits/") && !found.streams.has("exhibit:" + receipt.number)) throw new Fault("no_receipt", shown(path));
    receipt.left = false;
    receipt.path = path;
  }
  for (const one of found.withheld.filter(row => row.kind === "file")) {
    const link = found.streams.get(one.stream)?.find(known => known.seq === one.seq);
    if (found.archive.members.has(one.path)) throw new Fault("unlisted", one.path);
    if (!link || hex(link.leaf) !== one.leaf_hash) throw new Fault("no_receipt", shown(one.path));
    if (!link.bytes) continue;
    const receipt = byLeaf.get(one.leaf_hash);
    if (!receipt?.left || receipt.directory !== one.path.slice(0, one.path.lastIndexOf("/")) ||
      receipt.event.data.sha256 !== one.sha256 || receipt.event.data.size !== one.size) throw new Fault("no_receipt", shown(one.path));
    receipt.left = false;
  }
  return [...byLeaf.values()];
}

function parseWithheld(bytes, path) {
  const rows = readRows(bytes, path, WITHHELD_COLUMNS).map(([kind, where, sha, size, index, leaf, stream, seq, code, reason]) =>
    ({ kind, path: where, sha256: sha, size: Number(decimal(size)), index, leaf_hash: leaf, stream, seq: Number(decimal(seq)), code, reason }));
  for (const row of rows) {
    decimal(row.index);
    const place = row.kind === "entry" ? row.path === "ledger/" + row.index + ".event" && !row.stream.startsWith("passkeys:") :
      row.kind === "file" && row.path.startsWith("data/") && PATH.test(row.path);
    if (!place || !isHash(row.sha256) || !isHash(row.leaf_hash) || !row.stream || row.seq < 1) throw new Fault("line", path, shown(row.path));
  }
  if (!rows.length || new Set(rows.map(row => row.path)).size !== rows.length) throw new Fault("malformed", path);
  return rows;
}

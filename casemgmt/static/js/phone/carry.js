// The last resort of a phone that cannot connect: everything unsent of one officer in one sealed file, and a code of
// 24 digits that opens it on another device. The file is written down in docs/spec/phone-export.md.
//
// What is inside stays bound to the officer and the phone that captured it: it is imported for the same officer only,
// and sent under the same identifiers, so that carrying it twice makes nothing twice.

import { ask, changed, read, transact } from "./database.js";
import { PIECE, UNSENT, all, load, piece } from "./records.js";
import { binding, seal, sealJson, unseal, unsealJson } from "./seal.js";

const MAGIC = new TextEncoder().encode("casemgmt-phone-export-1\n");
const ROUNDS = 600_000;
const GROUPS = 6;
const LARGEST_PART = PIECE * 4;

class Refused extends Error {
  constructor(name) {
    super(name);
    this.name = name;
  }
}

function newCode() {
  const digits = Array.from(crypto.getRandomValues(new Uint32Array(GROUPS)), (n) => String(n % 10_000).padStart(4, "0"));
  return digits.join(" ");
}

async function codeKey(code, salt) {
  const digits = new TextEncoder().encode(code.replace(/\D/g, ""));
  const base = await crypto.subtle.importKey("raw", digits, "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const part = ({ iv, sealed }) => {
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, sealed.byteLength);
  return [length.buffer, iv, sealed];
};

const CARRIED = [...UNSENT, "draft", "offered"];
const AS_IT_WAS = ["draft", "offered"];

const envelope = ({ id, owner, device, at, state, code, number, kind, role, agreement }) =>
  ({ id, owner, device, at, state, code, number, kind, role, agreement });

// {file, name, code}. Nothing leaves the phone's store: the records stay and are still sent when there is a network.
export async function exportAll(open) {
  const code = newCode();
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = await codeKey(code, salt);
  const parts = [MAGIC, salt];
  let count = 0;
  const add = (sealed) => {
    parts.push(...part(sealed));
    count += 1;
  };
  for (const row of await all()) {
    if (row.owner !== open.owner || !CARRIED.includes(row.state)) continue;
    const { body } = await load(open, row.id);
    add(await sealJson(key, { row: envelope(row), body }, binding("export", count)));
    for (const file of body.files) {
      for (let index = 0; index * PIECE < file.size; index += 1) {
        add(await seal(key, await piece(open, row, file, index), binding("export", count)));
      }
    }
  }
  add(await sealJson(key, { end: count }, binding("export", count)));
  const stamp = new Date().toISOString().replace(/[-:]/g, "").slice(0, 13);
  return { file: new Blob(parts, { type: "application/octet-stream" }), name: `phone-${stamp}.sealed`, code };
}

async function* partsOf(file) {
  const header = MAGIC.length + 16;
  const start = new Uint8Array(await file.slice(0, header).arrayBuffer());
  if (MAGIC.some((byte, i) => start[i] !== byte)) throw new Refused("notours");
  yield start.slice(MAGIC.length);
  for (let at = header; at < file.size; ) {
    const head = new DataView(await file.slice(at, at + 16).arrayBuffer());
    if (head.byteLength < 16 || head.getUint32(0) > LARGEST_PART) throw new Refused("damaged");
    const length = head.getUint32(0);
    const sealed = await file.slice(at + 16, at + 16 + length).arrayBuffer();
    if (sealed.byteLength < length) throw new Refused("damaged");
    yield { iv: new Uint8Array(head.buffer.slice(4, 16)), sealed };
    at += 16 + length;
  }
}

// Takes in everything or, when the file ends early or was changed, only whole records that came before. A record that
// is here already stays as it is. Answers {added, known}. Throws Refused: notours, code, other, damaged.
export async function importFile(open, file, code) {
  const parts = partsOf(file);
  const key = await codeKey(code, (await parts.next()).value);
  let count = 0;
  const next = async (how) => {
    const { value, done } = await parts.next();
    if (done) throw new Refused("damaged");
    try {
      return await how(key, value, binding("export", count++));
    } catch {
      throw new Refused(count === 1 ? "code" : "damaged");
    }
  };
  const result = { added: 0, known: 0 };
  for (;;) {
    const said = await next(unsealJson);
    if (said.end !== undefined) return result;
    if (said.row.owner !== open.owner) throw new Refused("other");
    result[(await takeIn(open, said, next)) ? "added" : "known"] += 1;
    changed(said.row.id);
  }
}

// The pieces first, as they come, and the record last, which makes them count. False: it was here before.
async function takeIn(open, { row, body }, next) {
  const bound = [row.id, row.owner, row.device, row.at];
  const known = Boolean(await read("records", row.id));
  try {
    for (const file of body.files) {
      file.thumb = false;
      for (let index = 0; index * PIECE < file.size; index += 1) {
        const bytes = await next(unseal);
        if (known) continue;
        const sealed = await seal(open.key, bytes, binding("piece", ...bound, file.id, index, file.size));
        await transact(["chunks"], "readwrite", (to) => ask(to.put(sealed, [row.id, file.id, index])), "relaxed");
      }
    }
  } catch (error) {
    if (!known) await transact(["chunks"], "readwrite", (from) => ask(from.delete(IDBKeyRange.bound([row.id], [row.id, []]))));
    throw error;
  }
  if (known) return false;
  const bytes = body.files.reduce((sum, file) => sum + file.size, 0);
  const kept = { ...row, state: AS_IT_WAS.includes(row.state) ? row.state : "saved", count: body.files.length, bytes, sent: 0, rev: 1 };
  kept.body = await sealJson(open.key, body, binding("body", ...bound));
  await transact(["records"], "readwrite", (to) => ask(to.add(kept)));
  return true;
}

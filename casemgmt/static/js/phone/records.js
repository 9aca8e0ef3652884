// Drafts and unsent registrations. A record is an envelope in clear and a sealed body:
//   {id, owner, device, at, rev, state, count, bytes, sent, notice, number, code, body}, and of a hand-over kind, role, agreement
// `id`, `owner`, `device` and `at` are fixed when it is begun and sealed into every piece of it: under another
// officer's name or another time it does not open. `rev` counts changes, so that two pages cannot overwrite each other.
//
// The body: {fields, registration, summary, place, files: [{id, name, type, size, sha256, at, place, shows, state}]}.

import { ask, changed, read, readAll, transact } from "./database.js";
import { hasher } from "./digest.js";
import { device } from "./opened.js";
import { binding, seal, sealJson, unseal, unsealJson } from "./seal.js";

export const PIECE = 512 * 1024; // bytes of a file that are sealed, kept and sent as one
export const MOST_FILES = 40;

// What becomes of a record, in this order. "held": the server refused something, and a person has to look.
export const UNSENT = ["saved", "sending", "held", "onserver"];

// What may be taken from the list: nothing of it is missing anywhere.
export const LOOSE = ["draft", "verified", "disputed", "dropped"];

export class ChangedElsewhere extends Error {
  name = "ChangedElsewhere";
}

const bodyBinding = ({ id, owner, device: phone, at }) => binding("body", id, owner, phone, at);
const pieceBinding = ({ id, owner, device: phone, at }, file, index, size) =>
  binding("piece", id, owner, phone, at, file, index, size);

export const all = async () => (await readAll("records")).sort((a, b) => a.at - b.at);

// A draft that is not in the store before `keep` puts it there: opening the page alone leaves nothing behind.
export async function begin(open) {
  const row = { id: crypto.randomUUID(), owner: open.owner, device: (await device()).id, at: Date.now() };
  return { row: { ...row, rev: 0, state: "draft", count: 0, bytes: 0, sent: 0 }, body: { fields: [], files: [] } };
}

// Throws Tampered when the body is not the one this officer sealed for this record.
export async function load(open, id) {
  const row = await read("records", id);
  return row ? { row, body: await unsealJson(open.key, row.body, bodyBinding(row)) } : null;
}

// Keeps the body and what `envelope` changes. Throws ChangedElsewhere when another page was quicker.
// `piecesGo`: in the same transaction all its pieces are let go of, or a phone that dies in between would keep them for ever.
export const keep = (open, record, envelope = {}, piecesGo = false) =>
  inLine(record, async () => {
    const { row, body } = record;
    const sealed = await sealJson(open.key, body, bodyBinding(row));
    const bytes = body.files.reduce((sum, file) => sum + file.size, 0);
    const next = { ...row, body: sealed, count: body.files.length, bytes, ...envelope, rev: row.rev + 1 };
    await replace(row.rev, next, "strict", piecesGo);
    record.row = next;
  });

// Changes only the envelope, for which no key is needed.
export const mark = (record, envelope) =>
  inLine(record, async () => {
    const next = { ...record.row, ...envelope, rev: record.row.rev + 1 };
    await replace(record.row.rev, next, "relaxed");
    record.row = next;
  });

// One change of a record after another, whoever in this page asks for it.
function inLine(record, work) {
  record.line = (record.line ?? Promise.resolve()).then(work, work);
  return record.line;
}

async function replace(rev, next, durability, piecesGo = false) {
  await transact(piecesGo ? ["records", "chunks"] : ["records"], "readwrite", async (records, chunks) => {
    const there = await ask(records.get(next.id));
    if ((there?.rev ?? 0) !== rev) throw new ChangedElsewhere(next.id);
    await ask(records.put(next));
    if (piecesGo) await ask(chunks.delete(piecesOf([next.id])));
  }, durability);
  changed(next.id);
}

// Reads, hashes and seals one file, piece by piece, and only then names it in the record: what a full disk or a
// vanished file interrupts leaves no trace. `said`: {at, place, thumb, shows}. The bytes are kept as they came.
export async function addFile(open, record, file, said) {
  if (record.row.rev === 0) await keep(open, record); // a piece never lies in the store without its record
  const { row } = record;
  const id = crypto.randomUUID();
  const hash = hasher(file.size);
  try {
    for (let index = 0; index * PIECE < file.size; index += 1) {
      const bytes = await file.slice(index * PIECE, (index + 1) * PIECE).arrayBuffer();
      await hash.update(bytes);
      await putPiece(open, row, id, index, file.size, bytes);
    }
    if (said.thumb) await putPiece(open, row, id, -1, file.size, await said.thumb.arrayBuffer());
    const sha256 = await hash.digest();
    const entry = { id, name: file.name, type: file.type, size: file.size, sha256, at: said.at, place: said.place, shows: said.shows };
    record.body.files.push({ ...entry, thumb: Boolean(said.thumb), state: "waiting" });
    await keep(open, record);
    return entry;
  } catch (error) {
    record.body.files = record.body.files.filter((known) => known.id !== id);
    await forgetPieces([row.id, id]).catch(() => {}); // the first error is the one to tell
    throw error;
  } finally {
    hash.close();
  }
}

async function putPiece(open, row, file, index, size, bytes) {
  const piece = await seal(open.key, bytes, pieceBinding(row, file, index, size));
  await transact(["chunks"], "readwrite", (to) => ask(to.put(piece, [row.id, file, index])), "relaxed");
}

// One sealed piece of a file, opened. Throws Tampered also when it is not there.
export async function piece(open, row, file, index) {
  const found = await read("chunks", [row.id, file.id, index]);
  return unseal(open.key, found ?? { iv: new Uint8Array(12), sealed: new ArrayBuffer(0) },
    pieceBinding(row, file.id, index, file.size));
}

export const thumb = async (open, row, file) =>
  file.thumb ? new Blob([await piece(open, row, file, -1)], { type: "image/jpeg" }) : null;

// A photograph the officer took out of a draft. A registration that was saved loses none.
export async function removeFile(open, record, id) {
  record.body.files = record.body.files.filter((file) => file.id !== id);
  await keep(open, record);
  await forgetPieces([record.row.id, id]);
}

const piecesOf = (beginning) => IDBKeyRange.bound(beginning, [...beginning, []]);
const forgetPieces = (beginning) =>
  transact(["chunks"], "readwrite", (chunks) => ask(chunks.delete(piecesOf(beginning))));

// The last step of a record: the server has every byte and found every hash equal, so the phone lets go of them.
export async function wipe(open, record) {
  record.body = { fields: [], files: [], summary: record.body.summary, like: record.body.like };
  const { count, bytes } = record.row;
  await keep(open, record, { state: "verified", verified: Date.now(), notice: null, count, bytes }, true);
}

// Lets go of the photographs of a record that is done.
export const wipeFiles = (record) => (record.body.files.length > 0 ? forgetPieces([record.row.id]) : undefined);

// A draft, never what was signed or saved; or the note of what is done.
export async function discard(id) {
  await transact(["records", "chunks"], "readwrite", async (records, chunks) => {
    const row = await ask(records.get(id));
    if (row && !LOOSE.includes(row.state)) throw new Error("an unsent record is never thrown away");
    await ask(chunks.delete(IDBKeyRange.bound([id], [id, []])));
    await ask(records.delete(id));
  });
  changed(id);
}

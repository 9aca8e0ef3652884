// Sends one file of a record: tus 1.0, docs/spec/upload.md. Everything the queue knows of uploading is this one function.
//
// The upload's identifier is the file's, made when it was taken: to begin again is harmless and tells how much of it the
// server has, so that a cut costs only what was on its way, also after the browser was closed in between.

import { PIECE, piece } from "./records.js";
import { Tampered } from "./seal.js";
import { NoAnswer, Refusal, ask, pour } from "./server.js";

const AT_ONCE = 16; // pieces of 512 KiB in one request: an S3 store likes its parts not smaller

const text = new TextEncoder();
const base64 = (value) => btoa(String.fromCharCode(...text.encode(value)));
const geo = ({ latitude, longitude, accuracy }) => `geo:${latitude},${longitude};u=${accuracy}`;

function described(file, exhibit) {
  const said = {
    id: file.id, exhibit, kind: "photo", filename: file.name, filetype: file.type, sha256: file.sha256,
    captured_at: file.at, captured_place: file.place && geo(file.place), shows: file.shows,
  };
  return Object.entries(said).filter(([, value]) => value).map(([name, value]) => `${name} ${base64(value)}`).join(",");
}

const common = (csrf) => ({ "Tus-Resumable": "1.0.0", "X-CSRF-Token": csrf });

function offsetOf(value) {
  const offset = Number.parseInt(value ?? "", 10);
  if (!Number.isInteger(offset)) throw new NoAnswer("not the register's answer");
  return offset;
}

async function rest(open, row, file, offset) {
  const first = Math.floor(offset / PIECE);
  const pieces = [];
  for (let index = first; index < first + AT_ONCE && index * PIECE < file.size; index += 1) {
    pieces.push(await piece(open, row, file, index));
  }
  return new Blob(pieces).slice(offset - first * PIECE);
}

// `exhibit`: its code. `progress(bytes)` is called with what the server is known to have, and what is on its way.
// Answers with {sha256, size} of what the server has stored.
async function send(open, row, file, exhibit, csrf, progress) {
  const begun = await ask("/api/v1/uploads", {
    method: "POST",
    headers: { ...common(csrf), "Upload-Length": String(file.size), "Upload-Metadata": described(file, exhibit) },
  });
  const address = `/api/v1/uploads/${file.id}`;
  let offset = offsetOf(begun.headers.get("Upload-Offset"));
  while (offset < file.size) {
    progress(offset);
    const headers = {
      ...common(csrf), "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream",
    };
    const from = offset;
    try {
      const blob = await rest(open, row, file, from);
      offset = offsetOf(await pour(address, headers, blob, (sent) => progress(from + sent)));
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 409 && error.offset !== null)) throw error;
      offset = offsetOf(error.offset); // another page of this phone, or an answer that was lost, was further
      if (offset === from) throw new NoAnswer("the same offset was refused and told");
    }
  }
  const { state, file: stored } = await (await ask(address)).json();
  if (state !== "stored") throw new NoAnswer("stored, it said before");
  return stored;
}

// The same, and the server's hash held against the phone's.
export async function sendOne(open, row, file, exhibit, csrf, progress = () => {}) {
  const stored = await send(open, row, file, exhibit, csrf, progress);
  if (stored.sha256 !== file.sha256 || stored.size !== file.size) throw new Tampered("the server has other bytes");
}

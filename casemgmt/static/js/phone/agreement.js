// The two signed records of a hand-over that is agreed between two phones: an offer and its answer. Their bytes, what
// must hold of them, and nothing else: no store, no page. docs/spec/agreement.md is their specification.
//
// A signed record here is {bytes, record, signature, spki, key}: the exact bytes that were signed (a Uint8Array), what they
// say, the DER signature, the public key of its maker and that key's SHA-256.

import { sha256 } from "./digest.js";

export const MOST = 50; // exhibits of one hand-over
export const DECISIONS = ["accepted", "refused"];
const CONTEXT = "evidence-custody-pin-v1\0";
const P256 = { name: "ECDSA", namedCurve: "P-256" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HASH = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;

const text = new TextEncoder();

// `why`: shape, version, signature, key, other (an answer to another offer), items.
export class BadRecord extends Error {
  constructor(why, options) {
    super(why, options);
    this.name = "BadRecord";
    this.why = why;
  }
}

// RFC 8785 for what these records hold: objects, lists, text and whole numbers.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

export const bytesOf = (record) => text.encode(canonical(record));

export const LARGEST = 16_384; // bytes of a record

// What the PIN signs: one line, the hash of the record's bytes.
export const statementOf = async (bytes) => text.encode(`${await sha256(bytes)}\n`);

// Fields without content are left out of a record, and text stands in it without blanks around it.
export function filled(fields) {
  const trimmed = Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== null && value !== undefined && value.length !== 0));
}

export const offerOf = ({ id, at, by, device, key, purpose, place, note, items }) =>
  filled({ v: 1, type: "handover-offer", id, at, by, device, key, purpose, place, note, items });

export const answerOf = async (offer, { at, by, device, key, items }) => ({
  v: 1, type: "handover-answer", id: offer.record.id, offer: await sha256(offer.bytes), at, by, device, key,
  items: items.map(filled),
});

// WebCrypto wants r and s side by side, each of 32 bytes; DER has them as integers of their own lengths.
function rawSignature(der) {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1];
    if (der[0] !== 0x30 || der[at] !== 2 || length < 1 || length > 33) throw new BadRecord("signature");
    const number = der.subarray(at + 2, at + 2 + length);
    const digits = length === 33 ? number.subarray(1) : number;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return raw;
}

async function checkSignature({ bytes, signature, spki }) {
  let key;
  try {
    key = await crypto.subtle.importKey("spki", spki, P256, false, ["verify"]);
  } catch (error) {
    throw new BadRecord("key", { cause: error });
  }
  const signed = new Uint8Array([...text.encode(CONTEXT), ...(await statementOf(bytes))]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  if (!(await crypto.subtle.verify(how, key, rawSignature(signature), signed))) throw new BadRecord("signature");
}

const isText = (value, most) => typeof value === "string" && value.length > 0 && value.length <= most;

function checkCommon(record, type) {
  if (typeof record !== "object" || record === null || record.type !== type) throw new BadRecord("shape");
  if (record.v !== 1) throw new BadRecord("version");
  const { id, at, by, device, key, items } = record;
  const fits = UUID.test(id) && TIME.test(at) && UUID.test(device) && HASH.test(key)
    && isText(by?.login, 200) && isText(by?.name, 200)
    && Array.isArray(items) && items.length >= 1 && items.length <= MOST && items.every((item) => isText(item?.exhibit, 40));
  if (!fits || new Set(items.map((item) => item.exhibit)).size !== items.length) throw new BadRecord("shape");
}

function parsed({ bytes }) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BadRecord("shape", { cause: error });
  }
}

// Completes {bytes, signature, spki} that came from another phone, or throws BadRecord. That the key is really that
// officer's only the server can say: here it is shown that one key signed exactly this.
async function checked(signed, type) {
  const record = parsed(signed);
  checkCommon(record, type);
  if (canonical(record) !== new TextDecoder().decode(signed.bytes)) throw new BadRecord("shape");
  if ((await sha256(signed.spki)) !== record.key) throw new BadRecord("key");
  await checkSignature(signed);
  return { ...signed, record, key: record.key };
}

export const checkOffer = (signed) => checked(signed, "handover-offer");

// An answer fits one offer: its bytes, and each of its exhibits once.
export async function checkAnswer(signed, offer) {
  const answer = await checked(signed, "handover-answer");
  const { record } = answer;
  if (record.id !== offer.record.id || record.offer !== (await sha256(offer.bytes))) throw new BadRecord("other");
  const asked = new Set(offer.record.items.map((item) => item.exhibit));
  const fits = record.items.length === asked.size
    && record.items.every((item) => asked.has(item.exhibit) && DECISIONS.includes(item.decision))
    && record.by.login !== offer.record.by.login && record.key !== offer.record.key;
  if (!fits) throw new BadRecord("items");
  return answer;
}

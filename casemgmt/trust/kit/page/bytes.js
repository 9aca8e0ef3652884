// Small tools every check uses. A Fault is a failed check: the key of a sentence, and what goes into it.
class Fault extends Error {
  constructor(key, ...args) { super(key); this.finding = [key, ...args]; }
}
class Unable extends Fault {}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encode = text => encoder.encode(text);

function utf8(bytes, path) {
  try { return decoder.decode(bytes); } catch { throw new Fault("not_utf8", path); }
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

const same = (a, b) => a.length === b.length && a.every((value, at) => value === b[at]);
const hex = bytes => Array.from(bytes, value => value.toString(16).padStart(2, "0")).join("");
const isHash = text => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

// Every value has one spelling: what is decoded must encode to the same text.
function base64(text) {
  let raw;
  try { raw = atob(text); } catch { throw new Fault("malformed", shown(text)); }
  if (btoa(raw) !== text) throw new Fault("malformed", shown(text));
  return Uint8Array.from(raw, c => c.charCodeAt(0));
}
const toBase64 = bytes => btoa(String.fromCharCode(...bytes));
const toBase64url = bytes => toBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

function hash32(text) {
  const bytes = base64(text);
  if (bytes.length !== 32) throw new Fault("malformed", shown(text));
  return bytes;
}

function decimal(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) >= 1n << 63n) throw new Fault("malformed", shown(text));
  return BigInt(text);
}

// Text of strangers made safe to read: control, direction and unassigned characters as codes, cut when long.
function shown(text, limit = 200) {
  const whole = String(text);
  const cut = whole.length > limit ? whole.slice(0, limit) + "…" : whole;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => "\\u{" + c.codePointAt(0).toString(16) + "}");
}
const some = paths => [paths.slice(0, 5).map(path => shown(path)).join(", ") + (paths.length > 5 ? " … (" + paths.length + ")" : "")];

const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ value >>> 1 : value >>> 1;
  return value;
});
function crc32(bytes) {
  let crc = -1;
  for (let at = 0; at < bytes.length; at++) crc = CRC[(crc ^ bytes[at]) & 255] ^ crc >>> 8;
  return ~crc >>> 0;
}

// A signed record as text that fits into QR codes, and back. One record is one or several lines
//   CMH1:O:3F9C1B2A:1/3:<part>      O an offer, A an answer; the first eight digits of its identifier; which part of how many
// in capitals and digits only, so that a code of a given size holds most. A part is a piece of the base32 (RFC 4648, no
// padding) of deflate-raw(record 00 signature 00 public key). JSON has no byte 00, and DER says its own length.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PART = 560; // characters: a code of at most 81 by 81 modules, which a phone reads from a phone
const MOST_PARTS = 40;
const MOST_BYTES = 64 * 1024; // of what unpacks from codes: no bomb is unpacked
const LINE = /^CMH1:([OA]):([0-9A-F]{8}):(\d{1,2})\/(\d{1,2}):([A-Z2-7]+)$/;
const KINDS = { O: "offer", A: "answer" };

// `why`: damaged.
export class BadCode extends Error {
  name = "BadCode";
}

export function base32(bytes) {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) out += ALPHABET[(held >>> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? out + ALPHABET[(held << (5 - bits)) & 31] : out;
}

export function fromBase32(letters) {
  const bytes = new Uint8Array(Math.floor((letters.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of letters) {
    held = (held << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >>> bits) & 255;
    }
    held &= (1 << bits) - 1;
  }
  return bytes;
}

async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const pieces = [];
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST_BYTES) throw new BadCode("too large");
    pieces.push(value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

// The lines of one signed record.
export async function lines(kind, { bytes, record, signature, spki }) {
  const packed = await through(new Uint8Array([...bytes, 0, ...signature, 0, ...spki]), new CompressionStream("deflate-raw"));
  const letters = base32(packed);
  const of = Math.ceil(letters.length / PART);
  const size = Math.ceil(letters.length / of);
  const start = `CMH1:${kind === "offer" ? "O" : "A"}:${record.id.slice(0, 8).toUpperCase()}`;
  return Array.from({ length: of }, (_, n) => `${start}:${n + 1}/${of}:${letters.slice(n * size, (n + 1) * size)}`);
}

// Is this one of our lines at all?
export const isLine = (line) => LINE.test(line.trim().toUpperCase());

function split(packed) {
  const end = packed.indexOf(0);
  const der = packed.subarray(end + 1);
  const length = der[1] + 2;
  if (end < 1 || der[0] !== 0x30 || der[1] > 127 || der[length] !== 0) throw new BadCode("parts");
  return { bytes: packed.slice(0, end), signature: der.slice(0, length), spki: der.slice(length + 1) };
}

// Collects lines in any order, again and again, until one record is whole. Lines of another record begin anew.
export class Collector {
  constructor(kind) {
    this.kind = kind;
    this.parts = new Map();
  }

  // {taken, have, of}: `taken` false for a line that is no part of what is looked for.
  add(line) {
    const [, letter, id, part, of, letters] = LINE.exec(line.trim().toUpperCase()) ?? [];
    const number = Number(part);
    const taken = KINDS[letter] === this.kind && number >= 1 && number <= Number(of) && Number(of) <= MOST_PARTS;
    if (taken) {
      if (id !== this.id || Number(of) !== this.of) this.parts.clear();
      Object.assign(this, { id, of: Number(of) });
      this.parts.set(number, letters);
    }
    return { taken, have: this.parts.size, of: this.of ?? 0 };
  }

  get whole() {
    return this.of > 0 && this.parts.size === this.of;
  }

  // {bytes, signature, spki}, not yet looked at. Throws BadCode when the parts do not make one record.
  async record() {
    const letters = Array.from({ length: this.of }, (_, n) => this.parts.get(n + 1)).join("");
    try {
      return split(await through(fromBase32(letters), new DecompressionStream("deflate-raw")));
    } catch (error) {
      this.parts.clear();
      throw error instanceof BadCode ? error : new BadCode("damaged", { cause: error });
    }
  }
}

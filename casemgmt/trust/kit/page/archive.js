// Step 1. Every byte outside the files must be the one that docs/spec/package.md lays down, so nothing can hide
// between, behind or inside them.
const MAX_16 = 0xffff, MAX_32 = 0xffffffff;
const MOST_DIRECTORY = 64 << 20;
const PART = "[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?";
const PATH = new RegExp("^" + PART + "(?:/" + PART + ")*$");

// [width, value] pairs, little-endian.
function fields(...pairs) {
  const bytes = new Uint8Array(pairs.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of pairs) {
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += width;
  }
  return bytes;
}

function localHeader(name, size, crc) {
  const big = size >= MAX_32, short = big ? MAX_32 : size;
  return join(
    fields([4, 0x04034b50], [2, big ? 45 : 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, crc], [4, short], [4, short],
      [2, name.length], [2, big ? 20 : 0]),
    name, big ? fields([2, 1], [2, 16], [8, size], [8, size]) : new Uint8Array());
}

function directoryRecord(name, size, crc, offset) {
  const values = [...(size >= MAX_32 ? [size, size] : []), ...(offset >= MAX_32 ? [offset] : [])];
  const extra = values.length ? fields([2, 1], [2, 8 * values.length], ...values.map(value => [8, value])) : new Uint8Array();
  const short = Math.min(size, MAX_32);
  return join(
    fields([4, 0x02014b50], [2, 3 << 8 | 45], [2, values.length ? 45 : 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, crc],
      [4, short], [4, short], [2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0],
      [4, (0o100644 << 16) >>> 0], [4, Math.min(offset, MAX_32)]),
    name, extra);
}

function endRecords(count, size, offset) {
  const big = count >= MAX_16 || size >= MAX_32 || offset >= MAX_32;
  const short = Math.min(count, MAX_16);
  return join(
    big ? fields([4, 0x06064b50], [8, 44], [2, 3 << 8 | 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size],
      [8, offset], [4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]) : new Uint8Array(),
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, short], [2, short], [4, Math.min(size, MAX_32)],
      [4, Math.min(offset, MAX_32)], [2, 0]));
}

class Archive {
  constructor(file) { this.file = file; this.root = ""; this.members = new Map(); this.window = null; }

  // Bytes at an offset, read ahead so that many small files cost few reads.
  async at(offset, length) {
    if (offset + length > this.file.size) throw new Fault("cut");
    if (!this.window || offset < this.window.from || offset + length > this.window.from + this.window.bytes.length) {
      const part = this.file.slice(offset, Math.min(this.file.size, offset + Math.max(length, 1 << 18)));
      try { this.window = { from: offset, bytes: new Uint8Array(await part.arrayBuffer()) }; }
      catch { throw new Fault("unreadable"); }
    }
    return this.window.bytes.subarray(offset - this.window.from, offset - this.window.from + length);
  }

  async open(told) {
    const { count, size, offset } = await this.ending();
    if (size > MOST_DIRECTORY) throw new Fault("too_many");
    const directory = (await this.at(offset, size)).slice();
    let at = 0, from = 0;
    for (let number = 0; number < count; number++) {
      const one = parseRecord(directory, at, from);
      const header = localHeader(one.bytes, one.size, one.crc);
      if (from + header.length + one.size > offset || !same(await this.at(from, header.length), header)) throw new Fault("layout", shown(one.name));
      this.add(one, from + header.length);
      from += header.length + one.size;
      at += one.record.length;
      if (number % 500 === 499) await told(number / count);
    }
    if (at !== directory.length || from !== offset) throw new Fault("stray_bytes");
    checkNames([...this.members.keys()]);
  }

  async ending() {
    const total = this.file.size;
    if (total < 22) throw new Fault("not_archive");
    let tail = (await this.at(total - 22, 22)).slice();
    let view = new DataView(tail.buffer);
    if (view.getUint32(0, true) !== 0x06054b50) throw new Fault("not_archive");
    let count = view.getUint16(10, true), size = view.getUint32(12, true), offset = view.getUint32(16, true);
    if (count === MAX_16 || size === MAX_32 || offset === MAX_32) {
      if (total < 98) throw new Fault("cut");
      tail = (await this.at(total - 98, 98)).slice();
      view = new DataView(tail.buffer);
      [count, size, offset] = [32, 40, 48].map(place => Number(view.getBigUint64(place, true)));
    }
    if (offset + size + tail.length !== total) throw new Fault("stray_bytes");
    if (!same(tail, endRecords(count, size, offset))) throw new Fault("layout", "end");
    return { count, size, offset };
  }

  add(one, offset) {
    const slash = one.name.indexOf("/");
    const root = one.name.slice(0, Math.max(slash, 0)), path = one.name.slice(slash + 1);
    if (one.name.length > 240 || !PATH.test(one.name)) throw new Fault("path", shown(one.name, 80));
    this.root = this.root || root;
    if (slash < 0 || root !== this.root) throw new Fault("outside", shown(one.name, 80));
    if (this.members.has(path)) throw new Fault("twice", path);
    this.members.set(path, { size: one.size, crc: one.crc, offset });
  }

  blob(path) {
    const member = this.members.get(path);
    return this.file.slice(member.offset, member.offset + member.size);
  }

  async read(path, limit) {
    const member = this.members.get(path);
    if (!member) throw new Fault("missing", shown(path));
    if (member.size > limit) throw new Fault("too_large", path);
    const bytes = (await this.at(member.offset, member.size)).slice();
    if (crc32(bytes) !== member.crc) throw new Fault("crc", path);
    return bytes;
  }
}

function parseRecord(directory, at, from) {
  if (directory.length < at + 46) throw new Fault("cut");
  const view = new DataView(directory.buffer, at);
  const [method, flags, crc] = [view.getUint16(10, true), view.getUint16(8, true), view.getUint32(16, true)];
  const nameLength = view.getUint16(28, true), extraLength = view.getUint16(30, true);
  if (view.getUint32(0, true) !== 0x02014b50 || directory.length < at + 46 + nameLength + extraLength) throw new Fault("layout", "directory");
  const bytes = directory.subarray(at + 46, at + 46 + nameLength);
  const name = String.fromCharCode(...bytes.subarray(0, 400));
  if (/[^\x20-\x7e]/.test(name) || nameLength > 400) throw new Fault("path", shown(name, 80));
  if (method) throw new Fault("compressed", shown(name));
  if (flags & 1) throw new Fault("encrypted", shown(name));
  let size = view.getUint32(24, true);
  if (size === MAX_32 && extraLength >= 12) size = Number(view.getBigUint64(50 + nameLength, true));
  const record = directoryRecord(bytes, size, crc, from);
  if (!same(directory.subarray(at, at + record.length), record)) throw new Fault("layout", shown(name));
  return { name, bytes, size, crc, record };
}

// Names that some file systems would take for one, or for a file and a directory.
function checkNames(paths) {
  if (!paths.length) throw new Fault("not_archive");
  const seen = new Set(paths.map(path => path.toLowerCase()));
  if (seen.size !== paths.length) throw new Fault("capitals");
  for (const path of seen) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (seen.has(path.slice(0, at))) throw new Fault("path", shown(path));
    }
  }
}

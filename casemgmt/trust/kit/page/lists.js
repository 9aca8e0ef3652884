// The text files of the bag: manifests, bag-info.txt and files.csv, each in its one spelling.
function lines(bytes, path) {
  const text = utf8(bytes, path);
  if (text && !text.endsWith("\n")) throw new Fault("malformed", path);
  return text.split("\n").slice(0, -1);
}

function parseManifest(bytes, path) {
  const hashes = new Map();
  for (const line of lines(bytes, path)) {
    const name = line.slice(66);
    if (!isHash(line.slice(0, 64)) || line.slice(64, 66) !== "  " || name.length > 240 || !PATH.test(name) || hashes.has(name)) {
      throw new Fault("line", path, shown(line, 100));
    }
    hashes.set(name, line.slice(0, 64));
  }
  return hashes;
}

function parseInfo(bytes) {
  const info = new Map();
  for (const line of lines(bytes, "bag-info.txt")) {
    const found = /^([A-Za-z0-9-]+): ((?:[^\p{C}\p{Z}]| )+)$/u.exec(line);
    if (!found || found[2].trim() !== found[2] || info.has(found[1])) throw new Fault("line", "bag-info.txt", shown(line, 100));
    info.set(found[1], found[2]);
  }
  return info;
}

// Rows of a CSV file in which every value is quoted, as RFC 4180 has it.
function parseCsv(bytes, path) {
  const text = utf8(bytes, path), rows = [];
  const value = /"([^"]*(?:""[^"]*)*)"(,|\n)/y;
  let row = [];
  while (value.lastIndex < text.length) {
    const found = value.exec(text);
    if (!found) throw new Fault("malformed", path);
    row.push(found[1].replace(/""/g, '"'));
    if (found[2] === "\n") { rows.push(row); row = []; }
  }
  if (row.length) throw new Fault("malformed", path);
  return rows;
}
const unguarded = value => /^'[=+\-@']/.test(value) ? value.slice(1) : value;

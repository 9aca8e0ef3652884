// Ledger entries: RFC 8785 JSON read strictly, and the chain the entries of one stream make.
const MOST_BODY = 65535;
const MEMBERS = "actor,at,data,nonce,prev,seq,stream,type,v";
const WHOLE = /^(exhibit|passkeys):/;

function canonical(value) {
  if (typeof value === "string") {
    if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)) throw new Fault("not_entry");
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Fault("not_entry");
    return String(value);
  }
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  return "{" + Object.keys(value).sort().map(name => canonical(name) + ":" + canonical(value[name])).join(",") + "}";
}

function parseEvent(bytes, path) {
  let value;
  try {
    const text = decoder.decode(bytes);
    value = JSON.parse(text);
    if (bytes.length > MOST_BODY || canonical(value) !== text) throw 0;
  } catch { throw new Fault("not_entry", path); }
  const isObject = one => typeof one === "object" && one !== null && !Array.isArray(one);
  const holds = isObject(value) && Object.keys(value).sort().join() === MEMBERS && value.v === 1 &&
    typeof value.type === "string" && /^[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*){2}$/.test(value.type) &&
    typeof value.stream === "string" && value.stream !== "" && Number.isInteger(value.seq) && value.seq >= 1 &&
    (value.seq === 1 ? value.prev === null : isHash(value.prev)) &&
    typeof value.at === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value.at) && isTime(value.at) &&
    isObject(value.actor) && typeof value.nonce === "string" && /^[0-9a-f]{32}$/.test(value.nonce) && isObject(value.data);
  if (!holds) throw new Fault("not_entry", path);
  return { ...value, bytes, sha256: hex(sha256(bytes)), leaf: leafHash(bytes) };
}

// Date.parse rolls 30 February over into March.
const isTime = at => !isNaN(Date.parse(at)) && new Date(Date.parse(at)).toISOString().slice(0, 19) === at.slice(0, 19);

// links: entries, and withheld ones of which only stream, seq and leaf hash are known.
function chains(links) {
  const streams = new Map();
  for (const link of links) {
    if (!streams.has(link.stream)) streams.set(link.stream, []);
    streams.get(link.stream).push(link);
  }
  for (const [stream, chain] of streams) {
    chain.sort((a, b) => a.seq - b.seq);
    const whole = WHOLE.test(stream);
    if (whole && chain[0].seq !== 1) throw new Fault("gap", shown(stream), 1);
    for (let at = 1; at < chain.length; at++) {
      const before = chain[at - 1], link = chain[at];
      if (link.seq === before.seq) throw new Fault("double", shown(stream), link.seq);
      if (link.seq > before.seq + 1) {
        if (whole) throw new Fault("gap", shown(stream), before.seq + 1);
      } else if (link.bytes && link.prev !== hex(before.leaf)) throw new Fault("unlinked", shown(stream), link.seq);
    }
  }
  return streams;
}

function heads(streams, kind) {
  const found = {};
  for (const [stream, chain] of streams) {
    const last = chain[chain.length - 1];
    if (stream.startsWith(kind)) found[stream.slice(kind.length)] = { seq: last.seq, hash: hex(last.leaf) };
  }
  return found;
}

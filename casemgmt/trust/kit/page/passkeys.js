// Step 10. Who signed with a key of their own: the signature fits exactly these entries, and the key was this person's then.
const CONTEXT = encode("evidence-custody-v1\0"), BY_PIN = encode("evidence-custody-pin-v1\0");
const SIGNATURE_FILES = ["pub.pem", "sig.der", "statement.txt", "authData.bin", "clientData.json", "record.json"];
const ALGORITHMS = {
  "-7": [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  "-8": ["Ed25519", "Ed25519"],
  "-257": [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, "RSASSA-PKCS1-v1_5"],
};

// ASN.1 DER of an ECDSA signature as the two numbers of 32 bytes that WebCrypto wants.
function rawEcdsa(der) {
  const numbers = [];
  let at = 2;
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der[1] > 127) throw new Fault("signature_form");
  while (at < der.length) {
    const length = der[at + 1], value = der.slice(at + 2, at + 2 + length);
    const minimal = value[0] !== 0 || value.length > 1 && value[1] > 127;
    if (der[at] !== 2 || value.length !== length || value.length > 33 || value[0] > 127 || !minimal) throw new Fault("signature_form");
    const bare = value[0] === 0 ? value.slice(1) : value;
    if (bare.length > 32) throw new Fault("signature_form");
    numbers.push(join(new Uint8Array(32 - bare.length), bare));
    at += 2 + length;
  }
  if (numbers.length !== 2) throw new Fault("signature_form");
  return join(...numbers);
}

function fromPem(bytes, path) {
  const text = utf8(bytes, path);
  const found = /^-----BEGIN PUBLIC KEY-----\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n)-----END PUBLIC KEY-----\n$/.exec(text);
  if (!found) throw new Fault("malformed", path);
  return base64(found[1].replace(/\n/g, ""));
}

// The keys of all people whose passkeys:<login> stream the package holds, by fingerprint. A person has one stream.
function signerKeys(found) {
  const keys = new Map(), people = {};
  for (const [stream, chain] of found.streams) {
    if (!stream.startsWith("passkeys:")) continue;
    for (const event of chain) {
      const data = event.data ?? {}, known = keys.get(data.key);
      const index = found.index.get(event), isText = one => one && typeof one === "string";
      const [, kind, what] = /^accounts:(passkey|pinkey):(enrolled|revoked)$/.exec(event.type) ?? [];
      if (what === "enrolled") {
        const spki = base64(String(data.spki));
        const right = isHash(data.key) && !known && hex(sha256(spki)) === data.key && String(data.algorithm) in ALGORITHMS &&
          (data.algorithm !== -257 || hex(spki).endsWith("0203010001")) &&
          Number.isInteger(data.person?.id) && (people[data.person.id] ??= stream) === stream && event.actor.id === data.person.id && isText(data.origin) &&
          (kind === "passkey" ? isText(data.rp_id) : data.algorithm === -7);
        if (!right) throw new Fault("bad_enrolment", shown(stream), event.seq);
        keys.set(data.key, { ...data, kind, spki, stream, enrolled: index, revoked: null });
      } else if (what && known?.stream === stream && known.kind === kind) known.revoked ??= index;
      else throw new Fault("bad_enrolment", shown(stream), event.seq);
    }
  }
  return keys;
}

// sha256: of the entry, or of the record that was signed in its stead, and then nothing else is named.
function checkStatement(bytes, sha256, path, alone) {
  const text = utf8(bytes, path), named = text.split("\n");
  if (named.pop() !== "" || named.length > 1000 || !named.every(isHash) || new Set(named).size !== named.length) throw new Fault("malformed", path);
  if (!named.includes(sha256) || alone && named.length > 1) throw new Fault("not_signed", path);
}

function checkClientData(bytes, challenge, origin, path) {
  let said;
  const text = utf8(bytes, path);
  try { said = JSON.parse(text); } catch { throw new Fault("malformed", path); }
  // Read twice: as JSON, and by the beginning the standard fixes, so that no name can stand twice unnoticed.
  const begins = '{"type":"webauthn.get","challenge":"' + challenge + '"';
  const twice = ["type", "challenge", "origin", "crossOrigin"].some(name => text.split('"' + name + '":').length > 2);
  if (bytes.length > 4096 || !text.startsWith(begins) || said.type !== "webauthn.get" || said.challenge !== challenge || twice) throw new Fault("challenge", path);
  if (said.origin !== origin || (said.crossOrigin ?? false) !== false || "topOrigin" in said) throw new Fault("origin", path, shown(said.origin));
}

function checkAuthenticatorData(bytes, site, path) {
  const flags = bytes[32];
  if (bytes.length < 37 || bytes.length > 1024 || !same(bytes.slice(0, 32), sha256(encode(site)))) throw new Fault("site", path, shown(site));
  if ((flags & 5) !== 5) throw new Fault("not_verified", path);
  if (flags & 0x62 || flags & 16 && !(flags & 8) || bytes.length > 37 !== Boolean(flags & 128)) throw new Fault("malformed", path);
}

// What two phones agreed without a network says what the entry says (docs/spec/agreement.md).
function checkRecord(bytes, event, path) {
  const { data, actor } = event, seal = data.seal ?? {};
  let said;
  try {
    const text = decoder.decode(bytes);
    said = JSON.parse(text);
    if (canonical(said) !== text) throw 0;
    const [item, ...more] = said.items.filter(one => one.exhibit === data.exhibit), offer = said.type === "handover-offer";
    const fits = (one, other) => (one ?? "") === (other ?? "");
    const seen = offer ? seal.giver : seal.receiver, kind = offer ? "offered" : item.decision;
    const right = !more.length && said.v === 1 && (offer || said.type === "handover-answer") && event.stream === "exhibit:" + data.exhibit &&
      /^custody:handover:(offered|accepted|refused)$/.test(event.type) && event.type.endsWith(":" + kind) && (offer || kind !== "offered") &&
      said.id === data.agreement && said.key === data.signature.key && canonical(item) === canonical(data.agreed) &&
      said.by.name === actor.name && said.by.badge === actor.badge && canonical(offer ? data.from : data.to) === canonical(actor) &&
      new Date(said.at).toISOString() === data.device_at && sealKey(item.seal) === sealKey(seen) &&
      (offer ? said.purpose === data.purpose && fits(said.place, data.place?.claimed) && fits(said.note, data.note) :
        (item.seal_state === seal.state || !/damaged|missing/.test([item.seal_state, seal.state])) &&
        ["reason", "discrepancy", "note"].every(name => fits(item[name], data[name])));
    if (!right) throw 0;
  } catch { throw new Fault("record_says", path); }
}

// Letters of one look or sound are one: how people read the same seal in two alphabets.
function sealKey(text) {
  const from = "АВЕЁКМНОРСТУХЅІЇЈԚԜҮҰҺҢҚҲӘӨЗӮЎБГДЖИЙЛПФЦЧЫЭҒҶҐЄЯЮШЩ", to = "ABEEKMHOPCTYXSIIJQWYYHHKXAO3YYBGDJIJLPFCCYEGJGIYYSS";
  return (text ?? "").normalize("NFKC").toUpperCase().replace(/./gu, one => to[from.indexOf(one)] ?? one).replace(/[^\p{L}\p{N}]/gu, "");
}

async function checkSigned(found, event, index, keys) {
  const folder = "ledger/sig/" + index + "/", { means, key: named, record } = event.data.signature, key = keys.get(named);
  const pin = means === "pin", read = name => found.archive.read(folder + name, 70000);
  const [pem, signature, statement] = await Promise.all(SIGNATURE_FILES.slice(0, 3).map(read));
  const spki = fromPem(pem, folder + "pub.pem");
  if (hex(sha256(spki)) !== named) throw new Fault("other_key", folder);
  if (!key || pin !== (key.kind === "pinkey")) throw new Fault("not_enrolled", index, named);
  if (event.actor.id !== key.person.id) throw new Fault("other_person", index, shown(key.person.name));
  if (index <= key.enrolled) throw new Fault("before_enrolment", index);
  if (key.revoked !== null && index > key.revoked) throw new Fault("after_revocation", index);
  checkStatement(statement, record ?? event.sha256, folder + "statement.txt", record);
  let signed = join(BY_PIN, statement);
  if (record) {
    const bytes = await read("record.json");
    if (hex(sha256(bytes)) !== record) throw new Fault("hash", folder + "record.json");
    checkRecord(bytes, event, folder + "record.json");
  }
  if (!pin) {
    const auth = await read("authData.bin"), client = await read("clientData.json");
    checkClientData(client, toBase64url(sha256(CONTEXT, statement)), key.origin, folder + "clientData.json");
    checkAuthenticatorData(auth, key.rp_id, folder + "authData.bin");
    signed = join(auth, sha256(client));
  }
  const [kind, way] = ALGORITHMS[key.algorithm];
  const value = key.algorithm === -7 ? rawEcdsa(signature) : signature;
  let imported;
  try { imported = await crypto.subtle.importKey("spki", spki, kind, false, ["verify"]); }
  catch { throw key.algorithm === -8 ? new Unable("no_signatures") : new Fault("malformed", folder + "pub.pem"); }
  if (!await crypto.subtle.verify(way, imported, value, signed)) throw new Fault("bad_signature", folder + "sig.der");
}

// Step 10. Who signed with a passkey: the signature fits exactly these entries, and the key was this person's then.
const CONTEXT = encode("evidence-custody-v1\0");
const SIGNATURE_FILES = ["authData.bin", "clientData.json", "pub.pem", "sig.der", "statement.txt"];
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
      const index = found.index.get(event);
      if (event.type === "accounts:passkey:enrolled") {
        const spki = base64(String(data.spki));
        const right = isHash(data.key) && !known && hex(sha256(spki)) === data.key && String(data.algorithm) in ALGORITHMS &&
          Number.isInteger(data.person?.id) && (people[data.person.id] ??= stream) === stream && event.actor.id === data.person.id && data.rp_id && typeof data.rp_id === "string" && data.origin && typeof data.origin === "string";
        if (!right) throw new Fault("bad_enrolment", shown(stream), event.seq);
        keys.set(data.key, { ...data, spki, stream, enrolled: index, revoked: null });
      } else if (event.type === "accounts:passkey:revoked" && known?.stream === stream) known.revoked ??= index;
      else throw new Fault("bad_enrolment", shown(stream), event.seq);
    }
  }
  return keys;
}

function checkStatement(bytes, event, path) {
  const text = utf8(bytes, path), named = text.split("\n");
  if (named.pop() !== "" || named.length > 1000 || !named.every(isHash) || new Set(named).size !== named.length) throw new Fault("malformed", path);
  if (!named.includes(event.sha256)) throw new Fault("not_signed", path);
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

async function checkPasskey(found, event, index, keys) {
  const folder = "ledger/sig/" + index + "/", key = keys.get(event.data.signature.key);
  const [auth, client, pem, signature, statement] = await Promise.all(SIGNATURE_FILES.map(name => found.archive.read(folder + name, 70000)));
  const spki = fromPem(pem, folder + "pub.pem");
  if (hex(sha256(spki)) !== event.data.signature.key) throw new Fault("other_key", folder);
  if (!key) throw new Fault("not_enrolled", index, event.data.signature.key);
  if (event.actor.id !== key.person.id) throw new Fault("other_person", index, shown(key.person.name));
  if (index <= key.enrolled) throw new Fault("before_enrolment", index);
  if (key.revoked !== null && index > key.revoked) throw new Fault("after_revocation", index);
  checkStatement(statement, event, folder + "statement.txt");
  checkClientData(client, toBase64url(sha256(CONTEXT, statement)), key.origin, folder + "clientData.json");
  checkAuthenticatorData(auth, key.rp_id, folder + "authData.bin");
  const [kind, way] = ALGORITHMS[key.algorithm];
  const value = key.algorithm === -7 ? rawEcdsa(signature) : signature;
  let imported;
  try { imported = await crypto.subtle.importKey("spki", spki, kind, false, ["verify"]); }
  catch { throw key.algorithm === -8 ? new Unable("no_signatures") : new Fault("malformed", folder + "pub.pem"); }
  if (!await crypto.subtle.verify(way, imported, value, join(auth, sha256(client)))) throw new Fault("bad_signature", folder + "sig.der");
}

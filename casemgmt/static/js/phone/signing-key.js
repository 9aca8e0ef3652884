// The key an officer signs with by PIN: ECDSA on P-256. Its private half is in the store only wrapped by a key that the
// PIN makes, and in memory, not to be copied, only while it signs. `opener` is that key of the PIN (see vault.js).

import { binding } from "./seal.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HASH = { name: "ECDSA", hash: "SHA-256" };
const text = new TextEncoder();

const wrapping = (owner, { iv, key }) => ({ name: "AES-GCM", iv, additionalData: binding("signing", owner, key) });
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const open = (signing, owner, opener, extractable) =>
  crypto.subtle.unwrapKey("pkcs8", signing.wrapped, opener, wrapping(owner, signing), CURVE, extractable, ["sign"]);

async function closed(key, owner, opener, facts) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const wrapped = await crypto.subtle.wrapKey("pkcs8", key, opener, wrapping(owner, { iv, key: facts.key }));
  return { ...facts, iv, wrapped };
}

// A signature as the world outside browsers writes it: DER, not two numbers side by side.
function der(raw) {
  const number = (bytes) => {
    let at = 0;
    while (at < bytes.length - 1 && bytes[at] === 0) at += 1;
    const short = bytes.subarray(at);
    const body = short[0] & 0x80 ? [0, ...short] : [...short];
    return [2, body.length, ...body];
  };
  const both = [...number(raw.subarray(0, 32)), ...number(raw.subarray(32))];
  return Uint8Array.from([0x30, both.length, ...both]);
}

async function sign(key, context, bytes) {
  const said = text.encode(`${context}\0`);
  const all = new Uint8Array(said.length + bytes.length);
  all.set(said);
  all.set(bytes, said.length);
  return der(new Uint8Array(await crypto.subtle.sign(HASH, key, all)));
}

// A new key, not enrolled yet, with its own yes to being enrolled for this officer on this phone.
export async function makeSigningKey(opener, owner, device) {
  const pair = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const key = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
  const proof = await sign(pair.privateKey, "evidence-custody-pinkey-v1", text.encode(`${owner}\n${device}\n`));
  return closed(pair.privateKey, owner, opener, { spki, key, proof, enrolled: false });
}

// The same key under another PIN.
export async function rewrapSigningKey(signing, owner, opener, next) {
  return closed(await open(signing, owner, opener, true), owner, next, signing);
}

export async function signWith(signing, owner, opener, statement) {
  return sign(await open(signing, owner, opener, false), "evidence-custody-pin-v1", statement);
}

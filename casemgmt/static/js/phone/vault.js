// Whose records this phone can open. Each officer has a vault: a random data key that leaves the phone never and
// lies in the store only wrapped by a key made from the PIN and this phone's own secret. Unlocking puts a
// non-extractable key into the store until it was idle for ten minutes; a script can use it then, not copy it.
//
// Beside it lies the officer's signing key, wrapped by the same PIN: unlocking does not open it, each signature asks for
// the PIN again (docs/spec/signature.md).
//
// A PIN of digits is weak against somebody who copies the phone's whole storage and has time; it stops the one who
// finds the phone. A forgotten PIN is a lost key, which is why unsent records are counted aloud everywhere.

import { ask, changed, transact, write } from "./database.js";
import { IDLE, device, vaultOf } from "./opened.js";
import { binding } from "./seal.js";
import { makeSigningKey, rewrapSigningKey, signWith } from "./signing-key.js";
import { NAME } from "./waiting.js";

export { device, lock, opened, touch, vaultOf, vaults } from "./opened.js";

export const SHORTEST_PIN = 6;
const ROUNDS = 600_000; // of PBKDF2-HMAC-SHA-256, OWASP's figure of 2023
const FREE_TRIES = 5;
const LONGEST_WAIT = 15 * 60_000;
const AES = { name: "AES-GCM", length: 256 };

// `wait` is for how many ms no further PIN is looked at.
export class WrongPin extends Error {
  constructor(wait) {
    super("wrong PIN");
    this.name = "WrongPin";
    this.wait = wait;
  }
}

async function pinKey(pin, owner, salt, rounds) {
  const { secret } = await device();
  const seasoned = await crypto.subtle.sign("HMAC", secret, binding("pin", owner, Array.from(salt)));
  const base = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt: seasoned, iterations: rounds };
  return crypto.subtle.deriveKey(derivation, base, AES, false, ["wrapKey", "unwrapKey"]);
}

const wrapping = (owner, iv) => ({ name: "AES-GCM", iv, additionalData: binding("vault", owner) });

// A new lock for the data key; `opener` is the key that the PIN makes with it.
async function wrap(key, pin, owner) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const opener = await pinKey(pin, owner, salt, ROUNDS);
  const wrapped = await crypto.subtle.wrapKey("raw", key, opener, wrapping(owner, iv));
  return { opener, lock: { salt, iv, wrapped, rounds: ROUNDS, failures: 0, notBefore: 0 } };
}

function unwrap(vault, opener, extractable) {
  const how = wrapping(vault.owner, vault.iv);
  return crypto.subtle.unwrapKey("raw", vault.wrapped, opener, how, AES, extractable, ["encrypt", "decrypt"]);
}

// Writes fields into an officer's vault as it is now: another page may have changed others meanwhile.
const mend = (owner, fields) =>
  transact(["vaults"], "readwrite", async (store) => {
    const found = await ask(store.get(owner));
    if (found) await ask(store.put({ ...found, ...(typeof fields === "function" ? fields(found) : fields) }));
  });

// `profile`: {owner, name, post, place} as the server says them of the person who is signed in.
// An officer's vault is never replaced: its records would never open again.
export async function create(profile, pin) {
  const key = await crypto.subtle.generateKey(AES, true, ["encrypt", "decrypt"]);
  const { opener, lock } = await wrap(key, pin, profile.owner);
  const signing = await makeSigningKey(opener, profile.owner, (await device()).id);
  await transact(["vaults"], "readwrite", (to) => ask(to.add({ ...profile, ...lock, signing })));
  localStorage.setItem(NAME, "1"); // see waiting.js
  await unlock(profile.owner, pin);
}

// Throws WrongPin. A failure is written down before the PIN is tried, so that ending the page does not save a try.
async function attempt(owner, pin, extractable) {
  const vault = await transact(["vaults"], "readwrite", async (store) => {
    const found = await ask(store.get(owner));
    if (!found) throw new WrongPin(0);
    if (found.notBefore > Date.now()) throw new WrongPin(found.notBefore - Date.now());
    found.failures += 1;
    const over = found.failures - FREE_TRIES;
    found.notBefore = over > 0 ? Date.now() + Math.min(LONGEST_WAIT, 15_000 * 2 ** over) : 0;
    await ask(store.put(found));
    return found;
  });
  const opener = await pinKey(pin, owner, vault.salt, vault.rounds);
  let key;
  try {
    key = await unwrap(vault, opener, extractable);
  } catch {
    throw new WrongPin(Math.max(0, vault.notBefore - Date.now()));
  }
  // A vault of before PINs signed gets its key now; of two pages the first one's is kept.
  const made = vault.signing ? null : await makeSigningKey(opener, owner, (await device()).id);
  await mend(owner, (found) => ({ failures: 0, notBefore: 0, signing: found.signing ?? made }));
  return { vault: await vaultOf(owner), key, opener };
}

export async function unlock(owner, pin) {
  const { key } = await attempt(owner, pin, false);
  await write("keys", { name: "open", owner, key, until: Date.now() + IDLE });
  changed("lock");
}

export async function changePin(owner, pin, another) {
  const { vault, key, opener } = await attempt(owner, pin, true);
  const { opener: next, lock } = await wrap(key, another, owner);
  await mend(owner, { ...lock, signing: await rewrapSigningKey(vault.signing, owner, opener, next) });
}

// {spki, key, enrolled} of the officer's key on this phone, or null before there is one. `key` is the hex SHA-256 of
// `spki`; `enrolled` is what the server said last; `revoked`: it will not be taken any more.
export async function signingKey(owner) {
  const { signing } = (await vaultOf(owner)) ?? {};
  if (!signing) return null;
  const { spki, key, enrolled, revoked = false } = signing;
  return { spki, key, enrolled, revoked };
}

// What the server is told of the key to enrol it, or null.
export async function enrolmentOf(owner) {
  const { signing } = (await vaultOf(owner)) ?? {};
  return signing && { spki: signing.spki, proof: signing.proof, device: (await device()).id };
}

// What the server says of the key now.
export const markKey = (owner, said) => mend(owner, (found) => ({ signing: { ...found.signing, ...said } }));

// Signs these bytes with the officer's key: {key, signature (DER)}. Throws WrongPin.
export async function signWithPin(owner, pin, statement) {
  const { vault, opener } = await attempt(owner, pin, false);
  return { key: vault.signing.key, signature: await signWith(vault.signing, owner, opener, statement) };
}

// Profile facts may change (another post); the key does not.
export const refresh = (profile) => mend(profile.owner, profile);

// What every page of the phone asks of the vaults without any PIN (vault.js makes and opens them): which phone this is, whose
// vaults lie here, and whose is open now.

import { ask, changed, read, readAll, remove, transact } from "./database.js";

export const IDLE = 10 * 60_000; // ms

// {id, secret}: made once. The secret never leaves the phone, so a PIN cannot be guessed elsewhere from a copied vault.
export async function device() {
  const known = await read("keys", "device");
  if (known) return known;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.generateKey(algorithm, false, ["sign"]);
  const made = { name: "device", id: crypto.randomUUID(), secret };
  return transact(["keys"], "readwrite", async (keys) => {
    const first = await ask(keys.get("device")); // another page may have been quicker
    if (!first) await ask(keys.put(made));
    return first ?? made;
  });
}

export const vaults = () => readAll("vaults");
export const vaultOf = (owner) => read("vaults", owner);

export async function lock() {
  await remove("keys", "open");
  changed("lock");
}

// {owner, key} of whoever is unlocked, or null. Also forgets a key whose time is over.
export async function opened() {
  const found = await read("keys", "open");
  if (!found) return null;
  // A clock that was set back must not prolong it either.
  if (found.until > Date.now() && found.until <= Date.now() + IDLE) return found;
  await lock();
  return null;
}

// The person is still here: ten more minutes.
export async function touch() {
  await transact(["keys"], "readwrite", async (keys) => {
    const found = await ask(keys.get("open"));
    if (found && found.until > Date.now()) await ask(keys.put({ ...found, until: Date.now() + IDLE }));
  }, "relaxed");
}

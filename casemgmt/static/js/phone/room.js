// Is there room on this phone for what is about to be taken? Known before the camera opens, not after.
//
// Chromium answers `estimate()` with a made-up quota, so that nobody can tell private windows by it. So some room is
// kept: 16 MiB of noise in the store. While it lies there, one more photograph fits, because it can make way for one;
// where it cannot be put back, the phone is full.

import { ask, transact } from "./database.js";

const RESERVE = 16 * 1024 * 1024;
const KEY = ["reserve"];
const BLOCK = 65536; // the most that getRandomValues fills at once
const GIVEN_BACK = [0, 1500, 4000, 8000]; // ms a browser may take to give deleted bytes back

function noise() {
  const bytes = new Uint8Array(RESERVE);
  for (let at = 0; at < RESERVE; at += BLOCK) crypto.getRandomValues(bytes.subarray(at, at + BLOCK));
  return bytes.buffer;
}

export const isFull = (error) => error?.name === "QuotaExceededError" || error?.cause?.name === "QuotaExceededError";

// True when one more photograph fits.
export async function hasRoom() {
  const there = await transact(["chunks"], "readonly", (chunks) => ask(chunks.count(KEY)));
  if (there > 0) return true;
  try {
    await transact(["chunks"], "readwrite", (chunks) => ask(chunks.put(noise(), KEY)), "relaxed");
    return true;
  } catch (error) {
    if (isFull(error)) return false;
    throw error;
  }
}

// Runs `work`; when there was no room for it, again with the reserve given up.
export async function withReserve(work) {
  try {
    return await work();
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  await transact(["chunks"], "readwrite", (chunks) => ask(chunks.delete(KEY)));
  for (const [turn, pause] of GIVEN_BACK.entries()) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      return await work();
    } catch (error) {
      if (!isFull(error) || turn === GIVEN_BACK.length - 1) throw error;
    }
  }
  return undefined;
}

// Asks the browser not to clear our store by itself. Never awaited by anything: it may ask a person, or never answer.
export function persist() {
  navigator.storage?.persist?.().catch(() => {});
}

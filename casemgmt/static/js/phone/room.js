// Is there room on this phone for what is about to be taken? Asked before the camera opens, not after.

const PHOTO = 8 * 1024 * 1024;
const KEPT_FREE = 16 * 1024 * 1024; // for the registration itself and what the browser needs

// `free` in bytes; Infinity where the browser does not say. `enough`: one more photograph fits.
export async function room() {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    const free = Math.max(0, quota - usage);
    return { free, enough: free > PHOTO + KEPT_FREE };
  } catch {
    return { free: Infinity, enough: true };
  }
}

export const isFull = (error) => error?.name === "QuotaExceededError" || error?.cause?.name === "QuotaExceededError";

// Asks the browser not to clear our store by itself. Never awaited by anything: it may ask a person, or never answer.
export function persist() {
  navigator.storage?.persist?.().catch(() => {});
}

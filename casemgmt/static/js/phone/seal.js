// AES-GCM with a reason: every sealed piece is bound to what it belongs to, so that a piece moved to another
// record, officer, phone or place in a file does not open. Bytes that were changed in the store do not open either.

export class Tampered extends Error {
  name = "Tampered";
}

const text = new TextEncoder();

export const binding = (...parts) => text.encode(JSON.stringify(["casemgmt-phone-1", ...parts]));

export async function seal(key, bytes, bound) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound }, key, bytes);
  return { iv, sealed };
}

export async function unseal(key, piece, bound) {
  try {
    return await crypto.subtle.decrypt({ name: "AES-GCM", iv: piece.iv, additionalData: bound }, key, piece.sealed);
  } catch (error) {
    throw new Tampered("a piece in the phone's store was changed or belongs elsewhere", { cause: error });
  }
}

export const sealJson = (key, value, bound) => seal(key, text.encode(JSON.stringify(value)), bound);

export async function unsealJson(key, piece, bound) {
  return JSON.parse(new TextDecoder().decode(await unseal(key, piece, bound)));
}

// A signed record of a hand-over inside a sealed record of the phone's store.

import { base64url, fromBase64url } from "./base64.js";

// As a sealed record keeps it, and back. What comes back was looked at before it was kept.
export const packed = ({ bytes, signature, spki }) =>
  ({ bytes: base64url(bytes), signature: base64url(signature), spki: base64url(spki) });

export function unpacked(kept) {
  const [bytes, signature, spki] = [kept.bytes, kept.signature, kept.spki].map(fromBase64url);
  const record = JSON.parse(new TextDecoder().decode(bytes));
  return { bytes, signature, spki, record, key: record.key };
}

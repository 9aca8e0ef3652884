// Hand-overs that were agreed between two phones, as rows of the same store and queue as registrations:
//   kind "agreement", role "giver" or "receiver", agreement: the identifier both phones know it by
//   body {offer, answer, fields, files}: signed records as agreement.js has them, decisions that are not signed yet, photographs
//
// A giver's goes offered -> saved; a receiver's draft -> saved. From there both are sent: saved -> sending -> onserver (the
// server waits for something) -> verified, or disputed. "dropped": an offer nobody answered, put aside by its giver.

import { packed, unpacked } from "./signed.js";
import { all, begin, keep, load } from "./records.js";

export const offerOf = ({ body }) => unpacked(body.offer);
export const answerOf = ({ body }) => (body.answer ? unpacked(body.answer) : null);

// The record of an offer that was signed just now.
export async function keepOffer(open, offer) {
  const record = await begin(open);
  record.body.offer = packed(offer);
  await keep(open, record, { kind: "agreement", role: "giver", agreement: offer.record.id, state: "offered" });
  return record;
}

// The offer of another phone, before it is answered. One that was read before is found again.
export async function keepReceived(open, offer) {
  for (const row of await all()) {
    if (row.owner === open.owner && row.role === "receiver" && row.agreement === offer.record.id) return load(open, row.id);
  }
  const record = await begin(open);
  record.body.offer = packed(offer);
  await keep(open, record, { kind: "agreement", role: "receiver", agreement: offer.record.id, state: "draft" });
  return record;
}

// Both have signed: from now on it waits to be sent.
export async function agree(open, record, answer) {
  record.body.answer = packed(answer);
  await keep(open, record, { state: "saved", notice: null });
}

// The exhibits that changed hands by it, as both signed it.
export function accepted(record) {
  const taken = answerOf(record).record.items.filter((item) => item.decision === "accepted").map((item) => item.exhibit);
  return offerOf(record).record.items.filter((item) => taken.includes(item.exhibit));
}

// An offer that its giver puts aside. It was signed: whoever scanned it may still bring an answer to it.
export const drop = (open, record) => keep(open, record, { state: "dropped" });

// One phone for two officers who both have a PIN on it: the giver's offer waits while the phone is locked and the receiver
// opens it with their own PIN, and the answer goes back the same way. What waits is what a camera could read from the
// screen; it lies in this tab only, until it is taken or the tab is closed.

import { lines } from "./codes.js";
import { lock } from "./opened.js";

const PLACE = "casemgmt-one-phone";

async function handOn(kind, signed, back, page) {
  const text = (await lines(kind, signed)).join("\n");
  sessionStorage.setItem(PLACE, JSON.stringify({ kind, text, back }));
  await lock();
  location.assign(page);
}

// The giver's page, to be taken up again by `record`.
export const toReceiver = (offer, record) => handOn("offer", offer, record, "/phone/receive");
export const toGiver = (answer, record) => handOn("answer", answer, record, `/phone/hand-over?record=${record}`);

// What was handed on in this tab and is of this kind, once: {text, back}; or null.
export function taken(kind) {
  const found = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  if (found?.kind !== kind) return null;
  sessionStorage.removeItem(PLACE);
  return found;
}

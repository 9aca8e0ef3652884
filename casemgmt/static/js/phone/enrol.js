// The officer's key on this phone is told to the server, once, while they are signed in; and what the server says of it
// since (it may have been revoked) is kept for when there is no network.

import { Refusal, enrolKey } from "./server.js";
import { enrolmentOf, markKey, signingKey } from "./vault.js";

// What a phone says it is, for the list of keys. A claim, and no secret.
const called = () => (navigator.userAgentData?.platform || navigator.platform || "").slice(0, 60);

// `who` is the server's answer of a moment ago to who is signed in: the owner. True when it should be tried again.
export async function enrol(owner, who) {
  const known = await signingKey(owner);
  if (!known || known.revoked) return false;
  const holds = who.pin_keys.includes(known.key);
  if (known.enrolled && !holds) await markKey(owner, { enrolled: false, revoked: true });
  if (!known.enrolled && holds) await markKey(owner, { enrolled: true }); // the answer was lost
  if (known.enrolled || holds) return false;
  try {
    const made = await enrolKey({ ...(await enrolmentOf(owner)), name: called() }, who.csrf);
    await markKey(owner, { enrolled: made.revoked === null, revoked: made.revoked !== null });
    return false;
  } catch (error) {
    if (!(error instanceof Refusal) || error.status === 401) throw error;
    return error.status >= 500; // refused: too many keys, or this phone's was revoked
  }
}

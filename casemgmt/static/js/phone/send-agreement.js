// Brings a hand-over that was agreed between two phones to the server, which says what became of it. The pair is sent
// again until it is settled or disputed: that is harmless, and the server answers with how it stands.

import { answerOf, offerOf } from "./agreements.js";
import { base64url } from "./base64.js";
import { refreshHeld } from "./holding.js";
import { keep, mark, wipeFiles } from "./records.js";
import { Refusal, bring, broughtAs } from "./server.js";
import { sendOne } from "./upload.js";

const FINAL = { settled: "verified", disputed: "disputed", resolved: "disputed" };

// "The exhibit is not registered yet: 2026-…/1, 2026-…/2." for each reason.
function words({ why = [] }) {
  const found = new Map();
  for (const { words: said, exhibit } of why) found.set(said, [...(found.get(said) ?? []), exhibit].filter(Boolean));
  return [...found].map(([said, exhibits]) => (exhibits.length > 0 ? `${said.replace(/\.$/, "")}: ${exhibits.join(", ")}.` : said)).join(" ");
}

// What the server says, written into the record. True: it has to be asked again.
async function told(record, said) {
  const state = FINAL[said.state] ?? "onserver";
  const notice = state === "verified" ? null : { status: said.state, type: "", words: words(said), errors: {} };
  await mark(record, { brought: said.agreement, code: said.handover, number: said.number, notice, state, verified: Date.now() });
  if (state !== "onserver") await wipeFiles(record);
  return state === "onserver";
}

// The photographs of damage follow when the exhibit is the receiver's: each to the exhibit whose answer names its hash.
async function sendPhotographs(open, record, who) {
  const waiting = record.body.files.filter((file) => file.state !== "verified");
  if (waiting.length === 0) return;
  const codes = new Map((await refreshHeld(open)).map(({ exhibit, code }) => [exhibit, code]));
  for (const file of waiting) {
    if (!codes.has(file.exhibit)) continue; // it was handed on meanwhile: the hash in the answer still names it
    await sendOne(open, record.row, file, codes.get(file.exhibit), who.csrf);
    file.state = "verified";
    await keep(open, record);
  }
}

export async function sendAgreement(open, record, who) {
  const [offer, answer] = [offerOf(record), answerOf(record)];
  await mark(record, { state: "sending" });
  const said = await bring({
    offer: base64url(offer.bytes), offer_signature: base64url(offer.signature),
    answer: base64url(answer.bytes), answer_signature: base64url(answer.signature),
    keys: [offer, answer].map(({ spki }) => base64url(spki)),
  }, who.csrf);
  if (said.state === "settled") await sendPhotographs(open, record, who);
  return told(record, said);
}

// An offer that nobody's answer was read to: the receiver may have brought one to the server. A server that knows of none,
// or of one that still waits, is no reason to hurry and changes nothing here.
export async function askAfter(open, record) {
  try {
    const said = await broughtAs(record.row.agreement);
    if (FINAL[said.state]) await told(record, said);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status === 401) throw error;
  }
  return false;
}

// What this officer holds, as far as this phone knows: the server's list of when it was last asked, sealed like all else; what
// was registered here and is not sent; and what was received here between two phones and is not checked by the server yet.

import { accepted, answerOf, offerOf } from "./agreements.js";
import { read, write } from "./database.js";
import { all, load } from "./records.js";
import { binding, sealJson, unsealJson } from "./seal.js";
import { Refusal, heldPage } from "./server.js";

const FRESH = 2 * 60_000; // ms
const PAGES = 6; // of 50 exhibits: who holds more, works with a network
const place = (owner) => `held:${owner}`;

const kept = ({ id, number, seal, seal_state, category, description, quantity, unit, offered_to }) =>
  ({ code: id, exhibit: number, seal: seal ?? "", seal_state, what: category, description, quantity, unit, offered: Boolean(offered_to) });

// Asks the server and keeps its answer. Whoever may hold nothing gets an empty list. Throws as server.ask.
export async function refreshHeld(open) {
  const found = [];
  let after = "";
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await heldPage(after);
    if (answer.scope !== "held") break;
    found.push(...answer.exhibits.map(kept));
    if (!answer.more) break;
    after = answer.exhibits.at(-1).id;
  }
  const sealed = await sealJson(open.key, found, binding("held", open.owner));
  await write("facts", { name: place(open.owner), at: Date.now(), sealed });
  return found;
}

// The same now and then, or at once when something was sent. A list that cannot be had is asked for again next time.
export async function freshHeld(open, atOnce) {
  const known = await read("facts", place(open.owner));
  if (known && !atOnce && Date.now() - known.at < FRESH) return;
  try {
    await refreshHeld(open);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

// {at, exhibits}: `at` null when the server was never asked.
async function fromServer(open) {
  const row = await read("facts", place(open.owner));
  return row ? { at: row.at, exhibits: await unsealJson(open.key, row.sealed, binding("held", open.owner)) } : { at: null, exhibits: [] };
}

// The exhibits of a registration that waits here. Without its number none of them can be named.
function registeredHere({ row, body }) {
  return (body.registration?.exhibits ?? []).map((item, n) => ({
    exhibit: row.number ? `${row.number}/${n + 1}` : "", seal: item.seal ?? "", what: item.category, description: item.description,
    quantity: item.quantity, unit: item.unit, here: true, record: row.id, summary: body.summary,
  }));
}

const receivedHere = (record) => accepted(record).map(({ exhibit, seal, what }) =>
  ({ exhibit, seal: seal ?? "", what, received: true, after: record.row.agreement }));

// What a hand-over that began on this phone binds: everything offered until it is answered, then what was accepted.
function given(record) {
  if (!answerOf(record)) return offerOf(record).record.items.map((item) => [item.exhibit, "offered"]);
  const state = record.row.state === "disputed" ? "disputed" : "agreed";
  return accepted(record).map((item) => [item.exhibit, state]);
}

// {at, exhibits: [{exhibit, seal, what, description, …, busy}], numberless}: `busy` is null, or why handing it over again from this phone
// would contradict an earlier hand-over: offered, agreed, disputed, or "online" for one offered on the server.
export async function holding(open) {
  const { at, exhibits } = await fromServer(open);
  const found = new Map(exhibits.map((one) => [one.exhibit, { ...one, busy: one.offered ? "online" : null }]));
  const busy = new Map();
  let numberless = 0;
  for (const row of await all()) {
    if (row.owner !== open.owner || row.state === "draft" || row.state === "dropped") continue;
    const settled = row.state === "verified";
    if (settled && (row.kind !== "agreement" || row.verified < at)) continue;
    const record = await load(open, row.id);
    if (row.kind !== "agreement") {
      const here = registeredHere(record);
      numberless += here.filter((one) => !one.exhibit).length;
      for (const one of here) if (one.exhibit && !found.has(one.exhibit)) found.set(one.exhibit, { ...one, busy: null });
    } else if (row.role === "receiver") {
      for (const one of receivedHere(record)) {
        busy.delete(one.exhibit); // it came back
        found.set(one.exhibit, { ...found.get(one.exhibit), ...one, busy: null });
      }
    } else {
      for (const [exhibit, why] of given(record)) busy.set(exhibit, why);
    }
  }
  for (const [exhibit, why] of busy) if (found.has(exhibit)) found.get(exhibit).busy = why;
  return { at, numberless, exhibits: [...found.values()] };
}

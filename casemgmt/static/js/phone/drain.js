// Sends what waits, oldest first, in the name of the officer who captured it and of nobody else.
//
// A record goes saved -> sending -> onserver -> verified. Only the last lets go of bytes. No answer of the server
// deletes anything: a refusal that a person can mend makes the record "held", with the server's words; everything else
// is tried again. A refused record never keeps the next one from being sent.

import { ask as answered, changed, read, transact, write } from "./database.js";
import { ChangedElsewhere, all, keep, load, mark, wipe } from "./records.js";
import { enrol } from "./enrol.js";
import { isFull, withReserve } from "./room.js";
import { Tampered } from "./seal.js";
import { refill } from "./numbers.js";
import { NoAnswer, Refusal, me, register } from "./server.js";
import { sendOne } from "./upload.js";
import { lock, opened, refresh } from "./vault.js";

const LEASE = 15_000; // ms, where there are no Web Locks
const SOON = 1_000;
const LATEST = 5 * 60_000;
const AGAIN = new Set([408, 410, 423, 425, 429]); // with every 5xx: not this record's fault
const ON_THE_WAY = /:(file-hash|file-length|file-cut|file-slow)$/; // bytes that were hurt while they travelled

const waits = (row) => ["saved", "sending", "onserver"].includes(row.state);
const unanswered = (row) => row.kind === "agreement" && row.state === "offered";
const temporary = (error) =>
  error instanceof Refusal && (error.status >= 500 || AGAIN.has(error.status) || ON_THE_WAY.test(error.type));

async function alone(work) {
  if (navigator.locks) return navigator.locks.request("casemgmt-phone-drain", { ifAvailable: true }, (held) => held && work());
  const holder = crypto.randomUUID();
  const mine = (until) =>
    transact(["facts"], "readwrite", async (facts) => {
      const lease = await answered(facts.get("lease"));
      if (lease && lease.holder !== holder && lease.until > Date.now()) return false;
      await answered(facts.put({ name: "lease", holder, until }));
      return true;
    });
  if (!(await mine(Date.now() + LEASE))) return null;
  const beat = setInterval(() => mine(Date.now() + LEASE), LEASE / 3);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await mine(0);
  }
}

// The time of seizure a person did not type is this phone's; where its clock is wrong, the server's is used, and the
// phone's own stays beside it in `device_at`.
function timed(registration, clock) {
  const { seized_at_typed: typed, ...plain } = registration;
  if (typed || Math.abs(clock) < 5 * 60_000) return plain;
  return { ...plain, seized_at: new Date(Date.parse(plain.seized_at) + clock).toISOString() };
}

async function sendRecord(open, record, who) {
  const { body } = record;
  if (!record.row.code) {
    // Written down before it is sent: a repeat after a lost answer must say the same.
    body.sentAs ??= timed(body.registration, who.clock);
    await keep(open, record, { state: "sending", notice: null });
    const made = await register(body.sentAs, who.csrf);
    if (made.exhibits.length !== body.sentAs.exhibits.length) throw new NoAnswer("not the register's answer");
    body.exhibits = made.exhibits.map((exhibit) => exhibit.id);
    await keep(open, record, { code: made.id, number: made.number });
  }
  await sendFiles(open, record, who);
  await mark(record, { state: "onserver" });
  await wipe(open, record);
}

// Tells the pages how far it is, once a second: the server knows it better, so a lost word harms nothing.
function shown(record) {
  const before = record.row.sent;
  let last = 0;
  return (bytes) => {
    if (Date.now() - last < 1000) return;
    last = Date.now();
    mark(record, { sent: before + bytes }).catch((error) => {
      if (!(error instanceof ChangedElsewhere)) throw error;
    });
  };
}

// A file that is refused does not keep the others from being sent.
async function sendFiles(open, record, who) {
  const { body } = record;
  let refused = null;
  for (const file of body.files.filter((one) => one.state !== "verified")) {
    try {
      await sendOne(open, record.row, file, body.exhibits[0], who.csrf, shown(record));
    } catch (error) {
      const ofThisFile = error instanceof Tampered || (error instanceof Refusal && ![401, 403].includes(error.status));
      if (!ofThisFile) throw error;
      if (!refused || temporary(refused)) refused = error;
      continue;
    }
    file.state = "verified";
    const sent = body.files.reduce((sum, one) => sum + (one.state === "verified" ? one.size : 0), 0);
    await keep(open, record, { sent });
  }
  if (refused) throw refused;
}

// Why a record waits for a person: its number for the page's own words, and the server's words where it gave some.
const notice = (error) => error instanceof Refusal
  ? { status: error.status, type: error.type, words: error.words, errors: error.errors }
  : { status: error.name, type: "", words: "", errors: {} };

async function each(open, who, id) {
  let record = null;
  try {
    record = await load(open, id);
    if (record?.row.kind === "agreement") {
      const { askAfter, sendAgreement } = await import("./send-agreement.js"); // few records are hand-overs
      if (unanswered(record.row)) return await askAfter(open, record);
      if (waits(record.row)) return await sendAgreement(open, record, who);
    }
    if (!record || !waits(record.row)) return false;
    await sendRecord(open, record, who);
    return false;
  } catch (error) {
    if (error instanceof ChangedElsewhere) return true;
    if (error instanceof NoAnswer || (error instanceof Refusal && error.status === 401)) throw error;
    if (error instanceof Refusal && error.status === 403) {
      const now = await me();
      if (now.id !== who.id || now.csrf !== who.csrf) return true; // another sign-in meanwhile: look again who it is
    }
    record ??= { row: await read("records", id) };
    if (temporary(error)) {
      await mark(record, { state: "saved", notice: notice(error) });
      return true;
    }
    if (!(error instanceof Refusal || error instanceof Tampered)) throw error;
    await mark(record, { state: "held", notice: notice(error) });
    return false;
  }
}

async function drainOnce() {
  const open = await opened();
  const waiting = (await all()).filter((row) => waits(row) || unanswered(row));
  if (!open) return waiting.length === 0 ? "empty" : "locked";
  const who = await me();
  await write("facts", { name: "clock", ms: who.clock, at: Date.now() });
  if (who.id !== open.owner) {
    await lock(); // somebody else is signed in: what is here is neither sent nor lost
    return "other";
  }
  await refresh({ owner: who.id, login: who.login, badge: who.badge, name: who.name, post: who.post, place: who.place });
  await refill(who.id, who.csrf);
  let again = false;
  const mine = waiting.filter((row) => row.owner === open.owner);
  const agreed = mine.filter((row) => row.kind === "agreement");
  const others = mine.filter((row) => row.kind !== "agreement");
  let broken = null;
  const sendAll = async (rows) => {
    for (const { id } of rows) {
      try {
        again = (await each(open, who, id)) || again;
      } catch (error) {
        if (error instanceof NoAnswer || error instanceof Refusal || isFull(error)) throw error; // as it would the next
        broken ??= error; // a fault of ours in one record: the next is sent first, and then it is heard of
      }
    }
  };
  await sendAll(others);
  again = (await enrol(who.id, who)) || again; // no evidence waits for it
  // After what they are about and the key that signed them: the server would only let them wait.
  await sendAll(agreed);
  const { freshHeld } = await import("./holding.js");
  await freshHeld(open, mine.length > 0);
  if (broken) throw broken;
  if (waiting.length === 0) return "empty";
  return again ? "again" : "done";
}

// One pass over the queue. Answers: empty, locked, other, signin, noanswer, again, done; null when another page is at it.
export async function drain() {
  const outcome = await alone(async () => {
    try {
      return await withReserve(drainOnce); // a full phone must be able to send, or it stays full
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) return "signin";
      if (error instanceof NoAnswer) return "noanswer";
      throw error;
    }
  });
  if (outcome) {
    await write("facts", { name: "drained", outcome, at: Date.now() }).catch((error) => {
      if (!isFull(error)) throw error; // only a note for the page, and a full phone has no room for notes
    });
    changed("drained");
  }
  return outcome;
}

let timer = null;
let delay = SOON;

// Drains now and again whenever there is hope: a network, a person looking at the page, and time.
export async function keepDraining() {
  clearTimeout(timer);
  let outcome = "again"; // also after a fault of ours
  try {
    outcome = await drain();
  } finally {
    const hopeful = outcome === null || outcome === "again" || outcome === "noanswer";
    delay = hopeful ? Math.min(LATEST, delay * 2) : SOON;
    if (hopeful) timer = setTimeout(keepDraining, delay);
    if (outcome === "noanswer") wakeMe();
  }
}

// Where the browser has Background Sync, its worker wakes this page when a network is back (sw.js): sooner than the timer
// where the page is asleep. Nothing depends on it.
function wakeMe() {
  navigator.serviceWorker?.ready.then(({ sync }) => sync?.register("drain")).catch(() => {}); // refused by the browser
}

export function watch() {
  const now = () => {
    delay = SOON;
    keepDraining();
  };
  addEventListener("online", now);
  addEventListener("pageshow", now);
  navigator.serviceWorker?.addEventListener("message", ({ data }) => data === "drain" && now());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
  now();
}

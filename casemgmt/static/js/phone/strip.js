// On every page of a phone that has a vault: how many records wait on this phone and for how long, sending them where it is possible, and
// locking the phone's store when its officer signs out or somebody else signs in.

import { onChange, read } from "./database.js";
import { UNSENT, all } from "./records.js";
import { age, isOld } from "./words.js";
import { lock } from "./opened.js";

async function show(strip, words) {
  const rows = await all();
  const waiting = rows.filter((row) => UNSENT.includes(row.state));
  const line = document.querySelector("[data-drafts]"); // My shift: they are to be finished too
  if (line) {
    const count = rows.filter(({ state }) => state === "draft").length;
    line.hidden = count === 0;
    line.querySelector("a").textContent = line.dataset.drafts.replace("{count}", count);
  }
  strip.hidden = waiting.length === 0;
  if (strip.hidden) return;
  const oldest = waiting[0].at;
  const held = waiting.filter((row) => row.state === "held").length;
  strip.querySelector("a").textContent = words.waiting.replace("{count}", waiting.length).replace("{age}", age(oldest, words))
    + (held > 0 ? ` ${words.held.replace("{count}", held)}` : "");
  strip.classList.toggle("bad", isOld(oldest) || held > 0);
}

async function guard(strip) {
  const open = await read("keys", "open");
  const { person } = strip.dataset;
  if (open && person && open.owner !== person) await lock();
  document.addEventListener("submit", (event) => {
    if (/^\/sign-out/.test(new URL(event.target.action).pathname)) lock();
  }, { capture: true });
}

const begun = (form) => [...form.elements].some((one) => one.files?.length > 0
  || (one.type === "radio" && one.checked !== one.defaultChecked)
  || (/^text/.test(one.type) && one.value !== one.defaultValue));

// Who works with a vault registers on the phone's own page, where a lost network loses nothing. A form that somebody
// has begun to fill in is left alone.
async function ownPage({ person }) {
  const form = document.querySelector("form.intake");
  if (location.pathname !== "/seizures/new" || location.search || !person || !form) return false;
  if (!(await read("vaults", person)) || begun(form)) return false;
  location.replace("/phone/new");
  return true;
}

export async function start(strip) {
  if (await ownPage(strip.dataset)) return;
  const words = JSON.parse(strip.dataset.words);
  await guard(strip);
  await show(strip, words);
  onChange(() => show(strip, words));
  setInterval(() => show(strip, words), 60_000);
  const { watch } = await import("./drain.js");
  watch();
}

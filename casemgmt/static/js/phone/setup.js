// Setting a PIN for this phone: once for each officer, while the server says who is signed in.

import { NoAnswer, Refusal } from "./server.js";
import { keepDraining } from "./drain.js";
import { SHORTEST_PIN, WrongPin, changePin, create, lock, opened, vaultOf } from "./vault.js";

// The new PIN of a form, or null after `say` has told what is wrong with it.
function chosen(form, words, say) {
  const pin = form.elements.namedItem("new-pin");
  const again = form.elements.namedItem("new-pin-again");
  const wrong = (sentence, field) => {
    say(sentence, field);
    return null;
  };
  if (!/^\d+$/.test(pin.value) || pin.value.length < SHORTEST_PIN) return wrong(words.short, pin);
  if (new Set(pin.value).size < 3) return wrong(words.simple, pin);
  if (pin.value !== again.value) return wrong(words.differ, again);
  return pin.value;
}

// Another PIN opens the same key, so nothing that waits is touched.
export function offerChange(box) {
  const words = JSON.parse(box.dataset.words);
  const form = box.querySelector("form");
  const say = (sentence, field) => {
    box.querySelector("[data-change-status]").textContent = sentence;
    field?.focus();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const open = await opened();
    const pin = chosen(form, words, say);
    if (!open || !pin) return;
    const old = form.elements.namedItem("old-pin");
    say(words.making);
    try {
      await changePin(open.owner, old.value, pin);
      form.reset();
      say(words.done);
    } catch (error) {
      if (!(error instanceof WrongPin)) throw error;
      say(error.wait > 0 ? words.wait.replace("{minutes}", Math.ceil(error.wait / 60_000)) : words.wrong, old);
    }
  };
}

export async function setUp(box, me, done) {
  const words = JSON.parse(box.dataset.words);
  const status = box.querySelector("[data-setup-status]");
  let who;
  try {
    who = await me();
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof Refusal)) throw error;
    document.querySelector("[data-sign-in]").hidden = !(error instanceof Refusal);
    return;
  }
  const open = await opened();
  if (open && open.owner !== who.id) await lock();
  if (await vaultOf(who.id)) return;
  box.hidden = false;
  box.querySelector("[data-setup-name]").textContent = who.name;
  const form = box.querySelector("form");
  form.onsubmit = async (event) => {
    event.preventDefault();
    const pin = chosen(form, words, say);
    if (!pin) return undefined;
    say(words.making);
    await create({ owner: who.id, login: who.login, badge: who.badge, name: who.name, post: who.post, place: who.place }, pin);
    form.reset();
    box.hidden = true;
    if (await opened()) keepDraining();
    return done();
  };
  const say = (sentence, field) => {
    status.textContent = sentence;
    field?.focus();
  };
}

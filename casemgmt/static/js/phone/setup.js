// Setting a PIN for this phone: once for each officer, while the server says who is signed in.

import { NoAnswer, Refusal } from "./server.js";
import { keepDraining } from "./drain.js";
import { SHORTEST_PIN, create, lock, opened, vaultOf } from "./vault.js";

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
    const pin = form.elements.namedItem("new-pin");
    const again = form.elements.namedItem("new-pin-again");
    if (!/^\d+$/.test(pin.value) || pin.value.length < SHORTEST_PIN) return say(words.short, pin);
    if (new Set(pin.value).size < 3) return say(words.simple, pin);
    if (pin.value !== again.value) return say(words.differ, again);
    say(words.making);
    await create({ owner: who.id, name: who.name, post: who.post, place: who.place }, pin.value);
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

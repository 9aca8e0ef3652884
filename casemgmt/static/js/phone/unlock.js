// The card that asks for a PIN. Shown in place of what it guards.

import { WrongPin, unlock, vaults } from "./vault.js";

const minutes = (ms) => Math.ceil(ms / 60_000);

// Shows the card when a PIN is needed; `opened()` is called after the right one. Without any vault it says so.
export async function askForPin(card, opened) {
  const words = JSON.parse(card.dataset.words);
  const form = card.querySelector("form");
  const status = card.querySelector("[data-unlock-status]");
  const known = await vaults();
  card.hidden = false;
  form.hidden = known.length === 0;
  card.querySelector("h2").hidden = known.length === 0;
  card.querySelector("[data-no-vault]").hidden = known.length > 0;
  const who = form.elements.namedItem("owner");
  const before = who.value;
  who.replaceChildren(...known.map(({ owner, name }) => new Option(name, owner)));
  if (before) who.value = before;
  form.onsubmit = async (event) => {
    event.preventDefault();
    const pin = form.elements.namedItem("pin");
    const button = form.querySelector("button");
    button.disabled = true;
    status.textContent = words.opening;
    try {
      await unlock(who.value, pin.value);
      card.hidden = true;
      status.textContent = "";
      opened();
    } catch (error) {
      if (!(error instanceof WrongPin)) throw error;
      status.textContent = error.wait > 0 ? words.wait.replace("{minutes}", minutes(error.wait)) : words.wrong;
      pin.focus();
    } finally {
      pin.value = "";
      button.disabled = false;
    }
  };
  if (known.length > 0) form.elements.namedItem("pin").focus();
}

// Signs a hand-over with the key that this phone keeps behind its officer's PIN, and sends the signature with the form it
// stands in: <form data-sign-pin="officer" data-key="fingerprint" data-statement="…">. The PIN has no name and is never
// sent. Beside the choice of a key, [data-pin-choice] shows of those keys only the one that lies in this phone.

import { WrongPin, signWithPin, signingKey, vaults } from "./phone/vault.js";

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const enhanced = new WeakSet();

export function enhance(element) {
  if (enhanced.has(element)) return;
  enhanced.add(element);
  return element.dataset.pinChoice ? choose(element) : offer(element);
}

// Where nothing stronger was chosen, the PIN of this phone is.
async function choose(box) {
  const mine = new Set();
  for (const { owner } of await vaults()) mine.add((await signingKey(owner))?.key);
  const inputs = [...box.querySelectorAll("input")];
  for (const [code, key] of Object.entries(JSON.parse(box.dataset.pinChoice))) {
    const input = inputs.find(({ value }) => value === code);
    const pick = input.closest(".pick");
    pick.hidden = !mine.has(key);
    if (pick.hidden) continue;
    pick.querySelector("label").textContent = box.dataset.textMine;
    if (inputs.find(({ checked }) => checked)?.value === "") input.checked = true;
  }
  const chosen = inputs.find(({ checked }) => checked);
  if (!chosen || chosen.closest(".pick").hidden) inputs.find((one) => !one.closest(".pick").hidden).checked = true;
}

async function offer(form) {
  const said = form.dataset;
  const status = form.querySelector("[data-pin-status]");
  const button = form.querySelector("[data-pin-button]");
  const pin = form.querySelector("[data-pin-field] input");
  if ((await signingKey(said.signPin))?.key !== said.key) {
    status.textContent = said.textElsewhere;
    return;
  }
  form.querySelector("[data-pin-field]").hidden = false;
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    status.textContent = said.textSigning;
    try {
      const { key, signature } = await signWithPin(said.signPin, pin.value, new TextEncoder().encode(said.statement));
      form.elements.credential.value = JSON.stringify({ key, signature: base64url(signature) });
      form.submit();
    } catch (error) {
      button.disabled = false;
      status.textContent = sentence(said, error);
      pin.focus();
      if (!(error instanceof WrongPin)) throw error;
    } finally {
      pin.value = "";
    }
  });
}

function sentence(said, error) {
  if (!(error instanceof WrongPin)) return said.textFailed;
  return error.wait > 0 ? said.textWait.replace("{minutes}", Math.ceil(error.wait / 60_000)) : said.textWrong;
}

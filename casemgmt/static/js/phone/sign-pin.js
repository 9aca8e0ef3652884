// The step "this is what you sign": what it says in words, and the PIN that signs it. The box `sign_step` in
// intake/hand_over_parts.html.

import { LARGEST, bytesOf, statementOf } from "./agreement.js";
import { WrongPin, signWithPin, signingKey } from "./vault.js";

// {spki, key, enrolled} of the key this officer signs with here, or null where a hand-over signed with it could never be checked:
// there is none, it was revoked, or this phone does not know yet who its officer is to the server.
export async function keyOf({ owner, login }) {
  const found = login ? await signingKey(owner) : null;
  return found && !found.revoked ? found : null;
}

export class SignStep {
  constructor(box) {
    Object.assign(this, { box, words: JSON.parse(box.dataset.words), form: box.querySelector("form") });
    this.status = box.querySelector("[data-sign-status]");
  }

  // Shows the step; `make()` gives the record to sign, `done(signed)` goes on with it.
  open(open, make, done) {
    this.status.textContent = "";
    this.form.reset();
    this.box.hidden = false;
    this.form.onsubmit = async (event) => {
      event.preventDefault();
      await this.sign(open, make, done);
    };
    this.box.querySelector("h2").focus();
  }

  async sign(open, make, done) {
    const pin = this.form.elements.namedItem("signing-pin");
    const button = this.form.querySelector("button");
    button.disabled = true;
    this.status.textContent = this.words.signing;
    try {
      const record = await make();
      const bytes = bytesOf(record);
      if (bytes.length > LARGEST) {
        this.status.textContent = this.words.toolong;
        return;
      }
      const { spki } = await signingKey(open.owner);
      const { key, signature } = await signWithPin(open.owner, pin.value, await statementOf(bytes));
      await done({ bytes, record, signature, spki: new Uint8Array(spki), key });
      this.box.hidden = true;
      this.status.textContent = "";
    } catch (error) {
      if (!(error instanceof WrongPin)) throw error;
      const minutes = Math.ceil(error.wait / 60_000);
      this.status.textContent = error.wait > 0 ? this.words.wait.replace("{minutes}", minutes) : this.words.wrong;
      pin.focus();
    } finally {
      pin.value = "";
      button.disabled = false;
    }
  }
}

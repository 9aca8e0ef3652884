// The receiver's side of a hand-over without a network: read the offer, decide on each exhibit, sign, show the answer.

import { deviceTime } from "../clock.js";
import { BadRecord, answerOf as makeAnswer, checkOffer } from "./agreement.js";
import { agree, answerOf, keepReceived, offerOf } from "./agreements.js";
import { telling } from "./agreement-words.js";
import { tell } from "./errors.js";
import { Receipt } from "./receipt.js";
import { load } from "./records.js";
import { CodeBox } from "./show-code.js";
import { SignStep, keyOf } from "./sign-pin.js";
import { TakeCode } from "./take-code.js";
import { askForPin } from "./unlock.js";
import { device, opened, touch, vaultOf } from "./opened.js";
import { age } from "./words.js";

const OLD = 15 * 60_000; // ms after which the time of an offer is pointed at

const sendSoon = () => import("./drain.js").then(({ keepDraining }) => keepDraining());

class Receiver {
  constructor(root) {
    const box = (name) => document.querySelector(`[data-${name}]`);
    Object.assign(this, { root, box, words: JSON.parse(root.dataset.words), card: box("unlock"), form: box("decide") });
    this.asked = new URLSearchParams(location.search).get("record");
    this.step = new SignStep(box("sign"));
    this.code = new CodeBox(box("code-box"));
    this.receipt = new Receipt(box("receipt"));
    this.offer = new TakeCode(box("take"), "offer", (signed) => this.received(signed));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.review();
    });
    box("give-back").addEventListener("click", async () => {
      const { toGiver } = await import("./one-phone.js");
      await toGiver(answerOf(this.record), this.returns);
    });
    box("sign-back").addEventListener("click", () => this.back());
    document.addEventListener("pointerdown", () => touch());
    setInterval(() => this.look(), 20_000);
  }

  async start() {
    this.open = await opened();
    if (!this.open) return askForPin(this.card, () => this.start());
    this.card.hidden = true;
    this.vault = await vaultOf(this.open.owner);
    this.key = await keyOf(this.vault);
    const record = this.asked && (await load(this.open, this.asked));
    if (this.asked && !(record && record.row.role === "receiver" && record.row.owner === this.open.owner)) {
      return tell([["main", this.words.lost]]);
    }
    if (!record || !answerOf(record)) {
      this.box("no-key").hidden = Boolean(this.key);
      this.box("new-key").hidden = !this.key || this.key.enrolled;
    }
    if (record) return this.show(record);
    this.root.hidden = !this.key;
    return sessionStorage.length > 0 ? this.handedOn() : undefined;
  }

  // An offer that was made on this phone. Where its own giver opens the phone again, nothing is taken from it.
  async handedOn() {
    const { taken } = await import("./one-phone.js");
    const found = taken("offer");
    if (!found) return;
    this.returns = found.back;
    await this.offer.fromText(found.text);
  }

  async look() {
    if (this.open && !(await opened())) location.reload();
  }

  async received(signed) {
    const offer = await checkOffer(signed);
    if (offer.record.by.login === this.vault.login || offer.key === this.key.key) throw new BadRecord("self");
    await this.show(await keepReceived(this.open, offer));
  }

  async show(record) {
    this.record = record;
    history.replaceState(null, "", `/phone/receive?record=${record.row.id}`);
    const offer = offerOf(record);
    const answer = answerOf(record);
    this.root.hidden = Boolean(answer);
    this.box("scan-offer").hidden = true;
    this.box("more").hidden = !answer;
    if (answer) {
      await this.code.open("answer", answer);
      this.box("give-back").hidden = !this.returns;
      this.receipt.show(record);
      this.box("code-box").querySelector("h2").focus();
      return;
    }
    this.box("offer").replaceChildren(telling(offer.record)[0]);
    const ago = Date.now() - Date.parse(offer.record.at);
    this.box("old").hidden = ago < OLD;
    this.box("old").textContent = this.words.old.replace("{age}", age(Date.parse(offer.record.at), this.words));
    const { Decisions } = await import("./decisions.js");
    this.decisions = new Decisions(this.form, this.root, this.words, { open: this.open, record, offer: offer.record });
    this.form.hidden = !this.key;
    this.form.querySelector("h2").parentElement.focus();
  }

  review() {
    const errors = this.decisions.check();
    tell(errors);
    if (errors.length > 0) return;
    const offer = offerOf(this.record);
    const said = {
      by: { badge: this.vault.badge ?? "", login: this.vault.login, name: this.vault.name }, key: this.key.key,
      items: this.decisions.items(),
    };
    this.box("signed").replaceChildren(...telling(offer.record, { ...said, at: deviceTime() }));
    this.root.hidden = true;
    const make = async () => makeAnswer(offer, { ...said, at: deviceTime(), device: (await device()).id });
    this.step.open(this.open, make, async (answer) => {
      await agree(this.open, this.record, answer);
      await this.show(this.record);
      sendSoon();
    });
  }

  back() {
    this.box("sign").hidden = true;
    this.root.hidden = false;
  }
}

export function enhance(root) {
  if (root.receiver) return;
  root.receiver = new Receiver(root);
  root.receiver.start();
}

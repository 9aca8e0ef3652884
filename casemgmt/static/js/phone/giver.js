// The giver's side of a hand-over without a network: choose, sign, show the offer, read the answer, receipt.

import { deviceTime } from "../clock.js";
import { MOST, checkAnswer, offerOf as makeOffer } from "./agreement.js";
import { agree, answerOf, drop, keepOffer, offerOf } from "./agreements.js";
import { category, sealWords, telling } from "./agreement-words.js";
import { tell } from "./errors.js";
import { holding } from "./holding.js";
import { load } from "./records.js";
import { SignStep, keyOf } from "./sign-pin.js";
import { TakeCode } from "./take-code.js";
import { askForPin } from "./unlock.js";
import { device, opened, touch, vaultOf, vaults } from "./opened.js";
import { when } from "./words.js";

const sendSoon = () => import("./drain.js").then(({ keepDraining }) => keepDraining());

class Giver {
  constructor(form) {
    const box = (name) => document.querySelector(`[data-${name}]`);
    Object.assign(this, { form, box, words: JSON.parse(form.dataset.words), card: box("unlock") });
    this.asked = new URLSearchParams(location.search).get("record");
    this.step = new SignStep(box("sign"));
    this.answer = new TakeCode(box("take"), "answer", (signed) => this.answered(signed));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.review();
    });
    box("sign-back").addEventListener("click", () => this.back());
    box("drop").addEventListener("click", () => this.drop());
    box("one-phone").addEventListener("click", async () => {
      const { toReceiver } = await import("./one-phone.js");
      await toReceiver(offerOf(this.record), this.record.row.id);
    });
    document.addEventListener("pointerdown", () => touch());
    const scan = box("give-scan");
    scan.hidden = !navigator.mediaDevices?.getUserMedia;
    scan.addEventListener("click", async () => {
      const { Picking } = await import("./pick-scan.js");
      new Picking(scan, form, this.words).start();
    });
    setInterval(() => this.look(), 20_000);
  }

  async start() {
    this.open = await opened();
    if (!this.open) return askForPin(this.card, () => this.start());
    this.card.hidden = true;
    this.vault = await vaultOf(this.open.owner);
    this.key = await keyOf(this.vault);
    const record = this.asked && (await load(this.open, this.asked));
    if (this.asked && !(record && record.row.role === "giver" && record.row.owner === this.open.owner)) {
      return tell([["main", this.words.lost]]);
    }
    if (record) return this.show(record);
    this.box("no-key").hidden = Boolean(this.key);
    this.box("new-key").hidden = !this.key || this.key.enrolled;
    if (this.key) await this.choose();
    return undefined;
  }

  // Locked meanwhile: nothing of a hand-over stays on the screen. A signed one is in the store and comes back with the page.
  async look() {
    if (this.open && !(await opened())) location.reload();
  }

  async choose() {
    const { at, exhibits, numberless } = await holding(this.open);
    const { words } = this;
    this.exhibits = new Map(exhibits.map((one) => [one.exhibit, one]));
    this.box("asked").textContent = exhibits.length === 0 ? words.empty
      : at ? words.asked.replace("{time}", when(at)) : words.never;
    this.box("numberless").hidden = numberless === 0;
    this.box("numberless").textContent = words.numberless.replace("{count}", numberless);
    const free = exhibits.filter((one) => !one.busy);
    const busy = exhibits.filter((one) => one.busy);
    this.box("holding").replaceChildren(...free.map((one) => this.pick(one)));
    this.box("busy").replaceChildren(...busy.map((one) => this.pick(one)));
    this.box("busy-box").hidden = busy.length === 0;
    const place = this.form.elements.namedItem("place");
    place.value ||= this.vault.place || this.vault.post || "";
    this.form.hidden = exhibits.length === 0 && numberless === 0;
    if (this.form.hidden) tell([["main", words.empty]]);
  }

  pick(one) {
    const node = document.querySelector("template[data-pick]").content.firstElementChild.cloneNode(true);
    const [box, label, hint] = ["input", "label", "span"].map((name) => node.querySelector(name));
    box.id = `exhibit-${one.exhibit.replace("/", "-")}`;
    box.value = one.exhibit;
    Object.assign(box.dataset, { code: one.code ?? "", seal: one.seal });
    label.htmlFor = box.id;
    label.textContent = one.exhibit;
    hint.id = `${box.id}-what`;
    box.setAttribute("aria-describedby", hint.id);
    const known = one.here ? this.words.here : one.received ? this.words.received : "";
    hint.textContent = [category(one.what), one.description, sealWords(one.seal), known, one.busy && this.words[`busy_${one.busy}`]]
      .filter(Boolean).join(", ");
    return node;
  }

  chosen() {
    return [...this.form.querySelectorAll("input[name=exhibit]:checked")].map((box) => this.exhibits.get(box.value));
  }

  review() {
    const chosen = this.chosen();
    const value = (name) => new FormData(this.form).get(name) ?? "";
    const errors = [];
    if (chosen.length === 0) errors.push(["exhibits", this.words.none]);
    if (chosen.length > MOST) errors.push(["exhibits", this.words.most]);
    if (!value("purpose")) errors.push(["purpose", this.words.purpose]);
    tell(errors);
    if (errors.length > 0) return;
    const busy = chosen.filter((one) => one.busy).map((one) => one.exhibit);
    if (busy.length > 0 && !confirm(this.words.again.replace("{numbers}", busy.join(", ")))) return;
    const said = {
      id: crypto.randomUUID(), purpose: value("purpose"), place: value("place"), note: value("note"),
      by: { badge: this.vault.badge ?? "", login: this.vault.login, name: this.vault.name }, key: this.key.key,
      items: chosen.map(({ exhibit, seal, what, after }) => ({ exhibit, what, ...(seal && { seal }), ...(after && { after }) })),
    };
    this.box("signed").replaceChildren(...telling({ ...said, at: deviceTime() }));
    this.form.hidden = true;
    const make = async () => makeOffer({ ...said, at: deviceTime(), device: (await device()).id });
    this.step.open(this.open, make, async (offer) => this.show(await keepOffer(this.open, offer)));
  }

  back() {
    this.box("sign").hidden = true;
    this.form.hidden = false;
  }

  async show(record) {
    this.record = record;
    history.replaceState(null, "", `/phone/hand-over?record=${record.row.id}`);
    const waits = record.row.state === "offered";
    this.form.hidden = true;
    this.box("answer-of").hidden = !waits;
    this.box("more").hidden = waits;
    this.box("one-phone-box").hidden = navigator.onLine || (await vaults()).length < 2;
    this.box("dropped").hidden = record.row.state !== "dropped";
    if (waits) {
      const { CodeBox } = await import("./show-code.js");
      this.code ??= new CodeBox(this.box("code-box"));
      await this.code.open("offer", offerOf(record));
    } else this.code?.close();
    if (answerOf(record) || record.row.code) {
      const { Receipt } = await import("./receipt.js");
      this.receipt ??= new Receipt(this.box("receipt"));
      this.receipt.show(record);
    }
    if (waits && sessionStorage.length > 0) await this.handedBack();
    if (waits && this.record.row.state !== "offered") return; // it was answered
    const section = waits ? this.box("code-box") : this.box("receipt");
    section.querySelector("h2").focus();
  }

  // An answer that was given on this phone. The other way, with two phones, comes through `answered` as well.
  async handedBack() {
    const { taken } = await import("./one-phone.js");
    const found = taken("answer");
    if (found) await this.answer.fromText(found.text);
  }

  // The answer of the other phone: looked at, kept, and on its way.
  async answered(signed) {
    const answer = await checkAnswer(signed, offerOf(this.record));
    const now = await load(this.open, this.record.row.id); // the server may have told of it meanwhile
    if (["offered", "dropped"].includes(now.row.state)) await agree(this.open, now, answer);
    this.record = now;
    await this.show(this.record);
    sendSoon();
  }

  async drop() {
    if (!confirm(this.words.drop)) return;
    this.record = await load(this.open, this.record.row.id);
    if (this.record.row.state === "offered") await drop(this.open, this.record);
    await this.show(this.record);
  }
}

export function enhance(form) {
  if (form.giver) return;
  form.giver = new Giver(form);
  form.giver.start();
}

// What a receiver decides about each exhibit of an offer. Nothing is chosen before a person chooses it; what is chosen is
// kept on every change, so that a camera that ends the page costs nothing.

import { deviceTime } from "../clock.js";
import { category, sealWords } from "./agreement-words.js";
import { filled } from "./agreement.js";
import { addFile, keep } from "./records.js";
import { withReserve } from "./room.js";

const FIELDS = ["seal", "discrepancy", "reason", "note"];

export class Decisions {
  // `session`: {open, record, offer}.
  constructor(form, root, words, session) {
    Object.assign(this, { form, words, session, needsNote: JSON.parse(root.dataset.needsNote) });
    const kept = new Map(session.record.body.fields);
    this.cards = session.offer.items.map((item, n) => this.card(item, n, kept));
    form.querySelector("[data-items]").replaceChildren(...this.cards.map(({ node }) => node));
    form.querySelector("[data-all-intact]").onclick = () => this.allIntact();
    form.onchange = (event) => event.target.type !== "file" && this.keep();
    form.oninput = () => {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.keep(), 400);
    };
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => this.keep());
  }

  card(item, n, kept) {
    const node = document.querySelector("template[data-item]").content.firstElementChild.cloneNode(true);
    const part = (name) => node.querySelector(`[data-${name}]`);
    const card = { node, item, n, field: (name) => node.querySelector(`[name=items-${n}-${name}]`) };
    node.id = `items-${n}`;
    node.querySelector("h2").textContent = item.exhibit;
    part("item-what").textContent = category(item.what);
    part("item-seal").textContent = sealWords(item.seal);
    for (const chip of node.querySelectorAll(item.seal ? "[data-unsealed]" : "[data-sealed]")) chip.remove();
    for (const radio of node.querySelectorAll("input[type=radio]")) {
      radio.name = `items-${n}-choice`;
      radio.checked = kept.get(radio.name) === radio.value;
      radio.addEventListener("change", () => this.showFields(card));
    }
    for (const control of node.querySelectorAll("[data-for] :is(input, textarea, select)")) {
      control.id = `items-${n}-${control.name}`;
      control.name = control.id;
      control.closest(".field").querySelector("label").htmlFor = control.id;
      if (control.type !== "file") control.value = kept.get(control.name) ?? "";
    }
    card.field("photo").addEventListener("change", (event) => this.photograph(card, event.target));
    this.showFields(card);
    this.showPhotos(card);
    return card;
  }

  showFields(card) {
    const chosen = this.choice(card);
    for (const field of card.node.querySelectorAll("[data-for]")) {
      field.hidden = !field.dataset.for.split(" ").includes(chosen);
    }
  }

  choice = (card) => card.node.querySelector("input[type=radio]:checked")?.value ?? "";

  value = (card, name) => card.field(name).value.trim();

  photos = (card) => this.session.record.body.files.filter((file) => file.exhibit === card.item.exhibit);

  allIntact() {
    for (const card of this.cards) {
      card.node.querySelector("input[value=intact], input[value=plain]").checked = true;
      this.showFields(card);
    }
    this.form.querySelector("[data-all-status]").textContent = this.words.all.replace("{count}", this.cards.length);
    this.keep();
  }

  keep() {
    clearTimeout(this.pause);
    const said = [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
    this.line = (this.line ?? Promise.resolve()).then(async () => {
      const { open, record } = this.session;
      if (record.row.state !== "draft") return; // signed already
      record.body.fields = said;
      await withReserve(() => keep(open, record));
    });
    return this.line;
  }

  // Hashed and sealed like every photograph; the answer names its hash, and it is sent once the exhibit is the receiver's.
  async photograph(card, input) {
    const files = [...input.files];
    input.value = "";
    try {
      for (const file of files) {
        await this.keep();
        const { open, record } = this.session;
        const entry = await withReserve(() => addFile(open, record, file, { at: deviceTime(), place: null, thumb: null }));
        record.body.files.find((one) => one.id === entry.id).exhibit = card.item.exhibit;
        await keep(open, record);
      }
      this.showPhotos(card);
    } catch {
      card.node.querySelector("[data-photo-status]").textContent = this.words.photofailed; // the thing is still there
    }
  }

  showPhotos(card) {
    const count = this.photos(card).length;
    card.node.querySelector("[data-photo-status]").textContent = count > 0 ? this.words.photokept.replace("{count}", count) : "";
  }

  // [[id, sentence], …] of what is missing.
  check() {
    const errors = [];
    for (const card of this.cards) {
      const add = (name, words) => errors.push([name ? `items-${card.n}-${name}` : `items-${card.n}`, words.replace("{number}", card.item.exhibit)]);
      const chosen = this.choice(card);
      if (!chosen) add("", card.item.seal ? this.words.choose : this.words.choose_unsealed);
      if (["damaged", "other"].includes(chosen) && !this.value(card, "seal")) add("seal", this.words.seal);
      if (["damaged", "missing", "other"].includes(chosen) && !this.value(card, "discrepancy")) add("discrepancy", this.words.discrepancy);
      if (chosen === "damaged" && this.photos(card).length === 0) add("photo", this.words.photo);
      if (chosen === "refused" && !this.value(card, "reason")) add("reason", this.words.reason);
      else if (chosen === "refused" && this.needsNote.includes(this.value(card, "reason")) && !this.value(card, "note")) {
        add("note", this.words.note);
      }
    }
    return errors;
  }

  // The items of the answer, in the order of the offer.
  items() {
    return this.cards.map((card) => {
      const chosen = this.choice(card);
      const said = Object.fromEntries(FIELDS.map((name) => [name, this.value(card, name)]));
      const { exhibit, seal } = card.item;
      const note = { note: said.note };
      if (chosen === "refused") return filled({ exhibit, decision: "refused", reason: said.reason, ...note });
      const taken = { exhibit, decision: "accepted", ...note };
      if (chosen === "plain") return filled(taken);
      if (chosen === "intact") return filled({ ...taken, seal, seal_state: "intact" });
      if (chosen === "missing") return filled({ ...taken, seal_state: "missing", discrepancy: said.discrepancy });
      const state = chosen === "damaged" ? "damaged" : seal && "intact";
      const photos = chosen === "damaged" ? this.photos(card).map((file) => file.sha256).slice(0, 5) : [];
      return filled({ ...taken, seal: said.seal, seal_state: state, discrepancy: said.discrepancy, photos });
    });
  }
}

// A new seizure on the phone, with or without a network: a draft that is kept on every change, its photographs, and
// at the end a registration that waits to be sent.

import { deviceTime } from "../clock.js";
import { enhance as suitMeasures } from "../measures.js";
import { enhance as askPlace } from "../place.js";
import { read } from "./database.js";
import { entries, fill, registration, summary } from "./fields.js";
import { takeNumber } from "./numbers.js";
import { opened, touch, vaultOf } from "./opened.js";
import { ChangedElsewhere, begin, keep, load } from "./records.js";
import { isFull, persist, withReserve } from "./room.js";
import { Shots } from "./shots.js";

const PAUSE = 250; // ms after the last key before a draft is kept
const STILL_HERE = 20_000;
const CLOCK_WRONG = 5 * 60_000;
const ALIKE = /^(place|direction|detection|ground|exhibits-0-category)$/;

class Capture {
  constructor(form) {
    const card = document.querySelector("[data-unlock]");
    Object.assign(this, { form, card, words: JSON.parse(form.dataset.words) });
    this.status = form.querySelector("[data-draft-status]");
    this.asked = new URLSearchParams(location.search);
  }

  async start() {
    this.open = await opened();
    if (!this.open) return (await import("./unlock.js")).askForPin(this.card, () => this.start());
    if (this.record && this.record.row.owner !== this.open.owner) return location.reload();
    if (!this.record) await this.show();
    this.form.hidden = false;
    this.card.hidden = true;
    return undefined;
  }

  async show() {
    const { form } = this;
    const vault = await vaultOf(this.open.owner);
    form.querySelector("[data-officer]").textContent = [vault.name, vault.post].filter(Boolean).join(", ");
    const there = this.asked.get("draft") && (await load(this.open, this.asked.get("draft")));
    const draft = there && there.row.state === "draft" ? there : null;
    this.record = draft ?? (await begin(this.open));
    await this.details();
    if (draft) fill(form, draft.body.fields);
    else await this.prefill(vault);
    // A draft that is opened again elsewhere keeps the place where it was begun.
    const place = form.querySelector("[data-place-later]");
    if (draft && this.place()) place.querySelector("[data-place-status]").textContent = this.words.placeKept;
    else askPlace(place);
    const session = { place: () => this.place() };
    Object.defineProperties(session, { open: { get: () => this.open }, record: { get: () => this.record } });
    this.shots = new Shots(form.querySelector("[data-shots]"), session, () => this.change());
    await this.shots.redraw();
    if (this.points) (await import("./checklist.js")).offer(this.points, { ...this, change: () => this.change() });
    this.listen();
    this.sayClock();
  }

  // The rarer fields are a page of their own, so that the first screen comes sooner.
  async details() {
    const box = this.form.querySelector(".more-details");
    const answer = await fetch("/phone/more").catch(() => null);
    box.hidden = !answer?.ok;
    if (box.hidden) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.append(...page.querySelector("main").childNodes);
    this.points = page.querySelector("[data-checklist]");
  }

  async prefill(vault) {
    const { form } = this;
    form.elements.namedItem("seized_at").value = deviceTime().slice(0, 16);
    form.elements.namedItem("place").value = vault.place || vault.post || "";
    const like = this.asked.get("like") && (await load(this.open, this.asked.get("like")));
    if (like?.body.like) {
      const kept = like.body.like;
      fill(form, [...kept, ...entries(form).filter(([name]) => !kept.some(([known]) => known === name))]);
      // The unit follows the kind of goods, as when it is chosen: a quantity without one is refused.
      suitMeasures(form);
      form.querySelector("input[name='exhibits-0-category']:checked")?.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  listen() {
    const { form } = this;
    form.addEventListener("input", (event) => {
      this.touched = true;
      if (event.target.name === "seized_at") this.record.body.typed = true;
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.save(), PAUSE);
    });
    form.addEventListener("change", (event) => event.target.type !== "file" && this.change());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.finish();
    });
    addEventListener("pagehide", () => this.save());
    document.addEventListener("visibilitychange", () => this.save());
    let here = 0;
    document.addEventListener("pointerdown", () => {
      if (Date.now() - here > STILL_HERE) touch();
      here = Date.now();
    });
    form.addEventListener("keydown", () => touch());
    setInterval(() => this.look(), STILL_HERE);
  }

  // Locked meanwhile, by time or by another page: what was typed is kept and out of sight.
  async look() {
    if (this.form.hidden || (await opened())) return;
    this.form.hidden = true;
    await this.start();
  }

  place() {
    const value = (name) => this.form.elements.namedItem(`place_${name}`).value;
    if (!value("latitude")) return null;
    return { latitude: value("latitude"), longitude: value("longitude"), accuracy: value("accuracy") };
  }

  change() {
    this.touched = true;
    return this.save();
  }

  // One at a time; a change that comes while one is being kept is kept by the next.
  save() {
    clearTimeout(this.pause);
    if (this.finished) return Promise.resolve();
    this.saving ??= Promise.resolve()
      .then(() => this.keepDraft())
      .finally(() => {
        this.saving = null;
      });
    return this.saving;
  }

  async keepDraft() {
    const said = entries(this.form);
    const { record, open } = this;
    if (!open) return; // locked in the meantime: what was typed stands in the form, and is kept after the PIN
    if (JSON.stringify(said) === JSON.stringify(record.body.fields)) return;
    if (!this.touched) return; // a form that only our own values stand in is no draft
    record.body.fields = said;
    record.body.summary = summary(this.form, this.words.bag);
    try {
      await withReserve(() => keep(open, record));
    } catch (error) {
      this.status.textContent = error instanceof ChangedElsewhere ? this.words.elsewhere : this.failed(error);
      return;
    }
    history.replaceState(null, "", `/phone/new?draft=${record.row.id}`);
    this.status.textContent = this.words.kept.replace("{time}", deviceTime().slice(11, 16));
    if (JSON.stringify(entries(this.form)) !== JSON.stringify(said)) await this.keepDraft();
  }

  failed(error) {
    if (isFull(error)) return this.words.full;
    throw error;
  }

  async finish() {
    const errors = this.check();
    this.tell(errors);
    if (errors.length > 0) return;
    await this.save();
    await this.shots.line; // the last photograph may still be on its way into the store
    this.finished = true;
    const { record, open } = this;
    const { body } = record;
    body.fields = entries(this.form);
    body.like = body.fields.filter(([name]) => ALIKE.test(name));
    body.summary = summary(this.form, this.words.bag);
    body.registration = {
      exhibits: [], ...registration(body.fields), seized_at_typed: Boolean(body.typed),
      client_id: record.row.id, captured_by: record.row.owner, device: record.row.device, device_at: deviceTime(),
    };
    const number = record.row.number ?? (await takeNumber(record.row.owner));
    if (number) body.registration.number = number;
    try {
      await withReserve(() => keep(open, record, { state: "saved", number }));
    } catch (error) {
      this.finished = false;
      this.status.textContent = error instanceof ChangedElsewhere ? this.words.elsewhere : this.failed(error);
      return;
    }
    persist();
    location.assign(`/phone?saved=${record.row.id}`);
  }

  // What no server could take; everything else is judged there, and the record waits here to be mended.
  check() {
    const errors = [];
    const value = (name) => this.form.elements.namedItem(`exhibits-0-${name}`).value.trim();
    if (!this.form.querySelector("input[name='exhibits-0-category']:checked")) {
      errors.push(["exhibits-0-category", this.words.category]);
    }
    if (value("quantity") && !/^\d[\d\s]*([.,]\d+)?$/.test(value("quantity"))) {
      errors.push(["exhibits-0-quantity", this.words.number]);
    }
    if (!this.form.elements.namedItem("seized_at").value) errors.push(["seized_at", this.words.time]);
    return errors;
  }

  tell(errors) {
    const box = document.querySelector("[data-phone-errors]");
    box.hidden = errors.length === 0;
    box.querySelector("ul").replaceChildren(...errors.map(([name, sentence]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${name}`;
      link.textContent = sentence;
      item.append(link);
      return item;
    }));
    if (errors.length > 0) box.focus();
  }

  async sayClock() {
    const clock = await read("facts", "clock");
    const box = document.querySelector("[data-clock-wrong]");
    box.hidden = !clock || Math.abs(clock.ms) < CLOCK_WRONG;
    if (!box.hidden) {
      const time = deviceTime(new Date(Date.now() + clock.ms)).slice(0, 16).replace("T", " ");
      box.textContent = this.words.clock.replace("{time}", time);
    }
  }
}

export function enhance(form) {
  if (form.capture) return;
  form.capture = new Capture(form);
  form.capture.start();
}

// Takes a signed record from another phone: with the camera, from pasted text or from a file. The box of components
// `take_code` in intake/hand_over_parts.html.

import { BadRecord } from "./agreement.js";
import { BadCode, Collector, isLine } from "./codes.js";

const LARGEST_FILE = 256 * 1024;

export class TakeCode {
  // `take(signed)` looks at a whole record and goes on with it; it throws BadRecord when the record does not hold.
  constructor(box, kind, take) {
    Object.assign(this, { box, kind, take, words: JSON.parse(box.dataset.words), collector: new Collector(kind) });
    this.status = box.querySelector("[data-take-status]");
    const button = box.querySelector("[data-take-scan]");
    button.disabled = !navigator.mediaDevices?.getUserMedia;
    if (button.disabled) this.status.textContent = this.words.nocamera;
    button.addEventListener("click", async () => {
      const { Collecting } = await import("./collect-scan.js");
      this.collector = new Collector(kind);
      new Collecting(button, this).start();
    });
    box.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.fromText(event.target.elements.code.value);
    });
    box.querySelector("input[type=file]").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) await this.fromText(file.size > LARGEST_FILE ? "" : await file.text());
    });
  }

  async fromText(text) {
    this.collector = new Collector(this.kind);
    const found = text.split(/\s+/).filter(Boolean).map((line) => this.collector.add(line));
    if (!found.some(({ taken }) => taken)) {
      this.status.textContent = text.split(/\s+/).some(isLine) ? this.words.otherkind : this.words.nocode;
    } else if (!this.collector.whole) {
      this.status.textContent = this.words.parts.replace("{have}", this.collector.parts.size).replace("{of}", this.collector.of);
    } else {
      await this.finish();
    }
  }

  async finish() {
    this.status.textContent = "";
    try {
      await this.take(await this.collector.record());
      this.box.querySelector("form").reset();
    } catch (error) {
      if (!(error instanceof BadRecord || error instanceof BadCode)) throw error;
      this.status.textContent = this.words[`bad_${error.why}`] ?? this.words.bad_shape;
    }
  }
}

// Shows a signed record as QR codes that take turns, and hands it over as text or a file where no camera works:
// the box of components `code_box` in intake/hand_over_parts.html.

import { lines } from "./codes.js";

const TURN = 1200; // ms each code stands still

// One code as a picture: a path of modules on white with the quiet zone of four, at any size sharp. `frame` is
// an empty one.
function picture(encode, frame, line, label) {
  const { data, size } = encode(line, { ecc: "M", border: 4 });
  const svg = frame.cloneNode(true);
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("aria-label", label);
  const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : "")));
  svg.querySelector("path").setAttribute("d", dark.join(""));
  return svg;
}

export class CodeBox {
  constructor(box) {
    Object.assign(this, { box, words: JSON.parse(box.dataset.words), turning: true });
    this.place = box.querySelector("[data-code-picture]");
    this.count = box.querySelector("[data-code-count]");
    this.status = box.querySelector("[data-code-status]");
    const press = (name, work) => box.querySelector(`[data-code-${name}]`).addEventListener("click", work);
    press("pause", () => this.pause());
    press("next", () => this.step());
    press("copy", () => this.copy());
    press("share", () => this.share());
  }

  async open(kind, signed) {
    this.kind = kind;
    this.lines = await lines(kind, signed);
    const { encode } = await import("../../vendor/uqr.js");
    const frame = this.box.querySelector("template").content.firstElementChild;
    this.pictures = this.lines.map((line, n) =>
      picture(encode, frame, line, this.words.label.replace("{n}", n + 1).replace("{of}", this.lines.length)));
    this.at = -1;
    this.step();
    this.box.hidden = false;
    this.box.querySelector("[data-code-turning]").hidden = this.lines.length === 1;
    clearInterval(this.timer);
    if (this.lines.length > 1) this.timer = setInterval(() => this.turning && this.box.isConnected && this.step(), TURN);
    this.wake();
  }

  close() {
    clearInterval(this.timer);
    this.box.hidden = true;
    this.lock?.release().catch(() => {});
    this.lock = null;
  }

  step() {
    this.at = (this.at + 1) % this.lines.length;
    this.place.replaceChildren(this.pictures[this.at]);
    this.count.textContent = this.words.count.replace("{n}", this.at + 1).replace("{of}", this.lines.length);
  }

  pause() {
    this.turning = !this.turning;
    this.box.querySelector("[data-code-pause]").setAttribute("aria-pressed", String(!this.turning));
  }

  // A screen that goes dark cannot be read. Not every browser can be asked, and none has to agree.
  wake() {
    navigator.wakeLock?.request("screen").then((lock) => (this.lock = lock), () => {});
  }

  get text() {
    return `${this.lines.join("\n")}\n`;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      this.status.textContent = this.words.copied;
    } catch {
      this.status.textContent = this.words.copy_failed;
    }
  }

  async share() {
    const name = `hand-over-${this.kind}-${this.lines[0].slice(7, 15).toLowerCase()}.txt`;
    const file = new File([this.text], name, { type: "text/plain" });
    if (navigator.canShare?.({ files: [file] })) {
      try {
        await navigator.share({ files: [file] });
        return;
      } catch (error) {
        if (error.name === "AbortError") return;
      }
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    this.status.textContent = this.words.filed;
  }
}

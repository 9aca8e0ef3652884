// The window in which codes are read with the camera; see scan.js. Loaded when somebody presses the button.

import { Unreadable, openReader } from "./scan-reader.js";

const AGAIN = 2000; // milliseconds until the same code counts once more

// The part of a label's address that names the exhibit; "" for anything else.
export function labelCode(text) {
  try {
    const address = new URL(text);
    return address.origin === location.origin || address.host === location.host
      ? (address.pathname.match(/^\/x\/([A-Za-z0-9]{6,20})$/)?.[1] ?? "")
      : "";
  } catch {
    return "";
  }
}

// Where a code that a giver shows leads: to the hand-over on the server, or to the page for one without a network.
function handOver(text) {
  if (/^CMH1:O:/.test(text)) return "/phone/receive";
  try {
    const { host, pathname } = new URL(text);
    return host === location.host && /^\/hand-overs\/[A-Za-z0-9]{6,20}$/.test(pathname) ? pathname : "";
  } catch {
    return "";
  }
}

export class Scan {
  constructor(button) {
    this.button = button;
    this.words = button.dataset;
    this.target = document.getElementById(button.dataset.scanFor);
    this.last = { text: "", at: 0 };
    this.count = 0;
  }

  async start() {
    this.build();
    this.dialog.showModal();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.say(error.name === "NotAllowedError" ? this.words.textDenied : this.words.textNone);
      return;
    }
    if (!this.dialog.open) return this.stop();
    this.video.srcObject = this.stream;
    await this.video.play();
    this.offerTorch();
    this.say(this.words.textAim);
    this.reader = await openReader(this.video);
    this.look();
  }

  build() {
    this.dialog = document.createElement("dialog");
    this.dialog.className = "scan";
    this.dialog.setAttribute("aria-label", this.words.textTitle);
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.playsInline = true;
    this.status = document.createElement("p");
    this.status.setAttribute("role", "status");
    this.torch = this.control(this.words.textTorch, () => this.light());
    this.torch.hidden = true;
    this.torch.setAttribute("aria-pressed", "false");
    const close = this.control(this.words.textClose, () => this.dialog.close());
    close.autofocus = true;
    const row = document.createElement("div");
    row.className = "row";
    row.append(this.torch, close);
    this.dialog.append(this.video, this.status, row);
    this.dialog.addEventListener("close", () => this.stop());
    document.body.append(this.dialog);
  }

  control(text, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn sec";
    button.textContent = text;
    button.addEventListener("click", act);
    return button;
  }

  async look() {
    while (this.dialog.open) {
      const text = await this.read();
      if (text === null) return;
      const now = performance.now();
      if (text && (text !== this.last.text || now - this.last.at > AGAIN)) {
        this.last = { text, at: now };
        this.found(text);
      } else if (text) {
        this.last.at = now;
      }
    }
  }

  // The code in the picture, "" for none; null once nothing can be read at all, which is said.
  async read() {
    try {
      return (await this.reader.read()).trim();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.say(this.words.textNone);
      return null;
    }
  }

  found(text) {
    const code = labelCode(text);
    if (this.button.dataset.scan === "pick") return this.pick(code, text);
    if (this.button.dataset.scan === "open") return this.open(handOver(text));
    if (code || /^[a-z]+:\/\//i.test(text)) return this.say(this.words.textOther);
    this.target.value = text.slice(0, this.target.maxLength > 0 ? this.target.maxLength : undefined);
    for (const type of ["input", "change"]) this.target.dispatchEvent(new Event(type, { bubbles: true }));
    this.signal();
    this.dialog.close();
    this.target.focus();
  }

  open(address) {
    if (!address) return this.say(this.words.textUnknown);
    this.signal();
    this.dialog.close();
    return location.assign(address);
  }

  // By its label, or by the number of its bag or seal.
  pick(code, text) {
    const named = code ? `[value="${CSS.escape(code)}"]` : `[data-seal="${CSS.escape(text)}"]`;
    const box = this.target.querySelector(`input[type=checkbox]${named}`);
    if (!box) return this.say(this.words.textUnknown);
    if (!box.checked) {
      box.checked = true;
      box.dispatchEvent(new Event("change", { bubbles: true }));
      this.count += 1;
    }
    this.signal();
    const number = box.labels[0]?.textContent.trim() ?? "";
    this.say(this.words.textFound.replace("{number}", number).replace("{count}", this.count));
  }

  say(words) {
    this.status.textContent = words;
  }

  // A beep and a short shake: at night, with gloves, nobody looks at the screen while aiming.
  signal() {
    navigator.vibrate?.(60);
    const Audio = window.AudioContext;
    if (!Audio) return;
    const sound = new Audio();
    const tone = sound.createOscillator();
    tone.frequency.value = 880;
    tone.connect(sound.destination);
    tone.onended = () => sound.close();
    tone.start();
    tone.stop(sound.currentTime + 0.08);
  }

  offerTorch() {
    const [track] = this.stream.getVideoTracks();
    this.torch.hidden = !track.getCapabilities?.().torch;
  }

  async light() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    const [track] = this.stream.getVideoTracks();
    await track.applyConstraints({ advanced: [{ torch: on }] });
    this.torch.setAttribute("aria-pressed", String(on));
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.reader?.close();
    this.dialog.remove();
    if (document.activeElement === document.body) this.button.focus();
  }
}

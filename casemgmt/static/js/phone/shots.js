// Photographs and films of a draft: every file is read, hashed and sealed the moment it is taken, one after another,
// and the page keeps only a small picture of it. Nothing is scaled or re-encoded in what is kept.

import { deviceTime } from "../clock.js";
import { MOST_FILES, addFile, removeFile, thumb } from "./records.js";
import { hasRoom, isFull, withReserve } from "./room.js";

const SMALL = 224; // pixels of the picture in the list

// The dummy type brings the camera back into the second chooser of Android, and confuses Firefox.
const wantsDummyType = () => /Android/.test(navigator.userAgent) && !/Firefox/.test(navigator.userAgent);

async function small(file) {
  if (!file.type.startsWith("image/")) return null;
  try {
    const image = await createImageBitmap(file, { resizeWidth: SMALL, resizeQuality: "medium" });
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.7));
  } catch {
    return null; // A kind of picture this browser does not draw is kept all the same.
  }
}

export class Shots {
  // `session`: {open, record, place()} of the page; `beforeCamera`: saves the draft.
  constructor(box, session, beforeCamera) {
    Object.assign(this, { box, session, words: JSON.parse(box.dataset.words), line: Promise.resolve(), failed: "" });
    this.measure();
    this.status = box.querySelector("[data-shots-status]");
    this.list = box.querySelector("[data-shots-list]");
    for (const input of box.querySelectorAll("input[type=file]")) {
      if (input.hasAttribute("data-both") && wantsDummyType()) input.accept += ",android/allowCamera";
      input.addEventListener("click", (event) => this.guard(event, beforeCamera));
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = "";
        this.take(files);
      });
    }
    const dialog = box.querySelector("dialog");
    dialog.querySelector("[data-close]").onclick = () => dialog.close();
    const inPage = box.querySelector("[data-in-page]");
    inPage.hidden = !navigator.mediaDevices?.getUserMedia;
    inPage.addEventListener("click", async (event) => {
      this.guard(event, beforeCamera);
      if (this.full) return;
      try {
        const { openCamera } = await import("./camera.js");
        await openCamera(dialog, (file) => this.take([file]));
      } catch {
        this.tell(this.words.refused);
      }
    });
  }

  // A full phone is said before the picture is taken. The answer is asked ahead, because a press cannot wait for it.
  guard(event, beforeCamera) {
    beforeCamera();
    this.measure();
    const limit = this.session.record.body.files.length >= MOST_FILES;
    if (!this.full && !limit) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.tell(limit ? this.words.limit : this.words.full);
  }

  async measure() {
    const enough = await hasRoom();
    if (this.full && enough) this.failed = "";
    this.full = !enough;
    this.show();
  }

  // `shows`: the point of the checklist whose camera it was.
  take(files, shows = null) {
    this.failed = "";
    const work = files.map((file) => this.after(() => this.add(file, shows)));
    return Promise.all(work);
  }

  after(work) {
    this.line = this.line.then(work, work);
    return this.line;
  }

  async add(file, shows) {
    const { session, words } = this;
    if (session.record.body.files.length >= MOST_FILES) return this.tell(words.limit);
    if (file.size === 0) return this.tell(words.empty.replace("{name}", file.name));
    this.busy = true;
    this.show();
    try {
      const said = { at: deviceTime(), place: session.place(), thumb: await small(file), shows };
      await withReserve(() => addFile(session.open, session.record, file, said));
      this.busy = false;
      await this.redraw();
      await this.measure();
    } catch (error) {
      this.busy = false;
      if (isFull(error)) {
        this.full = true;
        return this.tell(words.full);
      }
      // The phone took the file back, or it cannot be read: say it now, while the thing is still there.
      this.tell(words.unreadable.replace("{name}", file.name));
    }
    return undefined;
  }

  tell(sentence) {
    this.failed = sentence;
    this.show();
  }

  show() {
    const { words } = this;
    const taken = this.session.record.body.files.length;
    this.status.textContent = [
      taken > 0 && words.count.replace("{count}", taken).replace("{limit}", MOST_FILES),
      this.busy && words.busy,
      this.failed || (this.full && words.full),
    ].filter(Boolean).join(". ");
    this.box.toggleAttribute("data-full", Boolean(this.full));
  }

  async redraw() {
    const { open, record } = this.session;
    this.nodes ??= new Map();
    const nodes = [];
    for (const [index, file] of record.body.files.entries()) {
      let node = this.nodes.get(file.id);
      if (!node) {
        node = this.build(file, await thumb(open, record.row, file).catch(() => null));
        this.nodes.set(file.id, node);
      }
      node.querySelector("button").setAttribute("aria-label", this.words.remove.replace("{number}", index + 1));
      nodes.push(node);
    }
    this.list.replaceChildren(...nodes);
    this.show();
    this.box.dispatchEvent(new Event("shots"));
  }

  build(file, picture) {
    const node = document.createElement("li");
    const image = picture ? new Image() : document.createElement("span");
    if (picture) {
      image.src = URL.createObjectURL(picture);
      image.alt = file.name;
      image.onload = () => URL.revokeObjectURL(image.src);
    } else {
      image.textContent = file.name;
      image.className = "nothumb";
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn sec";
    button.textContent = "✕";
    button.addEventListener("click", () => this.after(async () => {
      await removeFile(this.session.open, this.session.record, file.id);
      await this.redraw();
      this.box.querySelector("input[type=file]").focus();
    }));
    node.append(image, button);
    return node;
  }
}

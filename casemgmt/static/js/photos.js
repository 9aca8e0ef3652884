// Collects photographs over several takes, shows them, counts them, and computes the SHA-256 of
// the bytes the browser received. The files are sent as they are: nothing is scaled or re-encoded.
// The fingerprints go into `<name>_sha256` as a JSON list in the order of the files; null stands
// for a file that was too large for one piece of memory, not yet done, or on an insecure page.

const HASH_LIMIT = 64 * 1024 * 1024;
const collections = new WeakMap();

async function sha256(file) {
  if (file.size > HASH_LIMIT || !globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Collection {
  constructor(box) {
    this.box = box;
    this.items = []; // {file, sha256, address, failed}
    this.limit = Number(box.dataset.limit);
    this.leftOut = [];
    this.queue = Promise.resolve();
    this.camera = box.querySelector(".cam input");
    this.list = box.querySelector("[data-photo-list]");
    this.status = box.querySelector("[data-photos-status]");
    this.hashes = box.querySelector("input[type=hidden]");
    this.gallery = box.querySelector("[data-photos-gallery]");
    // A camera with `capture` hands over one picture at a time and replaces the last one, so the
    // page keeps them all and gives the whole list back to the one named input.
    this.camera.addEventListener("change", () => this.add([...this.camera.files]));
    const picker = this.gallery.querySelector("input");
    picker.addEventListener("change", () => {
      this.add([...picker.files]);
      picker.value = "";
    });
    // On a slow line a photograph can be taken before this script has arrived.
    if (this.camera.files.length > 0) this.add([...this.camera.files]);
  }

  add(files) {
    const room = this.limit - this.items.length;
    this.leftOut = files.slice(Math.max(0, room)).map((file) => file.name);
    for (const file of files.slice(0, Math.max(0, room))) {
      const item = { file, sha256: null, address: URL.createObjectURL(file) };
      this.items.push(item);
      // One after another: a weak phone cannot hold ten originals in memory at once.
      this.queue = this.queue.then(() => this.fingerprint(item));
    }
    this.show();
  }

  async fingerprint(item) {
    if (!this.items.includes(item)) return;
    try {
      item.sha256 = await sha256(item.file);
    } catch (error) {
      // The phone took the file back (NotReadableError): sending it would fail, so say it now.
      if (!(error instanceof DOMException)) throw error;
      this.remove(item);
      this.leftOut.push(item.file.name);
    }
    item.done = true;
    this.show();
  }

  remove(item) {
    URL.revokeObjectURL(item.address);
    this.items = this.items.filter((other) => other !== item);
    this.leftOut = [];
    this.show();
  }

  // Also after the server's answer was merged into the page, which resets what the script had set.
  show() {
    this.gallery.hidden = false;
    const chosen = new DataTransfer();
    this.items.forEach((item) => chosen.items.add(item.file));
    this.camera.files = chosen.files;
    this.hashes.value = this.items.length ? JSON.stringify(this.items.map((item) => item.sha256)) : "";
    this.status.textContent = this.sentence();
    this.list.replaceChildren(...this.items.map((item, index) => this.thumb(item, index + 1)));
  }

  sentence() {
    const text = this.box.dataset;
    if (this.items.length === 0 && this.leftOut.length === 0) return "";
    const parts = [
      text.textCount.replace("{count}", this.items.length).replace("{limit}", this.limit),
    ];
    if (this.items.some((item) => !item.done)) parts.push(text.textHashing);
    if (this.leftOut.length > 0) {
      parts.push(text.textLimit.replace("{limit}", this.limit).replace("{names}", this.leftOut.join(", ")));
    }
    return parts.join(". ");
  }

  thumb(item, number) {
    item.node ??= this.build(item);
    const name = this.box.dataset.textRemove.replace("{number}", number);
    item.node.querySelector("button").setAttribute("aria-label", name);
    return item.node;
  }

  build(item) {
    const node = document.createElement("li");
    const image = new Image();
    image.src = item.address;
    image.alt = item.file.name;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn sec";
    button.textContent = "✕";
    button.addEventListener("click", () => {
      this.remove(item);
      this.camera.focus();
    });
    node.append(image, button);
    return node;
  }
}

export function enhance(box) {
  if (!collections.has(box)) collections.set(box, new Collection(box));
  collections.get(box).show();
}

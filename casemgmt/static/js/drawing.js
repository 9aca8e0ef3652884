// A signature drawn with a finger, for a line of a printed form: <div data-drawing>. It is a picture on this page until the
// page is left, is sent nowhere and proves nothing, and the words beside it say so.

const WIDE = 1200;
const HIGH = 400;
const INK = "#10217a";

class Drawing {
  constructor(line) {
    Object.assign(this, { line, words: line.dataset });
    const button = this.button(this.words.textDraw, () => this.open(), "btn sec noprint");
    this.hint = document.createElement("p");
    this.hint.className = "muted noprint";
    this.hint.textContent = this.words.textHint;
    line.append(button, this.hint);
  }

  button(text, act, kind = "btn sec") {
    const made = document.createElement("button");
    made.type = "button";
    made.className = kind;
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  open() {
    const dialog = document.createElement("dialog");
    dialog.className = "scan";
    dialog.setAttribute("aria-label", this.words.textTitle);
    const title = document.createElement("p");
    title.textContent = `${this.words.textTitle}. ${this.words.textHint}`;
    const pad = document.createElement("canvas");
    Object.assign(pad, { width: WIDE, height: HIGH, className: "drawing" });
    this.listen(pad);
    const row = document.createElement("div");
    row.className = "row";
    row.append(
      this.button(this.words.textClear, () => this.clear(pad)),
      this.button(this.words.textDone, () => dialog.close(), "btn"),
    );
    dialog.append(title, pad, row);
    dialog.addEventListener("close", () => {
      this.keep(pad);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  clear(pad) {
    pad.getContext("2d").clearRect(0, 0, WIDE, HIGH);
    this.drawn = false;
  }

  listen(pad) {
    const ink = pad.getContext("2d");
    Object.assign(ink, { lineWidth: 6, lineCap: "round", lineJoin: "round", strokeStyle: INK });
    const at = (event) => {
      const box = pad.getBoundingClientRect();
      return [((event.clientX - box.left) * WIDE) / box.width, ((event.clientY - box.top) * HIGH) / box.height];
    };
    let down = false;
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      down = true;
      ink.beginPath();
      ink.moveTo(...at(event));
    });
    pad.addEventListener("pointermove", (event) => {
      if (!down) return;
      ink.lineTo(...at(event));
      ink.stroke();
      this.drawn = true;
    });
    for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (down = false));
  }

  keep(pad) {
    this.line.querySelector("canvas")?.remove();
    if (!this.drawn) return;
    pad.setAttribute("role", "img");
    pad.setAttribute("aria-label", this.words.textAlt);
    this.line.prepend(pad);
  }
}

export function enhance(line) {
  line.drawing ??= new Drawing(line);
}

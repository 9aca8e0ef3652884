// The photo checklist of an examination: offered where something speaks for one, a camera behind each of its points, and
// for every photograph a choice of what it shows. It reminds, and nothing waits for it.

import { keep } from "./records.js";
import { withReserve } from "./room.js";

class Checklist {
  constructor(box, { form, shots, change }) {
    Object.assign(this, { box, form, shots, words: JSON.parse(box.dataset.words), examined: JSON.parse(box.dataset.examined) });
    this.points = [...box.querySelectorAll("[data-point]")];
    for (const point of this.points) {
      const input = point.querySelector("input");
      input.addEventListener("click", (event) => shots.guard(event, change));
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = "";
        shots.take(files, point.dataset.point);
      });
    }
    form.addEventListener("change", () => this.show());
    shots.box.addEventListener("shots", () => this.show());
    this.show();
  }

  get files() {
    return this.shots.session.record.body.files;
  }

  chosen(ending) {
    return [...new FormData(this.form)].filter(([name]) => name.endsWith(ending)).map(([, value]) => value);
  }

  show() {
    const { examined, files } = this;
    const said = new Set(files.map((file) => file.shows).filter(Boolean));
    const some = (of, ending) => this.chosen(ending).some((code) => examined[of].includes(code));
    const hold = some("conveyance", "-kind") || this.points.some(({ dataset }) => "hold" in dataset && said.has(dataset.point));
    this.box.hidden = !(hold || said.size > 0 || some("category", "-category") || some("detection", "detection"));
    if (this.box.hidden) return;
    const asked = this.points.filter((point) => {
      point.hidden = "hold" in point.dataset && !hold;
      point.toggleAttribute("data-shown", said.has(point.dataset.point));
      return !point.hidden;
    });
    const missing = asked.filter((point) => !said.has(point.dataset.point));
    const tag = this.box.querySelector("[data-progress]");
    tag.hidden = false;
    tag.classList.toggle("ok", missing.length === 0);
    tag.textContent = this.words.progress.replace("{shown}", asked.length - missing.length).replace("{all}", asked.length);
    this.box.querySelector("[data-missing]").textContent = missing.length === 0 ? ""
      : this.words.missing.replace("{points}", missing.map((point) => point.textContent.trim()).join("; "));
    files.forEach((file, index) => this.choose(file, index + 1));
  }

  // The choice beneath a photograph.
  choose(file, number) {
    const node = this.shots.nodes?.get(file.id);
    if (!node) return;
    let select = node.querySelector("select");
    if (!select) {
      select = document.createElement("select");
      select.append(new Option(this.words.nothing, ""));
      for (const point of this.points) select.append(new Option(point.textContent.trim(), point.dataset.point));
      select.addEventListener("change", () => this.say(file.id, select.value || null));
      node.append(select);
    }
    select.setAttribute("aria-label", this.words.what.replace("{number}", number));
    select.value = file.shows ?? "";
  }

  say(id, code) {
    const { open, record } = this.shots.session;
    const file = record.body.files.find((known) => known.id === id);
    if (!file) return undefined;
    file.shows = code;
    this.show();
    return this.shots.after(() => withReserve(() => keep(open, record)));
  }
}

// `box`: from the page of details; `page`: {form, shots, change()} of the capture.
export function offer(box, page) {
  page.form.querySelector(".more-details").before(box);
  return new Checklist(box, page);
}

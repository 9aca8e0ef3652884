// The receipt of a hand-over that was agreed between two phones: the same on both, with the server's number once it has
// one. The box `receipt` in intake/hand_over_parts.html.

import { answerOf, offerOf } from "./agreements.js";
import { telling } from "./agreement-words.js";
import { onChange } from "./database.js";
import { load } from "./records.js";
import { serverPage } from "./words.js";
import { opened } from "./vault.js";

const TAG = { verified: "ok", disputed: "bad", held: "bad" };

export class Receipt {
  constructor(box) {
    Object.assign(this, { box, words: JSON.parse(box.dataset.words) });
    onChange((what) => what === this.id && this.refresh());
  }

  show(record) {
    this.id = record.row.id;
    this.box.querySelector("[data-receipt-text]").replaceChildren(
      ...telling(offerOf(record).record, answerOf(record)?.record));
    this.state(record.row);
    this.box.hidden = false;
  }

  async refresh() {
    const open = await opened();
    const record = open && (await load(open, this.id));
    if (record) this.state(record.row);
  }

  state(row) {
    const part = (name) => this.box.querySelector(`[data-receipt-${name}]`);
    const words = row.state === "onserver" ? this.words.waiting : (this.words[row.state] ?? this.words.agreed);
    part("state").textContent = words;
    part("state").className = `tag ${TAG[row.state] ?? "warn"}`;
    part("notice").textContent = [row.notice?.words, ...Object.values(row.notice?.errors ?? {})].filter(Boolean).join(" ");
    part("number").textContent = row.number ?? (row.state === "disputed" ? "" : this.words.numberLater);
    const page = serverPage(row);
    part("link").hidden = !page;
    if (page) part("link").href = page;
  }
}

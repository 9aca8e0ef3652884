// "On this phone": what waits here and for how long, sending it now, and what to do when it cannot be sent.

import { age, serverPage, stateWords, when } from "./words.js";
import { unpacked } from "./signed.js";
import { onChange, read } from "./database.js";
import { keepDraining } from "./drain.js";
import { LOOSE, all, discard, keep, load, mark } from "./records.js";
import { Tampered } from "./seal.js";
import { me } from "./server.js";
import { offerChange, setUp } from "./setup.js";
import { askForPin } from "./unlock.js";
import { lock, opened, vaults } from "./vault.js";

const SHOWN = 50;
const GONE = ["verified", "disputed", "dropped"];
const TAGS = { held: "bad", disputed: "bad", verified: "ok", draft: "quiet", dropped: "quiet", offered: "info" };

class Screen {
  constructor(root) {
    Object.assign(this, { root, words: JSON.parse(root.dataset.words), card: document.querySelector("[data-unlock]") });
    this.list = root.querySelector("[data-records]");
    this.outcome = root.querySelector("[data-outcome]");
    this.saved = new URLSearchParams(location.search).get("saved");
    const press = (name, work) => root.querySelector(`[data-${name}]`).addEventListener("click", work);
    press("send", () => keepDraining());
    press("lock", () => lock());
    press("export", () => this.export());
    root.querySelector("[data-import]").addEventListener("submit", (event) => this.import(event));
    onChange(() => this.soon());
    addEventListener("online", () => this.soon());
    addEventListener("offline", () => this.soon());
    setInterval(() => this.soon(), 30_000); // ages, and the lock's time
  }

  // Many changes at once are one new picture, and one picture is finished before the next is begun.
  soon(pause = 60) {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.line = (this.line ?? Promise.resolve()).then(() => this.show());
    }, pause);
  }

  async show() {
    const open = await opened();
    const known = await vaults();
    const records = await all();
    this.root.querySelector("[data-unlocked]").hidden = !open;
    this.root.querySelector("[data-change-pin]").hidden = !open;
    if (known.length === 0) this.card.hidden = !document.querySelector("[data-setup]").hidden;
    else if (!open && !this.asking) {
      this.asking = true;
      await askForPin(this.card, () => {
        this.asking = false;
        this.soon();
        keepDraining();
      });
    } else if (open) {
      this.asking = false;
      this.card.hidden = true;
    }
    await this.showRecords(open, records);
    this.showOthers(open, known, records);
    await this.showOutcome();
    this.showPromise(records);
  }

  // Not waited for: some browsers never answer.
  showPromise(records) {
    const unsent = records.some(({ state }) => state !== "verified");
    const tell = (kept) => (this.root.querySelector("[data-not-promised]").hidden = kept !== false || !unsent);
    if (navigator.storage?.persisted) navigator.storage.persisted().then(tell, () => {});
  }

  async showRecords(open, records) {
    const mine = open ? records.filter((row) => row.owner === open.owner).reverse() : [];
    const nodes = [];
    for (const row of mine.slice(0, SHOWN)) nodes.push(await this.record(open, row));
    this.list.replaceChildren(...nodes);
    this.root.querySelector("[data-empty]").hidden = !open || mine.length > 0;
    const done = this.root.querySelector("[data-saved]");
    const saved = mine.find((row) => row.id === this.saved && row.kind !== "agreement");
    done.hidden = !saved;
    if (saved) {
      done.querySelector("h2").textContent = saved.state === "verified" ? this.words.verified : this.words.savedTitle;
      done.querySelector("[data-number]").textContent = saved.number ?? this.words.numberLater;
      done.querySelector("[data-another]").href = `/phone/new?like=${saved.id}`;
    }
  }

  showOthers(open, known, records) {
    const box = this.root.querySelector("[data-others]");
    const lines = [];
    for (const { owner, name } of known) {
      const theirs = records.filter((row) => row.owner !== open?.owner && row.owner === owner && !GONE.includes(row.state));
      if (theirs.length > 0) {
        lines.push(this.words.others.replace("{name}", name).replace("{count}", theirs.length)
          .replace("{age}", age(theirs[0].at, this.words)));
      }
    }
    box.replaceChildren(...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
  }

  async showOutcome() {
    const last = await read("facts", "drained");
    const words = navigator.onLine ? this.words[`outcome_${last?.outcome}`] : this.words.offline;
    this.outcome.textContent = words ?? "";
  }

  async record(open, row) {
    const node = this.root.querySelector("template").content.firstElementChild.cloneNode(true);
    const part = (name) => node.querySelector(`[data-${name}]`);
    let body = null;
    let tampered = false;
    try {
      ({ body } = await load(open, row.id));
    } catch (error) {
      if (!(error instanceof Tampered)) throw error;
      tampered = true;
    }
    part("state").textContent = tampered ? this.words.tampered : stateWords(row, this.words);
    part("state").className = `tag ${tampered ? "bad" : TAGS[row.state] ?? "warn"}`;
    part("what").textContent = this.what(row, body);
    part("when").textContent = [when(row.at), !GONE.includes(row.state) && age(row.at, this.words), this.files(row)]
      .filter(Boolean).join(" · ");
    part("notice").textContent = this.notice(row);
    this.actions(node, open, row, tampered);
    return node;
  }

  what(row, body) {
    if (row.kind !== "agreement" || !body) return [row.number, body?.summary].filter(Boolean).join(" ") || this.words.nothing;
    const { record: offer } = unpacked(body.offer);
    const answer = body.answer && unpacked(body.answer).record;
    const words = this.words[row.role === "giver" ? (answer ? "gave" : "offers") : "received"];
    const other = row.role === "giver" ? answer?.by : offer.by;
    return [row.number, words.replace("{name}", other?.name ?? "").replace("{count}", offer.items.length)].filter(Boolean).join(" ");
  }

  files(row) {
    if (row.count === 0) return "";
    return this.words.files.replace("{count}", row.count).replace("{mib}", (Math.ceil((row.bytes * 10) / 1048576) / 10).toFixed(1));
  }

  notice(row) {
    if (!row.notice) return "";
    const { status, words, errors } = row.notice;
    return [this.words[`status_${status}`] ?? (status >= 500 ? this.words.status_500 : ""), words, ...Object.values(errors)]
      .filter(Boolean).join(" ");
  }

  actions(node, open, row, tampered) {
    const show = (name, wanted, work) => {
      const button = node.querySelector(`[data-${name}]`);
      button.hidden = !wanted;
      if (wanted && typeof work === "string") button.href = work;
      else if (wanted) button.addEventListener("click", work);
    };
    const agreement = row.kind === "agreement";
    const page = agreement ? `/phone/${row.role === "giver" ? "hand-over" : "receive"}?record=${row.id}` : `/phone/new?draft=${row.id}`;
    show("open", row.state === "draft" && !tampered, page);
    show("show", agreement && row.state !== "draft" && !tampered, page);
    show("view", Boolean(serverPage(row)), serverPage(row));
    show("mend", row.state === "held" && !row.code && !tampered && !agreement, () => this.mend(open, row.id));
    show("again", row.state === "held", async () => {
      await mark({ row }, { state: "saved", notice: null });
      keepDraining();
    });
    show("discard", LOOSE.includes(row.state), () => {
      if (row.state !== "draft" || confirm(this.words.discard)) discard(row.id);
    });
  }

  // What the server refused becomes a draft again: under the same identifier, so that it can never be two records.
  async mend(open, id) {
    const record = await load(open, id);
    delete record.body.sentAs;
    delete record.body.registration;
    const taken = /:number-taken$/.test(record.row.notice?.type ?? "");
    await keep(open, record, { state: "draft", notice: null, ...(taken && { number: null }) });
    location.assign(`/phone/new?draft=${id}`);
  }

  async export() {
    const box = this.root.querySelector("[data-exported]");
    const { exportAll } = await import("./carry.js");
    const made = await exportAll(await opened());
    const link = box.querySelector("a");
    link.href = URL.createObjectURL(made.file);
    link.download = made.name;
    box.querySelector("[data-code]").textContent = made.code;
    box.hidden = false;
    box.focus();
  }

  async import(event) {
    event.preventDefault();
    const form = event.target;
    const status = form.querySelector("[data-import-status]");
    status.textContent = this.words.importing;
    try {
      const { importFile } = await import("./carry.js");
      const { added, known } = await importFile(await opened(), form.elements.file.files[0], form.elements.code.value);
      status.textContent = this.words.imported.replace("{added}", added).replace("{known}", known);
      form.reset();
      keepDraining();
    } catch (error) {
      status.textContent = this.words[`import_${error.name}`] ?? this.words.import_failed;
    }
  }
}

export function enhance(root) {
  if (root.screen) return;
  root.screen = new Screen(root);
  root.screen.soon(0);
  setUp(document.querySelector("[data-setup]"), me, () => root.screen.soon());
  offerChange(root.querySelector("[data-change-pin]"));
  document.querySelector("[data-away]").hidden = location.pathname.startsWith("/phone");
}

// The page. Text of the package goes in as text, never as markup.
const MARKS = { ok: "✓", bad: "✕", warn: "!", open: "?", none: "○", holds: "✓", failed: "✕", not_checked: "–" };
const COMMANDS = [
  ["s11", "openssl cms -verify -cades -binary -inform DER -purpose any -in " + SEAL + ".p7s -content " + SEAL + " -CAfile ORGANISATION-CA.pem -out /dev/null"],
  ["s12", "openssl ts -verify -data " + SEAL + " -in " + SEAL + ".tsr -CAfile TIMESTAMP-CA.pem"],
];
const SHOWN_EVENTS = 500;
let words, language = "en", report = null, chosen = null;
const at = id => document.getElementById(id);

// A finding is [key, ...values]; a value may itself be a finding.
function say([key, ...values]) {
  return (words[language][key] ?? key).replace(/\{(\d)\}/g, (_, place) => {
    const value = values[place];
    return Array.isArray(value) ? say(value) : String(value ?? "–");
  });
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const moment = text => text.replace("T", " ").replace(/\.\d+Z$|Z$/, " UTC");

function speak(chosenLanguage) {
  language = chosenLanguage;
  document.documentElement.lang = language;
  document.title = say(["title"]);
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say([element.dataset.t]);
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === language));
  if (report) render();
}

function verdict(results) {
  const failed = results.filter(one => one.outcome === "failed").map(one => one.number);
  if (failed.length) return ["bad", ["refused", failed.join(", ")]];
  const open = results.some(one => one.number <= 10 && one.outcome === "not_checked");
  return open ? ["warn", ["undecided"]] : ["ok", ["held"]];
}

const badge = kind => make("span", { class: "mark", "aria-hidden": "true" }, MARKS[kind]);

function render() {
  const { results } = report, list = exhibits(report.found), [kind, sentence] = verdict(results);
  const count = outcome => results.filter(one => one.outcome === outcome).length;
  at("name").textContent = say(["result", report.name ? shown(report.name) : say(["unknown"])]);
  at("verdict").className = "verdict " + kind;
  at("verdict").replaceChildren(make("strong", {}, say(sentence)), " ", say(["counts", count("holds"), count("failed"), count("not_checked"), count("none")]));
  at("signs").replaceChildren(...signs(report, list).map(([name, mark, finding]) =>
    make("li", { class: mark }, make("h3", {}, badge(mark), say([name]) + ": " + say([mark])), make("p", {}, say(finding)))));
  at("list").replaceChildren(...results.map(({ number, outcome, finding }) =>
    make("li", { class: outcome, value: number }, make("h3", {}, badge(outcome), number + ". " + say(["s" + number]) + ": " + say([outcome])), make("p", {}, say(finding)))));
  at("things").replaceChildren(...list.slice(0, SHOWN_EVENTS).map(thing));
  at("things-box").hidden = !list.length;
  const withheld = report.found.withheld ?? [];
  at("gone").replaceChildren(...withheld.slice(0, SHOWN_EVENTS).map(row => make("li", {}, say(["withheld_row", shown(row.path), plain(row.reason), plain(row.code), row.sha256]))));
  at("gone-box").hidden = !withheld.length;
  at("limits").replaceChildren(...limits(report).map(one => make("li", {}, say(one))));
  at("when").textContent = say(["page_hash", moment(report.when)]);
  at("commands").replaceChildren(...COMMANDS.flatMap(([title, command]) => [
    make("h3", {}, title.slice(1) + ". " + say([title])), make("pre", { tabindex: 0 }, make("code", {}, command)), copier(command)]));
  at("report").hidden = false;
}

function thing(one) {
  const chain = one.chain.slice(0, SHOWN_EVENTS).map(({ at: when, by, words: what, notes }) => make("li", {},
    make("time", {}, when ? moment(when) : "–"), " ", make("span", {}, say(what)), by ? make("span", { class: "by" }, " · " + by) : "",
    ...notes.map(note => make("div", { class: note[0] }, say(note)))));
  const more = one.chain.length > SHOWN_EVENTS ? [make("p", {}, "… (" + one.chain.length + ")")] : [];
  return make("details", one.chain.length < 40 ? { open: "" } : {}, make("summary", {}, make("strong", {}, one.number), " " + one.description),
    make("p", {}, say(["holder", one.holder || "–"])), make("ol", {}, ...chain), ...more);
}

function copier(command) {
  const button = make("button", { type: "button" }, say(["copy"]));
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(command); button.textContent = say(["copied"]); } catch { /* the text can be selected */ }
  };
  return button;
}

async function check() {
  if (!chosen || at("busy").dataset.on) return;
  at("busy").dataset.on = "1";
  at("busy").hidden = false;
  at("report").hidden = true;
  at("again").disabled = true;
  report = await verifyPackage(chosen, at("key").value, async (step, part) => {
    at("bar").value = Math.min(1, part || 0);
    const text = say(["progress", step]);
    if (at("now").textContent !== text) at("now").textContent = text;
    await new Promise(done => setTimeout(done));
  });
  report.when = new Date().toISOString();
  delete at("busy").dataset.on;
  at("busy").hidden = true;
  at("again").disabled = false;
  render();
  at("name").focus();
}

// The whole result as plain text: what was checked can be kept beside the package.
function asText() {
  return at("report").innerText.split("\n").filter((line, place, all) => line.trim() || all[place - 1]?.trim()).join("\n") + "\n";
}

async function start() {
  at("file").disabled = true;
  // One byte a letter packs best: Kyrgyz ones stand in the places of Serbian ones (tools/verify_html.py).
  const text = new TextDecoder("windows-1251").decode(await unpack(WORDS)).replace(/[љњћЉЊЋ]/g, one => "ңөүҢӨҮ"["љњћЉЊЋ".indexOf(one)]);
  const [keys, ...all] = text.split("\n").map(line => line.split("\t"));
  words = Object.fromEntries(all.map(([name, ...list]) => [name, Object.fromEntries(list.map((said, place) => [keys[place + 1], said]))]));
  speak(["ru", "ky"].find(one => navigator.language.startsWith(one)) ?? "en");
  for (const button of document.querySelectorAll("[data-lang]")) button.onclick = () => speak(button.dataset.lang);
  at("file").disabled = false;
  at("file").onchange = () => { [chosen] = at("file").files; check(); };
  at("again").onclick = check;
  at("print").onclick = () => print();
  at("save").onclick = () => {
    const link = make("a", { href: URL.createObjectURL(new Blob([asText()], { type: "text/plain" })), download: (report.name || "package") + "-verification.txt" });
    link.click();
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    addEventListener(kind, event => {
      event.preventDefault();
      at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) { [chosen] = event.dataTransfer.files; check(); }
    });
  }
}
globalThis.verifyPackage = verifyPackage;
start();

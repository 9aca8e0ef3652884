// What the records of a hand-over say, as a person reads them. The words come with the page ([data-labels]).

import { when } from "./words.js";

let known = null;
const labels = () => (known ??= JSON.parse(document.querySelector("[data-labels]").dataset.words));

const node = (name, ...content) => {
  const made = document.createElement(name);
  made.append(...content);
  return made;
};

export const purpose = (code) => labels().purposes[code] ?? code;
export const category = (code) => labels().categories[code] ?? code;
export const sealWords = (seal) => (seal ? labels().seal.replace("{number}", seal) : labels().noseal);
export const person = ({ name, badge }) => [name, badge].filter(Boolean).join(", ");

// The moment as the other phone wrote it, shown by this phone's clock and zone.
export const moment = (at) => when(Date.parse(at));

function list(rows) {
  const made = document.createElement("dl");
  made.className = "sum";
  for (const [term, value] of rows) if (value) made.append(node("div", node("dt", term), node("dd", value)));
  return made;
}

// The state of a seal in an answer: as it was offered, or what is different.
function answered(item, asked) {
  const words = labels();
  const other = item.seal_state === "intact" && item.seal && item.seal !== asked.seal ? "other" : null;
  const state = other ?? (item.seal_state || (item.seal && !asked.seal ? "other" : ""));
  return [
    words[item.decision], words[state]?.replace("{number}", item.seal ?? ""), words.reasons[item.reason],
    item.discrepancy, item.note, item.photos && words.photos.replace("{count}", item.photos.length),
  ].filter(Boolean).join(", ");
}

// An offer, and its answer where there is one: who, where, what for, and each exhibit.
export function telling(offer, answer = null) {
  const words = labels();
  const facts = list([
    [words.from, person(offer.by)], [words.to, answer && person(answer.by)], [words.purpose, purpose(offer.purpose)],
    [words.place, offer.place], [words.note, offer.note], [words.offered, moment(offer.at)],
    [words.answered, answer && moment(answer.at)], [words.id, offer.id.slice(0, 8)],
  ]);
  const items = document.createElement("ol");
  items.className = "lines";
  for (const asked of offer.items) {
    const given = answer?.items.find((item) => item.exhibit === asked.exhibit);
    const line = node("li", node("code", asked.exhibit), ` ${category(asked.what)}, ${sealWords(asked.seal)}`);
    if (given) line.append(node("br"), node("strong", answered(given, asked)));
    items.append(line);
  }
  return [facts, items];
}

// The registration form as data: what a draft keeps of it, and what the server's JSON API is told.

import { deviceTime } from "../clock.js";

const LEFT_OUT = new Set(["csrf_token", "client_id", "device_time", "photos_sha256", "photos"]);
const NUMBERS = new Set(["quantity", "value"]);
const CLAIMS = { place_latitude: "latitude", place_longitude: "longitude", place_accuracy: "accuracy_m" };

// [[name, value], …] of everything typed or chosen, files aside.
export function entries(form) {
  return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !LEFT_OUT.has(name));
}

export function fill(form, kept) {
  const values = new Map(kept);
  for (const control of form.elements) {
    if (!control.name || control.type === "file" || LEFT_OUT.has(control.name)) continue;
    if (control.type === "radio" || control.type === "checkbox") control.checked = values.get(control.name) === control.value;
    else if (values.has(control.name)) control.value = values.get(control.name);
  }
  for (const details of form.querySelectorAll("details")) {
    const used = [...details.querySelectorAll("input, select, textarea")].some((one) =>
      one.type === "radio" || one.type === "checkbox" ? one.checked : one.type !== "file" && one.value.trim());
    if (used) details.open = true;
  }
}

// "12,5" and "1 000" as phones of the region write them.
const plainNumber = (text) => text.replace(/[\s\u00a0\u202f]/g, "").replace(/^(-?\d+),(\d+)$/, "$1.$2");

const localTime = (text) => (text ? deviceTime(new Date(text)) : text);

// `exhibits-0-quantity` becomes {exhibits: [{quantity}]}; what is blank is left out, and rows of nothing but blanks.
export function registration(kept) {
  const plain = {};
  const rows = {};
  for (const [name, raw] of kept) {
    const value = raw.trim();
    if (!value || name === "place_at") continue;
    const [, list, index, field] = /^(\w+)-(\d+)-(\w+)$/.exec(name) ?? [];
    if (!list) plain[CLAIMS[name] ?? name] = name === "seized_at" ? localTime(value) : value;
    else {
      rows[list] ??= new Map();
      const row = rows[list].get(Number(index)) ?? {};
      row[field] = NUMBERS.has(field) ? plainNumber(value) : field === "refused_signature" ? true : value;
      rows[list].set(Number(index), row);
    }
  }
  for (const [list, found] of Object.entries(rows)) {
    plain[list] = [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
  }
  return plain;
}

// What a person sees of a record in the list: "Drugs, 512,5 g, bag 00451879".
export function summary(form, bag) {
  const field = (name) => form.elements.namedItem(`exhibits-0-${name}`);
  const chip = form.querySelector("input[name='exhibits-0-category']:checked");
  const unit = field("unit");
  const amount = field("quantity").value.trim();
  const seal = field("seal").value.trim();
  return [
    chip?.closest("label").textContent.trim(),
    amount && `${amount} ${unit.selectedOptions[0]?.textContent ?? ""}`.trim(),
    seal && bag.replace("{number}", seal),
  ].filter(Boolean).join(", ");
}

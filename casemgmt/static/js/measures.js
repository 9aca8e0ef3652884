// When the kind of goods is chosen, offers only the units that suit it and sets the usual one, and
// says how it is measured: both stay visible and can be changed. What a person chose is left alone.

const chosen = new WeakSet();

function suit(form, row, measures) {
  const category = new FormData(form).get(`exhibits-${row}-category`);
  const units = form.elements.namedItem(`exhibits-${row}-unit`);
  const basis = form.elements.namedItem(`exhibits-${row}-basis`);
  const known = measures.categories[category];
  if (!units || !basis || !known) return;
  for (const option of units.options) {
    option.hidden = option.value !== "" && !known.units.includes(option.value);
    option.disabled = option.hidden;
  }
  if (!chosen.has(units) || !known.units.includes(units.value)) units.value = known.usual;
  measure(form, row, measures);
}

function measure(form, row, measures) {
  const quantity = form.elements.namedItem(`exhibits-${row}-quantity`);
  const units = form.elements.namedItem(`exhibits-${row}-unit`);
  const basis = form.elements.namedItem(`exhibits-${row}-basis`);
  if (!quantity || !units || !basis || chosen.has(basis)) return;
  if (quantity.value.trim() === "") basis.value = measures.unmeasured[0];
  else if (units.value) basis.value = measures.counted.includes(units.value) ? "counted" : "gross";
}

const enhanced = new WeakSet();

export function enhance(form) {
  if (enhanced.has(form)) return;
  enhanced.add(form);
  const measures = JSON.parse(form.dataset.measures);
  for (const field of form.elements) {
    if (/^exhibits-\d+-(unit|basis)$/.test(field.name ?? "") && field.value) chosen.add(field);
  }
  const changed = (event) => {
    const [, row, name] = /^exhibits-(\d+)-(category|unit|basis|quantity)$/.exec(event.target.name ?? "") ?? [];
    if (!row) return;
    if (name === "unit" || name === "basis") chosen.add(event.target);
    if (name === "category") suit(form, row, measures);
    else if (name !== "basis") measure(form, row, measures);
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
}

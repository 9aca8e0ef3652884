// The box above a form that says what is missing: [data-phone-errors]. `errors`: [[id of the field, sentence], …].

export function tell(errors) {
  const box = document.querySelector("[data-phone-errors]");
  box.hidden = errors.length === 0;
  box.querySelector("ul").replaceChildren(...errors.map(([id, sentence]) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = sentence;
    item.append(link);
    return item;
  }));
  if (errors.length > 0) box.focus();
}

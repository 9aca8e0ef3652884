// "/" or Ctrl+K goes to the search. Keys are matched by their place on the keyboard: on a Russian
// layout the key has another letter. The single key can be switched off in the menu (WCAG 2.1.4).

const NAME = "single-keys";
const search = document.querySelector("[data-palette]");
const off = document.querySelector("[data-single-keys]");

function allowed() {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true;
  }
}

function goToSearch() {
  if (search.offsetParent) search.select();
  else location.assign(search.form.action);
}

function typing(target) {
  return target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
}

if (search) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.shiftKey || event.isComposing) return;
    const withModifier = event.ctrlKey || event.metaKey;
    const wanted = withModifier
      ? event.code === "KeyK"
      : event.code === "Slash" && allowed() && !typing(event.target);
    if (!wanted) return;
    event.preventDefault();
    goToSearch();
  });
}

if (off) {
  off.closest("[hidden]").hidden = false;
  off.checked = allowed();
  off.addEventListener("change", () => {
    try {
      localStorage.setItem(NAME, off.checked ? "on" : "off");
    } catch {
      off.checked = true; // Storage is forbidden, so the choice cannot be kept.
    }
  });
}

// Day and night colours, one tap, kept on this device: a cookie so that the server draws the page
// right from the start, and local storage in case the cookie is cleared at sign-out.

const NAME = "theme";
const YEAR = 365 * 24 * 3600;
const root = document.documentElement;

function remember(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "auto" ? 0 : YEAR;
  document.cookie = `${NAME}=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // Storage may be forbidden; the cookie is enough.
  }
}

function recall() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

function apply(theme) {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const choice of document.querySelectorAll("[data-theme-choice]")) {
    if (choice.value === theme) choice.setAttribute("aria-current", "true");
    else choice.removeAttribute("aria-current");
  }
}

function choose(theme) {
  apply(theme);
  remember(theme);
}

const isNight = () => root.dataset.theme === "dark"
  || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

const kept = recall();
if (!root.dataset.theme && (kept === "light" || kept === "dark")) choose(kept);

const toggle = document.querySelector("[data-theme-toggle]");
if (toggle) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => choose(isNight() ? "light" : "dark"));
}
document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]");
  if (!choice) return;
  event.preventDefault();
  choose(choice.value);
});

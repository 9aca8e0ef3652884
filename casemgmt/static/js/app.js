// The entry: loads a module only where an element of the page asks for it. Every page works
// without any of this; a module adds comfort and claims (time, place, fingerprints), never duty.

import "./theme.js";
import "./palette.js";
import "./confirm.js";

const MODULES = {
  "[data-capture]": () => import("./phone/capture.js"),
  "[data-give]": () => import("./phone/giver.js"),
  "[data-receive]": () => import("./phone/receiver.js"),
  "[data-phone]": () => import("./phone/screen.js"),
  "[data-waiting]": () => import("./phone/waiting.js"),
  "[data-install]": () => import("./phone/install.js"),
  "[data-clock]": () => import("./clock.js"),
  "[data-place]": () => import("./place.js"),
  "[data-photos]": () => import("./photos.js"),
  "[data-measures]": () => import("./measures.js"),
  "[data-passkey]": () => import("./passkey.js"),
  "[data-sign-pin], [data-pin-choice]": () => import("./sign-pin.js"),
  "[data-scan]": () => import("./scan.js"),
  "[data-answer]": () => import("./answer.js"),
  "[data-drawing]": () => import("./drawing.js"),
  "[data-live]": () => import("./live.js"),
};

// All that is needed is asked for at once, and runs in the order above.
async function enhance() {
  const coming = Object.entries(MODULES)
    .map(([selector, load]) => [document.querySelectorAll(selector), load])
    .filter(([elements]) => elements.length > 0)
    .map(([elements, load]) => [elements, load()]);
  for (const [elements, module] of coming) elements.forEach((await module).enhance);
}

function focusErrors() {
  document.querySelector("[data-error-summary]")?.focus();
}

document.documentElement.classList.add("js");
enhance();
focusErrors();

document.addEventListener("htmx:after:swap", () => {
  enhance();
  focusErrors();
});

// An open menu closes on Escape and on a press elsewhere, as menus do.
const menu = document.querySelector("details.menu");
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});

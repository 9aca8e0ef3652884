// What a phone that was never made ready says, before the rest of the scripts has come over a slow line. The modules that
// follow look into the phone's store and have the last word.

import { NAME } from "./waiting.js";

try {
  if (!localStorage.getItem(NAME)) {
    const card = document.querySelector("[data-unlock]");
    card.hidden = false;
    card.querySelector("h2").hidden = true;
    card.querySelector("[data-no-vault]").hidden = false;
  }
} catch {
  // Storage is forbidden: the modules that follow say what there is.
}

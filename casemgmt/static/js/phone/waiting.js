// Loads what watches over unsent records, on a phone that has any use for it: one where a PIN was set.

export const NAME = "casemgmt-phone";

export function enhance(strip) {
  if (strip.watched || !globalThis.indexedDB || !globalThis.crypto?.subtle) return;
  strip.watched = true;
  try {
    if (!localStorage.getItem(NAME) && location.pathname !== "/phone") return;
  } catch {
    return; // Storage is forbidden, so there is nothing to watch over.
  }
  import("./strip.js").then(({ start }) => start(strip));
}

// Installing: the service worker, a new version of it, and telling an iPhone's owner what the iPhone does not tell.

import { NAME } from "./waiting.js";

const iPhone = () => /iPhone|iPad/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const installed = () => navigator.standalone === true || matchMedia("(display-mode: standalone)").matches;

// A new version takes over by itself only where no other page is open that could be in the middle of something. A page
// with a draft offers it; the draft is in the store and comes back with the page.
function offer(worker, box) {
  if (!document.querySelector("[data-capture]")) {
    worker.postMessage("go ahead if alone");
    return;
  }
  if (!box) return;
  box.hidden = false;
  box.querySelector("button").onclick = async () => {
    await document.querySelector("[data-capture]")?.capture?.save(); // what was typed a moment ago too
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    worker.postMessage("go ahead");
  };
}

// A telephone that has no vault yet is offered one, on the page where an officer's shift begins.
function offerVault() {
  const offer = document.querySelector("[data-offer-phone]");
  if (!offer || !matchMedia("(pointer: coarse)").matches || !navigator.serviceWorker) return;
  try {
    offer.hidden = Boolean(localStorage.getItem(NAME));
  } catch {
    // Storage is forbidden, so a vault could not be kept.
  }
}

// A phone that works without a network must be able to read codes without one. Where the browser reads none by itself, the
// reader is kept too, in the background and only on a phone that was made ready for this work.
async function keepReader() {
  try {
    if (!localStorage.getItem(NAME)) return;
  } catch {
    return; // storage is forbidden, so this is no such phone
  }
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats().catch(() => [])) ?? [];
  if (formats.includes("qr_code")) return;
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage("keep the reader");
}

export async function enhance(root) {
  offerVault();
  if (root.installed) return;
  root.installed = true;
  const tip = document.querySelector("[data-home-screen]");
  if (tip) tip.hidden = !iPhone() || installed();
  if (!navigator.serviceWorker) return;
  const box = document.querySelector("[data-new-version]");
  const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" }).catch(() => null);
  if (!registration) return; // a private window, or storage forbidden: every page works from the network
  keepReader();
  const look = (worker) => worker?.addEventListener("statechange", () => {
    if (worker.state === "installed" && navigator.serviceWorker.controller) offer(worker, box);
  });
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting, box);
  look(registration.installing);
  registration.addEventListener("updatefound", () => look(registration.installing));
  // Another language was chosen on the server's page: what this phone keeps follows at once, not some day.
  const { lang } = document.documentElement;
  const names = location.pathname.startsWith("/phone") ? [lang] : await caches.keys();
  if (!names.some((name) => name.endsWith(lang))) registration.update().catch(() => {}); // no network: some day
}

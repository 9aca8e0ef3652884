// The service worker: keeps the phone's own pages and our static files, so that they open without a
// network, and nothing else. No page with a record of a case is ever kept here.
//
// The server writes `const SHELL = {version, pages, files, later}` before the first line, so another version of any
// file is another worker. A new worker waits until no page of the old one is open, or until a page asks it
// to go ahead; what is kept in IndexedDB is none of its business.

const PREFIX = "shell-";
const CACHE = PREFIX + SHELL.version;
const LATER = "reader-";
const PATIENCE = 8000; // ms a page may take to come before the phone's own page is shown instead

async function fill() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.files);
  for (const [path, address] of Object.entries(SHELL.pages)) {
    // Without cookies: what is kept is the page of a stranger, the same for everybody.
    const answer = await fetch(address, { credentials: "omit", cache: "no-store", redirect: "error" });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    await cache.put(path, answer);
  }
}

async function forgetOthers() {
  const ours = (name) => (name.startsWith(PREFIX) && name !== CACHE) || (name.startsWith(LATER) && name !== LATER + SHELL.later.version);
  await Promise.all((await caches.keys()).filter(ours).map((name) => caches.delete(name)));
}

// The reader of codes is larger than everything else together, so it comes when a phone asks for it, after its pages,
// and under a version of its own: an upgrade of the pages does not fetch it again.
async function keepReader() {
  const cache = await caches.open(LATER + SHELL.later.version);
  for (const [name, address] of Object.entries(SHELL.later.files)) {
    if (await cache.match(`/static/${name}`)) continue;
    const answer = await fetch(address);
    if (!answer.ok) return;
    await cache.put(`/static/${name}`, answer);
  }
}

// No page but the one that asks is open, so nobody is in the middle of anything.
async function goAheadIfAlone() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.length <= 1) await self.skipWaiting();
}

// A network is back: the pages that are open send what waits. The worker itself sends nothing. Whose vault is open, who is
// signed in and when it locks are decided in one place, and a worker that sent would keep a phone open that nobody holds.
async function wake() {
  for (const page of await self.clients.matchAll({ type: "window" })) page.postMessage("drain");
}

async function kept(path) {
  return (await (await caches.open(CACHE)).match(path)) ?? Response.error();
}

// The page of the server; where it does not come, the phone's page for the same work.
async function page(request, path) {
  const instead = path === "/seizures/new" ? "/phone/new" : "/phone";
  const slow = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const coming = fetch(request);
  try {
    return (await Promise.race([coming, slow])) ?? (await kept(instead));
  } catch {
    return kept(instead);
  }
}

async function file(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const name = new URL(request.url).pathname.replace(/^\/static\/[^/]+\//, "");
  const later = name in SHELL.later.files && (await caches.match(`/static/${name}`, { ignoreVary: true }));
  return later || fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers().then(() => self.clients.claim())));
self.addEventListener("message", (event) => {
  if (event.data === "go ahead") self.skipWaiting();
  if (event.data === "keep the reader") event.waitUntil(keepReader().catch(() => {})); // no network now: asked again
  if (event.data === "go ahead if alone") event.waitUntil(goAheadIfAlone());
});
self.addEventListener("sync", (event) => event.tag === "drain" && event.waitUntil(wake()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (pathname in SHELL.pages) event.respondWith(kept(pathname).then((answer) => (answer.ok ? answer : fetch(request))));
    else if (isPage(pathname)) event.respondWith(page(request, pathname));
  } else if (pathname in SHELL.pages) {
    event.respondWith(kept(pathname).then((answer) => (answer.ok ? answer : fetch(request))));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith(file(request));
  }
});

// Bytes of evidence and archives are downloads: they are left to the browser, however slowly they come.
function isPage(pathname) {
  return !/^\/(files|api|packages|ledger|static)\//.test(pathname);
}

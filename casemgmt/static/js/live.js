// Follows a record that another person may change: <p data-live="<address>" data-live-version="…">.
// Listens to <address>/live and falls back to asking <address>/state. A page with a half-filled form is never replaced:
// its reader is told and decides. Holds no text of its own.

const ASK = 5000; // milliseconds, where listening is not possible
let following = null;

export function enhance(element) {
  if (following?.element.isConnected) return;
  following = new Following(element);
}

class Following {
  constructor(element) {
    this.element = element;
    this.address = element.dataset.live;
    this.version = element.dataset.liveVersion;
    this.announcer = document.createElement("div");
    this.announcer.className = "vh";
    this.announcer.setAttribute("role", "status");
    document.body.append(this.announcer);
    this.listen();
  }

  listen() {
    if (!("EventSource" in window)) return this.ask();
    this.source = new EventSource(`${this.address}/live`);
    this.source.addEventListener("version", (event) => this.seen(event.data));
    this.source.onerror = () => {
      // No room, or no such thing: EventSource gives up. A lost connection it opens again by itself.
      if (this.source.readyState === EventSource.CLOSED) this.ask();
    };
    addEventListener("pagehide", () => this.source.close(), { once: true });
  }

  async ask() {
    while (this.element.isConnected) {
      await new Promise((resolve) => setTimeout(resolve, ASK));
      if (document.hidden) continue;
      try {
        const answer = await fetch(`${this.address}/state`, { headers: { Accept: "application/json" } });
        if (answer.ok) this.seen((await answer.json()).version);
        else if (answer.status < 500) return;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // no network now: ask again
      }
    }
  }

  async seen(version) {
    if (version === this.version || !this.element.isConnected) return;
    this.version = version;
    if (touched()) return this.tell();
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector("main");
    if (!main) return;
    document.querySelector("main").replaceWith(main);
    this.element = main.querySelector("[data-live]") ?? this.element;
    window.htmx?.process?.(main);
    document.dispatchEvent(new CustomEvent("htmx:after:swap"));
    this.announcer.textContent = this.element.textContent.trim();
  }

  // The words are in the page already, hidden: a reader without this script never needs them.
  tell() {
    const notice = document.querySelector("[data-live-notice]");
    if (notice) notice.hidden = false;
    this.announcer.textContent = notice?.textContent.trim() ?? "";
  }
}

function touched() {
  return [...document.querySelectorAll("main form :is(input, textarea, select)")].some((control) => {
    if (control.type === "hidden") return false;
    if (control.type === "radio" || control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.tagName === "SELECT") return [...control.options].some((o) => o.selected !== o.defaultSelected);
    return control.value !== control.defaultValue;
  });
}

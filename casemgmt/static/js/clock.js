// Writes the device's own time with its offset (RFC 3339, "2026-11-21T03:12:45.120+06:00") into
// a hidden field: when the page opens, on every change, and last when the form is sent. The
// server keeps it beside its own time and trusts neither to replace the other.

const pad = (number, width = 2) => String(Math.trunc(Math.abs(number))).padStart(width, "0");

export function deviceTime(now = new Date()) {
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, -1);
  return `${local}${offset < 0 ? "-" : "+"}${pad(offset / 60)}:${pad(offset % 60)}`;
}

const running = new WeakSet();

export function enhance(field) {
  const stamp = () => {
    field.value = deviceTime();
  };
  stamp();
  if (running.has(field)) return;
  running.add(field);
  field.form?.addEventListener("change", stamp);
  field.form?.addEventListener("submit", stamp, { capture: true });
}

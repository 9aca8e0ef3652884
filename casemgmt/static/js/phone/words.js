// Ages, times and states in words. The words themselves come with the page, in the reader's language.

const HOUR = 3600_000;

// "4 h 20 min": how long something has been waiting.
export function age(at, words) {
  const minutes = Math.max(0, Math.floor((Date.now() - at) / 60_000));
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  if (days > 0) return words.ageDays.replace("{days}", days).replace("{hours}", hours);
  if (minutes >= 60) return words.ageHours.replace("{hours}", hours).replace("{minutes}", minutes % 60);
  return words.ageMinutes.replace("{minutes}", minutes);
}

export const isOld = (at) => Date.now() - at > 12 * HOUR;

const two = (number) => String(number).padStart(2, "0");

// 21.11.2026 03:12, by this phone's clock.
export function when(at) {
  const d = new Date(at);
  return `${two(d.getDate())}.${two(d.getMonth() + 1)}.${d.getFullYear()} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function stateWords(row, words) {
  if (row.kind === "agreement") return words[`agreement_${row.state}`] ?? words.agreement_saved;
  const percent = row.bytes > 0 ? Math.floor((100 * row.sent) / row.bytes) : 0;
  return (words[`state_${row.state}`] ?? row.state).replace("{percent}", percent);
}

// Where the server shows what became of a record; "" as long as it has nothing to show.
export function serverPage({ kind, code, brought }) {
  if (kind !== "agreement") return code ? `/seizures/${code}/saved` : "";
  if (code) return `/hand-overs/${code}`;
  return brought ? `/agreements/${brought}` : "";
}

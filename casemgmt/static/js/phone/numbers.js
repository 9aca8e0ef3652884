// Numbers reserved for this phone: one that is given without a network is final, because the server gives it to nobody
// else. A number that is taken and not used is a gap, which the server lists with who reserved it.

import { ask, read, transact, write } from "./database.js";
import { NoAnswer, Refusal, reserve } from "./server.js";
import { device } from "./opened.js";

const ENOUGH = 10;
const BLOCK = 20;

const place = (owner) => `numbers:${owner}`;
const thisYear = () => new Date().getFullYear();

// The next number of this officer on this phone, given once; null when there is none for this year.
export function takeNumber(owner) {
  return transact(["facts"], "readwrite", async (facts) => {
    const kept = await ask(facts.get(place(owner)));
    const [number, ...rest] = (kept?.numbers ?? []).filter((one) => one.startsWith(`${thisYear()}-`));
    if (!number) return null;
    await ask(facts.put({ ...kept, numbers: rest }));
    return number;
  });
}

// Asks for another block before the last numbers are given. A lost answer is asked for again under the same
// identifier and brings the same numbers. Whoever registers nothing gets none, and that is no fault.
export async function refill(owner, csrf) {
  const kept = (await read("facts", place(owner))) ?? { name: place(owner), numbers: [] };
  if (kept.numbers.filter((one) => one.startsWith(`${thisYear()}-`)).length >= ENOUGH) return;
  const asked = { ...kept, asking: kept.asking ?? crypto.randomUUID() };
  await write("facts", asked);
  let block;
  try {
    block = await reserve({ client_id: asked.asking, device: (await device()).id, count: BLOCK }, csrf);
  } catch (error) {
    if (error instanceof NoAnswer || error instanceof Refusal) return;
    throw error;
  }
  await transact(["facts"], "readwrite", async (facts) => {
    const now = (await ask(facts.get(place(owner)))) ?? asked;
    if (now.asking !== asked.asking) return;
    const { asking, ...plain } = now;
    await ask(facts.put({ ...plain, numbers: [...now.numbers, ...block.numbers] }));
  });
}

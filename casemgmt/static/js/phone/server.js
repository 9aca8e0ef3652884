// Talking to the server's JSON API in the name of whoever is signed in now.

import { base64url } from "./base64.js";

const PATIENCE = 30_000;

// Nothing was answered, or not by the register (a captive portal, a proxy): try again later.
export class NoAnswer extends Error {
  name = "NoAnswer";
}

// The register answered and did not do it. `words` are its own, in the reader's language.
export class Refusal extends Error {
  constructor(status, problem, offset = null) {
    super(`${status} ${problem.title ?? ""}`);
    this.name = "Refusal";
    this.status = status;
    this.type = problem.type ?? "";
    this.words = problem.title ?? "";
    this.errors = problem.errors ?? {};
    this.offset = offset; // of an upload, where the server told its own
  }
}

async function problem(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}

// Answers with the Response of a success. Throws NoAnswer or Refusal.
export async function ask(path, options = {}, patience = PATIENCE) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  let answer;
  try {
    answer = await fetch(path, {
      credentials: "same-origin", cache: "no-store", redirect: "error", signal: stop.signal, ...options,
      headers: { Accept: "application/json", ...options.headers },
    });
  } catch (error) {
    throw new NoAnswer(path, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (!answer.ok) throw new Refusal(answer.status, await problem(answer));
  return answer;
}

async function json(answer, ...wanted) {
  let found;
  try {
    found = await answer.json();
  } catch (error) {
    throw new NoAnswer("not the register's answer", { cause: error });
  }
  if (wanted.some((name) => found?.[name] === undefined)) throw new NoAnswer("not the register's answer");
  return found;
}

// {id, name, csrf, now, post, place, pin_keys}: who would be sent for, and a fresh token against forged requests.
export async function me() {
  const asked = Date.now();
  const found = await json(await ask("/api/v1/me"), "id", "csrf", "now", "pin_keys");
  // The server's clock less this phone's, in ms; right to about half the time the answer took.
  return { ...found, clock: Date.parse(found.now) - (asked + Date.now()) / 2 };
}

async function post(path, said, csrf, ...wanted) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return json(await ask(path, { method: "POST", headers, body: JSON.stringify(said) }), ...wanted);
}

export const register = (said, csrf) => post("/api/v1/seizures", said, csrf, "id", "number", "exhibits");

// A block of numbers that nobody else gets: {numbers}.
export const reserve = (said, csrf) => post("/api/v1/number-blocks", said, csrf, "numbers");

// The public half of the key behind the officer's PIN.
export const enrolKey = ({ spki, proof, ...said }, csrf) =>
  post("/api/v1/pin-keys", { spki: base64url(spki), proof: base64url(proof), ...said }, csrf, "id", "fingerprint", "revoked");

// A hand-over that was agreed between two phones: {state, handover, number, why}; and how it stands now.
export const bring = (said, csrf) => post("/api/v1/agreements", said, csrf, "state");
export const broughtAs = async (id) => json(await ask(`/api/v1/agreements/${id}`), "state");

// One page of what the person who is signed in holds: {scope, exhibits, more}.
export const heldPage = async (after) =>
  json(await ask(`/api/v1/exhibits?scope=held${after && `&after=${after}`}`), "scope", "exhibits");

const STALLED = 60_000;

// PATCH with bytes, because fetch tells nothing of its progress. Answers with the new Upload-Offset. Throws as `ask`.
export function pour(path, headers, blob, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let watch = null;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), STALLED);
    };
    const lost = () => reject(new NoAnswer(path));
    request.onabort = lost;
    request.onerror = lost;
    request.onloadend = () => clearTimeout(watch);
    request.upload.onprogress = (event) => {
      alive();
      progress(event.loaded);
    };
    request.onload = () => {
      const offset = request.getResponseHeader("Upload-Offset");
      if (request.status === 204) resolve(offset);
      else if (request.status < 400) lost();
      else reject(new Refusal(request.status, parsed(request.responseText), offset));
    };
    request.open("PATCH", path);
    for (const [name, value] of Object.entries({ Accept: "application/json", ...headers })) {
      request.setRequestHeader(name, value);
    }
    alive();
    request.send(blob);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

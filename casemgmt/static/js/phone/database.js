// The phone's own store, IndexedDB. What lies in it:
//   vaults   one row for each officer of this phone: who, and the data key wrapped by the PIN
//   keys     "device": this phone's identifier and secret; "open": the unlocked key and until when
//   records  drafts and unsent registrations: an envelope in clear (who, when, state) and a sealed body
//   chunks   sealed bytes of photographs and films, by [record, file, index]
//   facts    "clock": how far this phone's clock is from the server's; "lease": who drains, without Web Locks

const NAME = "casemgmt-phone";

let opening = null;

function upgrade(db) {
  db.createObjectStore("vaults", { keyPath: "owner" });
  db.createObjectStore("keys", { keyPath: "name" });
  db.createObjectStore("records", { keyPath: "id" });
  db.createObjectStore("chunks");
  db.createObjectStore("facts", { keyPath: "name" });
}

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => upgrade(request.result);
    request.onerror = () => {
      opening = null;
      reject(request.error);
    };
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => db.close();
      db.onclose = () => {
        opening = null;
      };
      resolve(db);
    };
  });
  return opening;
}

export const ask = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// Runs `work(store, …)` in one transaction and gives its answer when everything is on the disk. `work` may await
// nothing but `ask`: anything else would let the transaction end. A failure undoes all of it and is thrown.
export async function transact(names, mode, work, durability = "strict") {
  const db = await open();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(names, mode, { durability });
    let answer;
    let failure = null;
    transaction.oncomplete = () => resolve(answer);
    transaction.onabort = () => reject(failure ?? transaction.error ?? new DOMException("undone", "AbortError"));
    Promise.resolve(work(...names.map((name) => transaction.objectStore(name)))).then(
      (found) => {
        answer = found;
      },
      (error) => {
        failure = error;
        try {
          transaction.abort();
        } catch {
          reject(error); // It had ended by itself.
        }
      },
    );
  });
}

export const read = (store, key) => transact([store], "readonly", (from) => ask(from.get(key)));
export const readAll = (store) => transact([store], "readonly", (from) => ask(from.getAll()));
export const write = (store, row) => transact([store], "readwrite", (to) => ask(to.put(row)));
export const remove = (store, key) => transact([store], "readwrite", (from) => ask(from.delete(key)));

// Other pages of this phone hear that something changed, and of what.
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;
const listeners = new Set();

export function changed(what) {
  for (const listener of listeners) listener(what);
  channel?.postMessage(what);
}

export function onChange(listener) {
  if (channel && listeners.size === 0) {
    channel.addEventListener("message", (event) => listeners.forEach((each) => each(event.data)));
  }
  listeners.add(listener);
}

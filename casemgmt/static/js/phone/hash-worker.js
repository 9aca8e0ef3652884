// Hashes what it is sent, piece after piece, and answers "digest" with the SHA-256 in hexadecimal.
// A classic script: the library is one, and only this file may compile WebAssembly (see its policy header).

importScripts("../../vendor/hash-wasm-sha256.min.js");

const ready = hashwasm.createSHA256().then((state) => state.init());
let last = Promise.resolve();

self.onmessage = (event) => {
  last = last.then(async () => {
    const state = await ready;
    if (event.data === "digest") self.postMessage(state.digest("hex"));
    else {
      state.update(new Uint8Array(event.data));
      self.postMessage("ok");
    }
  });
};

// SHA-256 of a file while it is read piece by piece. A photograph is hashed in one call of WebCrypto, which is the
// fastest there is but needs all bytes at once; anything larger goes through a worker with WebAssembly, in pieces.

const ONE_CALL = 64 * 1024 * 1024;

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

function whole() {
  const pieces = [];
  return {
    update: async (piece) => void pieces.push(piece),
    digest: async () => hex(await crypto.subtle.digest("SHA-256", await new Blob(pieces).arrayBuffer())),
    close: () => {},
  };
}

function streamed() {
  const worker = new Worker(new URL("./hash-worker.js", import.meta.url));
  const asked = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(`hashing stopped: ${event.message ?? ""}`));
      worker.postMessage(message);
    });
  return { update: asked, digest: () => asked("digest"), close: () => worker.terminate() };
}

export const hasher = (size) => (size > ONE_CALL ? streamed() : whole());

export async function sha256(bytes) {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

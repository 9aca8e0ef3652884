// SHA-256 by hash-wasm's WebAssembly: at once for small things, in Workers for files of any size.
function hasher(instance) {
  const wasm = instance.exports;
  const buffer = new Uint8Array(wasm.memory.buffer, wasm.Hash_GetBuffer(), 16384);
  return {
    begin() { wasm.Hash_Init(256); },
    add(bytes) {
      for (let at = 0; at < bytes.length; at += 16384) {
        const part = bytes.subarray(at, at + 16384);
        buffer.set(part);
        wasm.Hash_Update(part.length);
      }
    },
    end() { wasm.Hash_Final(0); return buffer.slice(0, 32); },
  };
}

// Chromium sometimes breaks off the stream of a large file: it is taken up again where it broke, as long as it gets on.
async function hashBlob(blob, hash, told) {
  let at = 0, said = 0, begun = -1;
  hash.begin();
  while (at < blob.size) {
    if (at === begun) throw 0;
    begun = at;
    const reader = blob.slice(at).stream().getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        hash.add(value);
        at += value.length;
        if (at - said > 8 << 20) { told(at - said); said = at; }
      }
    } catch { continue; }
  }
  return hash.end();
}

function workerMain() {
  let hash;
  onmessage = async ({ data }) => {
    if (data.module) { hash = hasher(new WebAssembly.Instance(data.module)); return; }
    try { postMessage({ digest: await hashBlob(data, hash, read => postMessage({ read })) }); }
    catch { postMessage({}); }
  };
}

let small, pool;

async function unpack(text) {
  const stream = new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

async function startHashing() {
  if (small) return;
  let module;
  try { module = await WebAssembly.compile(await unpack(WASM)); } catch { throw new Unable("no_wasm"); }
  small = hasher(await WebAssembly.instantiate(module));
  pool = [];
  const source = [hasher, hashBlob].join("\n") + "\n(" + workerMain + ")()";
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    for (let count = Math.min(4, navigator.hardwareConcurrency || 2); count > 0; count--) {
      const worker = new Worker(address);
      worker.postMessage({ module });
      pool.push(worker);
    }
  } catch { pool = []; }
}

function sha256(...parts) {
  small.begin();
  for (const part of parts) small.add(part);
  return small.end();
}

function inWorker(worker, blob, told) {
  return new Promise((resolve, reject) => {
    worker.onerror = event => { event.preventDefault(); reject(new Fault("unreadable")); };
    worker.onmessage = ({ data }) => {
      if (data.read) told(data.read);
      else if (data.digest) resolve(data.digest);
      else reject(new Fault("unreadable"));
    };
    worker.postMessage(blob);
  });
}

// jobs: [{ blob, done(digest) }], largest first; the four Workers take them one after another.
async function hashAll(jobs, told) {
  const queue = jobs.slice().sort((a, b) => a.blob.size - b.blob.size);
  const lane = async worker => {
    while (queue.length) {
      const job = queue.pop();
      let digest;
      try { digest = await (worker ? inWorker(worker, job.blob, told) : hashBlob(job.blob, small, told)); }
      catch { throw new Fault("unreadable"); }
      job.done(digest);
    }
  };
  const lanes = pool.length ? pool.map(lane) : [lane(null)];
  await Promise.allSettled(lanes);  // no Worker is left busy for the next check
  await Promise.all(lanes);
}

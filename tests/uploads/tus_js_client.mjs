// An upload by tus-js-client as it is: node tus_js_client.mjs '{"endpoint", "id", "file", "headers", "metadata", "chunkSize"}'
// Prints what became of it as one line of JSON.
import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";

const asked = JSON.parse(process.argv[2]);
const { Upload } = createRequire(asked.modules)("tus-js-client");
let errors = 0;
const upload = new Upload(createReadStream(asked.file), {
  endpoint: asked.endpoint,
  uploadUrl: asked.id ? `${asked.endpoint}/${asked.id}` : undefined,
  headers: asked.headers,
  metadata: asked.metadata,
  chunkSize: asked.chunkSize || Infinity,
  uploadSize: statSync(asked.file).size,
  retryDelays: [100, 200, 400, 800, 1600, 3000, 3000],
  onShouldRetry: (error) => {
    errors += 1;
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
    return status === 0 || status >= 500 || status === 409 || status === 423;
  },
  onError: (error) => console.log(JSON.stringify({ ok: false, errors, error: String(error).slice(0, 300) })),
  onSuccess: () => console.log(JSON.stringify({ ok: true, errors, url: upload.url })),
});
upload.start();

// Sends one file of a record. Everything the queue knows of uploading is this one function, so that the way the
// bytes travel can change without the queue.

import { PIECE, piece } from "./records.js";
import { ask } from "./server.js";

const PATIENCE = 30 * 60_000; // for one whole file on a line of a few kilobytes a second

const geo = (place) =>
  place ? { "X-Captured-Place": `geo:${place.latitude},${place.longitude};u=${place.accuracy}` } : {};

// `to`: the code of the exhibit. Answers with {sha256, size} of what the server has stored. Sent again, it is the
// same file: its identifier was made when it was taken.
export async function send(open, row, file, to, csrf) {
  const pieces = [];
  for (let index = 0; index * PIECE < file.size; index += 1) pieces.push(await piece(open, row, file, index));
  const answer = await ask(`/api/v1/exhibits/${to}/files/${file.id}?kind=photo`, {
    method: "PUT",
    body: new Blob(pieces),
    headers: {
      "Content-Type": file.type || "application/octet-stream",
      "X-CSRF-Token": csrf,
      "X-Content-SHA256": file.sha256,
      "X-File-Name": encodeURIComponent(file.name),
      "X-Captured-At": file.at,
      ...geo(file.place),
    },
  }, PATIENCE);
  return answer.json();
}

// Asks the device where it is and writes the answer into hidden fields, with its accuracy. It is
// kept as "claimed by this device". A refusal, a time-out or a device without a receiver leaves
// the fields empty, says so in words, and never holds up the form.

const OPTIONS = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 30_000 };
const answers = new WeakMap();

function show(box) {
  const text = box.dataset;
  const status = box.querySelector("[data-place-status]");
  const answer = answers.get(box);
  const field = (name) => box.querySelector(`[data-place-field="${name}"]`);
  if (!answer) {
    status.textContent = text.textAsking;
    return;
  }
  if (answer === "unknown") {
    status.textContent = text.textUnknown;
    return;
  }
  const { latitude, longitude, accuracy } = answer.coords;
  field("latitude").value = latitude.toFixed(6);
  field("longitude").value = longitude.toFixed(6);
  field("accuracy").value = Math.ceil(accuracy);
  field("at").value = new Date(answer.timestamp).toISOString();
  status.textContent = text.textFound
    .replace("{latitude}", latitude.toFixed(5))
    .replace("{longitude}", longitude.toFixed(5))
    .replace("{accuracy}", Math.ceil(accuracy));
}

export function enhance(box) {
  show(box);
  if (answers.has(box)) return;
  const settle = (answer) => {
    answers.set(box, answer);
    show(box);
  };
  if (!navigator.geolocation) {
    settle("unknown");
    return;
  }
  navigator.geolocation.getCurrentPosition(settle, () => settle("unknown"), OPTIONS);
}

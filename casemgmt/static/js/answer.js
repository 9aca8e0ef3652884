// Comfort for the answer to a hand-over: "all intact" in one press, the reasons open when something is refused, and a
// photograph of damage that is sent as a file of the exhibit and named by the answer. Without it every field is there to be
// filled in by hand; only the photograph is missing then.

const PATIENCE = 120_000; // ms a photograph may take

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

function choose(form, name, value) {
  const radio = form.querySelector(`input[name="${name}"][value="${value}"]`);
  if (radio) radio.checked = true;
}

function allIntact(form, button) {
  const decisions = [...form.querySelectorAll('input[value="accepted"]')];
  for (const { name } of decisions) {
    const item = name.replace(/-decision$/, "");
    choose(form, name, "accepted");
    choose(form, `${item}-seal_state`, "intact");
    const seal = form.elements.namedItem(`${item}-seal`);
    if (seal.dataset.seal) seal.value = seal.dataset.seal;
    show(form, item);
  }
  form.querySelector("[data-all-status]").textContent = button.dataset.textDone.replace("{count}", decisions.length);
}

const value = (form, name) => form.querySelector(`input[name="${name}"]:checked`)?.value;

function show(form, item) {
  const damage = form.querySelector(`[data-damage="${item}"]`);
  if (damage) damage.hidden = value(form, `${item}-seal_state`) !== "damaged";
  const reasons = form.querySelector(`[name="${item}-reason"]`)?.closest("details");
  if (reasons && value(form, `${item}-decision`) === "refused") reasons.open = true;
}

async function photograph(form, box, input) {
  const { textBusy, textKept, textFailed, exhibit, damage } = box.dataset;
  const status = box.querySelector("[data-damage-status]");
  const hidden = form.elements.namedItem(`${damage}-photos`);
  const [file] = input.files;
  if (!file) return;
  input.value = "";
  status.textContent = textBusy;
  try {
    const sha256 = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    const answer = await fetch(`/api/v1/exhibits/${exhibit}/files/${crypto.randomUUID()}?kind=photo`, {
      method: "PUT", body: file, signal: AbortSignal.timeout(PATIENCE),
      headers: {
        "X-CSRF-Token": form.elements.namedItem("csrf_token").value, "X-Content-SHA256": sha256,
        "X-File-Name": encodeURIComponent(file.name), "Content-Type": file.type || "application/octet-stream",
      },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    hidden.value = [...new Set([...hidden.value.split(" ").filter(Boolean), sha256])].join(" ");
    status.textContent = textKept.replace("{count}", hidden.value.split(" ").length);
  } catch {
    status.textContent = textFailed; // no network, refused, or the phone took the file back: words are enough
  }
}

export function enhance(form) {
  const button = form.querySelector("[data-all-intact]");
  button.hidden = false;
  for (const box of form.querySelectorAll("[data-damage]")) show(form, box.dataset.damage);
  if (form.answering) return;
  form.answering = true;
  form.addEventListener("click", (event) => event.target.closest("[data-all-intact]") && allIntact(form, button));
  form.addEventListener("change", ({ target }) => {
    const box = target.closest("[data-damage]");
    if (box && target.type === "file") photograph(form, box, target);
    else if (target.type === "radio") show(form, target.name.replace(/-\w+$/, ""));
  });
}

// Asks the device for a key or for a signature, and sends what it answers with the form it stands in:
// <form data-passkey="create|get" data-options="{…}" data-origin="https://…">. Without this script the
// page's other button goes on without a key. What is asked was made by the server and is in the page.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const known = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  return answer(made, {
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

async function get(options) {
  const made = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) },
  });
  return answer(made, {
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
  });
}

function answer(made, response) {
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: { clientDataJSON: text(made.response.clientDataJSON), ...response },
  };
}

// Which of the form's sentences fits what went wrong.
function sentence(form, error) {
  const said = form.dataset;
  if (error?.name === "InvalidStateError") return said.textKnown ?? said.textFailed;
  if (error?.name === "NotAllowedError" || error?.name === "AbortError") return said.textDenied;
  return said.textFailed;
}

const enhanced = new WeakSet();

export function enhance(form) {
  if (enhanced.has(form)) return;
  enhanced.add(form);
  const status = form.querySelector("[data-passkey-status]");
  const button = form.querySelector("[data-passkey-button]");
  if (location.origin !== form.dataset.origin) {
    status.textContent = form.dataset.textElsewhere;
    return;
  }
  if (!window.PublicKeyCredential || !window.isSecureContext) {
    status.textContent = form.dataset.textUnable;
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = form.dataset.textWaiting;
    try {
      const options = JSON.parse(form.dataset.options);
      const made = await (form.dataset.passkey === "create" ? create(options) : get(options));
      form.elements.credential.value = JSON.stringify(made);
      form.submit();
    } catch (error) {
      status.textContent = sentence(form, error);
      button.disabled = false;
      button.focus();
    }
  });
}

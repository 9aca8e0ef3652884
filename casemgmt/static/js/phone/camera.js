// A camera inside the page, for phones that close the page while the camera's own application is open. One press is
// one photograph, and it stays open. The full picture of the sensor where the browser gives it, else the video frame.

const WANTED = { video: { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 3072 } }, audio: false };
const QUALITY = 0.92;

async function picture(video, track) {
  if ("ImageCapture" in globalThis) {
    try {
      return await new ImageCapture(track).takePhoto();
    } catch {
      // Some cameras promise it and fail; the frame on the screen is there all the same.
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

// Opens `dialog` and gives every photograph to `take(file)`. Throws what getUserMedia throws, NotAllowedError first
// of all; the other ways to take a photograph are untouched by it.
export async function openCamera(dialog, take) {
  const stream = await navigator.mediaDevices.getUserMedia(WANTED);
  const [track] = stream.getVideoTracks();
  const video = dialog.querySelector("video");
  const shutter = dialog.querySelector("[data-shutter]");
  const light = dialog.querySelector("[data-light]");
  video.srcObject = stream;
  light.hidden = !track.getCapabilities?.().torch;
  let lit = false;
  light.onclick = () => {
    lit = !lit;
    track.applyConstraints({ advanced: [{ torch: lit }] }).catch(() => (light.hidden = true));
  };
  shutter.onclick = async () => {
    shutter.disabled = true;
    try {
      const blob = await picture(video, track);
      const stamp = new Date().toISOString().replace(/[-:]/g, "").slice(0, 15);
      if (blob) await take(new File([blob], `camera-${stamp}.jpg`, { type: blob.type || "image/jpeg" }));
    } finally {
      shutter.disabled = false;
    }
  };
  dialog.onclose = () => {
    stream.getTracks().forEach((one) => one.stop());
    video.srcObject = null;
  };
  dialog.showModal();
  await video.play().catch(() => {}); // closed again before it began
}

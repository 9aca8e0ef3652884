// Where codes in a video are read: by the browser itself where it can, otherwise by zxing in a worker, loaded only then.
// read() resolves with the text of the code in the picture, "" for none; it never runs twice at once.

const PAUSE = 120; // milliseconds between two looks: a weak phone must stay usable
const WIDEST = 1280;

// Nothing can be read here, now: the person types.
export class Unreadable extends Error {}

export async function openReader(video) {
  if ("BarcodeDetector" in window) {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    if (formats.includes("qr_code")) return new NativeReader(video, formats);
  }
  return new WorkerReader(video);
}

class NativeReader {
  constructor(video, formats) {
    this.video = video;
    this.detector = new window.BarcodeDetector({ formats });
  }

  async read() {
    await pause();
    const [found] = await this.detector.detect(this.video);
    return found?.rawValue ?? "";
  }

  close() {}
}

class WorkerReader {
  constructor(video) {
    this.video = video;
    this.worker = new Worker(new URL("./scan-worker.js", import.meta.url));
    this.canvas = document.createElement("canvas");
    this.waiting = null;
    this.asked = 0;
    this.worker.onmessage = ({ data }) => {
      this.broken ||= Boolean(data.error);
      this.waiting?.(data.text ?? "");
    };
    // The module was not loaded on this phone before its network went away.
    this.worker.onerror = () => {
      this.broken = true;
      this.waiting?.("");
    };
  }

  async read() {
    await pause();
    if (this.broken) throw new Unreadable();
    const scale = Math.min(1, WIDEST / this.video.videoWidth);
    const width = Math.round(this.video.videoWidth * scale);
    const height = Math.round(this.video.videoHeight * scale);
    if (!width || !height) return "";
    this.canvas.width = width;
    this.canvas.height = height;
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.video, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height).data.buffer;
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.worker.postMessage({ id: ++this.asked, width, height, pixels }, [pixels]);
    });
  }

  close() {
    this.worker.terminate();
    this.waiting?.("");
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}

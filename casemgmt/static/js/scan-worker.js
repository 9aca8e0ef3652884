// Reads codes from camera frames apart from the page: the one place besides hashing that may compile WebAssembly,
// under a policy of its own (casemgmt/core/assets.py). Takes {id, width, height, pixels}, answers {id, text}.

importScripts("../vendor/zxing-reader.js");

const OPTIONS = {
  formats: ["QRCode", "DataMatrix", "Code128", "Code39", "ITF", "EAN13"],
  tryHarder: true,
  maxNumberOfSymbols: 1,
};

ZXingWASM.prepareZXingModule({
  overrides: { locateFile: () => new URL("../vendor/zxing_reader.wasm", self.location).href },
});

self.onmessage = async ({ data }) => {
  try {
    const frame = new ImageData(new Uint8ClampedArray(data.pixels), data.width, data.height);
    const [found] = await ZXingWASM.readBarcodes(frame, OPTIONS);
    self.postMessage({ id: data.id, text: found?.isValid ? found.text : "" });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error) });
  }
};

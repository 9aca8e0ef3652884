// Ticks exhibits in a list while the camera looks at one after another: by their label, or by the number of their bag or
// seal. The window stays open, beeps and counts.

import { Scan, labelCode } from "../scan-window.js";

export class Picking extends Scan {
  constructor(button, list, words) {
    super(button);
    Object.assign(this, { list, own: words });
  }

  found(text) {
    const code = labelCode(text);
    const boxes = [...this.list.querySelectorAll("input[name=exhibit]")];
    const box = boxes.find((one) => (code ? one.dataset.code === code : one.dataset.seal === text || one.value === text));
    if (!box) return this.say(this.own.unknown);
    box.checked = true;
    this.signal();
    const count = boxes.filter((one) => one.checked).length;
    this.say(this.own.found.replace("{number}", box.value).replace("{count}", count));
    return undefined;
  }
}

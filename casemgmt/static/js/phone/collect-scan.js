// The scanner's window for a record of several codes: it stays open, beeps for every new one, and closes with the last.

import { Scan } from "../scan-window.js";
import { isLine } from "./codes.js";

export class Collecting extends Scan {
  constructor(button, taking) {
    super(button);
    this.taking = taking;
  }

  async found(line) {
    const before = this.taking.collector.parts.size;
    const { taken, have, of } = this.taking.collector.add(line);
    if (!taken) return this.say(isLine(line) ? this.taking.words.otherkind : this.taking.words.nocode);
    if (have > before) this.signal();
    this.say(this.taking.words.parts.replace("{have}", have).replace("{of}", of));
    if (this.taking.collector.whole) {
      this.dialog.close();
      await this.taking.finish();
    }
    return undefined;
  }
}

/** The waveform: bars for what is made, dots for what is still expected. */

import { still } from "./dom.js";

const STEP = 5; // pixels from bar to bar
const BAR = 3;
const GAP = 12; // between chunks, while there are few
const GAPS = 0.2; // of the width, at most
const PEAKS_A_SECOND = 100;
const GROWS_MS = 500;
const SETTLES = 0.18; // of the way to its true length, in each picture

const LEAST_LOUD = 0.1; // what is softer is drawn small

const ASKED = { state: "making", samples: null, seconds: 1 }; // stands for a speech of which nothing is known yet

const peaks = new WeakMap();
const loudest = new WeakMap();

/** How loud samples are, by hundredths of a second. */
function peaksOf(samples, rate) {
  if (!peaks.has(samples)) {
    const each = Math.floor(rate / PEAKS_A_SECOND);
    const found = new Float32Array(Math.ceil(samples.length / each));
    for (let i = 0; i < samples.length; i += 1) {
      const at = Math.floor(i / each);
      found[at] = Math.max(found[at], Math.abs(samples[i]) / 32768);
    }
    peaks.set(samples, found);
    loudest.set(samples, found.reduce((most, one) => Math.max(most, one), 0));
  }
  return peaks.get(samples);
}

export class Wave {
  /**
   * @param {HTMLElement} place a slider; it holds a canvas
   * @param {(index: number, offset: number) => void} seek
   */
  constructor(place, seek) {
    this.place = place;
    this.canvas = place.querySelector("canvas");
    this.speech = null;
    this.position = { index: 0, offset: 0 };
    this.pointed = null;
    this.shown = []; // seconds of each chunk, as drawn
    this.begun = new WeakMap(); // when samples were first drawn
    this.asked = 0;
    new ResizeObserver(() => this.draw()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    place.addEventListener("pointermove", (event) => this.#point(this.#at(event.offsetX)));
    place.addEventListener("pointerleave", () => this.#point(null));
    place.addEventListener("click", (event) => {
      const at = this.#at(event.offsetX);
      if (at && this.speech.samples(at.index)) seek(at.index, at.offset);
    });
  }

  /** @param {import("./takes.js").Speech|null} speech */
  show(speech) {
    this.speech = speech;
    this.shown = [];
    this.draw();
  }

  move(index, offset) {
    this.position = { index, offset };
    this.draw();
  }

  /** Draw at the next occasion. */
  draw() {
    if (!this.asked) this.asked = requestAnimationFrame((now) => {
      this.asked = 0;
      if (this.#paint(now)) this.draw();
    });
  }

  #point(at) {
    this.pointed = at?.index ?? null;
    this.draw();
  }

  /** Chunks with where they begin and how wide they are. */
  #layout(width) {
    if (!this.speech) return [];
    if (!this.speech.length) return [{ chunk: ASKED, index: 0, x: 0, width }];
    const { chunks } = this.speech;
    const total = this.shown.reduce((sum, seconds) => sum + seconds, 0) || 1;
    const gaps = chunks.length - 1;
    const gap = gaps ? Math.min(GAP, (GAPS * width) / gaps) : 0;
    const room = width - gap * gaps;
    let x = 0;
    return chunks.map((chunk, index) => {
      const box = { chunk, index, x, width: (this.shown[index] / total) * room };
      x += box.width + gap;
      return box;
    });
  }

  #at(x) {
    const boxes = this.#layout(this.place.clientWidth);
    const box = boxes.findLast((one) => one.x <= x + GAP / 2);
    if (!box) return null;
    const share = Math.min(1, Math.max(0, (x - box.x) / box.width));
    return { index: box.index, offset: share * box.chunk.seconds };
  }

  /** One picture; whether something moves on. */
  #paint(now) {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (!width || !height) return false;
    const scale = devicePixelRatio;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      [this.canvas.width, this.canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.place);
    const colours = Object.fromEntries(
      ["bar", "accent", "line", "soft"].map((name) => [name, style.getPropertyValue(`--${name}`)]),
    );
    let moves = this.#settle();
    for (const box of this.#layout(width)) moves = this.#chunk(pen, box, height, colours, now) || moves;
    return moves;
  }

  #settle() {
    let moves = false;
    this.speech?.chunks.forEach((chunk, index) => {
      const from = this.shown[index] ?? chunk.seconds;
      const left = chunk.seconds - from;
      const near = still() || Math.abs(left) < 0.02;
      this.shown[index] = near ? chunk.seconds : from + left * SETTLES;
      moves ||= !near;
    });
    return moves;
  }

  #chunk(pen, box, height, colours, now) {
    const { chunk, index, x, width } = box;
    const { samples } = chunk;
    const middle = height / 2;
    const count = Math.max(1, Math.floor((width + STEP - BAR) / STEP));
    const bar = Math.min(BAR, 0.7 * width);
    const lit = this.pointed === index && samples;
    if (lit) {
      pen.fillStyle = colours.line;
      pen.globalAlpha = 0.5;
      pen.beginPath();
      pen.roundRect(x - GAP / 3, 2, width + GAP / 1.5, height - 4, 8);
      pen.fill();
      pen.globalAlpha = 1;
    }
    if (!samples) return this.#dots(pen, box, count, middle, colours, now);
    if (!this.begun.has(samples)) this.begun.set(samples, still() ? -Infinity : now);
    const age = (now - this.begun.get(samples)) / GROWS_MS;
    const found = peaksOf(samples, chunk.rate);
    const full = this.#full();
    const here = this.position;
    const played = index < here.index ? 1 : index > here.index ? 0 : here.offset / chunk.seconds;
    for (let i = 0; i < count; i += 1) {
      const from = Math.floor((i / count) * found.length);
      const to = Math.max(from + 1, Math.floor(((i + 1) / count) * found.length));
      const loud = found.subarray(from, to).reduce((most, one) => Math.max(most, one), 0);
      const grown = Math.min(1, Math.max(0, age * 1.6 - (i / count) * 0.6));
      const size = Math.max(BAR, (loud / full) ** 0.8 * (height - 12) * (1 - (1 - grown) ** 3));
      pen.fillStyle = (i + 0.5) / count <= played ? colours.accent : colours.bar;
      pen.beginPath();
      pen.roundRect(x + i * STEP, middle - size / 2, bar, size, bar / 2);
      pen.fill();
    }
    return age < 1;
  }

  /** How loud the loudest place is: it fills the height. */
  #full() {
    const made = this.speech.chunks.filter(({ samples }) => samples);
    const all = made.map(({ samples, rate }) => peaksOf(samples, rate) && loudest.get(samples));
    return Math.max(LEAST_LOUD, ...all);
  }

  #dots(pen, { chunk, x }, count, middle, colours, now) {
    const busy = (chunk.state === "making" || chunk.redoing) && !still();
    for (let i = 0; i < count; i += 1) {
      const swell = busy ? Math.max(0, Math.sin(now / 320 - i * 0.35)) ** 3 : 0;
      pen.globalAlpha = chunk.state === "missing" ? 0.45 : 1;
      pen.fillStyle = swell > 0.15 ? colours.accent : colours.bar;
      pen.beginPath();
      pen.arc(x + i * STEP + BAR / 2, middle, BAR / 2 + swell * 1.4, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
    return busy;
  }
}

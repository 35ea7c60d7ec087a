/**
 * Plays chunks one after the other, as they come.
 *
 * A chunk comes whole, so each is one buffer of Web Audio that begins at the very sample at which the one before
 * it ends. An AudioWorklet would give nothing more, and browsers have it only at secure addresses, which
 * a server at home is not.
 */

import { floats } from "./takes.js";

const FADE_S = 0.012; // a sound that is cut off does not click

/**
 * @typedef {{length: number, rate: number, samples: (index: number) => Int16Array|null,
 *   expects: (index: number) => boolean}} Source
 * @typedef {"idle"|"playing"|"paused"|"waiting"} State
 */

/** Tells `change` when it begins, ends, waits, or comes to another chunk. */
export class Player extends EventTarget {
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {Source|null} */
  #source = null;
  #now = null;
  #next = null;
  #index = 0;
  #offset = 0; // seconds within the chunk, while nothing plays
  /** @type {State} */
  state = "idle";

  /** Let sound be made; browsers want this while somebody clicks or types. */
  unlock() {
    this.#context ??= new AudioContext();
    if (this.#context.state !== "running") this.#context.resume();
  }

  /** Other chunks, from the beginning. @param {Source|null} source */
  load(source) {
    this.#silence();
    this.#source = source;
    this.#rest("idle", 0, 0);
  }

  get index() {
    return this.#index;
  }

  /** Seconds into the chunk. */
  get offset() {
    if (!this.#now) return this.#offset;
    const since = this.#context.currentTime - this.#now.began;
    return Math.min(Math.max(0, since), this.#now.lasts);
  }

  /** Play from a chunk on, or go on. A chunk that is being made is waited for. */
  play(index = this.#index, offset = this.#offset) {
    if (!this.#source) return;
    this.unlock();
    this.#silence();
    this.#begin(index, offset);
  }

  pause() {
    if (this.state !== "playing" && this.state !== "waiting") return;
    const { index, offset } = this;
    this.#silence();
    this.#rest("paused", index, offset);
  }

  toggle() {
    if (this.state === "playing" || this.state === "waiting") this.pause();
    else this.play();
  }

  /** Go to a place, and stay silent if it was. */
  seek(index, offset) {
    if (this.state === "playing" || this.state === "waiting") this.play(index, offset);
    else this.#rest("paused", index, offset);
  }

  /** A chunk came, or another take of it is kept, or it will not come. */
  changed(index) {
    if (this.state === "waiting" && index === this.#index) this.#begin(index, 0);
    else if (this.state === "playing" && index > this.#index) {
      if (this.#next) this.#end(this.#next);
      this.#next = null;
      this.#prepare();
    }
  }

  #begin(index, offset) {
    while (this.#source.samples(index)?.length === 0) [index, offset] = [index + 1, 0];
    const samples = this.#source.samples(index);
    if (samples) {
      this.#now = this.#schedule(index, samples, this.#context.currentTime + 0.02, offset);
      this.#index = index;
      this.#set("playing");
      this.#prepare();
    } else if (this.#source.expects(index)) this.#rest("waiting", index, 0);
    else this.#rest("idle", 0, 0);
  }

  /** The chunk after this one, if it is there, begins where this one ends. */
  #prepare() {
    let index = this.#now.index + 1;
    while (this.#source.samples(index)?.length === 0) index += 1;
    const samples = this.#source.samples(index);
    if (samples) this.#next = this.#schedule(index, samples, this.#now.began + this.#now.lasts, 0);
  }

  #schedule(index, samples, at, offset) {
    const rate = this.#source.rate;
    const buffer = this.#context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(floats(samples), 0);
    const node = new AudioBufferSourceNode(this.#context, { buffer });
    const gain = new GainNode(this.#context);
    node.connect(gain).connect(this.#context.destination);
    offset = Math.min(offset, buffer.duration);
    node.start(at, offset);
    const voice = { index, node, gain, began: at - offset, lasts: buffer.duration };
    node.onended = () => this.#ended(voice);
    return voice;
  }

  #ended(voice) {
    if (voice !== this.#now) return;
    this.#now = this.#next;
    this.#next = null;
    if (this.#now) {
      this.#index = this.#now.index;
      this.#prepare();
      this.#set("playing");
    } else this.#begin(voice.index + 1, 0);
  }

  #silence() {
    for (const voice of [this.#now, this.#next]) if (voice) this.#end(voice);
    this.#now = this.#next = null;
  }

  #end({ node, gain }) {
    node.onended = null;
    const now = this.#context.currentTime;
    gain.gain.setTargetAtTime(0, now, FADE_S / 4);
    node.stop(now + FADE_S);
  }

  #rest(state, index, offset) {
    [this.#index, this.#offset] = [index, offset];
    this.#set(state);
  }

  #set(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

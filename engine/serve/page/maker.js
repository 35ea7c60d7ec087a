/** Has speeches made by the server, whole or a chunk anew, and tells how far they are. */

import { Refused, speak } from "./api.js";

const SHARES = { text: 0.3, coarse: 0.45, fine: 0.2, codec: 0.05 }; // of the work, about
const PARTS = {
  text: "finding how to say it",
  coarse: "shaping the sound",
  fine: "adding detail",
  codec: "making it heard",
};

const told = (name, detail) => new CustomEvent(name, { detail });

/**
 * Of a whole text it tells `begun`, `queued`, `planned`, `moved`, `chunk`, `ended`; of a chunk made anew `redoing`,
 * `redone`. The last comes always, with an error if one stopped it.
 */
export class Maker extends EventTarget {
  #whole = null;
  #alone = new Map();

  get busy() {
    return this.#whole !== null;
  }

  /** Stop all that is being made. */
  stop() {
    this.#whole?.abort();
    for (const one of this.#alone.values()) one.abort();
  }

  /** Say a whole text. @param {import("./takes.js").Speech} speech */
  async say(speech) {
    this.stop();
    await this.#run(speech, async (signal) => {
      for await (const { name, data } of speak(speech.request, signal)) this.#heard(speech, name, data);
    });
  }

  #heard(speech, name, data) {
    if (name === "queued") this.dispatchEvent(told("queued", data));
    if (name === "plan") {
      speech.plan(data);
      speech.chunks[0].state = "making";
      this.dispatchEvent(told("planned", { speech }));
    }
    if (name === "progress") this.dispatchEvent(told("moved", this.#moved(speech, data)));
    if (name === "chunk") {
      speech.chunks[data.index].add(data.seed, data.samples, data.takes);
      const next = speech.chunks[data.index + 1];
      if (next) next.state = "making";
      this.dispatchEvent(told("chunk", { speech, index: data.index }));
    }
    if (name === "done") speech.figures = data;
  }

  /** The share of the work that is done, and what is being done now. */
  #moved(speech, { part, seconds }) {
    const once = speech.chunks.reduce((sum, chunk) => sum + chunk.expectedS, 0);
    const all = once * (speech.request.takes ?? 1);
    speech.moved = { ...speech.moved, [part]: Math.min(1, seconds / all) };
    const share = Object.entries(speech.moved).reduce((sum, [name, one]) => sum + (SHARES[name] ?? 0) * one, 0);
    return { speech, share, doing: PARTS[part] ?? "" };
  }

  /** Make the chunks that are missing, one after the other, with the seeds they were to have. */
  async rest(speech) {
    await this.#run(speech, async (signal) => {
      for (const chunk of speech.missing) {
        chunk.state = "making";
        this.dispatchEvent(told("chunk", { speech, index: speech.chunks.indexOf(chunk) }));
        await this.#made(speech, chunk, chunk.seed, signal);
        this.dispatchEvent(told("chunk", { speech, index: speech.chunks.indexOf(chunk) }));
      }
    });
  }

  async #run(speech, work) {
    const stop = new AbortController();
    this.#whole = stop;
    this.dispatchEvent(told("begun", { speech }));
    let error = null;
    try {
      await work(stop.signal);
    } catch (problem) {
      error = stop.signal.aborted ? null : problem;
    }
    for (const chunk of speech.chunks) if (chunk.state !== "made") chunk.state = "missing";
    if (this.#whole === stop) this.#whole = null;
    this.dispatchEvent(told("ended", { speech, error, stopped: stop.signal.aborted }));
  }

  /** Say one chunk once more, with another seed; one that is missing with its own. */
  async redo(speech, index, seed) {
    const chunk = speech.chunks[index];
    const stop = new AbortController();
    this.#alone.set(chunk, stop);
    chunk.redoing = true;
    this.dispatchEvent(told("redoing", { speech, index }));
    let error = null;
    try {
      await this.#made(speech, chunk, chunk.takes.length ? seed : chunk.seed, stop.signal);
    } catch (problem) {
      error = stop.signal.aborted ? null : problem;
    }
    chunk.redoing = false;
    this.#alone.delete(chunk);
    this.dispatchEvent(told("redone", { speech, index, error, stopped: stop.signal.aborted }));
  }

  async #made(speech, chunk, seed, signal) {
    const parts = [];
    let of = 1;
    for await (const { name, data } of speak(speech.requestFor(chunk, seed), signal)) {
      if (name !== "chunk") continue;
      parts.push(data.samples);
      of = data.takes;
    }
    const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    if (!samples.length) throw new Refused("Nothing came of it; try another seed.", 200);
    chunk.addAlone(seed, samples, of);
  }
}

/** A speech as it is put together: chunks, the takes of each, and which of them are kept. */

export const MOST_TAKES = 4;
const FULL_SCALE = 32768;

/**
 * @typedef {{seed: number, samples: Int16Array, of?: number}} Take samples: with the pause that follows; of: it is
 *   the best of so many
 * @typedef {"waiting"|"making"|"made"|"missing"} State
 */

/** A part of a text. One of its takes is kept: it is what is heard, drawn and downloaded. */
export class Chunk {
  /** @param {import("./api.js").Planned} planned @param {number} rate */
  constructor(planned, rate) {
    this.text = planned.text;
    this.said = planned.said ?? planned.text; // as it is spelled for the voice
    this.speaker = planned.speaker;
    this.seed = planned.seed;
    this.expectedS = planned.seconds;
    this.pauseS = planned.pause_s ?? null;
    this.rate = rate;
    /** @type {Take[]} */
    this.takes = [];
    this.kept = 0;
    /** @type {State} */
    this.state = "waiting";
    this.redoing = false;
  }

  /** @returns {Int16Array|null} */
  get samples() {
    return this.takes[this.kept]?.samples ?? null;
  }

  /** Of how many takes the one that is kept is the best. */
  get of() {
    return this.takes[this.kept]?.of ?? 1;
  }

  get seconds() {
    return this.samples ? this.samples.length / this.rate : this.expectedS;
  }

  /** A take that came as part of the text, with its pause. */
  add(seed, samples, of = 1) {
    this.takes.push({ seed, samples, of });
    this.kept = this.takes.length - 1;
    this.state = "made";
  }

  /** A take that was made alone: the pause that belongs after it is put there. It is kept. */
  addAlone(seed, samples, of = 1) {
    const said = samples.subarray(0, samples.length - silence(samples));
    const heard = this.takes[0] ? silence(this.takes[0].samples) : 0;
    const pause = this.pauseS === null ? heard : Math.round(this.pauseS * this.rate);
    const whole = new Int16Array(said.length ? said.length + pause : 0);
    whole.set(said);
    if (this.takes.length === MOST_TAKES) this.takes.splice(this.kept === 0 ? 1 : 0, 1);
    this.add(seed, whole, of);
  }
}

/** How many samples at the end are zero. */
function silence(samples) {
  let left = samples.length;
  while (left && samples[left - 1] === 0) left -= 1;
  return samples.length - left;
}

/** What a person asked for, and what came of it. */
export class Speech {
  /** @param {import("./api.js").Request} request @param {string} voiceName */
  constructor(request, voiceName) {
    this.id = `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;
    this.when = Date.now();
    this.request = request;
    this.voiceName = voiceName;
    this.rate = 24_000;
    /** @type {Chunk[]} */
    this.chunks = [];
    this.figures = null;
  }

  plan({ sample_rate, seed, chunks }) {
    this.rate = sample_rate;
    this.request.seed = seed;
    this.chunks = chunks.map((planned) => new Chunk(planned, sample_rate));
  }

  get length() {
    return this.chunks.length;
  }

  /** The kept samples of a chunk; null if they are not there. */
  samples(index) {
    return this.chunks[index]?.samples ?? null;
  }

  /** Whether more samples are to be expected for a chunk. */
  expects(index) {
    const state = this.chunks[index]?.state;
    return state === "waiting" || state === "making";
  }

  get seconds() {
    return this.chunks.reduce((sum, chunk) => sum + chunk.seconds, 0);
  }

  /** Seconds that can be heard. */
  get madeS() {
    return this.chunks.reduce((sum, chunk) => sum + (chunk.samples ? chunk.seconds : 0), 0);
  }

  get missing() {
    return this.chunks.filter((chunk) => chunk.state === "missing");
  }

  /** The request that says one chunk alone, in the same voice: its speaker's, whose label is no part of it. */
  requestFor(chunk, seed) {
    const { cast, ...request } = this.request;
    const voice = cast?.[chunk.speaker];
    return { ...request, ...(voice ? { voice } : {}), input: chunk.text, seed };
  }

  /** All that is kept, one after the other. */
  joined() {
    const parts = this.chunks.map((chunk) => chunk.samples).filter((samples) => samples !== null);
    const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** Samples as the numbers that a browser plays, -1 to 1. */
export function floats(samples) {
  return Float32Array.from(samples, (sample) => sample / FULL_SCALE);
}

/** Samples as a WAV file, mono, 16 bits. */
export function wav(samples, rate) {
  const head = new DataView(new ArrayBuffer(44));
  const bytes = samples.length * 2;
  const word = (at, text) => [...text].forEach((char, i) => head.setUint8(at + i, char.charCodeAt(0)));
  word(0, "RIFF");
  head.setUint32(4, 36 + bytes, true);
  word(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); // PCM
  head.setUint16(22, 1, true);
  head.setUint32(24, rate, true);
  head.setUint32(28, rate * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  word(36, "data");
  head.setUint32(40, bytes, true);
  return new Blob([head, samples], { type: "audio/wav" });
}

/** A text's first words as a file's name. */
export function fileName(text, ending) {
  const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu)?.slice(0, 6).join("-").slice(0, 60);
  return `${words || "speech"}.${ending}`;
}

/** Let a person save a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The server's interface: what it has, and speech as it is made. */

import { stored } from "./dom.js";

/**
 * @typedef {{input: string, voice?: string, seed?: number, text_temp?: number, waveform_temp?: number,
 *   fine_temp?: number, lang?: string, takes?: number, cast?: Record<string, string>}} Request
 * @typedef {{index: number, text: string, said?: string, speaker: string|null, seconds: number, seed: number,
 *   pause_s?: number}} Planned
 */

/** What the server answers instead of speech. retryAfterS: when it may be asked again. */
export class Refused extends Error {
  constructor(message, status, retryAfterS = null) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** The server could not be reached, or the connection ended in the middle. */
export class Lost extends Error {}

const KEY = "alrakis.key";

/** The key that is shown to the server; kept as long as the page is open, or on this device. */
export const key = {
  given: stored.get(KEY) ?? "",
  set(value, onDevice) {
    key.given = value;
    stored.set(KEY, onDevice ? value : "");
  },
};

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (key.given) headers.authorization = `Bearer ${key.given}`;
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Lost("The server cannot be reached.");
  }
}

async function refusal(answer) {
  const told = await answer.json().catch(() => null);
  const message = told?.error?.message ?? `The server answered ${answer.status}.`;
  const after = Number(answer.headers.get("retry-after"));
  return new Refused(message, answer.status, after > 0 ? after : null);
}

async function list(path) {
  const answer = await ask(path);
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

/** What speaks here, and its limits. */
export const about = () => list("api/about");

/** All voices. */
export const voices = async () => (await list("v1/audio/voices")).voices;

/** How the server is: `ready` or not, with the reason. Throws Lost. */
export async function readiness() {
  const answer = await ask("ready");
  return answer.json().catch(() => ({ status: "loading", reason: `the server answered ${answer.status}` }));
}

/**
 * Events of a speech while it is made; those of `chunk` have their samples. Throws Refused and Lost.
 * @param {Request} request
 * @param {AbortSignal} signal stops it: the server makes no more
 */
export async function* speak(request, signal) {
  const answer = await ask("api/speech", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
  if (!answer.ok) throw await refusal(answer);
  for await (const { name, data } of events(answer.body, signal)) {
    if (name === "error") throw new Refused(data.message, data.status);
    if (name === "chunk") data.samples = decode(data.audio);
    yield { name, data };
    if (name === "done") return;
  }
  throw new Lost("The connection ended before the speech did.");
}

/** Server-sent events of a body. */
async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (left + value).split("\n\n");
      left = parts.pop();
      for (const event of parts.map(parse)) if (event) yield event;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Lost("The connection to the server was lost.");
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(text) {
  const fields = Object.fromEntries(text.split("\n").map((line) => line.split(/: (.*)/s)));
  return fields.data ? { name: fields.event, data: JSON.parse(fields.data) } : null;
}

/** Samples, 16 bits each, from base64. */
function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
}

/** Samples as an MP3 file, made by the server. Throws Refused and Lost. */
export async function mp3(samples) {
  const headers = { "content-type": "application/octet-stream" };
  const answer = await ask("api/mp3", { method: "POST", headers, body: samples });
  if (!answer.ok) throw await refusal(answer);
  return answer.blob();
}

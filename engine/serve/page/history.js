/** Speeches that were made, kept in this browser (IndexedDB): the newest, up to some number and size. */

import { Chunk, Speech } from "./takes.js";

export const MOST_SPEECHES = 40;
export const MOST_BYTES = 150e6;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** The database; it stays closed where a browser allows none, as some do in private windows. */
async function open() {
  const asked = indexedDB.open("alrakis", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("entries", { keyPath: "id" }); // what is listed
    asked.result.createObjectStore("speeches", { keyPath: "id" }); // and with its samples
  };
  return done(asked);
}

/**
 * @typedef {{id: string, when: number, text: string, voiceName: string, seconds: number, bytes: number,
 *   parts: number}} Entry
 */
export class History {
  #db = open();

  /** Everything, the newest first. @returns {Promise<Entry[]>} */
  async entries() {
    const store = (await this.#db).transaction("entries").objectStore("entries");
    return (await done(store.getAll())).sort((a, b) => b.when - a.when);
  }

  /** Keep a speech as it is now, and forget the oldest that are too many. @param {Speech} speech */
  async keep(speech) {
    const stores = await this.#writing();
    const { id, when, request, voiceName, rate, figures } = speech;
    const chunks = speech.chunks.map((chunk) => ({ ...chunk, redoing: false, state: chunk.samples ? "made" : "missing" }));
    const all = speech.chunks.flatMap((chunk) => chunk.takes.map((take) => take.samples.byteLength));
    const bytes = all.reduce((sum, one) => sum + one, 0);
    const seconds = speech.madeS;
    stores.entries.put({ id, when, text: request.input, voiceName, seconds, bytes, parts: chunks.length });
    stores.speeches.put({ id, when, request, voiceName, rate, figures, chunks });
    const kept = (await done(stores.entries.getAll())).sort((a, b) => b.when - a.when);
    let sum = 0;
    kept.forEach((entry, at) => {
      sum += entry.bytes;
      if (at && (at >= MOST_SPEECHES || sum > MOST_BYTES)) this.#drop(stores, entry.id);
    });
    await stores.complete;
  }

  /** A speech as it was kept. @returns {Promise<Speech|null>} */
  async speech(id) {
    const store = (await this.#db).transaction("speeches").objectStore("speeches");
    const kept = await done(store.get(id));
    if (!kept) return null;
    const { chunks, ...fields } = kept;
    const speech = Object.assign(new Speech(kept.request, kept.voiceName), fields);
    speech.chunks = chunks.map((chunk) => Object.assign(Object.create(Chunk.prototype), chunk));
    return speech;
  }

  async forget(id) {
    const stores = await this.#writing();
    this.#drop(stores, id);
    await stores.complete;
  }

  async forgetAll() {
    const stores = await this.#writing();
    stores.entries.clear();
    stores.speeches.clear();
    await stores.complete;
  }

  #drop(stores, id) {
    stores.entries.delete(id);
    stores.speeches.delete(id);
  }

  async #writing() {
    const change = (await this.#db).transaction(["entries", "speeches"], "readwrite");
    const complete = new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = change.onerror = () => reject(change.error);
    });
    return { entries: change.objectStore("entries"), speeches: change.objectStore("speeches"), complete };
  }
}

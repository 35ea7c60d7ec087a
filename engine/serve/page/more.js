/** What more a person may choose: the text's language, how many takes are made, and who speaks in which voice. */

import { $, make } from "./dom.js";

const LABEL_END = "[^\\S\\n]*(?::(?=\\s)|：)";
const LINE_LABEL = new RegExp(`^[^\\S\\n]*(\\p{L}[^\\n:：]{0,29}?)${LABEL_END}`, "gmu");
const BARKS_LABEL = new RegExp(`(?<!\\S)(WOMAN|MAN|NARRATOR)${LABEL_END}`, "gu");

const inCapitals = (name) => name.length > 1 && name === name.toUpperCase() && name !== name.toLowerCase();

/** The speakers whom a text names, in its order; the server finds the same. @param {string} text */
export function speakers(text) {
  const lines = [...text.matchAll(LINE_LABEL)].filter(([, name]) => inCapitals(name));
  const labels = new Map([...lines, ...text.matchAll(BARKS_LABEL)].map((found) => [found.index + found[0].length, found]));
  const ends = [...labels.keys()].sort((a, b) => a - b);
  const said = ends.filter((end, at) => text.slice(end, labels.get(ends[at + 1])?.index).trim());
  return [...new Set(said.map((end) => labels.get(end)[1]))];
}

export class More {
  #voices = [];
  #named = [];

  /** @param {() => void} changed */
  constructor(changed) {
    this.cast = {}; // voices by speaker, of this text and of earlier ones
    this.changed = changed;
    this.lang = $("#lang");
    this.takes = $("#takes");
    for (const select of [this.lang, this.takes]) select.addEventListener("change", changed);
  }

  /** @param {import("./voices.js").Voice[]} voices those that there are */
  show(voices) {
    this.#voices = voices;
    const languages = new Map(voices.filter(({ language }) => language).map((one) => [one.language, one.language_name]));
    const chosen = this.wanted ?? this.lang.value;
    this.lang.replaceChildren(
      make("option", { value: "" }, "Told by its letters"),
      ...[...languages].map(([code, name]) => make("option", { value: code }, name)),
    );
    this.lang.value = languages.has(chosen) ? chosen : "";
    this.#draw();
  }

  /** Look for speakers in a text. */
  read(text) {
    const named = speakers(text);
    if (named.join("\n") === this.#named.join("\n")) return;
    this.#named = named;
    this.#draw();
  }

  #draw() {
    $("#cast-none").hidden = this.#named.length > 0;
    const groups = new Map();
    for (const voice of this.#voices) {
      const name = voice.language_name ?? "Other";
      groups.set(name, [...(groups.get(name) ?? []), voice]);
    }
    const rows = this.#named.map((speaker, at) => {
      const select = make(
        "select",
        { id: `speaker-${at}`, onchange: () => this.#give(speaker, select.value) },
        make("option", { value: "" }, "As everybody else"),
        ...[...groups].map(([label, own]) =>
          make("optgroup", { label }, ...own.map(({ id, name }) => make("option", { value: id }, name))),
        ),
      );
      select.value = this.#voices.some(({ id }) => id === this.cast[speaker]) ? this.cast[speaker] : "";
      return make("div", { class: "speaker-voice" }, make("label", { for: select.id }, speaker), select);
    });
    $("#cast").replaceChildren(...rows);
  }

  #give(speaker, voice) {
    if (voice) this.cast[speaker] = voice;
    else delete this.cast[speaker];
    this.changed();
  }

  /** What of it goes into a request. */
  request() {
    const known = (id) => this.#voices.some((voice) => voice.id === id);
    const given = this.#named.filter((speaker) => known(this.cast[speaker]));
    const cast = Object.fromEntries(given.map((speaker) => [speaker, this.cast[speaker]]));
    return {
      ...(this.lang.value ? { lang: this.lang.value } : {}),
      ...(this.takes.value !== "1" ? { takes: Number(this.takes.value) } : {}),
      ...(given.length ? { cast } : {}),
    };
  }

  /** Whether any of it says something else than nothing. */
  get used() {
    return Object.keys(this.request()).length > 0;
  }

  /** Choose what a request or a browser has kept. */
  put({ lang = "", takes = 1, cast = {} }) {
    this.wanted = lang;
    this.lang.value = lang;
    if (this.lang.selectedIndex < 0) this.lang.value = "";
    this.takes.value = String(takes);
    if (this.takes.selectedIndex < 0) this.takes.value = "1";
    this.cast = { ...this.cast, ...cast };
    this.#draw();
  }

  reset() {
    this.cast = {};
    this.put({});
  }
}

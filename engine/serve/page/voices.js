/** The voices: choosing one, by language or by search, and hearing what each sounds like. */

import { speak } from "./api.js";
import { $, icon, make, setIcon } from "./dom.js";
import { Player } from "./player.js";

const SAMPLES = {
  en: "Hello. This is how I sound.",
  de: "Guten Tag. So klinge ich.",
  es: "Hola. Así suena mi voz.",
  fr: "Bonjour. Voici ma voix.",
  hi: "नमस्ते। मेरी आवाज़ ऐसी है।",
  it: "Buongiorno. Questa è la mia voce.",
  ja: "こんにちは。これが私の声です。",
  ko: "안녕하세요. 제 목소리입니다.",
  pl: "Dzień dobry. Tak brzmi mój głos.",
  pt: "Olá. Esta é a minha voz.",
  ru: "Здравствуйте. Это мой голос.",
  tr: "Merhaba. Sesim böyle.",
  zh: "你好。这是我的声音。",
};
const SAMPLE_SEED = 1;
const ELSE = "Other";

/**
 * @typedef {{id: string, name: string, language?: string, language_name?: string, gender?: string}} Voice
 */

/** What is known of a voice, in a few words. @param {Voice} voice */
export const aboutVoice = ({ language_name, gender, name }) =>
  [name.startsWith(language_name ?? ELSE) ? null : language_name, gender].filter(Boolean).join(", ");

export class Voices {
  /** @type {Voice[]} */
  all = [];
  #chosen = "";
  #samples = new Map();
  #player = new Player();
  #hearing = null; // the voice, its buttons and what stops it

  /** @param {(voice: Voice) => void} chosen @param {(error: Error) => void} failed */
  constructor(chosen, failed) {
    this.told = chosen;
    this.failed = failed;
    this.dialog = $("#voices");
    this.list = $("#voice-list");
    $("#voice-search").addEventListener("input", () => this.#filter());
    $("#voice-language").addEventListener("change", () => this.#filter());
    this.dialog.addEventListener("close", () => this.#quiet());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches("input")) return;
      event.preventDefault(); // else it goes on at the button that is focused then, and opens it again
      this.dialog.close();
    });
    this.#player.addEventListener("change", () => {
      if (this.#player.state === "idle" && this.#hearing?.sounds) this.#quiet();
    });
  }

  /** @param {Voice[]} all @param {string} wanted the voice that was chosen the last time */
  show(all, wanted) {
    this.all = all;
    const languages = [...new Set(all.map((voice) => voice.language_name ?? ELSE))];
    languages.sort((a, b) => (a === ELSE) - (b === ELSE) || a.localeCompare(b));
    $("#voice-language").replaceChildren(
      make("option", { value: "" }, "All languages"),
      ...languages.map((name) => make("option", { value: name }, name)),
    );
    $("#voice-language").hidden = languages.length < 2;
    this.list.replaceChildren(...languages.map((name) => this.#group(name)));
    this.choose(all.some(({ id }) => id === wanted) ? wanted : this.#likely());
  }

  /** The first voice in a language of the browser's, else in English, else the first of all. */
  #likely() {
    const codes = [...navigator.languages.map((one) => one.slice(0, 2)), "en"];
    const found = codes.map((code) => this.all.find(({ language }) => language === code)).find(Boolean);
    return (found ?? this.all[0])?.id;
  }

  get chosen() {
    return this.all.find(({ id }) => id === this.#chosen) ?? null;
  }

  choose(id) {
    this.#chosen = id;
    const input = [...this.list.querySelectorAll("input")].find((one) => one.value === id);
    if (input) input.checked = true;
    if (this.chosen) this.told(this.chosen);
  }

  open() {
    $("#voice-trouble").textContent = "";
    this.dialog.showModal();
    const input = $("input:checked", this.list);
    input?.scrollIntoView({ block: "center" });
    input?.focus();
  }

  #group(language) {
    const voices = this.all.filter((voice) => (voice.language_name ?? ELSE) === language);
    return make("section", {}, make("h3", {}, language), ...voices.map((voice) => this.#row(voice)));
  }

  #row(voice) {
    const input = make("input", { type: "radio", name: "voice", value: voice.id });
    input.addEventListener("change", () => this.choose(voice.id));
    const about = make("span", { class: "soft" }, voice.gender ?? "");
    const label = make("label", {}, input, make("span", {}, voice.name), about);
    label.addEventListener("click", (event) => {
      if (event.detail && event.target !== input) setTimeout(() => this.dialog.close(), 120);
    });
    const hear = make("button", { type: "button", class: "hear", "aria-label": `Hear ${voice.name}` }, icon("play"));
    hear.addEventListener("click", () => this.hear(voice, hear));
    const row = make("div", { class: "voice" }, label, hear);
    row.dataset.words = `${voice.name} ${voice.id} ${voice.language_name ?? ELSE} ${voice.gender ?? ""}`.toLowerCase();
    return row;
  }

  #filter() {
    const words = $("#voice-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const language = $("#voice-language").value;
    let seen = 0;
    for (const group of this.list.children) {
      const here = !language || $("h3", group).textContent === language;
      const rows = [...group.querySelectorAll(".voice")];
      for (const row of rows) row.hidden = !here || !words.every((word) => row.dataset.words.includes(word));
      const shown = rows.filter((row) => !row.hidden).length;
      group.hidden = shown === 0;
      seen += shown;
    }
    $("#voice-trouble").textContent = seen ? "" : "No voice is called that.";
  }

  /** Say a short sentence in a voice; once more stops it. @param {Voice} voice */
  async hear(voice, button) {
    const again = this.#hearing?.button === button;
    this.#quiet();
    if (again) return;
    this.#player.unlock();
    const hearing = { button, stop: new AbortController(), sounds: false };
    this.#hearing = hearing;
    button.classList.add("busy");
    button.setAttribute("aria-busy", "true");
    try {
      const sample = this.#samples.get(voice.id) ?? (await this.#made(voice, hearing.stop.signal));
      this.#samples.set(voice.id, sample);
      if (this.#hearing !== hearing) return;
      button.classList.replace("busy", "sounding");
      setIcon(button, "stop");
      this.#player.load(sample);
      this.#player.play(0, 0);
      hearing.sounds = true;
    } catch (error) {
      if (!hearing.stop.signal.aborted) {
        this.#quiet();
        if (this.dialog.open && error.status !== 401) $("#voice-trouble").textContent = error.message;
        else this.failed(error);
      }
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  async #made(voice, signal) {
    const parts = [];
    let rate = 24_000;
    const input = SAMPLES[voice.language] ?? SAMPLES.en;
    for await (const { name, data } of speak({ input, voice: voice.id, seed: SAMPLE_SEED }, signal)) {
      if (name === "plan") rate = data.sample_rate;
      if (name === "chunk") parts.push(data.samples);
    }
    return { length: parts.length, rate, samples: (index) => parts[index] ?? null, expects: () => false };
  }

  #quiet() {
    const hearing = this.#hearing;
    this.#hearing = null;
    if (!hearing) return;
    hearing.stop.abort();
    hearing.button.classList.remove("busy", "sounding");
    setIcon(hearing.button, "play");
    this.#player.load(null);
  }
}

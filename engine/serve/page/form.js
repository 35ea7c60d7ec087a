/** What a person asks for: the text, the seed, the temperatures and more. Settings are kept in this browser. */

import { $, stored } from "./dom.js";
import { More } from "./more.js";

const SETTINGS = "alrakis.settings";
const TEMPERATURES = ["text_temp", "waveform_temp", "fine_temp"];
const EXAMPLE = "Good morning. This voice is made on your own computer, while you listen. I like pizza.";
const NEAR_LIMIT = 0.8;

/** A seed that is short enough to be told to somebody. */
export const drawSeed = () => Math.floor(Math.random() * 1e6);

export class Form {
  /** @param {() => void} changed */
  constructor(changed) {
    this.text = $("#text");
    this.seed = $("#seed");
    this.lock = $("#lock");
    this.most = Infinity;
    this.more = new More(() => this.#kept());
    this.defaults = Object.fromEntries(TEMPERATURES.map((name) => [name, $(`#${name}`).value]));
    this.#recall();
    this.touched = false; // whether the text was changed since it was said
    this.text.addEventListener("input", () => {
      this.touched = true;
      this.#read();
      this.#fit();
      changed();
    });
    addEventListener("resize", () => this.#fit());
    for (const name of TEMPERATURES) $(`#${name}`).addEventListener("input", () => this.#kept());
    this.seed.addEventListener("input", () => {
      this.seed.value = this.seed.value.replace(/\D/g, "");
      this.lock.checked = this.seed.value !== "";
      this.#kept();
    });
    this.lock.addEventListener("change", () => {
      if (this.lock.checked && !this.seed.value) this.seed.value = drawSeed();
      this.#kept();
    });
    $("#dice").addEventListener("click", () => {
      this.seed.value = drawSeed();
      this.lock.checked = true;
      this.#kept();
    });
    $("#reset").addEventListener("click", () => {
      for (const name of TEMPERATURES) $(`#${name}`).value = this.defaults[name];
      this.seed.value = "";
      this.lock.checked = false;
      this.more.reset();
      this.#kept();
    });
    $("#more").addEventListener("click", () => {
      const open = $("#more").getAttribute("aria-expanded") !== "true";
      $("#more").setAttribute("aria-expanded", String(open));
      $("#settings").hidden = !open;
    });
    this.#fit();
  }

  /** What to ask the server for, but the voice. */
  request() {
    const seed = this.lock.checked && this.seed.value ? Number(this.seed.value) : drawSeed();
    this.seed.value = seed;
    this.touched = false;
    const temperatures = TEMPERATURES.map((name) => [name, Number($(`#${name}`).value)]);
    return { input: this.text.value, seed, ...Object.fromEntries(temperatures), ...this.more.request() };
  }

  /** Ask for something again, as it was asked for. */
  put(request) {
    this.text.value = request.input;
    this.seed.value = request.seed;
    for (const name of TEMPERATURES) if (name in request) $(`#${name}`).value = request[name];
    this.more.put(request);
    this.#read();
    this.#kept();
    this.#fit();
  }

  /** The voices that there are. */
  voices(all) {
    this.more.show(all);
    this.#shown();
  }

  get empty() {
    return !this.text.value.trim();
  }

  get tooLong() {
    return [...this.text.value].length > this.most;
  }

  /** The text's length, where it matters. */
  showCount() {
    const length = [...this.text.value].length;
    const count = $("#count");
    count.hidden = length < this.most * NEAR_LIMIT;
    count.classList.toggle("over", this.tooLong);
    count.textContent = this.tooLong
      ? `${(length - this.most).toLocaleString("en")} characters too many: this server takes ${this.most.toLocaleString("en")}`
      : `${length.toLocaleString("en")} of ${this.most.toLocaleString("en")} characters`;
    this.text.setAttribute("aria-invalid", String(this.tooLong));
  }

  recalledVoice() {
    return this.settings.voice;
  }

  keepVoice(id) {
    this.settings.voice = id;
    this.#kept();
  }

  #recall() {
    try {
      this.settings = JSON.parse(stored.get(SETTINGS) ?? "{}");
    } catch {
      this.settings = {};
    }
    for (const name of TEMPERATURES) if (this.settings[name]) $(`#${name}`).value = this.settings[name];
    if (this.settings.seed) [this.seed.value, this.lock.checked] = [this.settings.seed, true];
    this.text.value = EXAMPLE;
    this.more.put(this.settings);
    $("#further").open = Boolean(this.settings.lang || this.settings.takes > 1);
    this.#shown();
  }

  #kept() {
    for (const name of TEMPERATURES) this.settings[name] = $(`#${name}`).value;
    this.settings.seed = this.lock.checked ? this.seed.value : "";
    const { lang = "", takes = 1 } = this.more.request();
    Object.assign(this.settings, { lang, takes, cast: this.more.cast });
    stored.set(SETTINGS, JSON.stringify(this.settings));
    this.#shown();
  }

  #shown() {
    for (const name of TEMPERATURES) {
      const input = $(`#${name}`);
      $(`output[for=${name}]`).textContent = Number(input.value).toFixed(2);
      const share = (input.value - input.min) / (input.max - input.min);
      input.style.setProperty("--share", `${share * 100}%`);
    }
    const asBark = TEMPERATURES.every((name) => $(`#${name}`).value === this.defaults[name]);
    $("#more").classList.toggle("changed", !asBark || this.lock.checked || this.more.used);
  }

  /** Look for speakers in the text. */
  #read() {
    this.more.read(this.text.value);
    this.#shown();
  }

  #fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, innerHeight * 0.5)}px`;
  }
}

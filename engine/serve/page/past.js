/** The list of speeches that were made before. */

import { $, clock, icon, make } from "./dom.js";
import { History } from "./history.js";

const DAY_MS = 86_400_000;

/** When it was, as briefly as it can be understood. */
function when(then) {
  const date = new Date(then);
  const today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (today) return time;
  if (Date.now() - then < 6 * DAY_MS) return `${date.toLocaleDateString([], { weekday: "short" })} ${time}`;
  return date.toLocaleDateString([], { day: "numeric", month: "short" });
}

export class Past {
  #history = new History();

  /** @param {(speech: import("./takes.js").Speech) => void} opened */
  constructor(opened) {
    this.opened = opened;
    $("#forget-all").addEventListener("click", () => this.#forgetAll());
    this.show();
  }

  /** Keep a speech; where a browser keeps nothing, it goes on without. */
  async keep(speech) {
    if (!speech.madeS) return;
    try {
      await this.#history.keep(speech);
    } catch (error) {
      console.warn("this speech is not kept:", error);
    }
    await this.show(speech.id);
  }

  /** @param {string} [open] the speech that is open now */
  async show(open) {
    if (open !== undefined) this.open = open;
    const entries = await this.#history.entries().catch(() => []);
    $("#past").hidden = entries.length === 0;
    $("#entries").replaceChildren(...entries.map((entry) => this.#row(entry)));
  }

  #row(entry) {
    const facts = [entry.voiceName, clock(entry.seconds), when(entry.when)].filter(Boolean).join(" · ");
    const words = entry.text.replace(/\s+/g, " ").slice(0, 200);
    const open = make(
      "button",
      { type: "button", class: "entry", onclick: () => this.#open(entry.id), "aria-label": `Open: ${words}, ${facts}` },
      make("span", { class: "text" }, words),
      make("span", { class: "soft" }, facts),
    );
    const bin = make(
      "button",
      { type: "button", class: "square", onclick: () => this.#forget(entry.id), "aria-label": `Delete: ${words}` },
      icon("bin"),
    );
    return make("li", { class: entry.id === this.open ? "open" : null }, open, bin);
  }

  async #open(id) {
    const speech = await this.#history.speech(id);
    if (!speech) return;
    this.opened(speech);
    await this.show(id);
  }

  async #forget(id) {
    const at = [...document.querySelectorAll("#entries .square")].indexOf(document.activeElement);
    await this.#history.forget(id);
    await this.show();
    const left = document.querySelectorAll("#entries .square");
    (left[Math.min(at, left.length - 1)] ?? $("#text")).focus();
  }

  /** Everything, but only if the button is pressed twice. */
  async #forgetAll() {
    const button = $("#forget-all");
    if (button.dataset.sure) {
      await this.#history.forgetAll();
      await this.show();
      $("#text").focus();
    }
    button.dataset.sure = button.dataset.sure ? "" : "yes";
    button.textContent = button.dataset.sure ? "Really all?" : "Delete all";
    setTimeout(() => {
      button.dataset.sure = "";
      button.textContent = "Delete all";
    }, 4000);
  }
}

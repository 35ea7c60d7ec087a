/** What went wrong, in a card, with what can be done about it. */

import { Lost } from "./api.js";
import { $, make } from "./dom.js";

/** What a status means to a person. */
const HEADS = {
  400: "This cannot be said",
  401: "A key is needed",
  413: "This is too much at once",
  429: "The server is busy",
  503: "The server is not ready",
  504: "It took too long",
};

const WRONG = new Set([400, 413]); // with what was asked for: asking again helps nothing

export class Trouble {
  #kind = null;
  #timer = 0;

  /** @param {Error & {status?: number, retryAfterS?: number|null}} error @param {() => void} [again] */
  show(error, again) {
    this.clear();
    const lost = error instanceof Lost;
    this.#kind = lost ? "away" : WRONG.has(error.status) ? "wrong" : "refused";
    $("#trouble-head").textContent = lost ? "No connection" : (HEADS[error.status] ?? "That went wrong");
    $("#trouble-words").textContent = this.#words(error, lost);
    $("#trouble").hidden = false;
    const doings = [];
    if (again && !WRONG.has(error.status)) doings.push(this.#again(error, again));
    doings.push(make("button", { type: "button", class: "quiet", onclick: () => this.clear() }, "Close"));
    $("#trouble-doings").replaceChildren(...doings);
    if (document.activeElement === document.body) doings[0].focus();
    $("#trouble").scrollIntoView({ block: "nearest" });
    if (!error.status && !lost) console.error(error);
  }

  #words(error, lost) {
    const words = error.message[0].toUpperCase() + error.message.slice(1);
    const ended = /[.!?…]$/.test(words) ? words : `${words}.`;
    return lost ? `${ended} What is here stays, and the rest can be made when the server is back.` : ended;
  }

  /** A button that tries once more, when the server said it may. */
  #again(error, again) {
    let left = Math.ceil(error.retryAfterS ?? 0);
    const button = make("button", { type: "button", class: "second", onclick: () => left <= 0 && (this.clear(), again()) });
    const shown = () => {
      button.textContent = left > 0 ? `Try again in ${left} s` : error.status === 401 ? "Give a key" : "Try again";
      button.setAttribute("aria-disabled", String(left > 0));
    };
    shown();
    if (left > 0) this.#timer = setInterval(() => {
      left -= 1;
      shown();
      if (left <= 0) clearInterval(this.#timer);
    }, 1000);
    return button;
  }

  /** @param {string} [kind] only if it is of this kind */
  clear(kind) {
    if (kind && kind !== this.#kind) return;
    clearInterval(this.#timer);
    this.#kind = null;
    $("#trouble").hidden = true;
  }
}

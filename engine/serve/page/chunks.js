/** The list of a speech's chunks: what each says, its takes, and making another. */

import { $, icon, make, setIcon } from "./dom.js";

const LETTERS = "ABCD";

/**
 * @typedef {{play: (index: number) => void, keep: (index: number, take: number) => void,
 *   redo: (index: number) => void}} Doings
 */

export class ChunkList {
  /** @param {HTMLOListElement} list @param {Doings} doings */
  constructor(list, doings) {
    this.list = list;
    this.doings = doings;
  }

  /** @param {import("./takes.js").Speech} speech */
  show(speech) {
    this.speech = speech;
    this.list.replaceChildren(...speech.chunks.map((chunk, index) => this.#row(chunk, index)));
    speech.chunks.forEach((_, index) => this.update(index));
  }

  #row(chunk, index) {
    const say = make(
      "button",
      { type: "button", class: "say", onclick: () => this.doings.play(index) },
      make("span", { class: "dot" }, icon("play")),
      make(
        "span",
        { class: "words" },
        chunk.speaker && !chunk.text.startsWith(chunk.speaker) ? make("b", { class: "speaker" }, chunk.speaker) : null,
        make("span", { class: "text", title: chunk.said && chunk.said !== chunk.text ? `Said as: ${chunk.said}` : null }, chunk.text),
      ),
    );
    const takes = make("div", { class: "takes", role: "radiogroup", "aria-label": `Take of part ${index + 1}` });
    const redo = make(
      "button",
      { type: "button", class: "quiet redo", onclick: () => this.doings.redo(index) },
      icon("redo"),
      make("span", { class: "label" }),
    );
    const length = make("span", { class: "length" });
    return make("li", { class: "chunk" }, say, make("div", { class: "tools" }, length, takes, redo));
  }

  /** Show how a chunk is now. */
  update(index) {
    const chunk = this.speech.chunks[index];
    const row = this.list.children[index];
    if (!row) return;
    row.dataset.state = chunk.redoing ? "redoing" : chunk.state;
    const silent = chunk.samples?.length === 0;
    const say = $(".say", row);
    say.setAttribute("aria-disabled", String(!chunk.samples || silent));
    $(".length", row).textContent = this.#told(chunk, silent);
    const redo = $(".redo", row);
    const made = chunk.takes.length > 0;
    redo.hidden = chunk.state === "waiting" || (chunk.state === "making" && !chunk.redoing);
    redo.setAttribute("aria-disabled", String(chunk.redoing));
    $(".label", redo).textContent = chunk.redoing ? "Making…" : made ? "Again" : "Make";
    redo.setAttribute("aria-label", `${made ? "Say again with another seed" : "Make"}: part ${index + 1}`);
    redo.title = made ? "Say it again with another seed" : "Make this part";
    this.#updateTakes($(".takes", row), chunk, index);
  }

  #told(chunk, silent) {
    if (silent) return "came out silent";
    const best = chunk.of > 1 ? ` · best of ${chunk.of}` : "";
    if (chunk.samples) return `${chunk.seconds.toFixed(1)} s${best}`;
    return { waiting: "to come", making: "being made", missing: "not made" }[chunk.state];
  }

  #updateTakes(group, chunk, index) {
    group.hidden = chunk.takes.length < 2;
    if (group.hidden) return;
    const name = `take-${this.speech.id}-${index}`;
    const focused = group.contains(document.activeElement);
    group.replaceChildren(
      ...chunk.takes.map((take, at) => {
        const input = make("input", {
          type: "radio",
          name,
          checked: at === chunk.kept,
          "aria-label": `Take ${LETTERS[at]}, seed ${take.seed}`,
          onchange: () => this.doings.keep(index, at),
        });
        return make("label", { title: `Seed ${take.seed}` }, input, make("span", {}, LETTERS[at]));
      }),
    );
    if (focused) $("input:checked", group).focus();
  }

  /** Mark the chunk that is heard; playing: whether it sounds now. */
  mark(index, playing) {
    [...this.list.children].forEach((row, at) => {
      const here = at === index && playing !== null;
      row.classList.toggle("here", here);
      row.classList.toggle("sounding", here && playing === true);
      if (here) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      const words = `${here && playing ? "Pause" : "Play"} part ${at + 1}: ${this.speech.chunks[at].text}`;
      $(".say", row).setAttribute("aria-label", words);
      setIcon($(".dot", row), here && playing ? "pause" : "play");
    });
  }

  /** Move the focus among chunks. */
  step(by) {
    const buttons = [...this.list.querySelectorAll(".say")];
    if (!buttons.length) return;
    const row = document.activeElement?.closest?.(".chunk");
    const from = row ? [...this.list.children].indexOf(row) : this.#marked() - (by > 0 ? 1 : -1);
    const to = Math.min(buttons.length - 1, Math.max(0, from + by));
    buttons[to].focus();
  }

  #marked() {
    return Math.max(0, [...this.list.children].findIndex((row) => row.classList.contains("here")));
  }

  /** Let the chunk that is heard be seen, if its list is longer than the window and nobody works in it. */
  reveal(index) {
    const row = this.list.children[index];
    if (!row || this.list.contains(document.activeElement)) return;
    const box = row.getBoundingClientRect();
    const within = this.list.getBoundingClientRect();
    const listSeen = within.top < innerHeight && within.bottom > 0;
    if (listSeen && (box.bottom > innerHeight || box.top < 0)) row.scrollIntoView({ block: "nearest" });
  }
}


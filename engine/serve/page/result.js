/** The speech that is open: its waveform, its chunks, how far it is, and what can be done with it. */

import { mp3 } from "./api.js";
import { ChunkList } from "./chunks.js";
import { $, clock, setIcon, still } from "./dom.js";
import { fileName, save, wav } from "./takes.js";
import { Wave } from "./wave.js";

const SKIP_S = 2;

export class Result {
  /**
   * @param {import("./player.js").Player} player
   * @param {{redo: (index: number) => void, kept: () => void, rest: () => void, failed: (error: Error) => void}} doings
   */
  constructor(player, doings) {
    this.player = player;
    this.doings = doings;
    this.speech = null;
    this.asking = false;
    this.wave = new Wave($("#wave"), (index, offset) => this.player.play(index, offset));
    this.list = new ChunkList($("#chunks"), {
      play: (index) => this.#play(index),
      keep: (index, take) => this.#keep(index, take),
      redo: (index) => !this.speech.chunks[index].redoing && doings.redo(index),
    });
    $("#toggle").addEventListener("click", () => this.toggle());
    $("#rest").addEventListener("click", () => doings.rest());
    $("#save-wav").addEventListener("click", () => this.#saveWav());
    $("#save-mp3").addEventListener("click", () => this.#saveMp3());
    $("#wave").addEventListener("keydown", (event) => this.#slide(event));
    player.addEventListener("change", () => this.#played());
    this.#tick();
  }

  /** @param {import("./takes.js").Speech} speech */
  show(speech) {
    this.speech = speech;
    $("#result").hidden = false;
    $("#hello").hidden = true;
    this.wave.show(speech);
    this.list.show(speech);
    this.fill(0);
    this.update();
  }

  /** A chunk has changed. */
  changed(index) {
    this.list.update(index);
    this.player.changed(index);
    this.update();
  }

  /** What the buttons and figures are now. */
  update() {
    const { speech } = this;
    $("#result").classList.toggle("bare", speech.length === 0);
    const nothing = String(speech.madeS === 0);
    for (const id of ["toggle", "save-wav", "save-mp3"]) $(`#${id}`).setAttribute("aria-disabled", nothing);
    $("#rest").hidden = speech.missing.length === 0 || speech.chunks.some((chunk) => chunk.state === "making");
    speech.chunks.forEach((_, index) => this.list.update(index));
    $("#wave").setAttribute("aria-valuemax", speech.seconds.toFixed(1));
    $("#facts").textContent = speech.request.seed === undefined ? "" : `Seed ${speech.request.seed}`;
    this.#played();
    this.wave.draw();
  }

  /** Whether the server was asked and has not begun. */
  ask(asking) {
    this.asking = asking;
    this.#played();
    this.wave.draw();
  }

  /** How far the making is, 0 to 1; null: nothing is made. */
  fill(share) {
    $("#progress").classList.toggle("over", share === null);
    $("#fill").style.setProperty("--share", `${100 * (share ?? 1)}%`);
  }

  status(words) {
    $("#status").textContent = words;
  }

  toggle() {
    if (this.speech?.madeS) this.player.toggle();
  }

  #play(index) {
    const { player, speech } = this;
    if (!speech.chunks[index].samples?.length) return;
    if (player.index === index && player.state === "playing") player.pause();
    else player.play(index, player.index === index && player.state === "paused" ? player.offset : 0);
  }

  #keep(index, take) {
    this.speech.chunks[index].kept = take;
    this.changed(index);
    this.player.play(index, 0);
    this.doings.kept();
  }

  #played() {
    const { player, speech } = this;
    const on = player.state === "playing" || player.state === "waiting";
    const button = $("#toggle");
    setIcon(button, on ? "pause" : "play");
    button.setAttribute("aria-label", on ? "Pause" : "Play");
    button.classList.toggle("busy", player.state === "waiting" || this.asking);
    if (!speech?.chunks.length) return;
    this.list.mark(player.index, player.state === "idle" ? null : player.state === "playing");
    if (player.state === "playing") this.list.reveal(player.index);
    this.#place();
  }

  /** Where it is now, in the waveform and in figures. */
  #place() {
    const { player, speech } = this;
    const before = speech.chunks.slice(0, player.index).reduce((sum, chunk) => sum + chunk.seconds, 0);
    const at = player.state === "idle" ? 0 : before + player.offset;
    this.wave.move(player.state === "idle" ? 0 : player.index, player.state === "idle" ? 0 : player.offset);
    $("#at").textContent = clock(at);
    $("#of").textContent = clock(speech.seconds);
    const slider = $("#wave");
    slider.setAttribute("aria-valuenow", at.toFixed(1));
    slider.setAttribute("aria-valuetext", `${clock(at)} of ${clock(speech.seconds)}, part ${player.index + 1}`);
  }

  #tick() {
    if (this.player.state === "playing" && this.speech) this.#place();
    setTimeout(() => requestAnimationFrame(() => this.#tick()), still() ? 250 : 0);
  }

  /** Arrows on the waveform go back and forth in time. */
  #slide(event) {
    const by = { ArrowLeft: -SKIP_S, ArrowRight: SKIP_S }[event.key];
    if (!by || !this.speech) return;
    event.preventDefault();
    event.stopPropagation();
    const { chunks } = this.speech;
    let index = this.player.index;
    let offset = this.player.offset + by;
    while (offset < 0 && index > 0) offset += chunks[(index -= 1)].seconds;
    while (offset > chunks[index].seconds && chunks[index + 1]?.samples) offset -= chunks[index++].seconds;
    if (chunks[index].samples) this.player.seek(index, Math.max(0, Math.min(offset, chunks[index].seconds)));
  }

  #saveWav() {
    const { speech } = this;
    if (speech.madeS) save(wav(speech.joined(), speech.rate), fileName(speech.request.input, "wav"));
  }

  async #saveMp3() {
    const { speech } = this;
    const button = $("#save-mp3");
    if (!speech.madeS || button.classList.contains("busy")) return;
    button.classList.add("busy");
    try {
      save(await mp3(speech.joined()), fileName(speech.request.input, "mp3"));
    } catch (error) {
      this.doings.failed(error);
    } finally {
      button.classList.remove("busy");
    }
  }
}

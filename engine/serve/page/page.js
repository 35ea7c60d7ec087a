/** The page: what a person does, what the server answers, and how each shows. */

import { about, key, Lost, readiness, voices as listVoices } from "./api.js";
import { $, lasting, make, roughly, setIcon } from "./dom.js";
import { drawSeed, Form } from "./form.js";
import { Maker } from "./maker.js";
import { Past } from "./past.js";
import { Player } from "./player.js";
import { Result } from "./result.js";
import { Speech } from "./takes.js";
import { aboutVoice, Voices } from "./voices.js";
import { Trouble } from "./trouble.js";

const LOOK_AGAIN_MS = 1500;

const player = new Player();
const maker = new Maker();
const form = new Form(() => {
  trouble.clear("wrong"); // of the text as it was
  showSpeak();
});
const trouble = new Trouble();
const past = new Past((speech) => open(speech));
const voices = new Voices((voice) => showVoice(voice), failed);
const result = new Result(player, { redo, kept: () => past.keep(result.speech), rest, failed });
let server = "loading"; // "loading", "ready", "stopping", "failed" or "away"

/** Tell it to those who hear the page instead of seeing it. */
function say(words) {
  $("#live").textContent = words;
}

// The server.

async function lookAtServer() {
  const before = server;
  try {
    const { status, reason } = await readiness();
    server = status;
    $("#server").title = reason;
  } catch {
    server = "away";
  }
  if (!voices.all.length && server !== "away") await describe().catch(() => (server = "away"));
  $("#server").dataset.state = server;
  $("#server-words").textContent = {
    ready: $("#server").dataset.name,
    loading: "Waking up…",
    stopping: "Being stopped",
    failed: "No weights",
    away: "Not reachable",
  }[server];
  if (before !== server && before === "away") trouble.clear("away");
  showSpeak();
  if (server !== "ready") setTimeout(lookAtServer, LOOK_AGAIN_MS);
}

async function describe() {
  const told = await about();
  form.most = told.limits.max_text_chars;
  $("#server").dataset.name = `${told.weights} · ${told.config}`;
  const words = told.note ? `${told.note[0].toUpperCase()}${told.note.slice(1)}.`.split("`") : [];
  $("#note").replaceChildren(...words.map((part, at) => (at % 2 ? make("code", {}, part) : part)));
  $("#version").textContent = `alrakis ${told.version}`;
  voices.show(await listVoices(), form.recalledVoice());
  form.voices(voices.all);
}

// What a person asks for.

function showVoice(voice) {
  $("#voice-name").textContent = voice.name;
  $("#voice-about").textContent = aboutVoice(voice);
  $("#hear-picked").setAttribute("aria-label", `Hear ${voice.name}`);
  form.keepVoice(voice.id);
}

function showSpeak() {
  form.showCount();
  const button = $("#speak");
  const words = maker.busy ? "Stop" : server === "loading" ? "Waking up…" : "Speak";
  $("#speak-word").textContent = words;
  $("#speak-key").textContent = maker.busy ? "Esc" : "Ctrl ↵";
  setIcon(button, maker.busy ? "stop" : "play");
  button.classList.toggle("stops", maker.busy);
  const not = !maker.busy && (form.empty || form.tooLong || server !== "ready");
  button.setAttribute("aria-disabled", String(not));
}

function speakOrStop() {
  if (maker.busy) return stop();
  if ($("#speak").getAttribute("aria-disabled") === "true") return form.text.focus();
  const voice = voices.chosen;
  player.unlock();
  const request = { ...form.request(), ...(voice ? { voice: voice.id } : {}) };
  maker.say(new Speech(request, voice?.name ?? ""));
}

/** Nothing more is made, and nothing sounds. */
function stop() {
  maker.stop();
  player.pause();
}

function redo(index) {
  player.unlock();
  maker.redo(result.speech, index, drawSeed());
}

function rest() {
  player.unlock();
  if (!maker.busy) maker.rest(result.speech);
}

/** Show a speech that was made before. */
function open(speech) {
  maker.stop();
  trouble.clear();
  player.unlock();
  player.load(speech);
  result.show(speech);
  result.fill(null);
  result.status(summary(speech));
  if (!form.touched) form.put(speech.request);
  player.play(0, 0);
  $("#result").scrollIntoView({ block: "nearest" });
}

// How a speech comes into being.

maker.addEventListener("begun", ({ detail: { speech } }) => {
  trouble.clear();
  if (speech !== result.speech) {
    player.load(speech);
    result.show(speech);
  }
  result.fill(0);
  result.ask(true);
  result.status("Asking the server…");
  if (document.activeElement === $("#speak")) $("#toggle").focus({ preventScroll: true });
  showSpeak();
});

maker.addEventListener("queued", ({ detail: { place, seconds_ahead } }) => {
  const others = place === 1 ? "One other text is" : `${place} other texts are`;
  const words = place ? `${others} under way, with about ${roughly(seconds_ahead)} of sound left to make.` : "It is your turn.";
  result.status(words);
  say(words);
});

maker.addEventListener("planned", ({ detail: { speech } }) => {
  result.ask(false);
  result.show(speech);
  const count = speech.length === 1 ? "one part" : `${speech.length} parts`;
  say(`About ${roughly(speech.seconds)} of speech, in ${count}.`);
  player.play(0, 0);
});

maker.addEventListener("moved", ({ detail: { speech, share, doing } }) => {
  const at = speech.chunks.findIndex((chunk) => chunk.state === "making") + 1;
  result.fill(share);
  result.status(`${speech.length > 1 && at ? `Part ${at} of ${speech.length}: ` : ""}${doing}…`);
});

maker.addEventListener("chunk", ({ detail: { speech, index } }) => {
  if (speech === result.speech) result.changed(index);
  if (speech.chunks[index].state === "made") say(`Part ${index + 1} of ${speech.length} is there.`);
});

maker.addEventListener("ended", ({ detail: { speech, error, stopped } }) => {
  past.keep(speech);
  showSpeak();
  if (speech !== result.speech) return;
  result.ask(false);
  result.fill(null);
  result.update();
  $("#result").hidden = speech.length === 0;
  if (player.state === "waiting") player.changed(player.index);
  const made = speech.chunks.filter((chunk) => chunk.state === "made").length;
  const parts = `${made} of ${speech.length} parts ${made === 1 ? "is" : "are"} here.`;
  const words = error || stopped ? `Stopped. ${speech.length ? parts : ""}` : summary(speech);
  result.status(words);
  if (error) failed(error, () => (speech.length ? rest() : maker.say(speech)));
  else say(words);
});

maker.addEventListener("redoing", ({ detail: { speech, index } }) => {
  if (speech === result.speech) result.changed(index);
  say(`Part ${index + 1} is being made again.`);
});

maker.addEventListener("redone", ({ detail: { speech, index, error, stopped } }) => {
  if (speech !== result.speech) return;
  result.changed(index);
  if (error) failed(error, () => redo(index));
  if (error || stopped) return;
  past.keep(speech);
  const words = `Part ${index + 1} has another take, and it is kept.`;
  result.status(words);
  say(words);
  if (player.state !== "playing" || player.index === index) player.play(index, 0);
});

function summary({ madeS, figures }) {
  const made = `${lasting(madeS)} of speech`;
  if (!figures) return `${made}.`;
  const { wall_s, first_sound_s } = figures;
  return `${made}, made in ${lasting(wall_s)}. The first sound came after ${lasting(first_sound_s)}.`;
}

// What goes wrong.

/** @param {Error} error @param {() => void} [again] what to try once more */
function failed(error, again) {
  if (error.status === 401) return askForKey(error, again);
  trouble.show(error, again);
  if (error instanceof Lost) lookAtServer();
}

function askForKey(error, again) {
  $("#key-words").textContent = key.given ? "The one given is not known here." : "Whoever runs it has one for you.";
  $("#key-field").value = "";
  $("#key").showModal();
  $("#key").onclose = () => {
    if ($("#key").returnValue !== "given") return trouble.show(error, () => askForKey(error, again));
    key.set($("#key-field").value.trim(), $("#key-stay").checked);
    again?.();
  };
}

$("#key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  $("#key").close("given");
});
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close(""));
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
}

// Mouse and keys.

$("#composer").addEventListener("submit", (event) => {
  event.preventDefault();
  speakOrStop();
});
$("#pick-voice").addEventListener("click", () => voices.open());
$("#hear-picked").addEventListener("click", () => voices.chosen && voices.hear(voices.chosen, $("#hear-picked")));

addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const inField = event.target.matches("textarea, select, input");
  const onButton = event.target.matches("button, a, [role=radio]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (!maker.busy) speakOrStop();
  } else if (event.key === "Escape") {
    stop();
  } else if (event.key === " " && !inField && !onButton) result.toggle();
  else if (!inField && event.key === "ArrowDown") result.list.step(1);
  else if (!inField && event.key === "ArrowUp") result.list.step(-1);
  else return;
  event.preventDefault();
});

lookAtServer();

// The page: controls, a worker that solves, and the explorer's own views of what it finds.

import chart from "./chart.js";
import { file } from "./engine.js";
import { code, heart, losses, shifts, sides } from "./figures.js";
import heartView from "./heart.js";
import { Model } from "./model.js";
import stackView from "./stack.js";
import { filled, Tour } from "./tour.js";

const $ = (id) => /** @type {any} */ (document.getElementById(id));
const PICTURES_EVERY = 4; // iterations, in a run
const SIDES = 90; // pixels for the words at both sides of the heart in 3-D
const REST_MS = 250; // a slider that rests so long is meant

const NEEDED = ["WebAssembly", "Worker", "DecompressionStream"];
const missing = NEEDED.filter((name) => !(name in globalThis));

let page; // words and looks
let told; // of the scan that is open
let S_LR = new Uint8Array();
/** @type {any[]} */ let moments = []; // of the run
let [at, running] = [0, false];
let turn = 0; // counts what is begun anew
let inside = null; // margins of the surfaces
/** @type {any} */ let tour; // once it is begun
/** @type {Record<string, number[]>} */ let byHand = {}; // mm that each slice is displaced by hand

const worker = missing.length ? null : new Worker("./worker.js", { type: "module" });
worker?.addEventListener("error", ({ message }) => fail(message));

// What the engine finds; never told where something else has been begun in the meantime.
const ask = (what, ...given) =>
  new Promise((done, wrong) => {
    const [mine, { port1, port2 }] = [turn, new MessageChannel()];
    port1.onmessage = ({ data: { found, error } }) => {
      if (mine !== turn) return;
      error ? wrong(error) : done(found);
    };
    worker?.postMessage({ what, given }, [port2]);
  });

// What goes wrong is said.
function fail(why) {
  running = false;
  $("said").textContent = `${page?.words.FAILED ?? "Something went wrong"}: ${why}`;
}
addEventListener("unhandledrejection", ({ reason }) => fail(reason));

const charts = Object.fromEntries(["loss", "z", "d"].map((n) => [n, new Model({ drawing: {} })]));
const scene = new Model({ traces: [], ghost: [], shows_ghost: true }, async ({ kind }) => {
  if (kind !== "library") return;
  const packed = await (await fetch("./plotly-gl3d.min.js.gz")).arrayBuffer();
  scene.tell("msg:custom", { kind }, [new DataView(packed)]);
});
const stack = new Model({ scanned: new Uint8Array(), slices: [] }, (message) => {
  if (message.kind === "undo") byHand = {};
  else if (message.kind === "move") displace(message.slice, message.rows, message.columns);
  else return;
  rescan();
});

const form = $("choices");
// What is chosen, by the names of the controls.
const number = (value) => (Number.isNaN(+value) ? value : +value);
const chosen = () =>
  Object.fromEntries([...form.elements].map(({ name, value }) => [name, number(value)]));
const truth = () =>
  told.motion.flatMap((mm, k) => mm.map((of, i) => chosen().motion * of + (byHand[k]?.[i] ?? 0)));
const gamma = () => page.views.map((_, i) => (i < chosen().views ? chosen().gamma : 0));
const solver = () => page.solvers[chosen().way];
const over = () => at >= solver().iterations || Boolean(moments[at]?.settled);
const hidden = () => $("hidden").checked;
// Where the truth is hidden, the heart is not laid over it.
const common = () => (hidden() ? [0, 0] : moments[at].common);

// A slice by so many mm more, but not too far.
function displace(slice, ...mm) {
  const sum = mm.map((more, i) => (byHand[slice]?.[i] ?? 0) + (more || 0));
  byHand[slice] = sum.map((all) => Math.min(Math.max(all, -page.by_hand), page.by_hand));
}

// The address says all that was chosen, so it can be sent; numbers stand beside their sliders.
function write() {
  for (const { name, value } of form.elements)
    if ($(`${name}-value`)) $(`${name}-value`).textContent = value;
  const parts = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  for (const [k, mm] of Object.entries(byHand)) parts.set(`by_hand_${k}`, mm.join());
  history.replaceState(null, "", `#${parts}`);
}

function read() {
  form.reset();
  byHand = {};
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const [, slice] = name.match(/^by_hand_(\d+)$/) ?? [];
    if (slice) displace(slice, ...value.split(",").map(Number));
    else choose({ [name]: value });
  }
  write();
}

// Sliders keep within their bounds, and lists to what they offer.
function choose(choice) {
  for (const [name, value] of Object.entries(choice)) {
    const control = form.elements.namedItem(name) ?? {};
    const before = control.value;
    control.value = value;
    control.value ||= before;
  }
}

// Curves at once; the heart, and how good it is, when there is time.
async function show(whole) {
  if (!moments.length) return;
  const [moment, shift, { words, surfaces }, { views }] = [moments[at], common(), page, chosen()];
  const draw = (model, panels) => model.give({ drawing: { panels, title: "" } });
  draw(charts.loss, losses(moments, at, page, views ? ["L", "L_SA", "L_LA"] : ["L"]));
  draw(charts.z, code(moment.z, page));
  draw(charts.d, shifts(moment.d, hidden() ? null : truth(), told.tissue, page));
  stand(moment.d.map((mm, i) => mm - shift[i % 2]));
  Object.assign($("iteration"), { max: moments.length - 1, value: at });
  const said = [`${words.iteration} ${at} / ${solver().iterations}`, `L = ${moment.L.toFixed(4)}`];
  if (solver().prior) said.push(`${words.WITH_PRIORS} ${moment.objective.toFixed(4)}`);
  $("state").textContent = said.join(" · ");
  const used = chosen().gamma ? views : 0;
  const leaning = filled(words.LEAN[Math.min(used, 2)], moment.lean, used);
  const judgement = `${words.MOTION_ERROR}: ${moment.error.toFixed(2)} mm. ${leaning}`;
  $("error").textContent = hidden() ? words.HIDDEN_NOTE : judgement;
  enable();
  lookAt();
  if (!whole) return;
  const found = await ask("run", "surfaces", { z: moment.z });
  if (moment !== moments[at]) return;
  inside = found.inside;
  paint();
  if (running) return;
  const { dice } = hidden() ? { dice: [] } : await ask("run", "dice", { z: moment.z, shift });
  if (moment !== moments[at]) return;
  const scores = [...dice].map((score, i) => `${Object.keys(surfaces)[i]} ${score.toFixed(3)}`);
  $("dice").textContent = hidden() ? "" : `${words.DICE_HEADING}: ${scores.join(" · ")}`;
  // For tests, and whoever asks: all that is seen is of this iteration, here in full precision.
  globalThis.srhShown = { ...moment, dice: [...dice] };
}

// The stack from the side, as scanned and put back by d.
function stand(d) {
  stack.give({
    scanned: sides(S_LR, told),
    put_back: sides(S_LR, told, d),
    slices: [...told.tissue.keys()],
    of: told.K,
    by_hand: Object.keys(byHand).length > 0,
    revision: (stack.get("revision") ?? 0) + 1,
  });
}

function paint() {
  if (!inside || !moments.length) return;
  const cut = $("cut").checked && chosen().views ? told.views[0] : null;
  scene.give({
    traces: heart(inside, S_LR, chosen().k, moments[at], told, common(), page, cut),
    ghost: told.ghost.map((mesh) => ({ ...page.ghost, ...mesh })),
    shows_ghost: $("truth").checked && !hidden(),
  });
}

// What the tour takes notice of, and what it says.
function lookAt() {
  if (!tour) return;
  const state = { ...chosen(), byHand };
  const now = { at, state, hidden: hidden(), over: over(), moment: moments[at] };
  if (now.moment) tour.look(now);
  const [text, said] = tour.told();
  if ($("tour-text").innerHTML !== text) $("tour-text").innerHTML = text;
  if ($("tour-said").textContent !== said) $("tour-said").textContent = said;
  $("tour-bet").hidden = tour.stop.name !== "guess";
  $("tour-tell").disabled = !now.hidden || !now.over;
  $("tour-show").hidden = !tour.stop.acts.length;
  const more = tour.acts > 0 && tour.acts < tour.stop.acts.length;
  $("tour-show").textContent = more ? tour.page.words.more : page.words["tour-show"];
  $("tour-back").disabled = tour.at === 0;
  $("tour-next").disabled = tour.at === tour.page.stops.length - 1;
  return now;
}

function enable() {
  $("run").textContent = running ? page.words["button-pause"] : page.words["button-run"];
  $("run").disabled = !moments.length || (over() && !running);
  $("step").disabled = $("run").disabled || running;
  $("reset").disabled = $("iteration").disabled = moments.length < 2;
  $("truth").disabled = hidden();
  const now = running ? "RUNNING" : over() ? "DONE" : at ? "PAUSED" : "READY";
  $("said").textContent = page.words[moments.length ? now : "OPENING"];
}

// What was asked for before is of no use any more, nor are moments that are not kept.
function anew(goes = false, kept = moments) {
  turn += 1;
  [running, moments] = [goes, kept];
  outdate();
  enable();
}

// How good an earlier iteration was is not how good this one is.
function outdate() {
  $("dice").textContent = "";
  globalThis.srhShown = undefined;
}

async function advance() {
  const moment = await ask("step", at);
  at = moment.iteration;
  moments = [...moments.slice(0, at), moment];
  outdate();
  if (over()) running = false;
}

async function run() {
  anew(!running);
  while (running) {
    await advance();
    if (running) await show(at % PICTURES_EVERY === 0);
  }
  await show(true);
}

async function begin() {
  anew(false, []);
  at = 0;
  moments = [await ask("begin", { ...solver(), gamma: gamma() })];
  await show(true);
}

async function rescan() {
  write();
  if (!told) return open(); // what is being opened is opened for this scan
  anew(false, []);
  S_LR = await ask("scan", truth(), chosen().noise);
  stand([]); // while the solver is made ready
  await begin();
}

async function open() {
  anew(false, []);
  read();
  told = null;
  const { subject, spacing, way, k } = chosen();
  told = await ask("open", subject, spacing, way);
  stack.give({ chosen: Math.min(k, told.K - 1) });
  await rescan();
}

// Another γ: the run goes on with it, if it went.
async function weigh() {
  if (!moments.length) return rescan();
  const went = running;
  anew();
  const moment = await ask("weigh", gamma(), at);
  moments = [...moments.slice(0, at), moment];
  await (went ? run() : show(true));
}

// What "Show me" shows.
async function act({ choice, hands, runs, hides }) {
  $("hidden").checked = hides;
  choose(choice);
  byHand = { ...hands };
  write();
  await open();
  if (runs && !running) await run();
}

let resting = 0;
function later(act) {
  clearTimeout(resting);
  resting = setTimeout(act, REST_MS);
}

function listen() {
  const others = () => {
    byHand = {}; // slices are others now
    write();
    open();
  };
  const acts = { subject: others, spacing: others, way: open, gamma: () => later(weigh) };
  for (const control of form.elements)
    control.addEventListener("input", () => {
      write();
      (acts[control.name] ?? (() => later(rescan)))();
    });
  const go = (by) => {
    tour.go(by);
    lookAt();
    if ($("tour-back").disabled || $("tour-next").disabled) $("tour").focus();
  };
  const touring = (open) => {
    $("tour").hidden = !open;
    tour ??= new Tour(page.tour);
    go(0);
    $(open ? "tour" : "tour-start").focus();
  };
  const clicks = {
    run,
    step: () => advance().then(() => show(true)),
    reset: begin,
    theme: () => document.body.classList.toggle("srh-dark"),
    "tour-start": () => touring(true),
    "tour-leave": () => touring(false),
    "tour-back": () => go(-1),
    "tour-next": () => go(1),
    "tour-show": () => act(tour.act()),
    "tour-tell": () => {
      tour.bet(Number($("tour-guess").value), lookAt());
      $("hidden").click(); // a guess shows the truth
    },
  };
  for (const [id, done] of Object.entries(clicks)) $(id).addEventListener("click", done);
  $("iteration").addEventListener("input", () => {
    anew();
    at = Number($("iteration").value);
    show(false);
    later(() => show(true));
  });
  $("hidden").addEventListener("change", () => {
    outdate();
    show(true);
  });
  for (const name of ["truth", "cut"]) $(name).addEventListener("change", paint);
  $("language").addEventListener("change", () => {
    location.search = `lang=${$("language").value}`;
  });
  stack.on("change:chosen", () => {
    choose({ k: stack.get("chosen") });
    write();
    paint();
  });
  addEventListener("hashchange", open);
}

async function start() {
  if (matchMedia("(prefers-color-scheme: dark)").matches) document.body.classList.add("srh-dark");
  if (missing.length) {
    $("message").textContent = `This browser lacks what the solver needs: ${missing.join(", ")}.`;
    return;
  }
  const wanted = new URLSearchParams(location.search).get("lang") ?? navigator.language.slice(0, 2);
  const language = [...$("language")].find(({ value }) => value === wanted)?.value ?? "en";
  page = JSON.parse(new TextDecoder().decode(await file(`page.${language}.json`)));
  document.documentElement.lang = $("language").value = language;
  for (const place of document.querySelectorAll("[data-word]"))
    place.innerHTML = page.words[/** @type {any} */ (place).dataset.word];
  stack.give(page.stack);
  // Where the view is narrow, words at its sides need the heart further off.
  const { clientWidth, clientHeight } = $("heart");
  const away = Math.max(1, (0.95 * clientHeight) / (clientWidth - SIDES));
  const { camera, zaxis } = page.layout.scene;
  for (const axis of Object.keys(camera.eye)) camera.eye[axis] *= away;
  // Nor is there room for which end is the apex.
  if (clientWidth < 400) zaxis.title.text = zaxis.title.text.split(":")[0];
  scene.give({ figure_layout: page.layout, words: { loading: page.words.PLOTLY_LOADING } });
  for (const [name, model] of Object.entries(charts)) chart.render({ model, el: $(name) });
  stackView.render({ model: stack, el: $("stack") });
  const pen = document.createElement("canvas").getContext("webgl");
  if (pen) heartView.render({ model: scene, el: $("heart") });
  else $("heart").textContent = page.words.NO_WEBGL;
  listen();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("./sw.js").catch(() => {});
  await open();
}

start();

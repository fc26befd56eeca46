// The page: controls, a worker that solves, and the explorer's own views of what it finds.

import chart from "./chart.js";
import { compared, file, parsed } from "./engine.js";
import { code, heart, losses, shifts, sides } from "./figures.js";
import heartView from "./heart.js";
import { Model } from "./model.js";
import stackView from "./stack.js";

const $ = (id) => /** @type {any} */ (document.getElementById(id));
const PICTURES_EVERY = 4; // iterations, in a run
const SLICES = 13;
const USUAL = { motion: 4, gamma: 1, views: 1, k: 6 };
const REST_MS = 250; // a slider that rests so long is meant

const NEEDS = ["WebAssembly", "Worker", "DecompressionStream"];
const missing = NEEDS.filter((name) => !(name in globalThis));

let page; // words and looks
let told; // of the subject
let S_LR = new Uint8Array();
let moments = [];
let [at, running] = [0, false];
let turn = 0; // counts what is begun anew, so that an older answer is known as such
let inside = null;
/** @type {any} */
const state = { ...USUAL, subject: "", way: "", byHand: {} };

const worker = missing.length ? null : new Worker("./worker.js", { type: "module" });
const waiting = new Map();
worker?.addEventListener("message", ({ data: { id, found, error } }) => {
  const [done, fail] = waiting.get(id);
  waiting.delete(id);
  error ? fail(new Error(error)) : done(found);
});
worker?.addEventListener("error", (event) => say(`${page?.words.FAILED ?? ""} ${event.message}`));

let asked = 0;
function ask(what, ...given) {
  asked += 1;
  const id = asked;
  return new Promise((done, fail) => {
    waiting.set(id, [done, fail]);
    worker?.postMessage({ id, what, given });
  });
}

const charts = Object.fromEntries(["loss", "z", "d"].map((n) => [n, new Model({ drawing: {} })]));
const scene = new Model({ traces: [], ghost: [], shows_ghost: true }, (message) => {
  if (message.kind !== "library") return;
  fetch("./plotly.min.js.gz")
    .then((answer) => answer.arrayBuffer())
    .then((packed) => scene.tell({ kind: "library" }, [new DataView(packed)]));
});
const stack = new Model({ scanned: new Uint8Array(), slices: [] }, (message) => {
  if (message.kind === "move") {
    const before = state.byHand[message.slice] ?? [0, 0];
    state.byHand[message.slice] = [message.rows, message.columns].map((mm, i) =>
      within(before[i] + mm, -page.by_hand, page.by_hand, 0),
    );
  } else if (message.kind === "undo") state.byHand = {};
  else return;
  rescan();
});

const say = (words) => {
  $("said").textContent = words;
};

const truth = () =>
  told.motion.flatMap((mm, k) =>
    mm.map((of, i) => state.motion * of + (state.byHand[k]?.[i] ?? 0)),
  );
const gamma = () => page.views.map((_, i) => (i < state.views ? state.gamma : 0));
const most = () => page.solvers[state.way].iterations;

// The address says all that was chosen, so it can be sent.
function write() {
  const chosen = Object.entries({ ...state, byHand: JSON.stringify(state.byHand) });
  const parts = new URLSearchParams(chosen.map(([name, value]) => [name, String(value)]));
  history.replaceState(null, "", `#${parts}`);
}

const within = (value, least, most, usual) =>
  Number.isFinite(value) ? Math.min(Math.max(value, least), most) : usual;

function displaced(written) {
  try {
    const hands = Object.entries(JSON.parse(written)).filter(([k]) => Number(k) < SLICES);
    return Object.fromEntries(
      hands.map(([k, mm]) => [k, [0, 1].map((i) => within(mm[i], -page.by_hand, page.by_hand, 0))]),
    );
  } catch {
    return {};
  }
}

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (name, most) =>
    within(Number.parseFloat(given.get(name) ?? ""), 0, most, USUAL[name]);
  const known = (name, all) => (all.includes(given.get(name)) ? given.get(name) : all[0]);
  Object.assign(state, {
    subject: known("subject", Object.keys(page.subjects)),
    way: known("way", Object.keys(page.solvers)),
    motion: number("motion", page.motions.severe),
    gamma: number("gamma", 4),
    views: Math.round(number("views", page.views.length)),
    k: Math.round(number("k", SLICES - 1)),
    byHand: displaced(given.get("byHand") ?? "{}"),
  });
  for (const name of ["subject", "motion", "gamma", "views", "way"]) $(name).value = state[name];
  stack.give({ chosen: state.k });
  showValues();
}

function showValues() {
  for (const name of ["motion", "gamma"]) $(`${name}-value`).textContent = state[name].toFixed(1);
  $("views-value").textContent = state.views;
}

// Curves at once; the heart, and how good it is, when there is time.
async function show(whole) {
  const [mine, moment] = [turn, moments[at]];
  const { common, error } = compared(moment.d, truth(), told.tissue);
  const zero = moment.d.map(() => 0);
  const put = moment.d.map((mm, i) => mm - common[i % 2]);
  const draw = (model, panels) => model.give({ drawing: { panels, title: "" } });
  draw(charts.loss, losses(moments, at, page, state.views ? ["L", "L_SA", "L_LA"] : ["L"]));
  draw(charts.z, code(moment.z, page));
  draw(charts.d, shifts(moment.d, common, truth(), told.tissue, page));
  stack.give({
    scanned: sides(S_LR, told, zero),
    put_back: sides(S_LR, told, put),
    slices: [...told.tissue.keys()],
    of: told.K,
    by_hand: Object.keys(state.byHand).length > 0,
    revision: (stack.get("revision") ?? 0) + 1,
  });
  $("iteration").max = String(moments.length - 1);
  $("iteration").value = String(at);
  const said = [`${page.words.iteration} ${at} / ${most()}`, `L = ${moment.L.toFixed(4)}`];
  if (page.solvers[state.way].prior) said.push(`L + priors = ${moment.objective.toFixed(4)}`);
  said.push(`${page.words.MOTION_ERROR}: ${error.toFixed(2)} mm`);
  $("state").textContent = said.join(" · ");
  enable();
  if (!whole) return;
  const found = await ask("pictures", moment.z, moment.d);
  if (mine !== turn || moment !== moments[at]) return;
  inside = found.inside;
  paint();
  if (running) return;
  const scores = await ask("dice", moment.z, common);
  if (mine !== turn || moment !== moments[at]) return;
  const written = Object.keys(page.surfaces).map((name, i) => `${name} ${scores[i].toFixed(3)}`);
  $("dice").textContent = `${page.words.DICE_HEADING}: ${written.join(" · ")}`;
  document.body.dataset.shown = String(at); // all that is seen is of this iteration
}

function paint() {
  if (!inside) return;
  const { common } = compared(moments[at].d, truth(), told.tissue);
  const cut = $("cut").checked && state.views ? told.views[0] : null;
  scene.give({ traces: heart(inside, S_LR, state.k, moments[at], told, common, page, cut) });
}

function enable() {
  const over = at >= most() || Boolean(moments[at]?.settled);
  $("run").textContent = running ? page.words["button-pause"] : page.words["button-run"];
  $("run").disabled = !moments.length || (over && !running);
  $("step").disabled = $("run").disabled || running;
  $("reset").disabled = moments.length < 2;
  $("iteration").disabled = moments.length < 2;
  if (moments.length)
    say(page.words[running ? "RUNNING" : over ? "DONE" : at ? "PAUSED" : "READY"]);
}

// What is done for whoever uses the page; what goes wrong is said.
const guarded =
  (act) =>
  async (...given) => {
    try {
      return await act(...given);
    } catch (error) {
      running = false;
      say(`${page?.words.FAILED ?? "Something went wrong"}: ${error}`);
      throw error;
    }
  };

// What was asked for before is of no use any more.
function anew() {
  turn += 1;
  running = false;
  outdate();
  return turn;
}

// How good an earlier iteration was is not how good this one is.
function outdate() {
  $("dice").textContent = "";
  delete document.body.dataset.shown;
}

async function advance() {
  const [mine, from] = [turn, at];
  const moment = await ask("step", from);
  if (mine !== turn || from !== at) return;
  moments.length = from + 1;
  moments.push(moment);
  at += 1;
  outdate();
  if (moment.settled || at === most()) running = false;
}

const run = guarded(async () => {
  running = !running;
  const mine = turn;
  enable();
  while (running && mine === turn) {
    await advance();
    if (running && mine === turn) await show(at % PICTURES_EVERY === 0);
  }
  if (mine === turn) await show(true);
});

const one = guarded(async () => {
  await advance();
  await show(true);
});

const begin = guarded(async () => {
  const mine = anew();
  const settings = { ...page.solvers[state.way], gamma: gamma() };
  const first = await ask("begin", settings, page.M);
  if (mine !== turn) return;
  at = 0;
  moments = [first];
  await show(true);
});

const rescan = guarded(async () => {
  const mine = anew();
  write();
  const labels = await ask("scan", truth());
  if (mine !== turn) return;
  S_LR = labels;
  await begin();
});

const open = guarded(async () => {
  const mine = anew();
  read();
  moments = [];
  enable();
  say(page.words.OPENING);
  const found = await ask("open", state.subject);
  if (mine !== turn) return;
  told = found;
  scene.give({ ghost: told.ghost });
  await rescan();
});

// Another γ: the run goes on with it, if it went.
const weigh = guarded(async () => {
  const went = running;
  const [mine, from] = [anew(), at];
  const moment = await ask("weigh", gamma(), from);
  if (mine !== turn) return;
  moments.length = from + 1;
  moments[from] = moment;
  at = from;
  await (went ? run() : show(true));
});

let resting = 0;
function later(act) {
  clearTimeout(resting);
  resting = setTimeout(act, REST_MS);
}

function listen() {
  const take = (name, act, number = true) =>
    $(name).addEventListener("input", () => {
      state[name] = number ? Number($(name).value) : $(name).value;
      showValues();
      write();
      act();
    });
  take("subject", open, false);
  take("way", rescan, false);
  for (const name of ["motion", "views"]) take(name, () => later(rescan));
  take("gamma", () => later(weigh));
  const theme = () => document.body.classList.toggle("srh-dark");
  for (const [id, act] of Object.entries({ run, step: one, reset: begin, theme }))
    $(id).addEventListener("click", act);
  $("iteration").addEventListener("input", () => {
    running = false;
    at = Number($("iteration").value);
    outdate();
    show(false);
    later(() => show(true));
  });
  $("truth").addEventListener("change", () => scene.give({ shows_ghost: $("truth").checked }));
  $("cut").addEventListener("change", paint);
  stack.on("change:chosen", () => {
    state.k = stack.get("chosen");
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
  page = parsed(new TextDecoder().decode(await file("page.json")));
  stack.give(page.stack);
  scene.give({ figure_layout: page.layout, words: { loading: page.words.PLOTLY_LOADING } });
  for (const [name, model] of Object.entries(charts)) chart.render({ model, el: $(name) });
  stackView.render({ model: stack, el: $("stack") });
  const pen = document.createElement("canvas").getContext("webgl");
  if (pen) heartView.render({ model: scene, el: $("heart") });
  else $("heart").textContent = "This browser has no WebGL, so the heart is not drawn in 3-D.";
  listen();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("./sw.js").catch(() => {});
  await open();
}

guarded(start)();

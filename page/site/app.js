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
const USUAL = { motion: 4, noise: 0, gamma: 1, views: 1, k: 6 };
const REST_MS = 250; // a slider that rests so long is meant

const needed = ["WebAssembly", "Worker", "DecompressionStream"];
const missing = needed.filter((name) => !(name in globalThis));

let page; // words and looks
let told; // of the scan that is open
let S_LR = new Uint8Array();
/** @type {any[]} */ let moments = []; // of the run
let [at, running] = [0, false];
let turn = 0; // counts what is begun anew, so that an older answer is known as such
let inside = null; // margins of the surfaces
/** @type {any} */ let tour; // once it is begun
/** @type {any} */ const state = { ...USUAL, byHand: {} };

const worker = missing.length ? null : new Worker("./worker.js", { type: "module" });
worker?.addEventListener("error", (event) => say(`${page?.words.FAILED ?? ""} ${event.message}`));

const ask = (what, ...given) =>
  new Promise((done, fail) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data: { found, error } }) =>
      error ? fail(new Error(error)) : done(found);
    worker?.postMessage({ what, given }, [port2]);
  });

const charts = Object.fromEntries(["loss", "z", "d"].map((n) => [n, new Model({ drawing: {} })]));
const scene = new Model({ traces: [], ghost: [], shows_ghost: true }, async ({ kind }) => {
  if (kind !== "library") return;
  const packed = await (await fetch("./plotly.min.js.gz")).arrayBuffer();
  scene.tell("msg:custom", { kind }, [new DataView(packed)]);
});
const stack = new Model({ scanned: new Uint8Array(), slices: [] }, (message) => {
  if (message.kind === "move") {
    const before = state.byHand[message.slice] ?? [0, 0];
    const more = [message.rows, message.columns];
    state.byHand[message.slice] = more.map((mm, i) => byHand(before[i] + mm));
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
const over = () => at >= most() || Boolean(moments[at]?.settled);
const hidden = () => $("hidden").checked;
// Where the truth is hidden, the heart is not laid over it.
const common = () => (hidden() ? [0, 0] : moments[at].common);

// The address says all that was chosen, so it can be sent; numbers stand beside their sliders.
function write() {
  for (const name of ["motion", "gamma"]) $(`${name}-value`).textContent = state[name].toFixed(1);
  $("noise-value").textContent = `${state.noise} %`;
  const chosen = Object.entries({ ...state, byHand: JSON.stringify(state.byHand) });
  const parts = new URLSearchParams(chosen.map(([name, value]) => [name, String(value)]));
  history.replaceState(null, "", `#${parts}`);
}

const within = (value, least, most, usual) =>
  Number.isFinite(value) ? Math.min(Math.max(value, least), most) : usual;
const byHand = (mm) => within(mm, -page.by_hand, page.by_hand, 0);

function displaced(written) {
  try {
    const hands = Object.entries(JSON.parse(written));
    return Object.fromEntries(hands.map(([k, mm]) => [k, [0, 1].map((i) => byHand(mm[i]))]));
  } catch {
    return {};
  }
}

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const [name, all] of Object.entries(page.choices))
    state[name] = all.find((one) => String(one) === given.get(name)) ?? all[0];
  for (const [name, usual] of Object.entries(USUAL))
    state[name] = within(Number.parseFloat(given.get(name) ?? ""), 0, page.most[name], usual);
  for (const name of ["noise", "views", "k"]) state[name] = Math.round(state[name]);
  state.byHand = displaced(given.get("byHand") ?? "{}");
  for (const [name, value] of Object.entries(state)) if ($(name)) $(name).value = value;
  write();
}

// Curves at once; the heart, and how good it is, when there is time.
async function show(whole) {
  if (!moments.length) return;
  const [mine, moment, shift, { words, surfaces }] = [turn, moments[at], common(), page];
  const { error, lean } = moment;
  const put = moment.d.map((mm, i) => mm - shift[i % 2]);
  const draw = (model, panels) => model.give({ drawing: { panels, title: "" } });
  draw(charts.loss, losses(moments, at, page, state.views ? ["L", "L_SA", "L_LA"] : ["L"]));
  draw(charts.z, code(moment.z, page));
  draw(charts.d, shifts(put, hidden() ? null : truth(), told.tissue, page));
  stand(put);
  $("iteration").max = String(moments.length - 1);
  $("iteration").value = String(at);
  const said = [`${words.iteration} ${at} / ${most()}`, `L = ${moment.L.toFixed(4)}`];
  if (page.solvers[state.way].prior)
    said.push(`${words.WITH_PRIORS} ${moment.objective.toFixed(4)}`);
  $("state").textContent = said.join(" · ");
  const used = state.gamma ? state.views : 0;
  const leaning = filled(words.LEAN[Math.min(used, 2)], lean, used);
  const judgement = `${words.MOTION_ERROR}: ${error.toFixed(2)} mm. ${leaning}`;
  $("error").textContent = hidden() ? words.HIDDEN_NOTE : judgement;
  enable();
  lookAt();
  const current = () => mine === turn && moment === moments[at];
  if (!whole) return;
  const found = await ask("surfaces", moment.z);
  if (!current()) return;
  inside = found;
  paint();
  if (running) return;
  const dice = hidden() ? [] : await ask("dice", moment.z, shift);
  if (!current()) return;
  const written = Object.keys(surfaces).map((name, i) => `${name} ${dice[i]?.toFixed(3)}`);
  $("dice").textContent = dice.length ? `${words.DICE_HEADING}: ${written.join(" · ")}` : "";
  // For tests, and whoever asks: all that is seen is of this iteration, here in full precision.
  globalThis.srhShown = { ...moment, dice };
}

// The stack from the side, as scanned and put back by d.
function stand(d) {
  stack.give({
    scanned: sides(S_LR, told),
    put_back: sides(S_LR, told, d),
    slices: [...told.tissue.keys()],
    of: told.K,
    by_hand: Object.keys(state.byHand).length > 0,
    revision: (stack.get("revision") ?? 0) + 1,
  });
}

function paint() {
  if (!inside || !moments.length) return;
  const cut = $("cut").checked && state.views ? told.views[0] : null;
  scene.give({
    traces: heart(inside, S_LR, state.k, moments[at], told, common(), page, cut),
    ghost: told.ghost.map((mesh) => ({ ...page.ghost, ...mesh })),
    shows_ghost: $("truth").checked && !hidden(),
  });
}

// What the tour takes notice of, and what it says.
function lookAt() {
  if (!tour) return;
  const now = { at, state, hidden: hidden(), over: over(), moment: moments[at] };
  if (now.moment) tour.look(now);
  const [text, said] = tour.told();
  if ($("tour-text").innerHTML !== text) $("tour-text").innerHTML = text;
  if ($("tour-said").textContent !== said) $("tour-said").textContent = said;
  $("tour-bet").hidden = tour.stop.name !== "guess";
  $("tour-tell").disabled = !now.hidden || !now.over;
  $("tour-show").hidden = !tour.stop.acts.length;
  const more = tour.acts > 0 && tour.acts < tour.stop.acts.length;
  $("tour-show").textContent = more ? tour.words.more : page.words["tour-show"];
  $("tour-back").disabled = tour.at === 0;
  $("tour-next").disabled = tour.at === tour.stops.length - 1;
  return now;
}

function enable() {
  $("run").textContent = running ? page.words["button-pause"] : page.words["button-run"];
  $("run").disabled = !moments.length || (over() && !running);
  $("step").disabled = $("run").disabled || running;
  $("reset").disabled = $("iteration").disabled = moments.length < 2;
  $("truth").disabled = hidden();
  if (moments.length)
    say(page.words[running ? "RUNNING" : over() ? "DONE" : at ? "PAUSED" : "READY"]);
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
  globalThis.srhShown = undefined;
}

async function advance() {
  const [mine, from] = [turn, at];
  const moment = await ask("step", from);
  if (mine !== turn || from !== at) return;
  moments.length = from + 1;
  moments.push(moment);
  at += 1;
  outdate();
  if (over()) running = false;
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

const step = guarded(async () => {
  await advance();
  await show(true);
});

const begin = guarded(async () => {
  const mine = anew();
  const first = await ask("begin", { ...page.solvers[state.way], gamma: gamma() });
  if (mine !== turn) return;
  [at, moments] = [0, [first]];
  await show(true);
  return mine === turn;
});

const rescan = guarded(async () => {
  write();
  if (!told) return open(); // what is being opened is opened for this scan
  const mine = anew();
  const labels = await ask("scan", truth(), state.noise);
  if (mine !== turn) return;
  S_LR = labels;
  return begin();
});

const open = guarded(async () => {
  const mine = anew();
  read();
  [told, moments] = [null, []];
  enable();
  say(page.words.OPENING);
  const found = await ask("open", state.subject, state.spacing, state.way);
  if (mine !== turn) return;
  told = found;
  stack.give({ chosen: Math.min(state.k, told.K - 1) });
  return rescan();
});

// Another γ: the run goes on with it, if it went.
const weigh = guarded(async () => {
  if (!moments.length) return rescan();
  const went = running;
  const [mine, from] = [anew(), at];
  const moment = await ask("weigh", gamma(), from);
  if (mine !== turn) return;
  moments.length = from + 1;
  moments[from] = moment;
  at = from;
  await (went ? run() : show(true));
});

// What "Show me" shows.
const act = guarded(async ({ choice, runs, hides }) => {
  $("hidden").checked = hides;
  Object.assign(state, choice);
  write();
  if ((await open()) && runs) await run();
});

let resting = 0;
function later(act) {
  clearTimeout(resting);
  resting = setTimeout(act, REST_MS);
}

function listen() {
  const take = (name, act) =>
    $(name).addEventListener("input", () => {
      const { value } = $(name);
      state[name] = typeof state[name] === "number" ? Number(value) : value;
      write();
      act();
    });
  const others = () => {
    state.byHand = {}; // slices are others now
    write();
    open();
  };
  take("subject", others);
  take("spacing", others);
  take("way", open);
  for (const name of ["motion", "noise", "views"]) take(name, () => later(rescan));
  take("gamma", () => later(weigh));
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
    step,
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
    running = false;
    at = Number($("iteration").value);
    outdate();
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
  const wanted = new URLSearchParams(location.search).get("lang") ?? navigator.language.slice(0, 2);
  const languages = [...$("language").options].map(({ value }) => value);
  const language = languages.includes(wanted) ? wanted : languages[0];
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

guarded(start)();

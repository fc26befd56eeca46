// The browser's side of the page: says when it has painted, gives every control the name that a
// screen reader speaks, lights up the terms of the equation, turns the page dark, and hands out
// files.

import { listen, view } from "./canvas.js";

// What is asked for now is drawn in the next frame; the task after it finds it on the screen.
function painted(callback) {
  requestAnimationFrame(() => setTimeout(callback));
}

// What widgets were sent in one message, each as if it had come by itself.
function handOn(model) {
  const take = (message, buffers) => {
    if (message.kind !== "together") return;
    let from = 0;
    for (const { id, data, buffers: n } of message.news) {
      const news = { content: { data }, buffers: buffers.slice(from, from + n) };
      from += n;
      model.widget_manager.get_model(id).then((other) => other._handle_comm_msg(news));
    }
  };
  model.on("msg:custom", take);
  return () => model.off("msg:custom", take);
}

function answerPings(model, signal) {
  listen(signal, model, "change:ping", () => {
    const ping = model.get("ping");
    painted(() => model.send({ kind: "painted", ping }));
  });
}

// Whoever does anything has seen enough of the opening replay; its own buttons say what they want.
function tellTouch(model, signal) {
  const events = ["pointerdown", "keydown", "wheel"];
  const touched = (event) => {
    if (event.target.closest?.(".srh-transport")) return;
    for (const name of events) document.removeEventListener(name, touched);
    model.send({ kind: "touched" });
  };
  for (const name of events) document.addEventListener(name, touched, { signal, passive: true });
}

const TARGETS =
  ".noUi-handle, select, input, .widget-toggle-buttons, button, img, canvas, [role=application], [role=region]";

// What is spoken when it changes, and what has buttons of its own.
const ROLES = {
  ".srh-status, .srh-tour-text, .srh-tour-said": "status",
  ".srh-tour": "region",
};

const TENDED = [TARGETS, ...Object.keys(ROLES), "[title=null]"].join(", ");

function nameControls(names) {
  for (const [places, role] of Object.entries(ROLES)) {
    for (const element of document.querySelectorAll(places)) element.setAttribute("role", role);
  }
  for (const [className, name] of Object.entries(names)) {
    for (const place of document.getElementsByClassName(className)) {
      const target = place.matches(TARGETS) ? place : (place.querySelector(TARGETS) ?? place);
      const attribute = target instanceof HTMLImageElement ? "alt" : "aria-label";
      if (target.getAttribute(attribute) !== name) target.setAttribute(attribute, name);
      if (target instanceof HTMLCanvasElement && !target.role) target.role = "img";
    }
  }
}

function tellPressed() {
  for (const bar of document.querySelectorAll(".srh .widget-toggle-buttons")) {
    bar.setAttribute("role", "group");
    for (const button of bar.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
    }
  }
}

// Markup as plain words, for a tooltip.
const plain = (markup) => markup.replaceAll("<sub>", "_").replaceAll("</sub>", "");

// While the pointer or the focus is on a control, the terms that it acts on light up and the line
// below the equation tells what it is for.
function lightTerms(model, signal) {
  const light = (event) => {
    const told = document.querySelector(".srh-tip-line .widget-html-content");
    const tips = Object.entries(model.get("tips"));
    const [name, words] = tips.find(([each]) => event.target.closest?.(`.${each}`)) ?? ["", ""];
    if (told && words && told.innerHTML !== words) told.innerHTML = words;
    const control = name && event.target.closest(`.${name}`);
    if (control && !control.matches(".srh, .srh-plot *")) control.title = plain(words);
    const lit = Object.entries(model.get("terms"))
      .filter(([className]) => event.target.closest?.(`.${className}`))
      .flatMap(([, terms]) => terms.map((term) => `.srh-term-${term}`));
    for (const term of document.querySelectorAll("[class*=srh-term-]"))
      term.classList.toggle("srh-lit", lit.length > 0 && term.matches(lit.join()));
  };
  document.addEventListener("pointerover", light, { signal });
  document.addEventListener("focusin", light, { signal });
}

function turnDark(model, signal) {
  const turn = () => document.body.classList.toggle("srh-dark", model.get("dark"));
  listen(signal, model, "change:dark", turn);
  turn();
}

function handOut({ name }, [data]) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What follows # in the address leads to a state. Under Voilà the address is the page's own, and any
// other # a link that is none; elsewhere it may be a heading's.
const leads = () =>
  location.hash.startsWith("#state=") || (document.body.dataset.voila && location.hash);

async function leadTo(link, model) {
  const address = new URL(location.href);
  address.hash = link;
  address.searchParams.delete("token"); // who gets the link is not to get this
  history.replaceState(history.state, "", address);
  let copied = true;
  try {
    await navigator.clipboard.writeText(address.href); // there is none where no HTTPS is
  } catch {
    copied = false;
  }
  model.send({ kind: "linked", copied });
}

const asks = (preference) => globalThis.matchMedia?.(`(prefers-${preference})`).matches ?? false;

function show(model, _, signal) {
  for (const begin of [answerPings, tellTouch, lightTerms, turnDark]) begin(model, signal);
  listen(signal, model, "msg:custom", (message, buffers) => {
    if (message.kind === "download") handOut(message, buffers);
    if (message.kind === "link") leadTo(message.link, model);
  });
  const follow = () => leads() && model.send({ kind: "link", link: location.hash });
  globalThis.addEventListener("hashchange", follow, { signal });
  const tend = () => {
    nameControls(model.get("names"));
    for (const root of document.querySelectorAll(".srh"))
      root.setAttribute("lang", model.get("language"));
    // What ipywidgets says of a control without a tooltip.
    for (const element of document.querySelectorAll(".srh [title=null]"))
      element.removeAttribute("title");
    tellPressed();
  };
  let asked = 0;
  // In a run words change many times a second, controls do not.
  const news = ({ addedNodes }) =>
    [...addedNodes].some((node) => node.matches?.(TENDED) || node.querySelector?.(TENDED));
  const additions = new MutationObserver((changes) => {
    if (!asked && changes.some(news))
      asked = requestAnimationFrame(() => {
        asked = 0;
        tend();
      });
  });
  additions.observe(document.body, { childList: true, subtree: true });
  listen(signal, model, "change:names change:language", tend);
  document.addEventListener("click", () => requestAnimationFrame(tellPressed), { signal });
  signal.addEventListener("abort", () => additions.disconnect());
  tend();
  painted(() => {
    model.set("visits", model.get("visits") + 1);
    if (model.get("visits") === 1) {
      model.set("dark", asks("color-scheme: dark"));
      model.set("calm", asks("reduced-motion: reduce"));
    }
    model.save_changes();
    if (model.get("visits") === 1) follow();
  });
}

// Widgets hear of what changes while no page shows them, too.
const initialize = ({ model }) => handOn(model);

export default { initialize, ...view("srh-page", show) };

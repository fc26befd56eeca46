// The browser's side of the page: says when it has painted and when a hand is on a 3-D view, gives
// every control the name that a screen reader speaks, lights up the terms of the equation, turns
// the page dark, and hands out files.

const WHEEL_REST_MS = 400;

function painted(callback) {
  requestAnimationFrame(() => requestAnimationFrame(callback));
}

function answerPings(model) {
  model.on("change:ping", () => {
    const ping = model.get("ping");
    painted(() => {
      model.set("pong", ping);
      model.save_changes();
    });
  });
}

// plotly.js issue 6359: a 3-D view that is updated while it is dragged snaps its camera back.
function watchHands(model, signal) {
  let held = false;
  let wheel = null;
  const report = () => {
    const busy = held || wheel !== null;
    if (globalThis.srheartPlotly) globalThis.srheartPlotly.handOnCanvas = busy;
    if (busy !== model.get("hand_on_canvas")) {
      model.set("hand_on_canvas", busy);
      model.save_changes();
    }
  };
  const onCanvas = (event) => event.target instanceof HTMLCanvasElement;
  const options = { capture: true, passive: true, signal };
  const down = (event) => {
    if (onCanvas(event)) { held = true; report(); }
  };
  const up = (event) => {
    // A control that loses the focus says "blur" too; only the window's own means a lost pointer.
    if (event.type === "blur" && event.target !== window) return;
    if (held) { held = false; painted(report); }
  };
  document.addEventListener("pointerdown", down, options);
  // Plotly's camera listens to mouse events; some drivers send those alone.
  document.addEventListener("mousedown", down, options);
  for (const end of ["pointerup", "pointercancel", "mouseup", "blur"]) {
    window.addEventListener(end, up, options);
  }
  document.addEventListener("wheel", (event) => {
    if (!onCanvas(event)) return;
    clearTimeout(wheel);
    wheel = setTimeout(() => { wheel = null; report(); }, WHEEL_REST_MS);
    report();
  }, options);
}

// Plotly measures a figure before the page has laid it out, and then only when the window changes.
function fitFigures(signal) {
  let asked = 0;
  const sizes = new ResizeObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
  });
  signal.addEventListener("abort", () => sizes.disconnect());
  return () => {
    for (const svg of document.querySelectorAll(".srh-plot .main-svg")) {
      sizes.observe(svg.closest(".js-plotly-plot"));
    }
  };
}

const TARGETS = ".noUi-handle, select, input, button, img";

function nameControls(names) {
  for (const [className, name] of Object.entries(names)) {
    for (const element of document.getElementsByClassName(className)) {
      const target = element.matches(TARGETS) ? element : element.querySelector(TARGETS) ?? element;
      const attribute = target instanceof HTMLImageElement ? "alt" : "aria-label";
      if (target.getAttribute(attribute) !== name) target.setAttribute(attribute, name);
      if (element.matches(".srh-plot")) element.setAttribute("role", "img");
    }
  }
  for (const element of document.getElementsByClassName("srh-status")) {
    element.setAttribute("role", "status");
  }
}

function nameTabs() {
  for (const bar of document.querySelectorAll(".srh-tabs .widget-toggle-buttons")) {
    bar.setAttribute("role", "group");
    for (const button of bar.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
    }
  }
}

// The term that a control acts on lights up while the pointer or the focus is on it.
function lightTerms(model, signal) {
  const light = (event) => {
    const lit = new Set();
    for (const [className, terms] of Object.entries(model.get("terms"))) {
      if (event.target.closest?.(`.${className}`)) terms.forEach((term) => lit.add(`srh-term-${term}`));
    }
    for (const term of document.querySelectorAll("[class*=srh-term-]")) {
      term.classList.toggle("srh-lit", [...term.classList].some((name) => lit.has(name)));
    }
  };
  document.addEventListener("pointerover", light, { signal });
  document.addEventListener("focusin", light, { signal });
}

function turnDark(model) {
  const turn = () => document.body.classList.toggle("srh-dark", model.get("dark"));
  model.on("change:dark", turn);
  turn();
}

function handOutFiles(model) {
  model.on("msg:custom", (message, [data]) => {
    if (message.kind !== "download") return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data]));
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}

const asks = (preference) => globalThis.matchMedia?.(`(prefers-${preference})`).matches ?? false;

function render({ model }) {
  const stop = new AbortController();
  answerPings(model);
  watchHands(model, stop.signal);
  lightTerms(model, stop.signal);
  turnDark(model);
  handOutFiles(model);
  const fit = fitFigures(stop.signal);
  const tend = () => {
    nameControls(model.get("names"));
    nameTabs();
    fit();
  };
  const additions = new MutationObserver(tend);
  additions.observe(document.body, { childList: true, subtree: true });
  model.on("change:names", tend);
  document.addEventListener("click", () => requestAnimationFrame(nameTabs), { signal: stop.signal });
  stop.signal.addEventListener("abort", () => additions.disconnect());
  tend();
  const greet = () => painted(() => {
    model.set("visits", model.get("visits") + 1);
    if (model.get("visits") === 1) {
      model.set("dark", asks("color-scheme: dark"));
      model.set("calm", asks("reduced-motion: reduce"));
    }
    model.save_changes();
  });
  (globalThis.srheartPlotly?.ready ?? Promise.resolve()).then(greet);
  return () => stop.abort();
}

export default { render };

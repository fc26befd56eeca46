// The 3-D view: a Plotly figure that is redrawn as fast as it can be, but never under a hand.

import { moved } from "./camera.js";
import { element, listen, redrawn, view } from "./canvas.js";
import { inSoftware, plotly, revived, wake } from "./plotly.js";

const REST_MS = 200; // Plotly's camera follows a hand a little behind
const AWAKE_MS = 1000; // after the last move of a hand
// How long another heart waits, times what the last one took to draw, with graphics hardware and
// where a processor draws it, which curves and slices need too.
const PAUSE = [0.4, 2.5];

function show(model, el, signal) {
  const box = element("div", "srh-plotly", el);
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.textContent = model.get("words").loading;
  const library = plotly(model);
  library.then(() => model.send({ kind: "ready" }));
  const layout = structuredClone(model.get("figure_layout")); // Plotly keeps the camera in it
  const start = structuredClone(layout.scene.camera);
  const software = inSoftware(); // which draws a quarter of the pixels in half of the time
  const config = { displayModeBar: false, plotGlPixelRatio: software ? 1 : 2 };
  const read = (name) => model.get(name).map(revived);
  let [traces, ghost] = [read("traces"), read("ghost")];

  function dressed() {
    const style = getComputedStyle(box);
    const [ink, grid] = ["--ink", "--grid"].map((name) => style.getPropertyValue(name));
    layout.width = box.clientWidth;
    layout.height = box.clientHeight;
    if (ink) layout.font.color = ink;
    for (const axis of ["xaxis", "yaxis", "zaxis"]) {
      if (grid) layout.scene[axis].gridcolor = layout.scene[axis].zerolinecolor = grid;
    }
    return layout;
  }

  // A picture that comes while a hand turns the view would put its camera back (plotly.js #6359).
  let until = 0;
  const hold = (ms) => {
    until = performance.now() + ms;
  };
  const early = { capture: true, passive: true };
  const grasp = (event) => {
    hold(Infinity);
    event.target.setPointerCapture(event.pointerId);
  };
  box.addEventListener("pointerdown", grasp, early);
  for (const end of ["pointerup", "pointercancel", "wheel"])
    box.addEventListener(end, () => hold(REST_MS), early);
  for (const move of ["pointerdown", "pointermove", "pointerleave", "wheel"])
    box.addEventListener(move, () => wake(AWAKE_MS), early);

  let next = 0; // when another heart may be drawn
  let renewing = 0;

  async function draw() {
    const Plotly = await library;
    while (until > performance.now())
      await new Promise((done) => {
        setTimeout(done, REST_MS / 4);
      });
    if (signal.aborted) return;
    if (!box.on) box.textContent = "";
    // The truth would come between the pointer and painted values.
    const painted = traces.some(({ intensity }) => intensity);
    const shown = [...traces, ...(model.get("shows_ghost") && !painted ? ghost : [])];
    const began = performance.now();
    wake();
    await Plotly.react(box, shown, dressed(), config);
    wake();
    for (const canvas of box.querySelectorAll("canvas")) canvas.ariaHidden = "true";
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame); // the first is asked for before WebGL is done
    next = performance.now() + PAUSE[Number(software)] * (performance.now() - began);
  }

  const ask = redrawn(box, draw, signal);
  box.addEventListener("keydown", (event) => {
    const camera = moved(layout.scene.camera, event.key, start);
    if (!camera) return;
    event.preventDefault();
    event.stopPropagation();
    layout.scene.camera = structuredClone(camera);
    ask();
  });
  const renew = () => {
    renewing ||= setTimeout(() => {
      renewing = 0;
      [traces, ghost] = [read("traces"), read("ghost")];
      ask(true);
    }, next - performance.now());
  };
  listen(signal, model, "change:traces change:ghost change:shows_ghost", renew);
  ask(true);
  signal.addEventListener("abort", () => {
    clearTimeout(renewing);
    library.then((Plotly) => Plotly.purge(box));
  });
}

export default view("srh-chart", show);

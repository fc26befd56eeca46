// Label pictures side by side: what was scanned, what the estimate would show, and the truth.

import { brushOf, coloured, element, listen, numbers, redrawn, trace, view } from "./canvas.js";

const THIN = 2; // pixels of a picture with a border, at least, for one of its labels

// Four labels in a byte.
export function labels(view, n) {
  const packed = numbers(Uint8Array, view);
  const unpacked = new Uint8Array(n);
  for (let i = 0; i < n; i += 1) unpacked[i] = (packed[i >> 2] >> (2 * (i & 3))) & 3;
  return unpacked;
}

// Whether lists of arrays hold the same.
const same = (one, other) => one.length === other.length && one.every((n, i) => n === other[i]);
const alike = (before, now) => before?.every((one, i) => same(one, now[i]));

// How many pixels of a canvas a pixel of its picture takes: as many as the screen shows.
const zoomOf = (canvas, [, w]) =>
  Math.max(1, Math.ceil((canvas.clientWidth * (globalThis.devicePixelRatio || 1)) / w));

// The pictures that one is made of, where it is not of itself.
const MADE_OF = { disagreement: ["input", "redegraded"], estimate: ["estimate", "truth"] };

function show(model, el, signal) {
  const columns = Object.entries(model.get("columns"));
  for (const [name, [title, note]] of columns) {
    const head = element("div", `srh-column srh-column-${name}`, el);
    element("b", "", head).textContent = title;
    element("br", "", head);
    element("span", "", head).textContent = note;
  }
  const canvases = {};
  for (const [row, view] of Object.entries(model.get("rows"))) {
    for (const [name, [title]] of columns) {
      const canvas = element("canvas", `srh-picture srh-${row}-${name}`, el);
      canvas.setAttribute("aria-label", `${view}, ${title}`);
      canvas.setAttribute("role", "img");
      canvases[`${row}-${name}`] = canvas;
    }
  }

  // Of each canvas, what it shows: what a run does not change is not painted again.
  const painted = {};

  function paint(canvas, shown, [h, w], colours, zoom) {
    if (canvas.width !== zoom * w) canvas.width = zoom * w;
    if (canvas.height !== zoom * h) canvas.height = zoom * h;
    const pen = canvas.getContext("2d");
    const picture = coloured(shown, [h, w], colours);
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (zoom === 1) pen.putImageData(picture, 0, 0);
    else pen.drawImage(brushOf(picture), 0, 0, canvas.width, canvas.height);
    return pen;
  }

  function draw() {
    const ink = getComputedStyle(el).getPropertyValue("--outline");
    for (const [row, { shape, ...packed }] of Object.entries(model.get("pictures"))) {
      const fit = zoomOf(canvases[`${row}-input`], shape);
      const n = shape[0] * shape[1];
      el.classList.toggle("srh-no-truth", !packed.truth);
      const read = ([name, view]) => [name, numbers(Uint8Array, view)];
      const bytes = Object.fromEntries(Object.entries(packed).map(read));
      for (const [name] of columns) {
        const known = (MADE_OF[name] ?? [name]).map((part) => bytes[part] ?? []);
        const looks = [...known, [ink, fit, ...shape]];
        if (alike(painted[`${row}-${name}`], looks)) continue;
        painted[`${row}-${name}`] = looks;
        const [own, other] = known.map((part) => part.length && labels(part, n));
        const outlined = name === "estimate" && other;
        const differs = name === "disagreement";
        const shown = differs
          ? own.map((label, i) => (label === other[i] ? label && 1 : 2))
          : own || new Uint8Array(n);
        const colours = model.get(differs ? "difference" : "tissues");
        const zoom = outlined ? Math.max(fit, THIN) : fit;
        const pen = paint(canvases[`${row}-${name}`], shown, shape, colours, zoom);
        if (!outlined) continue;
        const pixel = pen.canvas.width / shape[1];
        pen.strokeStyle = ink;
        pen.lineWidth = Math.max(pixel / 2, 1);
        trace(pen, other, shape, [0, 0], [pixel, pixel]);
      }
    }
  }

  const ask = redrawn(canvases["sa-input"], draw, signal);
  listen(signal, model, "change:pictures", () => ask(true));
  ask(true);
}

export default view("srh-label-pictures", show);

// Label pictures side by side: what was scanned, what the estimate would show, and the truth.

import { element, labelled, listen, numbers, redrawn, view } from "./canvas.js";

const LEAST = 2; // times a picture's pixels, so that a border is a thin line

// Four labels in a byte.
export function labels(view, n) {
  const packed = numbers(Uint8Array, view);
  const unpacked = new Uint8Array(n);
  for (let i = 0; i < n; i += 1) unpacked[i] = (packed[i >> 2] >> (2 * (i & 3))) & 3;
  return unpacked;
}

// Whether lists of arrays hold the same.
const alike = (before, now) =>
  before?.every(
    (one, i) => one.length === now[i].length && one.every((value, j) => value === now[i][j]),
  );

// How many pixels of a canvas a pixel of its picture takes: as many as the screen shows.
const zoomOf = (canvas, [, w]) =>
  Math.max(LEAST, Math.ceil((canvas.clientWidth * (globalThis.devicePixelRatio || 1)) / w));

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
      canvas.setAttribute("aria-label", `${view}, ${title.toLowerCase()}`);
      canvas.setAttribute("role", "img");
      canvases[`${row}-${name}`] = canvas;
    }
  }

  // Of each canvas, what it shows: what a run does not change is not painted again.
  const painted = {};

  function paint(canvas, shown, [h, w], colours, zoom) {
    canvas.width = zoom * w;
    canvas.height = zoom * h;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(labelled(shown, [h, w], colours), 0, 0, canvas.width, canvas.height);
    return pen;
  }

  function outline(pen, shown, [h, w], colour) {
    const zoom = pen.canvas.width / w;
    pen.strokeStyle = colour;
    pen.lineWidth = Math.max(zoom / 2, 1);
    pen.beginPath();
    for (let i = 0; i < h * w; i += 1) {
      const [x, y] = [zoom * (i % w), zoom * Math.floor(i / w)];
      if (i % w && shown[i] !== shown[i - 1]) {
        pen.moveTo(x, y);
        pen.lineTo(x, y + zoom);
      }
      if (i >= w && shown[i] !== shown[i - w]) {
        pen.moveTo(x, y);
        pen.lineTo(x + zoom, y);
      }
    }
    pen.stroke();
  }

  function draw() {
    const ink = getComputedStyle(el).getPropertyValue("--outline");
    for (const [row, { shape, ...packed }] of Object.entries(model.get("pictures"))) {
      const zoom = zoomOf(canvases[`${row}-input`], shape);
      const n = shape[0] * shape[1];
      el.classList.toggle("srh-no-truth", !packed.truth);
      const maps = Object.fromEntries(
        Object.entries(packed).map(([name, view]) => [name, labels(view, n)]),
      );
      maps.disagreement = maps.input.map((label, i) =>
        label === maps.redegraded[i] ? label && 1 : 2,
      );
      for (const [name] of columns) {
        const canvas = canvases[`${row}-${name}`];
        const shown = maps[name] ?? new Uint8Array(n);
        const line = name === "estimate" ? maps.truth : undefined;
        const looks = [shown, line ?? [], [ink, zoom]];
        if (alike(painted[`${row}-${name}`], looks)) continue;
        painted[`${row}-${name}`] = looks;
        const colours = model.get(name === "disagreement" ? "difference" : "tissues");
        const pen = paint(canvas, shown, shape, colours, zoom);
        if (line) outline(pen, line, shape, ink);
      }
    }
  }

  const ask = redrawn(canvases["sa-input"], draw, signal);
  listen(signal, model, "change:pictures", () => ask(true));
  ask(true);
}

export default view("srh-label-pictures", show);

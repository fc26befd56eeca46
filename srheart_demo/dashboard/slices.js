// Label pictures side by side: what was scanned, what the estimate would show, and the truth.

import { brushOf, element, listen, numbers, redrawn, rgb } from "./canvas.js";

const ZOOM = 4;

// Four labels in a byte.
export function labels(view, n) {
  const packed = numbers(Uint8Array, view);
  const unpacked = new Uint8Array(n);
  for (let i = 0; i < n; i += 1) unpacked[i] = (packed[i >> 2] >> (2 * (i & 3))) & 3;
  return unpacked;
}

function render({ model, el }) {
  const stop = new AbortController();
  el.classList.add("srh-label-pictures");
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

  function paint(canvas, shown, [h, w], colours) {
    const picture = new ImageData(w, h);
    const opaque = colours.map((colour) => [...colour, 255]);
    shown.forEach((label, i) => {
      if (label) picture.data.set(opaque[label - 1], 4 * i);
    });
    canvas.width = ZOOM * w;
    canvas.height = ZOOM * h;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(brushOf(picture), 0, 0, canvas.width, canvas.height);
    return pen;
  }

  function outline(pen, shown, [h, w], colour) {
    pen.strokeStyle = colour;
    pen.lineWidth = ZOOM / 2;
    pen.beginPath();
    for (let i = 0; i < h * w; i += 1) {
      const [x, y] = [ZOOM * (i % w), ZOOM * Math.floor(i / w)];
      if (i % w && shown[i] !== shown[i - 1]) {
        pen.moveTo(x, y);
        pen.lineTo(x, y + ZOOM);
      }
      if (i >= w && shown[i] !== shown[i - w]) {
        pen.moveTo(x, y);
        pen.lineTo(x + ZOOM, y);
      }
    }
    pen.stroke();
  }

  function draw() {
    const { tissues, same, other } = model.get("colours");
    const ink = getComputedStyle(el).getPropertyValue("--outline");
    for (const [row, { shape, ...packed }] of Object.entries(model.get("pictures"))) {
      const n = shape[0] * shape[1];
      el.classList.toggle("srh-no-truth", !packed.truth);
      const maps = Object.fromEntries(
        Object.entries(packed).map(([name, view]) => [name, labels(view, n)]),
      );
      maps.disagreement = maps.input.map((label, i) =>
        label === maps.redegraded[i] ? label && 1 : 2,
      );
      for (const [name] of columns) {
        const colours = (name === "disagreement" ? [same, other] : tissues).map(rgb);
        const pen = paint(
          canvases[`${row}-${name}`],
          maps[name] ?? new Uint8Array(n),
          shape,
          colours,
        );
        if (name === "estimate" && maps.truth) outline(pen, maps.truth, shape, ink);
      }
    }
  }

  const ask = redrawn(canvases["sa-input"], draw, stop.signal);
  listen(stop.signal, model, "change:pictures", () => ask(true));
  ask(true);
  return () => stop.abort();
}

export default { render };

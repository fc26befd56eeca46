// What all drawn views share: elements, binary arrays, and when to draw again.

// A widget's view: `show` draws a model in an element, and what it has begun ends by its signal.
export const view = (className, show) => ({
  render({ model, el }) {
    const stop = new AbortController();
    el.classList.add(className);
    show(model, el, stop.signal);
    return () => stop.abort();
  },
});

export function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

// Binary traits come as views of one message, not aligned to their numbers.
export function numbers(Type, view) {
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

export function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

// Draws before the next picture of the screen, once however often it is asked, and not before the
// last drawing is done; also when the size or the theme changes. `fresh` tells who waits for it that
// something new has been drawn.
export function redrawn(canvas, draw, signal) {
  let asked = 0;
  let again = false;
  let fresh = false;
  const now = async () => {
    again = false;
    try {
      if (!canvas.clientWidth) return;
      const news = fresh;
      fresh = false;
      await draw();
      if (news) canvas.dispatchEvent(new CustomEvent("srh-drawn", { bubbles: true }));
    } finally {
      asked = 0;
      if (again) ask();
    }
  };
  const ask = (news = false) => {
    fresh ||= news === true;
    again = true;
    asked ||= requestAnimationFrame(now);
  };
  const sizes = new ResizeObserver(() => ask());
  sizes.observe(canvas);
  const themes = new MutationObserver(() => ask());
  themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  signal.addEventListener("abort", () => {
    sizes.disconnect();
    themes.disconnect();
    cancelAnimationFrame(asked);
  });
  return ask;
}

// Listeners on a model outlive the view, unless they are taken off.
export function listen(signal, model, events, act) {
  model.on(events, act);
  signal.addEventListener("abort", () => model.off(events, act));
}

// A picture of pixels as something that a pen can draw, at any size.
export function brushOf(picture) {
  const brush = new OffscreenCanvas(picture.width, picture.height);
  brush.getContext("2d")?.putImageData(picture, 0, 0);
  return brush;
}

// Labels (h × w) in their colours, as pixels; 0 is nothing.
export function coloured(labels, [h, w], colours) {
  const picture = new ImageData(w, h);
  const pixels = new Uint32Array(picture.data.buffer);
  const bands = colours.flatMap((colour) => [...rgb(colour), 255]);
  const inks = new Uint32Array(Uint8Array.from(bands).buffer);
  labels.forEach((label, i) => {
    if (label) pixels[i] = inks[label - 1];
  });
  return picture;
}

// Where neighbouring labels (h × w) differ: edges of pixels, each from one corner to the next.
export function outlines(labels, [h, w]) {
  const edges = [];
  for (let at = 0; at < h * w; at += 1) {
    const corner = [Math.floor(at / w), at % w];
    const [i, j] = corner;
    if (i && labels[at] !== labels[at - w]) edges.push([corner, [i, j + 1]]);
    if (j && labels[at] !== labels[at - 1]) edges.push([corner, [i + 1, j]]);
  }
  return edges;
}

// Draws them: pixels are dx × dy, the first at (x, y).
export function trace(pen, labels, shape, [x, y], [dx, dy]) {
  pen.beginPath();
  for (const [from, to] of outlines(labels, shape)) {
    pen.moveTo(x + dx * from[1], y + dy * from[0]);
    pen.lineTo(x + dx * to[1], y + dy * to[0]);
  }
  pen.stroke();
}

// A pen for a canvas as fine as the screen, in CSS pixels.
export function penFor(canvas) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

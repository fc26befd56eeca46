// A chart on a canvas: panels side by side with one y axis; lines, points, bars and maps in them.

import { brushOf, element, listen, numbers, penFor, redrawn, view } from "./canvas.js";

const DASHES = { solid: [], dash: [7, 4], dot: [2, 3], dashdot: [7, 3, 2, 3] };
const TITLE = 18; // room for the title of the y axis
const RIGHT = 10;
const BOTTOM = 34;
const GAP = 14;
const LINE = 20; // of the title and the legend
const SCALE = 52; // room for a map's colours
const NEAR = 24; // pixels from the pointer to a point that it asks for
const LETTERS = 11; // pixels, of a number
const APART = 7; // pixels, between two numbers on one axis
const MOST = 8; // numbers on one axis

const written = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

// Where numbers may stand on an axis, from many to few.
function* choices({ range: [low, high], ticks, whole, names = {} }) {
  const inside = ticks.filter((tick) => tick >= low && tick <= high && !names[tick]);
  for (let every = 1; every < inside.length; every += 1)
    yield inside.filter((_, i) => i % every === 0);
  const least = Math.floor(Math.log10((high - low) / MOST));
  for (let decade = least; decade <= least + 2; decade += 1) {
    for (const n of [1, 2, 5]) {
      const step = n * 10 ** decade;
      if (whole && step < 1) continue;
      const first = Math.ceil(low / step - 1e-9);
      const last = Math.floor(high / step + 1e-9);
      yield Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
    }
  }
}

// Names, and as many numbers as stand apart from one another and within `room`, and at least two.
// `place` tells where a number stands, `size` how long it is there.
export function ticksOf(axis, place, size, room) {
  let few = axis.range;
  const boxOf = (tick) => [place(tick) - size(tick) / 2, place(tick) + size(tick) / 2, tick];
  const apart = (one, other) => one[0] >= other[1] + APART || other[0] >= one[1] + APART;
  const named = Object.keys(axis.names ?? {}).map((tick) => boxOf(Number(tick)));
  const names = named.map(([, , tick]) => tick);
  for (const ticks of choices(axis)) {
    const boxes = ticks
      .map(boxOf)
      .filter((box) => box[0] >= room[0] && box[1] <= room[1] && named.every((n) => apart(n, box)))
      .sort((one, other) => one[0] - other[0]);
    const shown = boxes.map(([, , tick]) => tick);
    if (shown.length < 2) continue;
    if (shown.length <= MOST && boxes.every((box, i) => !i || apart(box, boxes[i - 1])))
      return [...shown, ...names];
    few = [shown[0], shown.at(-1), ...names];
  }
  return few;
}

// Words that fit into `room` pixels: whole, or else without what they say in brackets.
export function fitted(pen, words, room) {
  return pen.measureText(words).width <= room ? words : words.replace(/ \(.*\)/, "");
}

// A line along pixels, `wide` or `high`.
function rule(pen, x, y, wide, high, colour) {
  pen.fillStyle = colour;
  pen.fillRect(Math.round(x), Math.round(y), wide, high);
}

// Draws within a rectangle alone.
function clipped(pen, rectangle, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(...rectangle);
  pen.clip();
  draw();
  pen.restore();
}

// What a legend names: once each, and only what the eye can find in the panels.
function named(panels) {
  const seen = (value, { range: [low, high] }) => value >= low && value <= high;
  const shows = ({ x, y }, one) => [...one.x].some((n, i) => seen(n, x) && seen(one.y[i], y));
  const found = panels.flatMap((panel) =>
    panel.series.filter((one) => one.name && shows(panel, one)),
  );
  return found.filter(({ name }, i) => found.findIndex((one) => one.name === name) === i);
}

// The mark of a point, as an SVG path about it.
function markOf({ kind, size: d }) {
  const r = d / 2;
  if (kind === "crosses") return `M${-r} ${-r}l${d} ${d}m0 ${-d}l${-d} ${d}`;
  return `M${-r} 0a${r} ${r} 0 1 1 ${d} 0a${r} ${r} 0 1 1 ${-d} 0`;
}

const filled = ({ kind }) => kind.includes("points");

// How a series looks, beside its name, as markup.
function sample(one, colour) {
  const line = one.kind.includes("line");
  const paint = filled(one) && !line ? `fill="${colour}"` : `fill="none" stroke="${colour}"`;
  return `<svg width="${line ? 26 : 12}" height="12" viewBox="${line ? 0 : -6} -6 ${line ? 26 : 12} 12">
    <path d="${line ? "M0 0h26" : markOf(one)}" ${paint} stroke-width="${one.width}"
    stroke-dasharray="${DASHES[one.dash]}"/></svg>`;
}

// Words as markup, of which subscripts are marked already.
export const marked = (words) =>
  words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/&lt;(\/?sub>)/g, "<$1");

function show(model, el, signal) {
  const canvas = element("canvas", "", el);
  const above = element("div", "srh-above", el);
  const tip = element("div", "srh-tip", el);
  let panels = [];
  let said = ""; // above the panels
  let muted = ""; // colour of words
  let reach = []; // what the pointer can ask for: [x, y, series, number]

  const read = () => {
    const drawing = model.get("drawing");
    const read = (one) => {
      const [x, y] = [one.x, one.y].map((view) => numbers(Float32Array, view));
      const pixels = one.pixels && numbers(Uint8ClampedArray, one.pixels);
      return { ...one, x, y, picture: pixels && brushOf(new ImageData(pixels, x.length)) };
    };
    panels = (drawing.panels ?? []).map((panel) => ({
      ...panel,
      series: panel.series.map(read),
      map: panel.map && read(panel.map),
    }));
    canvas.panels = panels;
  };

  function say(pen, words, x, y, align = "center", turned = false) {
    pen.save();
    pen.translate(x, y);
    if (turned) pen.rotate(-Math.PI / 2);
    pen.fillStyle = muted;
    pen.textAlign = align;
    pen.textBaseline = "middle";
    pen.fillText(words, 0, 0);
    pen.restore();
  }

  // A plot that is pulled up beside its heading leaves it room.
  function headingBeside() {
    const place = el.closest(".srh-plot");
    const heading = place?.previousElementSibling?.querySelector("h2, h3");
    if (!heading) return 0;
    const words = document.createRange();
    words.selectNodeContents(heading);
    const [box, ours] = [words.getBoundingClientRect(), canvas.getBoundingClientRect()];
    return box.bottom > ours.top + 4 ? box.right - ours.left + 10 : 0;
  }

  // The title and the legend; whether the first line begins with words.
  function sayAbove(right) {
    const { title = "" } = model.get("drawing");
    const beside = title ? 0 : headingBeside();
    // What is told apart on a map by its own colours would be lost on a dark or a light page.
    const mapped = panels.some(({ map }) => map);
    const ink = (one) => (mapped ? "currentColor" : one.colour);
    const key = (one) => `<span>${sample(one, ink(one))}${marked(one.name)}</span>`;
    const keys = named(panels).map(key);
    const room = `min-width:${beside}px;min-height:${beside && LINE}px`;
    const words = `<b style="${room}">${marked(title)}</b>${keys.join("")}`;
    if (words !== said) above.innerHTML = said = words;
    above.style.paddingRight = `${right}px`;
    el.closest(".srh-plot")?.style.setProperty("--above", `${above.offsetHeight}px`);
    return title || beside;
  }

  function draw() {
    const pen = penFor(canvas);
    const style = getComputedStyle(el);
    const [grid, edge] = ["--grid", "--edge"].map((name) => style.getPropertyValue(name));
    muted = style.getPropertyValue("--muted");
    const font = (size) => `${size}px ${style.getPropertyValue("--font")}`;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    reach = [];
    canvas.axes = []; // with how many numbers, so that a test can ask
    const right = RIGHT + (panels.some(({ map }) => map) ? SCALE : 0);
    const beside = sayAbove(right);
    const top = Math.max(above.offsetHeight, 8);
    const highest = beside ? LINE : 0; // of the title of the y axis
    const tall = height - top - BOTTOM;
    if (!panels.length || tall < 12) return;

    const place = (axis, from, length) => {
      const f = axis.log ? Math.log10 : (value) => value;
      const [low, high] = axis.range.map(f);
      return (value) => from + ((f(value) - low) / (high - low)) * length;
    };
    pen.font = font(LETTERS);
    const long = (tick) => pen.measureText(written(tick)).width;
    const upwards = place(panels[0].y, top + tall, -tall);
    const rows = ticksOf(panels[0].y, upwards, () => LETTERS - 4, [top - 6, top + tall + 6]);
    const wordOf = (tick) => panels[0].y.names?.[tick] ?? written(tick);
    const broad = rows.map((tick) => pen.measureText(wordOf(tick)).width);
    const margin = TITLE + Math.ceil(Math.max(...broad)) + 8;
    const wide = (width - margin - right - GAP * (panels.length - 1)) / panels.length;
    if (wide < 12) return;

    panels.forEach((panel, number) => {
      const left = margin + number * (wide + GAP);
      const [x, y] = [place(panel.x, left, wide), place(panel.y, top + tall, -tall)];
      const across = (y, colour) => rule(pen, left, y, wide, 1, colour);
      const down = (x, colour) => rule(pen, x, top, 1, tall, colour);
      pen.font = font(LETTERS);
      for (const tick of rows) {
        if (panel.y.grid) across(y(tick), grid);
        if (!number) say(pen, wordOf(tick), left - 6, y(tick), "right");
      }
      const last = number === panels.length - 1;
      const room = [left - (number ? GAP / 2 - 2 : 12), left + wide + (last ? RIGHT : GAP / 2 - 2)];
      const columns = ticksOf(panel.x, x, long, room);
      for (const tick of columns) {
        if (panel.x.grid) down(x(tick), grid);
        say(pen, written(tick), x(tick), top + tall + 11);
      }
      if (panel.map) {
        const { map } = panel;
        pen.imageSmoothingEnabled = true;
        const half = [(map.x[1] - map.x[0]) / 2, (map.y[1] - map.y[0]) / 2];
        const from = [x(map.x[0] - half[0]), y(map.y.at(-1) + half[1])];
        const to = [x(map.x.at(-1) + half[0]), y(map.y[0] - half[1])];
        clipped(pen, [left, top, wide, tall], () =>
          pen.drawImage(map.picture, ...from, to[0] - from[0], to[1] - from[1]),
        );
        showColours(pen, map, left + wide + 10, top, tall);
      }
      const shows = ({ zero, range: [low, high] }) => zero && low <= 0 && high >= 0;
      if (shows(panel.x)) down(x(0), edge);
      if (shows(panel.y)) across(y(0), edge);
      down(left, edge);
      across(top + tall, edge);
      pen.font = font(12);
      say(pen, fitted(pen, panel.x.title, wide + GAP), left + wide / 2, height - 8);
      const upright = fitted(pen, panel.y.title, height - highest - 4);
      const half = pen.measureText(upright).width / 2 + 2;
      const middle = Math.max(Math.min(top + tall / 2, height - half), highest + half);
      if (!number) say(pen, upright, 9, middle, "center", true);
      canvas.axes.push([panel.x.title, columns.length], [panel.y.title, rows.length]);
      const spare = panel.map ? 0 : 6; // for half a mark
      clipped(pen, [left - spare, top - spare, wide + 2 * spare, tall + 2 * spare], () => {
        for (const one of panel.series) showSeries(pen, one, x, y);
      });
    });
  }

  function showSeries(pen, one, x, y) {
    pen.strokeStyle = one.colour;
    pen.fillStyle = one.colour;
    pen.lineWidth = one.width;
    pen.setLineDash(DASHES[one.dash]);
    pen.lineJoin = "round";
    const points = [...one.x].map((value, i) => [x(value), y(one.y[i])]);
    if (one.tells) for (const [i, [px, py]] of points.entries()) reach.push([px, py, one, i]);
    if (one.kind.includes("line")) {
      pen.beginPath();
      let down = false;
      for (const [px, py] of points) {
        if (Number.isFinite(px + py)) down ? pen.lineTo(px, py) : pen.moveTo(px, py);
        down = Number.isFinite(px + py);
      }
      pen.stroke();
    }
    pen.setLineDash([]);
    if (one.kind === "bars") {
      const bar = Math.max(1, 0.75 * (x(1) - x(0)));
      for (const [px, py] of points)
        pen.fillRect(px - bar / 2, Math.min(py, y(0)), bar, Math.abs(py - y(0)));
    }
    if (!one.size) return;
    const mark = new Path2D(markOf(one));
    for (const [px, py] of points.filter(([px, py]) => Number.isFinite(px + py))) {
      pen.translate(px, py);
      filled(one) ? pen.fill(mark) : pen.stroke(mark);
      pen.translate(-px, -py);
    }
  }

  function showColours(pen, map, left, top, tall) {
    const wash = pen.createLinearGradient(0, top + tall, 0, top);
    for (const [at, colour] of map.colours) wash.addColorStop(at, colour);
    pen.fillStyle = wash;
    pen.fillRect(left, top, 9, tall);
    const at = (value) => top + tall * (1 - (value - map.range[0]) / (map.range[1] - map.range[0]));
    const room = [top - 9, top + tall + 9];
    const ticks = ticksOf({ range: map.range, ticks: [] }, at, () => LETTERS + 6, room);
    for (const tick of ticks) say(pen, written(tick), left + 13, at(tick), "left");
    canvas.axes.push([map.title, ticks.length]);
    say(pen, map.title, left + 46, top + tall / 2, "center", true);
  }

  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const far = ([x, y]) => Math.hypot(x - offsetX, y - offsetY);
    const nearest = reach.reduce((best, one) => (far(one) < far(best) ? one : best), [1e9, 1e9]);
    const [, , { name, x, y }, i] = far(nearest) < NEAR ? nearest : [0, 0, {}, 0];
    tip.textContent = x
      ? `${name.replace(/<\/?sub>/g, "")} ${written(x[i])}: ${written(y[i])}`
      : "";
    tip.style.left = `${Math.min(nearest[0] + 10, canvas.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = `${Math.max(nearest[1] - 26, 0)}px`;
  });
  canvas.addEventListener("pointerleave", () => {
    tip.textContent = "";
  });

  const ask = redrawn(canvas, draw, signal);
  const news = () => {
    read();
    ask(true);
  };
  listen(signal, model, "change:drawing", news);
  news();
}

export default view("srh-chart", show);

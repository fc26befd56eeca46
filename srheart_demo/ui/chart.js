// A chart on a canvas: panels side by side with one y axis; lines, points, bars and maps in them.

const DASHES = { solid: [], dash: [7, 4], dot: [2, 3], dashdot: [7, 3, 2, 3] };
const LEFT = 46;
const RIGHT = 10;
const BOTTOM = 34;
const GAP = 14;
const LEGEND = 20;
const SCALE = 52; // room for a map's colours
const NEAR = 24; // pixels from the pointer to a point that it asks for

const written = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

function ticksOf(axis, room) {
  const [low, high] = axis.range;
  if (axis.ticks.length) return axis.ticks.filter((tick) => tick >= low && tick <= high);
  const rough = (high - low) / Math.max(2, room);
  const decade = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].find((n) => n * decade >= rough) * decade;
  if (axis.whole) step = Math.max(1, step);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

// Subscripts in words are marked as in HTML. Returns how wide the words are.
function write(pen, words, x, y, measureOnly = false) {
  const font = pen.font;
  let at = x;
  words.split(/<\/?sub>/).forEach((part, i) => {
    pen.font = i % 2 ? font.replace(/\d+px/, "8px") : font;
    if (!measureOnly) pen.fillText(part, at, y + (i % 2 ? 3 : 0));
    at += pen.measureText(part).width;
  });
  pen.font = font;
  return at - x;
}

function mapPicture({ x, y, values, range, colours }) {
  const [low, high] = range;
  const picture = new ImageData(x.length, y.length);
  for (let row = 0; row < y.length; row += 1) {
    for (let column = 0; column < x.length; column += 1) {
      const at = Math.min(Math.max((values[row * x.length + column] - low) / (high - low), 0), 1);
      const pixel = 4 * ((y.length - 1 - row) * x.length + column);
      picture.data.set(shade(colours, at), pixel);
      picture.data[pixel + 3] = 255;
    }
  }
  const brush = new OffscreenCanvas(x.length, y.length);
  brush.getContext("2d").putImageData(picture, 0, 0);
  return brush;
}

function render({ model, el }) {
  const stop = new AbortController();
  el.classList.add("srh-chart");
  const canvas = element("canvas", "", el);
  const tip = element("div", "srh-tip", el);
  let panels = [];
  let reach = []; // what the pointer can ask for: [x, y, words]

  const read = () => {
    const drawing = model.get("drawing");
    panels = (drawing.panels ?? []).map((panel) => ({
      ...panel,
      series: panel.series.map((one) => ({
        ...one, x: numbers(Float32Array, one.x), y: numbers(Float32Array, one.y),
      })),
    }));
    for (const { map } of panels) {
      if (!map) continue;
      for (const name of ["x", "y", "values"]) map[name] = numbers(Float32Array, map[name]);
      map.picture = mapPicture(map);
    }
    canvas.panels = panels;
  };

  function draw() {
    const pen = penFor(canvas);
    const style = getComputedStyle(el);
    const [ink, muted, grid, edge] = ["ink", "muted", "grid", "edge"].map((name) => style.getPropertyValue(`--${name}`));
    const font = (size) => `${size}px ${style.getPropertyValue("--font")}`;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const { above, title } = model.get("drawing");
    reach = [];
    const named = panels.flatMap(({ series }) => series).filter(({ name }) => name);
    const legend = named.filter((one, i) => named.findIndex(({ name }) => name === one.name) === i);
    const top = title || (above && legend.length) ? LEGEND : 6;
    const right = RIGHT + (panels.some(({ map }) => map) ? SCALE : 0);
    const wide = (width - LEFT - right - GAP * (panels.length - 1)) / panels.length;
    const tall = height - top - BOTTOM;
    if (!panels.length || tall < 12 || wide < 12) return;

    panels.forEach((panel, number) => {
      const left = LEFT + number * (wide + GAP);
      const place = (axis, from, length) => {
        const f = axis.log ? Math.log10 : (value) => value;
        const [low, high] = axis.range.map(f);
        return (value) => from + ((f(value) - low) / (high - low)) * length;
      };
      const [x, y] = [place(panel.x, left, wide), place(panel.y, top + tall, -tall)];
      const rule = (x0, y0, x1, y1, colour) => {
        pen.strokeStyle = colour;
        pen.lineWidth = 1;
        pen.beginPath();
        pen.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
        pen.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
        pen.stroke();
      };
      pen.setLineDash([]);
      pen.fillStyle = muted;
      pen.font = font(11);
      pen.textBaseline = "middle";
      for (const tick of ticksOf(panel.y, tall / 18)) {
        if (panel.y.grid) rule(left, y(tick), left + wide, y(tick), grid);
        pen.textAlign = "right";
        if (!number) pen.fillText(written(tick), left - 6, y(tick));
      }
      for (const tick of ticksOf(panel.x, wide / 45)) {
        if (panel.x.grid) rule(x(tick), top, x(tick), top + tall, grid);
        pen.textAlign = "center";
        pen.fillText(written(tick), x(tick), top + tall + 10);
      }
      if (panel.map) {
        const { map } = panel;
        pen.imageSmoothingEnabled = true;
        const half = [(map.x[1] - map.x[0]) / 2, (map.y[1] - map.y[0]) / 2];
        const from = [x(map.x[0] - half[0]), y(map.y.at(-1) + half[1])];
        const to = [x(map.x.at(-1) + half[0]), y(map.y[0] - half[1])];
        pen.save();
        pen.beginPath();
        pen.rect(left, top, wide, tall);
        pen.clip();
        pen.drawImage(map.picture, ...from, to[0] - from[0], to[1] - from[1]);
        pen.restore();
        showColours(pen, map, left + wide + 10, top, tall);
      }
      const shows = ({ zero, range: [low, high] }) => zero && low <= 0 && high >= 0;
      if (shows(panel.x)) rule(x(0), top, x(0), top + tall, edge);
      if (shows(panel.y)) rule(left, y(0), left + wide, y(0), edge);
      rule(left, top, left, top + tall, edge);
      rule(left, top + tall, left + wide, top + tall, edge);
      pen.font = font(12);
      pen.textAlign = "center";
      pen.fillStyle = muted;
      pen.fillText(panel.x.title, left + wide / 2, height - 8);
      if (!number) {
        pen.save();
        pen.translate(10, top + tall / 2);
        pen.rotate(-Math.PI / 2);
        pen.fillText(panel.y.title, 0, 0);
        pen.restore();
      }
      pen.save();
      pen.beginPath();
      pen.rect(left - 6, top - 6, wide + 12, tall + 12);
      pen.clip();
      for (const one of panel.series) showSeries(pen, one, x, y);
      pen.restore();
    });
    pen.font = font(12);
    pen.textAlign = "left";
    pen.fillStyle = ink;
    if (title) { pen.font = font(13); write(pen, title, LEFT, 10); pen.font = font(12); }
    showLegend(pen, legend, width - right, above ? top - 11 : top + 10, ink);
  }

  function showSeries(pen, one, x, y) {
    pen.strokeStyle = one.colour;
    pen.fillStyle = one.colour;
    pen.lineWidth = one.width;
    pen.setLineDash(DASHES[one.dash]);
    pen.lineJoin = "round";
    const points = [...one.x].map((value, i) => [x(value), y(one.y[i])]);
    const words = one.name.replace(/<\/?sub>/g, "");
    points.forEach(([px, py], i) => {
      if (one.tells) reach.push([px, py, `${words} ${written(one.x[i])}: ${written(one.y[i])}`]);
    });
    if (one.kind.includes("line")) {
      pen.beginPath();
      let down = false;
      for (const [px, py] of points) {
        if (Number.isFinite(px + py)) (down ? pen.lineTo(px, py) : pen.moveTo(px, py));
        down = Number.isFinite(px + py);
      }
      pen.stroke();
    }
    pen.setLineDash([]);
    if (one.kind === "bars") {
      const bar = Math.max(1, 0.75 * (x(1) - x(0)));
      for (const [px, py] of points) pen.fillRect(px - bar / 2, Math.min(py, y(0)), bar, Math.abs(py - y(0)));
    }
    if (!one.size) return;
    for (const [px, py] of points) {
      if (!Number.isFinite(px + py)) continue;
      pen.beginPath();
      if (one.kind === "crosses") {
        const r = one.size / 2;
        pen.moveTo(px - r, py - r); pen.lineTo(px + r, py + r);
        pen.moveTo(px + r, py - r); pen.lineTo(px - r, py + r);
        pen.stroke();
      } else {
        pen.arc(px, py, one.size / 2, 0, 2 * Math.PI);
        one.kind === "rings" ? pen.stroke() : pen.fill();
      }
    }
  }

  function showLegend(pen, legend, right, y, ink) {
    let at = right;
    pen.textBaseline = "middle";
    for (const one of [...legend].reverse()) {
      at -= write(pen, one.name, 0, 0, true);
      pen.fillStyle = ink;
      write(pen, one.name, at, y);
      at -= 32;
      const [x, h] = [(value) => at + 26 * value, () => y];
      const sample = one.kind.includes("line") ? { x: [0, 1], y: [0, 0], size: 0 } : { x: [0.5], y: [0] };
      // What is told apart on a map by its own colours would be lost on a dark or a light page.
      const colour = panels.some(({ map }) => map) ? ink : one.colour;
      showSeries(pen, { ...one, ...sample, colour, tells: false }, x, h);
      at -= 14;
    }
  }

  function showColours(pen, map, left, top, tall) {
    const wash = pen.createLinearGradient(0, top + tall, 0, top);
    for (const [at, colour] of map.colours) wash.addColorStop(at, colour);
    pen.fillStyle = wash;
    pen.fillRect(left, top, 9, tall);
    pen.fillStyle = getComputedStyle(el).getPropertyValue("--muted");
    pen.textAlign = "left";
    const ticks = ticksOf({ range: map.range, ticks: [] }, tall / 40);
    for (const tick of ticks) {
      const y = top + tall * (1 - (tick - map.range[0]) / (map.range[1] - map.range[0]));
      pen.fillText(written(tick), left + 13, y);
    }
    pen.save();
    pen.translate(left + 46, top + tall / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(map.title, 0, 0);
    pen.restore();
  }

  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const far = ([x, y]) => Math.hypot(x - offsetX, y - offsetY);
    const nearest = reach.reduce((best, one) => (far(one) < far(best) ? one : best), [1e9, 1e9, ""]);
    tip.textContent = far(nearest) < NEAR ? nearest[2] : "";
    tip.style.left = `${Math.min(nearest[0] + 10, canvas.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = `${Math.max(nearest[1] - 26, 0)}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.textContent = ""; });

  const ask = redrawn(canvas, draw, stop.signal);
  const news = () => { read(); ask(true); };
  model.on("change:drawing", news);
  news();
  return () => { model.off("change:drawing", news); stop.abort(); };
}

export default { render };

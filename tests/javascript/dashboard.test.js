// The dashboard's own scripts without a browser: decoding, ticks, camera, and when to draw.

import assert from "node:assert/strict";
import { test } from "node:test";

const here = "../../srheart_demo/dashboard";
const { cameraAt, moved, polar } = await import(`${here}/camera.js`);
const { listen, numbers, outlines, redrawn, rgb, trace } = await import(`${here}/canvas.js`);
const { fitted, marked, ticksOf } = await import(`${here}/chart.js`);
const { plotly, revived } = await import(`${here}/plotly.js`);
const { labels } = await import(`${here}/slices.js`);
const { default: stack } = await import(`${here}/stack.js`);

const START = { eye: { x: -0.5, y: -1.7, z: 0.4 }, center: { x: 0, y: 0, z: -0.1 } };
const close = (one, other) => assert.ok(Math.abs(one - other) < 1e-9, `${one} is not ${other}`);

// A view of bytes amid a message, not aligned to their numbers.
function viewOf(array) {
  const message = new Uint8Array(array.byteLength + 1);
  message.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 1);
  return new DataView(message.buffer, 1);
}

class Model {
  heard = new Map();
  sent = [];
  on(events, act) {
    for (const event of events.split(" ")) this.heard.set(event, act);
  }
  off(events, act) {
    for (const event of events.split(" "))
      if (this.heard.get(event) === act) this.heard.delete(event);
  }
  send(message) {
    this.sent.push(message);
  }
}

test("numbers that lie anywhere in a message are read", () => {
  const sent = Float32Array.of(0.5, NaN, -3);
  assert.deepEqual(numbers(Float32Array, viewOf(sent)), sent);
});

test("a trace's columns become arrays of their kinds, and all else stays", () => {
  const [x, i] = [Float32Array.of(1, 2), Uint16Array.of(3, 4)];
  const trace = {
    type: "mesh3d",
    x: { kind: "float32", numbers: viewOf(x) },
    i: { kind: "uint16", numbers: viewOf(i) },
    lighting: { ambient: 1 },
    opacity: 0.5,
  };
  const { type, lighting, opacity, ...columns } = revived(trace);
  assert.deepEqual(columns, { x, i });
  assert.deepEqual([type, lighting, opacity], ["mesh3d", { ambient: 1 }, 0.5]);
});

test("labels come four in a byte, the first in its lowest bits", () => {
  assert.deepEqual([...labels(viewOf(Uint8Array.of(0b11100100, 0b00000010)), 5)], [0, 1, 2, 3, 2]);
});

test("outlines run where neighbouring labels differ", () => {
  const edges = outlines([0, 0, 0, 0, 2, 1, 0, 0, 0], [3, 3]);
  assert.deepEqual(edges.length, 6);
  for (const [[i, j], [k, l]] of edges) assert.equal(Math.abs(k - i) + Math.abs(l - j), 1);
  assert.deepEqual(outlines([1, 1, 1, 1], [2, 2]), []);
});

test("borders are traced at the size of pixels, from where the first lies", () => {
  const drawn = [];
  const to = (x, y) => drawn.push([x, y]);
  trace({ beginPath() {}, stroke() {}, moveTo: to, lineTo: to }, [0, 1], [1, 2], [10, 20], [3, 5]);
  assert.deepEqual(drawn.flat(), [13, 20, 13, 25]);
});

test("a colour is three numbers", () => {
  assert.deepEqual(rgb("#0a10ff"), [10, 16, 255]);
});

test("a camera is the same after a way by angles", () => {
  const { eye, center } = cameraAt(polar(START), START.center);
  for (const axis of ["x", "y", "z"]) close(eye[axis], START.eye[axis]);
  assert.deepEqual(center, START.center);
});

test("arrow keys turn about the middle and keep the distance", () => {
  const before = polar(START);
  const left = polar(moved(START, "ArrowLeft", START));
  close(left.turn, before.turn + 0.1);
  close(left.tilt, before.tilt);
  close(left.away, before.away);
  close(polar(moved(START, "ArrowDown", START)).tilt, before.tilt + 0.1);
});

test("plus comes nearer, Home brings back, and other keys do nothing", () => {
  close(polar(moved(START, "+", START)).away, polar(START).away / 1.15);
  const away = moved(moved(START, "-", START), "ArrowUp", START);
  assert.equal(moved(away, "Home", START), START);
  assert.equal(moved(START, "a", START), null);
});

test("a camera stays within reach and never turns over", () => {
  let camera = START;
  for (let i = 0; i < 60; i += 1) camera = moved(moved(camera, "ArrowDown", START), "+", START);
  const { tilt, away } = polar(camera);
  assert.ok(tilt < Math.PI / 2 && away >= 0.249, `${tilt} ${away}`);
});

test("numbers on an axis stand apart and within their room", () => {
  const axis = { range: [0, 100], ticks: [], whole: true };
  const ticks = ticksOf(
    axis,
    (value) => 2 * value,
    () => 14,
    [-10, 210],
  );
  assert.ok(ticks.length >= 4 && ticks.length <= 8);
  for (let i = 1; i < ticks.length; i += 1) assert.ok(2 * (ticks[i] - ticks[i - 1]) >= 14 + 7);
  assert.ok(ticks.every(Number.isInteger));
});

test("an axis has at least two numbers however little room there is", () => {
  const axis = { range: [0.1, 1], ticks: [0.1, 0.2, 0.5, 1], whole: false };
  const ticks = ticksOf(
    axis,
    (value) => 20 * value,
    () => 14,
    [-20, 40],
  );
  assert.ok(ticks.length >= 2);
  assert.deepEqual(
    ticksOf(
      { ...axis, range: [0.15, 0.6] },
      (value) => 1000 * value,
      () => 14,
      [0, 1000],
    ),
    [0.2, 0.5],
  );
});

test("a name on an axis is there however few numbers are", () => {
  const axis = { range: [0.3, 15.7], ticks: [...Array(13).keys(), 14].map((i) => i + 1) };
  const place = (value) => 6 * value;
  const ticks = ticksOf({ ...axis, names: { 15: "4ch" } }, place, () => 7, [0, 100]);
  assert.equal(ticks.at(-1), 15);
  assert.ok(ticks.length > 4 && ticks.slice(0, -1).every((tick) => 6 * (15 - tick) >= 7 + 7));
});

test("words that do not fit lose what they say in brackets", () => {
  const pen = { measureText: (words) => ({ width: 6 * words.length }) };
  assert.equal(fitted(pen, "slice (1 = apex)", 200), "slice (1 = apex)");
  assert.equal(fitted(pen, "slice (1 = apex)", 50), "slice");
});

test("a name in a legend is text but for its subscripts", () => {
  assert.equal(marked("L<sub>SA</sub>, 1 < γ"), "L<sub>SA</sub>, 1 &lt; γ");
  assert.equal(marked("<img src=x onerror=a()> &lt;"), "&lt;img src=x onerror=a()> &amp;lt;");
});

test("listeners are taken off with their view", () => {
  const [model, stop] = [new Model(), new AbortController()];
  listen(stop.signal, model, "change:a change:b", () => {});
  assert.deepEqual([...model.heard.keys()], ["change:a", "change:b"]);
  stop.abort();
  assert.equal(model.heard.size, 0);
});

// A screen whose next picture comes when it is told to.
function screen() {
  const frames = [];
  globalThis.requestAnimationFrame = (act) => frames.push(act);
  globalThis.cancelAnimationFrame = () => frames.splice(0);
  globalThis.ResizeObserver = globalThis.MutationObserver = class {
    observe() {}
    disconnect() {}
  };
  globalThis.document = { body: {} };
  const told = [];
  const canvas = { clientWidth: 10, dispatchEvent: (event) => told.push(event.type) };
  const next = async () => {
    for (const act of frames.splice(0)) await act();
  };
  return { canvas, frames, told, next };
}

test("however often it is asked, one picture is drawn a frame", async () => {
  const { canvas, told, next } = screen();
  let drawn = 0;
  const ask = redrawn(
    canvas,
    () => {
      drawn += 1;
    },
    new AbortController().signal,
  );
  for (let i = 0; i < 5; i += 1) ask(true);
  await next();
  assert.deepEqual([drawn, told], [1, ["srh-drawn"]]);
  ask();
  await next();
  assert.deepEqual([drawn, told.length], [2, 1]); // a turned camera is no news
});

test("what is asked for during a drawing is drawn after it, with the last wish", async () => {
  const { canvas, frames, next } = screen();
  const drawn = [];
  let [wish, done] = [1, () => {}];
  const ask = redrawn(
    canvas,
    () => {
      drawn.push(wish);
      return new Promise((end) => {
        done = end;
      });
    },
    new AbortController().signal,
  );
  ask(true);
  const first = next();
  for (wish = 2; wish < 5; wish += 1) ask(true);
  assert.deepEqual([drawn, frames.length], [[1], 0]);
  done();
  await first;
  next();
  assert.deepEqual(drawn, [1, 5]);
});

test("a view out of sight draws nothing", async () => {
  const { canvas, told, next } = screen();
  const ask = redrawn({ ...canvas, clientWidth: 0 }, assert.fail, new AbortController().signal);
  ask(true);
  await next();
  assert.deepEqual(told, []);
});

test("plotly.js is asked for once, whoever comes first", () => {
  const [one, other] = [new Model(), new Model()];
  assert.equal(plotly(one), plotly(other));
  assert.deepEqual([one.sent, other.sent], [[{ kind: "library" }], []]);
});

class Element extends EventTarget {
  children = [];
  style = {};
  classList = { add() {} };
  clientWidth = 100;
  clientHeight = 100;
  append(child) {
    child.previousElementSibling = this.children.at(-1);
    this.children.push(child);
  }
  replaceChildren() {
    this.children = [];
  }
  setAttribute() {}
  setPointerCapture() {}
  find(name) {
    if (this.className === name) return this;
    for (const child of this.children) if (child.find(name)) return child.find(name);
    return undefined;
  }
}

// A stack of four slices, 12.5 mm wide, the third chosen; `tell` has the dashboard draw it again.
function stackOf(timers) {
  screen();
  timers.enable({ apis: ["setTimeout", "Date"], now: 1000 });
  globalThis.document = { body: {}, createElement: () => new Element() };
  const [model, el] = [new Model(), new Element()];
  const words = { slice: "slice", view: "{} view" };
  const shown = { chosen: 2, slices: [0, 1, 2, 3], of: 4, scanned: new ArrayBuffer(80) };
  const views = { view: -1, views: [], views_move: true, overlay: {} };
  Object.assign(shown, views, { words, pixel_mm: 1.25, told: 0, revision: 0 });
  model.get = (name) => shown[name];
  model.set = (name, value) => Object.assign(shown, { [name]: value });
  model.save_changes = () => {};
  stack.render({ model, el });
  const front = el.children[0].children[1];
  const act = (type, facts) => front.dispatchEvent(Object.assign(new Event(type), facts));
  const hand = (type, x) => act(`pointer${type}`, { clientX: x, clientY: 0, offsetY: 30 });
  const key = (name) => act("keydown", { key: name });
  const button = (n) => el.find("srh-stack-bar").children[n].dispatchEvent(new Event("click"));
  const tell = (told) => {
    shown.told = told;
    model.heard.get("change:revision")();
  };
  const said = () => el.find("srh-stack-said").textContent;
  const moves = () => model.sent.map(({ slice, columns, across }) => [slice, columns ?? across]);
  return { shown, model, hand, key, button, tell, said, moves };
}

test("a nudge is sent once, whatever a run shows before the key has rested", (t) => {
  const { key, tell, said, moves } = stackOf(t.mock.timers);
  key("ArrowRight");
  for (let i = 0; i < 5; i += 1) {
    t.mock.timers.tick(60);
    tell(0);
    assert.equal(said(), "slice 3 +1.3 mm");
  }
  t.mock.timers.tick(1000);
  assert.deepEqual(moves(), [[2, 1.25]]);
});

test("what was dragged is sent once, and stays there until a picture has it", (t) => {
  const { model, hand, key, tell, said, moves } = stackOf(t.mock.timers);
  hand("down", 0);
  hand("move", 40);
  hand("up", 40);
  for (let i = 0; i < 2; i += 1) {
    hand("down", 40);
    hand("up", 40);
  }
  assert.deepEqual(moves(), [[2, 5]]);
  tell(0); // of the scan before
  assert.equal(said(), "slice 3 +5.0 mm");
  t.mock.timers.tick(1);
  key("ArrowRight");
  t.mock.timers.tick(1000);
  assert.equal(said(), "slice 3 +6.3 mm");
  tell(model.sent[0].at);
  assert.equal(said(), "slice 3 +1.3 mm");
  tell(model.sent[1].at);
  assert.equal(said(), "slice 3 ");
  assert.deepEqual(moves(), [
    [2, 5],
    [2, 1.25],
  ]);
});

test("a picture that comes amid a drag takes nothing from it, nor does a key", (t) => {
  const { hand, key, tell, said, moves } = stackOf(t.mock.timers);
  key("ArrowRight");
  hand("down", 0);
  hand("move", 40);
  key("ArrowRight");
  t.mock.timers.tick(1000);
  tell(9999);
  assert.equal(said(), "slice 3 +5.0 mm");
  hand("move", 48);
  hand("up", 48);
  assert.deepEqual(moves(), [
    [2, 1.25],
    [2, 6],
  ]);
});

test("each slice and each view is shown where it was moved to", (t) => {
  const { shown, key, said, moves } = stackOf(t.mock.timers);
  key("ArrowRight");
  key("ArrowUp");
  assert.equal(said(), "slice 4 ");
  key("ArrowDown");
  assert.equal(said(), "slice 3 +1.3 mm");
  Object.assign(shown, { view: 0, views: ["4ch"], overlay: { shape: [8, 8] } });
  key("ArrowLeft");
  assert.equal(said(), "4ch view 0.0 -1.3 mm");
  t.mock.timers.tick(1000);
  assert.deepEqual(moves(), [
    [2, 1.25],
    [undefined, -1.25],
  ]);
});

test("what was moved before all is undone or left out is sent before", (t) => {
  const { model, key, button } = stackOf(t.mock.timers);
  key("ArrowRight");
  key("Delete");
  key("ArrowRight");
  button(3);
  t.mock.timers.tick(1000);
  const kinds = model.sent.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["move", "toggle", "move", "undo"]);
});

// The page's own scripts without a browser: surfaces, tiles, what is compared, and the model.

import assert from "node:assert/strict";
import { test } from "node:test";

const here = "../../page/site";
const { shifts } = await import(`${here}/figures.js`);
const { Model } = await import(`${here}/model.js`);
const { lbfgs } = await import(`${here}/solver.js`);
const { surface, tiles } = await import(`${here}/surface.js`);
const { Tour, filled } = await import(`${here}/tour.js`);

// Volume that a mesh encloses: positive where its triangles are seen from outside in one turn.
function volume({ x, y, z, i, j, k }) {
  let sum = 0;
  for (let n = 0; n < i.length; n += 1) {
    const [a, b, c] = [i[n], j[n], k[n]].map((v) => [x[v], y[v], z[v]]);
    sum += a[0] * (b[1] * c[2] - b[2] * c[1]);
    sum += a[1] * (b[2] * c[0] - b[0] * c[2]);
    sum += a[2] * (b[0] * c[1] - b[1] * c[0]);
  }
  return sum / 6;
}

// How often each edge is walked, in either direction.
function walks({ i, j, k }) {
  const found = new Map();
  for (let n = 0; n < i.length; n += 1)
    for (const [a, b] of [
      [i[n], j[n]],
      [j[n], k[n]],
      [k[n], i[n]],
    ])
      found.set(`${a} ${b}`, (found.get(`${a} ${b}`) ?? 0) + 1);
  return found;
}

const N = 20;

// Its outermost nodes are no part of it, as the page's graph has it.
function ball(radius, middle = (N - 1) / 2) {
  const values = new Float32Array(N ** 3);
  for (let n = 0; n < N ** 3; n += 1) {
    const place = [Math.floor(n / N ** 2), Math.floor(n / N) % N, n % N];
    const around = place.some((p) => p === 0 || p === N - 1);
    values[n] = around ? -1 : radius - Math.hypot(...place.map((p) => p - middle));
  }
  return values;
}

test("the surface of a ball is closed, turned outwards, and as large as a ball", () => {
  const mesh = surface(ball(8), [N, N, N], [1, 1, 1], [0, 0, 0]);
  const found = walks(mesh);
  for (const [edge, times] of found) {
    assert.equal(times, 1);
    assert.ok(found.has(edge.split(" ").reverse().join(" ")));
  }
  const expected = (4 / 3) * Math.PI * 8 ** 3;
  assert.ok(Math.abs(volume(mesh) / expected - 1) < 0.03, `${volume(mesh)}`);
});

test("a surface that leaves the lattice is closed there", () => {
  const mesh = surface(ball(4, 2), [N, N, N], [1, 1, 1], [0, 0, 0]);
  const found = walks(mesh);
  for (const edge of found.keys()) assert.ok(found.has(edge.split(" ").reverse().join(" ")));
});

test("a surface lies in mm about the origin, and is moved", () => {
  const mesh = surface(ball(8), [N, N, N], [2, 1, 1], [0, 10, -20]);
  const middle = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const found = [mesh.x, mesh.y, mesh.z].map(middle);
  for (const [one, other] of [
    [found[0], -20],
    [found[1], 10],
    [found[2], 0],
  ])
    assert.ok(Math.abs(one - other) < 1e-3, `${found}`);
  assert.ok(Math.abs(Math.max(...mesh.z) - 16) < 0.5);
});

test("tiles cover the pixels of each tissue in its colour, and nothing else", () => {
  const labels = Uint8Array.of(0, 1, 1, 0, 2, 1, 0, 0, 1);
  const place = [
    [4, 7, 7],
    [4, 8, 7],
    [4, 7, 8],
  ];
  const mesh = tiles(labels, [3, 3], ["red", "blue"], place, [1, 0, 0], 1);
  const areas = { red: 0, blue: 0 };
  for (const [n, colour] of mesh.facecolor.entries()) {
    const [a, b, c] = [mesh.i, mesh.j, mesh.k].map((v) => [mesh.x[v[n]], mesh.y[v[n]]]);
    areas[colour] += Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
  }
  assert.deepEqual(areas, { red: 4, blue: 1 });
  assert.ok(mesh.z.every((height) => height === 5));
  const [across, down] = [mesh.x, mesh.y].map((mm) =>
    [...mesh.i, ...mesh.j, ...mesh.k].map((v) => mm[v]),
  );
  assert.deepEqual([Math.max(...across), Math.max(...down)], [9.5, 9.5]);
  assert.equal(tiles(new Uint8Array(9), [3, 3], [], place, [0, 0, 0], 1).i.length, 0);
});

test("displacements are drawn less their mean, estimated and true, of slices with tissue alone", () => {
  const looks = { true: { kind: "rings" }, found: { kind: "points" } };
  const page = { axes: { rows: {}, columns: {}, slice: {} }, looks };
  const [still, truth, tissue] = [Array(8).fill(0), [90, 90, 1, -4, 2, -5, 6, -9], [0, 1, 1, 1]];
  const [rows, columns] = shifts(still, truth, tissue, page);
  const [rings, dots] = rows.series.map(({ x }) => [...x]);
  assert.deepEqual(
    [rings, dots],
    [
      [-2, -1, 3],
      [0, 0, 0],
    ],
  );
  assert.deepEqual([...columns.series[0].x], [2, 1, -3]);
  const moved = truth.map((mm) => mm + 5);
  const [hidden] = shifts(moved, null, tissue, page);
  assert.equal(hidden.series.length, 1);
  assert.deepEqual([...hidden.series[0].x], rings);
});

test("listeners hear of each change, and no more when they are off", () => {
  const model = new Model({ a: 1, b: 2, c: 0 });
  let heard = 0;
  const act = () => {
    heard += 1;
  };
  model.on("change:a change:b", act);
  model.give({ a: 3, c: 4 });
  assert.deepEqual([heard, model.get("a"), model.get("c")], [1, 3, 4]);
  model.set("b", 5);
  assert.equal(heard, 2);
  model.off("change:a change:b", act);
  model.set("a", 5);
  assert.equal(heard, 2);
});

test("L-BFGS comes to the bottom of a narrow valley", async () => {
  const look = async (z, d) => ({
    z,
    d,
    objective: (z[0] - 1) ** 2 + 50 * (d[0] + z[0]) ** 2,
    of_z: [2 * (z[0] - 1) + 100 * (d[0] + z[0])],
    of_d: [100 * (d[0] + z[0])],
  });
  const settings = {
    units: [
      [1, 0],
      [0, 0.1],
    ],
  };
  let [here, memory] = [await look([0], [3]), {}];
  for (let i = 0; i < 30; i += 1) [here, memory] = await lbfgs(settings, here, memory, look);
  assert.ok(here.objective < 1e-10, `${here.objective}`);
});

test("the page's L-BFGS goes on where no curvature tells how far", async () => {
  const units = [0, 1].map((i) => [0, 1].map((j) => Number(i === j)));
  const look = async (z, d) => {
    const value = 1 - Math.exp(-(z[0] ** 2 + d[0] ** 2) / 200);
    const slopes = [z, d].map(([x]) => [((1 - value) * x) / 100]);
    return { z, d, objective: value, of_z: slopes[0], of_d: slopes[1] };
  };
  let [here, memory] = [await look([20], [0]), {}];
  for (let i = 0; i < 6; i += 1) [here, memory] = await lbfgs({ units }, here, memory, look);
  assert.ok(here.objective < 0.01, `${here.objective}`);
});

test("numbers stand in words where their places are", () => {
  assert.equal(filled("{} of {}", 2, 6), "2 of 6");
  assert.equal(filled("{0:.1f} mm with {1} views, {0:.1f}", 1.26, 2), "1.3 mm with 2 views, 1.3");
  assert.equal(filled("{:.1f} and {:.1f}", 1, 2), "1.0 and 2.0");
});

const STOPS = ["look", "walk", "drag", "guess", "lean", "sure"];
const LIMITS = { severe: 3, watched: 50, far: 10 };

function tourAt(name) {
  const stop = { text: "", done: "done", figures: "{} {}", acts: [{}, {}] };
  const stops = STOPS.map((name) => ({ ...stop, name }));
  const said = { more: "more", leans: "{}: {:.1f} mm" };
  const tour = new Tour({ stops, limits: LIMITS, words: said });
  tour.go(STOPS.indexOf(name));
  return tour;
}

const SCAN = { subject: "a", way: "ours", motion: 4, spacing: 10, gamma: 1, views: 1, byHand: {} };
const now = (more, state = {}) => ({
  at: 5,
  moment: { error: 2, lean: 1 },
  over: false,
  hidden: false,
  ...more,
  state: { ...SCAN, ...state },
});

for (const [name, not, yes] of [
  ["look", now({ at: 1 }), now({ at: 0 })],
  ["look", now({ at: 0 }, { motion: 1 }), now({ at: 0 })],
  ["walk", now({ at: 50 }), now({ at: 50 }, { way: "paper" })],
  ["walk", now({ at: 49 }, { way: "paper" }), now({ at: 50 }, { way: "paper" })],
  ["drag", now({ over: true }, { byHand: { 6: [0, 9] } }), drag({ over: true })],
  ["drag", drag({ over: false }), drag({ over: true })],
])
  test(`the stop ${name} is done by its task, and not before`, () => {
    const tour = tourAt(name);
    tour.look(not);
    assert.equal(tour.told()[1], "");
    tour.look(yes);
    assert.match(tour.told()[1], /^✓ done/);
  });

function drag(more) {
  return now(more, { byHand: { 6: [0, -20] } });
}

test("a guess counts only of a run at its end whose truth is hidden, and learns its error", () => {
  const tour = tourAt("guess");
  const ended = now({ hidden: true, over: true });
  for (const other of [{ hidden: false }, { over: false }]) {
    tour.bet(3, { ...ended, ...other });
    assert.equal(tour.guess, null);
  }
  tour.bet(3, ended);
  tour.look(ended);
  assert.equal(tour.told()[1], "");
  tour.look(now({ over: true, moment: { error: 9 } })); // another run
  assert.equal(tour.told()[1], "");
  tour.look({ ...ended, hidden: false });
  assert.equal(tour.told()[1], "✓ done 3 2");
  tour.look(now({ over: true, moment: { error: 9 } }));
  assert.equal(tour.told()[1], "✓ done 3 2");
});

test("a lean is learned of one scan, without a view and with one", () => {
  const tour = tourAt("lean");
  tour.stop.figures = "lean {}.";
  const ended = (state, lean) => now({ over: true, moment: { lean } }, state);
  tour.look(ended({ views: 1 }, 0.5));
  tour.look(ended({ views: 0, motion: 3 }, 2));
  assert.equal(tour.told()[1], "");
  tour.look(now({}, { views: 1, motion: 3 }));
  assert.equal(tour.told()[1], "");
  tour.look(ended({ views: 1, motion: 3 }, 0.5));
  assert.equal(tour.told()[1], "✓ done lean 0: 2.0 mm, 1: 0.5 mm.");
  for (const other of [{ spacing: 6 }, { noise: 5 }, { byHand: { 6: [0, 9] } }]) {
    tour.look(ended({ views: 1, motion: 3, ...other }, 0.5));
    assert.deepEqual(Object.keys(tour.leans.found), ["1"]);
  }
  const blind = tourAt("lean");
  for (const views of [0, 1]) blind.look({ ...ended({ views }, 1), hidden: true });
  assert.equal(blind.told()[1], "✓ done ");
});

test("a view that weighs nothing is none", () => {
  const tour = tourAt("lean");
  tour.look(now({ over: true }, { views: 2, gamma: 0 }));
  assert.deepEqual(Object.keys(tour.leans.found), ["0"]);
});

test("the tour ends at its last stop and begins at its first", () => {
  const tour = tourAt("sure");
  assert.equal(tour.go(1) ?? tour.at, 5);
  assert.equal(tour.go(-9) ?? tour.at, 0);
});

test("what a stop shows comes one after the other, and then again", () => {
  const tour = tourAt("lean");
  const [first, second] = tour.stop.acts;
  assert.deepEqual([tour.act(), tour.act(), tour.act()], [first, second, first]);
});

// The page's own scripts without a browser: surfaces, tiles, what is compared, and the model.

import assert from "node:assert/strict";
import { test } from "node:test";

const here = "../../page/site";
const { compared, parsed } = await import(`${here}/engine.js`);
const { Model } = await import(`${here}/model.js`);
const { lbfgs } = await import(`${here}/solver.js`);
const { surface, tiles } = await import(`${here}/surface.js`);

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

function ball(radius, middle = (N - 1) / 2) {
  const values = new Float32Array(N ** 3);
  for (let n = 0; n < N ** 3; n += 1) {
    const place = [Math.floor(n / N ** 2), Math.floor(n / N) % N, n % N];
    values[n] = radius - Math.hypot(...place.map((p) => p - middle));
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
  const mesh = surface(ball(4, 1), [N, N, N], [1, 1, 1], [0, 0, 0]);
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

test("tiles cover the pixels of a tissue, and nothing of another", () => {
  const labels = Uint8Array.of(0, 1, 1, 0, 2, 1, 0, 0, 1);
  const place = [
    [5, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const area = ({ x, y, i, j, k }) =>
    [...i.keys()].reduce((sum, n) => {
      const [a, b, c] = [i[n], j[n], k[n]].map((v) => [x[v], y[v]]);
      return sum + Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
    }, 0);
  const mesh = tiles(labels, [3, 3], 1, place, 1);
  assert.equal(area(mesh), 4);
  assert.ok(mesh.z.every((height) => height === 5));
  assert.equal(area(tiles(labels, [3, 3], 2, place, 1)), 1);
  assert.equal(tiles(labels, [3, 3], 3, place, 1).x.length, 0);
});

test("a common shift is no error, and slices without tissue say nothing", () => {
  const found = compared([3, 1, 4, 1, 9, 9], [2, 0, 3, 0, 0, 0], [1, 1, 0]);
  assert.deepEqual(found, { common: [1, 1], error: 0 });
  assert.equal(compared([1, 0, -1, 0], [0, 0, 0, 0], [1, 1]).error, 1);
});

test("arrays come back from JSON as they were", () => {
  const bytes = new Uint8Array(Float32Array.of(0.5, -3).buffer);
  const base64 = btoa(String.fromCharCode(...bytes));
  const { a } = parsed(JSON.stringify({ a: { kind: "float32", base64 } }));
  assert.deepEqual(a, Float32Array.of(0.5, -3));
});

test("listeners hear each change once, and no more when they are off", () => {
  const model = new Model({ a: 1, b: 2 });
  let heard = 0;
  const act = () => {
    heard += 1;
  };
  model.on("change:a change:b", act);
  model.give({ a: 3, b: 4 });
  assert.deepEqual([heard, model.get("a"), model.get("b")], [1, 3, 4]);
  model.off("change:a change:b", act);
  model.set("a", 5);
  assert.equal(heard, 1);
});

test("L-BFGS comes to the bottom of a narrow valley", async () => {
  const look = async (z, d) => ({
    z,
    d,
    objective: (z[0] - 1) ** 2 + 50 * (d[0] + z[0]) ** 2,
    of_z: [2 * (z[0] - 1) + 100 * (d[0] + z[0])],
    of_d: [100 * (d[0] + z[0])],
  });
  const settings = { units: Float32Array.of(1, 0, 0, 0.1) };
  let [here, memory] = [await look([0], [3]), {}];
  for (let i = 0; i < 30; i += 1) [here, memory] = await lbfgs(settings, here, memory, look);
  assert.ok(here.objective < 1e-10, `${here.objective}`);
});

// What the explorer's own charts and 3-D view draw, from moments of a run.

import { surface, tiles } from "./surface.js";

const numbers = (values) => Float32Array.from(values);
const LOG_ROOM = 1.15;
const TICKS = [0.001, 0.01, 0.1, 1, 10].flatMap((decade) => [decade, 2 * decade, 5 * decade]);

function reachOf(values, least) {
  return 1.1 * Math.max(least, ...values.map(Math.abs));
}

export function axis(title, range, more = {}) {
  return { title, range, log: false, ticks: [], grid: true, zero: false, names: {}, ...more };
}

export function series(x, y, colour, more = {}) {
  const look = { kind: "line", name: "", width: 2.5, dash: "solid", size: 0, tells: true };
  return { x: numbers(x), y: numbers(y), colour, ...look, ...more };
}

// L of a run and its parts against the iteration, with a mark where it is looked at.
export function losses(moments, at, { words, ink }, seesViews) {
  const ways = [["LOSS", "L", ink.estimate, {}]];
  const part = (dash) => ({ dash, width: 1.6 });
  if (seesViews) {
    ways.push(["LOSS_SA", "L_SA", ink.middle, part("dashdot")]);
    ways.push(["LOSS_LA", "L_LA", ink.middle, part("dot")]);
  }
  const steps = moments.map(({ iteration }) => iteration);
  const drawn = ways.map(([name, key, colour, look]) => {
    const values = moments.map((moment) => moment[key]);
    return series(steps, values, colour, { name: words[name], ...look });
  });
  const all = drawn.flatMap(({ y }) => [...y]).filter((value) => value > 0);
  const ring = { kind: "rings", size: 10, tells: false };
  drawn.push(series([at], [moments[at].L], ink.estimate, ring));
  const range = [Math.min(...all) / LOG_ROOM, Math.max(...all) * LOG_ROOM];
  const x = axis(words.ITERATION, [0, Math.max(10, 1.02 * steps.length)], {
    grid: false,
    whole: true,
  });
  return [{ x, y: axis(words.LOSS_AXIS, range, { log: true, ticks: TICKS }), series: drawn }];
}

// z as bars, in standard deviations of the prior.
export function code(z, { words, ink }) {
  const reach = reachOf(z, 2);
  const dimensions = z.map((_, i) => i + 1);
  const x = axis(words.LATENT_AXIS, [0.2, z.length + 0.8], { grid: false, whole: true });
  const y = axis(words.LATENT_VALUE, [-reach, reach], { zero: true });
  return [{ x, y, series: [series(dimensions, z, ink.estimate, { kind: "bars" })] }];
}

// Displacements along rows and columns, estimated less their common part, and true.
export function shifts(d, common, truth, tissue, { words, ink }) {
  const seen = tissue.flatMap((there, k) => (there ? [k] : []));
  const found = [0, 1].map((i) => seen.map((k) => d[2 * k + i] - common[i]));
  const true_ = [0, 1].map((i) => seen.map((k) => truth[2 * k + i]));
  const reach = reachOf([...found, ...true_].flat(), 2);
  const slices = seen.map((k) => k + 1);
  const y = axis(words.SLICE_AXIS, [0.3, tissue.length + 0.7], { whole: true });
  return [words.ROW_SHIFT, words.COLUMN_SHIFT].map((title, i) => ({
    x: axis(title, [-reach, reach], { zero: true }),
    y,
    series: [
      series(true_[i], slices, ink.middle, { kind: "rings", name: words.TRUE_SHIFT, size: 10 }),
      series(found[i], slices, ink.estimate, {
        kind: "points",
        name: words.ESTIMATED_SHIFT,
        size: 6,
      }),
    ],
  }));
}

const moved = (mesh, [h, w]) => ({
  ...mesh,
  y: mesh.y.map((mm) => mm + h),
  x: mesh.x.map((mm) => mm + w),
});

// The estimate's surfaces, and the slice and the long-axis view that are looked at, where the
// estimate puts them.
export function heart(inside, S_LR, k, moment, told, common, page, cut) {
  const [LV, MYO, RV] = Object.entries(page.looks).map(([, look], n) => {
    const size = inside.length / 3;
    const margin = inside.subarray(n * size, (n + 1) * size);
    return { ...look, ...moved(surface(margin, page.lattice, page.spacing), common) };
  });
  const size = told.shape[0] * told.shape[1];
  const [d, corner] = [moment.d.slice(2 * k, 2 * k + 2), told.origin];
  const back = [0, 1].map((i) => common[i] - d[i]);
  const place = [
    [told.z[k], corner[0] + back[0], corner[1] + back[1]],
    [0, told.pixel, 0],
    [0, 0, told.pixel],
  ];
  const planes = [[S_LR.subarray(k * size, (k + 1) * size), told.shape, place]];
  if (cut) {
    const [first, down, across] = cut.corners;
    const step = (to) => to.map((mm, a) => mm - first[a]);
    const from = [first[0], first[1] + common[0], first[2] + common[1]];
    planes.push([cut.labels, cut.shape, [from, step(down), step(across)]]);
  }
  const painted = planes.flatMap(([labels, shape, where]) =>
    page.colours.map((color, n) => ({
      ...page.flat,
      color,
      ...tiles(labels, shape, n + 1, where),
    })),
  );
  return [LV, ...painted.filter(({ x }) => x.length), RV, MYO];
}

// Each slice's middle row and column, n pixels long, as scanned or put back by d (K, 2), mm.
export function sides(S_LR, { K, shape: [h, w], pixel, tissue }, d) {
  const middle = [0, 0];
  let seen = 0;
  S_LR.forEach((label, i) => {
    if (!label) return;
    middle[0] += Math.floor((i % (h * w)) / w);
    middle[1] += i % w;
    seen += 1;
  });
  const [row, column] = middle.map((sum) => Math.round(sum / Math.max(seen, 1)));
  const label = (k, r, c) => (r < 0 || c < 0 || r >= h || c >= w ? 0 : S_LR[(k * h + r) * w + c]);
  const both = new Uint8Array(K * (h + w));
  for (let k = 0; k < K; k += 1) {
    const [down, right] = [0, 1].map((i) => (tissue[k] ? Math.round(d[2 * k + i] / pixel) : 0));
    for (let n = 0; n < w; n += 1) both[k * w + n] = label(k, row + down, n + right);
    for (let n = 0; n < h; n += 1) both[K * w + k * h + n] = label(k, n + down, column + right);
  }
  return both;
}

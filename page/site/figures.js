// What the explorer's own charts and 3-D view draw, from moments of a run.

import { surface, tiles } from "./surface.js";

const LOG_ROOM = 1.15; // free factor above and below a curve

// A series with numbers, and an axis with its range; how both look is the explorer's.
const drawn = (look, x, y) => ({ ...look, x: Float32Array.from(x), y: Float32Array.from(y) });
const over = (axis, low, high) => ({ ...axis, range: [low, high] });
const centred = (all) => all.map((one) => one - all.reduce((a, b) => a + b) / all.length);

function around(axis, values) {
  const reach = 1.1 * Math.max(2, ...values.map(Math.abs));
  return over(axis, -reach, reach);
}

// L of a run and its parts against the iteration, with a mark where it is looked at.
export function losses(moments, at, { axes, looks }, parts) {
  const curve = (name) => moments.map((moment) => moment[name]);
  const series = parts.map((part) => drawn(looks[part], curve("iteration"), curve(part)));
  const seen = series.flatMap(({ y }) => [...y]).filter((value) => value > 0);
  series.push(drawn(looks.here, [at], [moments[at].L]));
  const y = over(axes.loss, Math.min(...seen) / LOG_ROOM, Math.max(...seen) * LOG_ROOM);
  return [{ x: over(axes.iteration, 0, Math.max(10, 1.02 * moments.length)), y, series }];
}

// z as bars, in standard deviations of the prior.
export function code(z, { axes, looks }) {
  const numbers = [...z.keys()].map((i) => i + 1);
  const x = over(axes.latent, 0.2, z.length + 0.8);
  return [{ x, y: around(axes.code, z), series: [drawn(looks.code, numbers, z)] }];
}

// Displacements (K, 2) of the slices with tissue, estimated and, where that is known, true: each
// less their mean, which no slice can tell, as in the explorer.
export function shifts(d, truth, tissue, { axes, looks }) {
  const seen = [...tissue.keys()].filter((k) => tissue[k]);
  const slices = seen.map((k) => k + 1);
  const y = over({ ...axes.slice, ticks: tissue.map((_, k) => k + 1) }, 0.3, tissue.length + 0.7);
  return [axes.rows, axes.columns].map((axis, i) => {
    const along = (all) => centred(seen.map((k) => all[2 * k + i]));
    const [found, known] = [along(d), truth ? along(truth) : []];
    const rings = truth ? [drawn(looks.true, known, slices)] : [];
    const dots = drawn(looks.found, found, slices);
    return { x: around(axis, [...found, ...known]), y, series: [...rings, dots] };
  });
}

// The estimate's surfaces, and the slice and the long-axis view that are looked at, where the
// estimate puts them.
export function heart(inside, S_LR, k, moment, told, common, page, cut) {
  const [LV, MYO, RV] = Object.entries(page.surfaces).map(([, look], n) => {
    const size = inside.length / 3;
    const margin = inside.subarray(n * size, (n + 1) * size);
    return { ...look, ...surface(margin, page.lattice, page.spacing, [0, ...common]) };
  });
  const { shape, origin, pixel, z } = told;
  const size = shape[0] * shape[1];
  /** @type {any} */ const along = [
    [0, 0],
    [pixel, 0],
    [0, pixel],
  ];
  const corners = along.map((step) => [z[k], ...step.map((mm, i) => origin[i] + mm)]);
  const back = common.map((mm, i) => mm - moment.d[2 * k + i]);
  const planes = [{ labels: S_LR.subarray(k * size, (k + 1) * size), shape, corners, back }];
  if (cut) planes.push({ ...cut, back: common });
  const painted = planes.map(({ labels, shape, corners, back }) => {
    const mesh = tiles(labels, shape, page.colours, corners, [0, ...back]);
    return { ...page.flat, ...mesh };
  });
  return [LV, ...painted.filter(({ i }) => i.length), RV, MYO];
}

// Each slice's middle row and column, n pixels long, as scanned, or put back by d (K, 2), mm.
export function sides(S_LR, { shape: [h, w], pixel, tissue }, d = []) {
  const label = (k, r, c) => (r < 0 || c < 0 || r >= h || c >= w ? 0 : S_LR[(k * h + r) * w + c]);
  const back = (k, i) => (tissue[k] ? Math.round((d[2 * k + i] ?? 0) / pixel) : 0);
  const line = (n, place) =>
    tissue.flatMap((_, k) => Array.from({ length: n }, (_, i) => place(k, i)));
  const rows = line(w, (k, i) => label(k, h / 2 + back(k, 0), i + back(k, 1)));
  const columns = line(h, (k, i) => label(k, i + back(k, 0), w / 2 + back(k, 1)));
  return Uint8Array.from([...rows, ...columns]);
}

// Ways to go downhill in (z, d), one update each, as `solver/solvers.py` of the library has them.
// A look at a point tells its objective, `z`, `d` and the gradients `of_z` and `of_d`.

const PAIRS = 20; // of steps and gradient changes that L-BFGS keeps
const SUFFICIENT = 1e-4; // least share of the promised decrease that a step must bring
const MOST_HALVINGS = 12;
const RESOLUTION = 2 ** -23;

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const plus = (a, b, share = 1) => a.map((value, i) => value + share * b[i]);

function direction(gradient, [mean, square], updates) {
  const next = [
    mean.map((value, i) => 0.9 * value + 0.1 * gradient[i]),
    square.map((value, i) => 0.999 * value + 0.001 * gradient[i] ** 2),
  ];
  const towards = next[0].map((value, i) => {
    const corrected = Math.sqrt(next[1][i] / (1 - 0.999 ** updates)) + 1e-8;
    return value / (1 - 0.9 ** updates) / corrected;
  });
  return { next, towards };
}

// Adam; d moves first, and z follows a gradient taken there.
export async function adam(settings, here, memory, look, iteration) {
  const rest = (values) => [values.map(() => 0), values.map(() => 0)];
  const share = settings.halve_every ? 0.5 ** Math.floor(iteration / settings.halve_every) : 1;
  const updates = (memory.updates ?? 0) + 1;
  const ofD = direction(here.of_d, memory.ofD ?? rest(here.of_d), updates);
  const d = plus(here.d, ofD.towards, -settings.lr_d * share);
  const turned = await look(here.z, d);
  const ofZ = direction(turned.of_z, memory.ofZ ?? rest(turned.of_z), updates);
  const z = plus(here.z, ofZ.towards, -settings.lr_z * share);
  return [await look(z, d), { ofD: ofD.next, ofZ: ofZ.next, updates }];
}

// −H⁻¹ gradient by the two-loop recursion over the remembered pairs, oldest first.
function quasiNewton(gradient, pairs) {
  let way = gradient.map((value) => -value);
  if (!pairs.length) return way;
  const weights = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i -= 1) {
    const { step, change, inverse } = pairs[i];
    weights[i] = inverse * dot(step, way);
    way = plus(way, change, -weights[i]);
  }
  const last = pairs[pairs.length - 1];
  const scale = dot(last.step, last.change) / dot(last.change, last.change);
  way = way.map((value) => value * scale);
  for (const [i, { step, change, inverse }] of pairs.entries())
    way = plus(way, step, weights[i] - inverse * dot(change, way));
  return way;
}

// L-BFGS with backtracking; z and d are measured in `units`, rows of n numbers each. The
// memory of a point that no step leads down from is cleared.
export async function lbfgs({ units }, here, memory, look) {
  const M = here.z.length;
  const gradientAt = ({ of_z, of_d }) => units.map((row) => dot(row, [...of_z, ...of_d]));
  const gradient = gradientAt(here);
  const pairs = memory.pairs ?? [];
  const way = quasiNewton(gradient, pairs);
  const slope = dot(gradient, way);
  const moved = way.map((_, j) => way.reduce((sum, of, i) => sum + of * units[i][j], 0));
  let length = pairs.length
    ? 1
    : Math.min(1, 1 / Math.max(Math.sqrt(dot(gradient, gradient)), 1e-12));
  const at = (far) => look(plus(here.z, moved.slice(0, M), far), plus(here.d, moved.slice(M), far));
  const bend = (point) => plus(gradientAt(point), gradient, -1);
  for (let i = 0; i < MOST_HALVINGS; i += 1) {
    let point = await at(length);
    if (point.objective <= here.objective + SUFFICIENT * length * slope) {
      // While the slope grows no less steep, no curvature tells how far to go.
      while (!pairs.length && dot(way, bend(point)) <= 0) {
        const further = await at(2 * length);
        if (!(further.objective < point.objective)) break;
        [point, length] = [further, 2 * length];
      }
      const step = way.map((value) => length * value);
      const change = bend(point);
      const product = dot(step, change);
      const sizes = Math.sqrt(dot(step, step) * dot(change, change));
      const kept =
        product > 1e-10 * sizes ? [...pairs, { step, change, inverse: 1 / product }] : pairs;
      return [point, { pairs: kept.slice(-PAIRS) }];
    }
    length /= 2;
    if (-length * slope < RESOLUTION * Math.abs(here.objective)) break;
  }
  return [here, {}];
}

export const SOLVERS = { adam, lbfgs };

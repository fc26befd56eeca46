// Surfaces for the 3-D view, as columns of Plotly's `mesh3d`: x along W, y along H, z along D, mm.

// The eight corners of a cell, and its twelve edges by their ends.
const CORNERS = Array.from({ length: 8 }, (_, c) => [c >> 2, (c >> 1) & 1, c & 1]);
const EDGES = CORNERS.flatMap((_, c) => [4, 2, 1].flatMap((b) => (c & b ? [] : [[c, c | b]])));

// Where values (D, H, W) on a lattice about the origin pass through 0: a vertex in each cell that the
// surface crosses, amid its crossings, and two triangles about each edge (surface nets). `shift` is mm.
export function surface(values, [D, H, W], spacing, shift) {
  /** @type {number[][]} */
  const points = [];
  /** @type {number[][]} */
  const faces = [];
  const cells = new Map();
  const at = (i, j, k) =>
    i < 0 || j < 0 || k < 0 || i >= D || j >= H || k >= W ? -1 : values[(i * H + j) * W + k];
  const number = (i, j, k) => (i * (H + 1) + j) * (W + 1) + k;
  for (let i = 0; i <= D; i += 1) {
    for (let j = 0; j <= H; j += 1) {
      for (let k = 0; k <= W; k += 1) {
        let inside = 0; // of its corners
        for (let c = 0; c < 8; c += 1)
          inside += Number(at(i - 1 + (c >> 2), j - 1 + ((c >> 1) & 1), k - 1 + (c & 1)) > 0);
        if (inside === 0 || inside === 8) continue;
        const seen = CORNERS.map(([a, b, c]) => at(i + a - 1, j + b - 1, k + c - 1));
        const middle = [0, 0, 0];
        let crossings = 0;
        for (const [one, other] of EDGES) {
          if (seen[one] > 0 === seen[other] > 0) continue;
          const share = seen[one] / (seen[one] - seen[other]);
          for (let axis = 0; axis < 3; axis += 1) {
            const step = CORNERS[other][axis] - CORNERS[one][axis];
            middle[axis] += CORNERS[one][axis] + share * step;
          }
          crossings += 1;
        }
        cells.set(number(i, j, k), points.length);
        points.push(middle.map((sum, axis) => sum / crossings + [i, j, k][axis] - 1));
        // Each of the three edges that end in this cell's far corner lies amid four cells.
        for (let axis = 0; axis < 3; axis += 1) {
          if (seen[7 ^ (4 >> axis)] > 0 === seen[7] > 0) continue;
          const ring = [0, 1, 2, 3].map((n) => {
            const there = [i, j, k];
            there[(axis + 1) % 3] += Number(n === 1 || n === 2);
            there[(axis + 2) % 3] += Number(n > 1);
            return number(there[0], there[1], there[2]);
          });
          faces.push(seen[7] > 0 ? ring : ring.reverse());
        }
      }
    }
  }
  const place = (p, axis, n) => (p[axis] - (n - 1) / 2) * spacing[axis] + shift[axis];
  const mm = (axis, n) => Float32Array.from(points, (p) => place(p, axis, n));
  const triangles = faces.flatMap((ring) => {
    const [a, b, c, d] = ring.map((cell) => cells.get(cell));
    return [a, b, c, a, c, d];
  });
  return { x: mm(2, W), y: mm(1, H), z: mm(0, D), ...indices(triangles) };
}

// Whole numbers, three a triangle, as columns.
function indices(triangles) {
  const column = (n) => Uint32Array.from(triangles.filter((_, m) => m % 3 === n));
  return { i: column(0), j: column(1), k: column(2) };
}

// Of a label map (h, w), every other pixel of one tissue as a tile in a plane: `corner` is where its
// first pixel lies, `down` and `across` its steps, (D, H, W) in mm.
export function tiles(labels, [h, w], label, [corner, down, across], every = 2) {
  const [rows, columns] = [h, w].map((n) => Math.ceil(n / every));
  const edge = columns + 1; // nodes in a row
  const mm = (axis) =>
    Float32Array.from({ length: (rows + 1) * edge }, (_, n) => {
      const [row, column] = [Math.floor(n / edge), n % edge].map((i) => (i - 0.5) * every);
      return corner[axis] + row * down[axis] + column * across[axis];
    });
  const tile = (_, n) => {
    const [row, column] = [Math.floor(n / columns), n % columns];
    if (labels[every * (row * w + column)] !== label) return [];
    const [up, low] = [n + row, n + row + edge];
    return [up, up + 1, low + 1, up, low + 1, low];
  };
  const triangles = Array.from({ length: rows * columns }, tile).flat();
  return { x: mm(2), y: mm(1), z: mm(0), ...indices(triangles) };
}

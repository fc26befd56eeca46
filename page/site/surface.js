// Surfaces for the 3-D view, as columns of Plotly's `mesh3d`: x along W, y along H, z along D, mm.

// The eight corners of a cell, and its twelve edges by their ends.
const CORNERS = Array.from({ length: 8 }, (_, c) => [c >> 2, (c >> 1) & 1, c & 1]);
/** @type {any[]} */
const EDGES = CORNERS.flatMap((_, c) => [4, 2, 1].flatMap((b) => (c & b ? [] : [[c, c | b]])));

// Where values (D, H, W) on a lattice about the origin, negative all around, pass through 0: a vertex
// in each cell that the surface crosses, amid its crossings, and two triangles about each edge
// (surface nets). `shift` is mm.
export function surface(values, [D, H, W], spacing, shift) {
  const steps = [H * W, W, 1]; // from a node to the next one along each axis
  const back = CORNERS.map((c) => steps.reduce((sum, step, i) => sum + (c[i] - 1) * step, 0));
  /** @type {any[]} */ const points = [];
  const triangles = []; // of cells, which are numbered as their last nodes
  const cells = new Map();
  for (let n = -back[0]; n < values.length; n += 1) {
    let inside = 0; // of its corners
    for (let c = 0; c < 8; c += 1) inside += Number(values[n + back[c]] > 0);
    if (inside === 0 || inside === 8) continue;
    const seen = back.map((corner) => values[n + corner]);
    const crossed = EDGES.filter(([one, other]) => seen[one] > 0 !== seen[other] > 0);
    const middle = [D, H, W].map((size, axis) => {
      const along = crossed.map(([one, other]) => {
        const share = seen[one] / (seen[one] - seen[other]);
        return CORNERS[one][axis] + share * (CORNERS[other][axis] - CORNERS[one][axis]);
      });
      const first = (Math.floor(n / steps[axis]) % size) - 1;
      const at = first + along.reduce((sum, part) => sum + part) / along.length;
      return (at - (size - 1) / 2) * spacing[axis] + shift[axis];
    });
    cells.set(n, points.length);
    points.push(middle);
    // Each of the three edges that end in this cell's last corner lies amid four cells.
    for (let axis = 0; axis < 3; axis += 1) {
      if (seen[7 ^ (4 >> axis)] > 0 === seen[7] > 0) continue;
      const [one, other] = [steps[(axis + 1) % 3], steps[(axis + 2) % 3]];
      const [b, d] = seen[7] > 0 ? [one, other] : [other, one];
      triangles.push(n, n + b, n + one + other, n, n + one + other, n + d);
    }
  }
  const mm = (axis) => Float32Array.from(points, (point) => point[axis]);
  const corners = triangles.map((cell) => cells.get(cell));
  return { x: mm(2), y: mm(1), z: mm(0), ...indices(corners) };
}

// Whole numbers, three a triangle, as columns.
function indices(triangles) {
  const column = (n) => Uint32Array.from(triangles.filter((_, m) => m % 3 === n));
  return { i: column(0), j: column(1), k: column(2) };
}

// Of a label map (h, w), every other pixel of a tissue as a tile of its colour in a plane: where its
// first pixel lies, and the next ones down and across, (D, H, W) in mm; all is moved by `shift`.
export function tiles(labels, [h, w], colours, [first, down, across], shift, every = 2) {
  const [rows, columns] = [h, w].map((n) => Math.ceil(n / every));
  const edge = columns + 1; // nodes in a row
  const mm = (axis) =>
    Float32Array.from({ length: (rows + 1) * edge }, (_, n) => {
      const [row, column] = [Math.floor(n / edge), n % edge].map((i) => (i - 0.5) * every);
      const [lower, further] = [down, across].map((next) => next[axis] - first[axis]);
      return first[axis] + row * lower + column * further + shift[axis];
    });
  const triangles = [];
  const facecolor = [];
  for (let n = 0; n < rows * columns; n += 1) {
    const row = Math.floor(n / columns);
    const label = labels[every * (row * w + (n % columns))];
    if (!label) continue;
    const [up, low] = [n + row, n + row + edge];
    triangles.push(up, up + 1, low + 1, up, low + 1, low);
    facecolor.push(colours[label - 1], colours[label - 1]);
  }
  return { x: mm(2), y: mm(1), z: mm(0), ...indices(triangles), facecolor };
}

// Where a Plotly scene is seen from, and how keys move that.

const STEEPEST = 1.55; // radians above and below
const REACH = [0.25, 5]; // from the middle to the eye, in Plotly's units

// From the middle of a view to its eye, as angles and a distance.
export function polar({ eye, center }) {
  const [x, y, z] = ["x", "y", "z"].map((axis) => eye[axis] - center[axis]);
  const away = Math.hypot(x, y, z);
  return { turn: Math.atan2(y, x), tilt: Math.asin(z / away), away };
}

// The camera at angles and a distance from a middle, within reach.
export function cameraAt({ turn, tilt, away }, center) {
  const flat = Math.min(Math.max(tilt, -STEEPEST), STEEPEST);
  const far = Math.min(Math.max(away, REACH[0]), REACH[1]);
  const eye = {
    x: center.x + far * Math.cos(flat) * Math.cos(turn),
    y: center.y + far * Math.cos(flat) * Math.sin(turn),
    z: center.z + far * Math.sin(flat),
  };
  return { eye, center: { ...center } };
}

// What a key makes of a camera; null for a key that moves nothing.
export function moved(camera, key, start) {
  const { turn, tilt, away } = polar(camera);
  const change = {
    ArrowLeft: { turn: turn + 0.1 },
    ArrowRight: { turn: turn - 0.1 },
    ArrowUp: { tilt: tilt - 0.1 },
    ArrowDown: { tilt: tilt + 0.1 },
    "+": { away: away / 1.15 },
    "-": { away: away * 1.15 },
  }[key];
  if (key === "Home") return start;
  return change ? cameraAt({ turn, tilt, away, ...change }, camera.center) : null;
}

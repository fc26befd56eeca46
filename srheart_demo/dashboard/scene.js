// What both 3-D views share: the binary parts of the scene, and how keys move the camera.

const START = { turn: -1.8525, tilt: 0.2945, zoom: 1, across: 0, up: 0 };

// Hundredths of millimetres; the least number stands for none.
function millimetres(view) {
  const units = numbers(Int16Array, view);
  const places = new Float32Array(units.length);
  for (let i = 0; i < units.length; i += 1) places[i] = units[i] === -32768 ? NaN : units[i] / 100;
  return places;
}

function cornersOf(faces, places) {
  return numbers(places.length / 3 > 65535 ? Uint32Array : Uint16Array, faces);
}

function withinReach(camera) {
  const tilt = Math.min(Math.max(camera.tilt, -1.55), 1.55);
  return { ...camera, tilt, zoom: Math.min(Math.max(camera.zoom, 0.4), 8) };
}

function byKeys(element, camera, move) {
  element.addEventListener("keydown", (event) => {
    const change = {
      ArrowLeft: { turn: camera.turn + 0.1 },
      ArrowRight: { turn: camera.turn - 0.1 },
      ArrowUp: { tilt: camera.tilt - 0.1 },
      ArrowDown: { tilt: camera.tilt + 0.1 },
      "+": { zoom: camera.zoom * 1.15 },
      "-": { zoom: camera.zoom / 1.15 },
      Home: START,
    }[event.key];
    if (!change) return;
    event.preventDefault();
    event.stopPropagation();
    move(change);
  });
}


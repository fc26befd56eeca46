// The 3-D view as a Plotly figure: axes in millimetres, and values under the pointer.

const REACH_MM = 70;
const AWAY = 2.1; // from the middle to the eye at zoom 1, in Plotly's units
const MIDDLE = { x: 0, y: 0, z: -0.25 }; // a little low: titles stand below the axes
const REST_MS = 200; // Plotly's camera follows a hand a little behind

async function load(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const url = URL.createObjectURL(await new Response(stream, { headers: { "Content-Type": "text/javascript" } }).blob());
  await import(url);
  URL.revokeObjectURL(url);
  return globalThis.Plotly;
}

// Rows of three as three columns.
function columns(Type, rows) {
  return [0, 1, 2].map((i) => Type.from({ length: rows.length / 3 }, (_, n) => rows[3 * n + i]));
}

function lineOf({ colour, width, points }) {
  const [x, y, z] = columns(Float32Array, millimetres(points));
  return { type: "scatter3d", mode: "lines", x, y, z, line: { color: colour, width: 2 * width }, hoverinfo: "skip" };
}

function meshOf({ name, colour, opacity, lit, vertices, faces, paint }, { most, colours }, words) {
  const places = millimetres(vertices);
  const [x, y, z] = columns(Float32Array, places);
  const [i, j, k] = columns(Uint32Array, cornersOf(faces, places));
  const lighting = lit ? { ambient: 0.6, diffuse: 0.6, specular: 0.05 } : { ambient: 1, diffuse: 0, specular: 0 };
  const trace = { type: "mesh3d", x, y, z, i, j, k, opacity, lighting };
  const told = name ? { hovertemplate: `<b>${name}</b><br>${words.place}<extra></extra>` } : { hoverinfo: "skip" };
  if (!paint) return { ...trace, ...told, color: colour };
  const values = Float32Array.from(numbers(Uint8Array, paint), (share) => (share / 255) * most);
  const hovertemplate = `<b>%{customdata:.1f} mm</b><br>${told.hovertemplate}`;
  const painted = { intensity: values, cmin: 0, cmax: most, colorscale: colours, showscale: false };
  return { ...trace, ...painted, customdata: values, hovertemplate };
}

function eyeOf({ turn, tilt, zoom }, centre) {
  const away = AWAY / zoom;
  return {
    x: centre.x + away * Math.cos(tilt) * Math.cos(turn),
    y: centre.y + away * Math.cos(tilt) * Math.sin(turn),
    z: centre.z + away * Math.sin(tilt),
  };
}

function cameraOf(eye, centre) {
  const [x, y, z] = [eye.x - centre.x, eye.y - centre.y, eye.z - centre.z];
  const away = Math.hypot(x, y, z);
  return { turn: Math.atan2(y, x), tilt: Math.asin(z / away), zoom: AWAY / away };
}

function render({ model, el }) {
  const stop = new AbortController();
  const words = model.get("words");
  el.classList.add("srh-chart");
  const box = element("div", "srh-plotly", el);
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.textContent = words.loading;
  const camera = box.camera = { ...START };
  let centre = MIDDLE;
  const library = load(model.get("library"));

  function layout() {
    const style = getComputedStyle(box);
    const [ink, grid] = ["--ink", "--edge"].map((name) => style.getPropertyValue(name));
    const clear = "rgba(0,0,0,0)";
    const [xaxis, yaxis, zaxis] = words.axes.map((title) => ({
      title: { text: title, font: { size: 11 } }, range: [-REACH_MM, REACH_MM], dtick: 35,
      gridcolor: grid, zerolinecolor: grid, showspikes: false,
    }));
    return {
      width: box.clientWidth,
      height: box.clientHeight,
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: clear,
      showlegend: false,
      font: { family: style.fontFamily, size: 11, color: ink },
      scene: {
        xaxis, yaxis, zaxis, aspectmode: "cube", bgcolor: clear,
        camera: { eye: eyeOf(camera, centre), center: centre },
      },
    };
  }

  function traces() {
    const [hidden, scale] = [model.get("hidden"), model.get("scale")];
    // The truth would come between the pointer and painted values.
    const ghost = scale.most ? [] : model.get("ghost");
    const shown = [...model.get("heart"), ...ghost].filter(({ group }) => !hidden.includes(group));
    const made = shown.map((part) => (part.width ? lineOf(part) : meshOf(part, scale, words)));
    const bar = { title: { text: "mm" }, thickness: 11, len: 0.6, x: 1, xanchor: "right" };
    const painted = made.find(({ intensity }) => intensity);
    if (painted) Object.assign(painted, { showscale: true, colorbar: bar });
    return made;
  }

  const look = (change) => {
    const seen = change["scene.camera"];
    if (!seen) return;
    centre = seen.center;
    Object.assign(camera, cameraOf(seen.eye, centre));
  };

  let hand = null;
  let leave = 0;
  let left = 0;
  const hold = () => {
    hand ??= new Promise((done) => { left = done; });
    clearTimeout(leave);
  };
  const letGo = () => {
    hold();
    leave = setTimeout(() => { hand = null; left(); }, REST_MS);
  };

  async function draw() {
    const Plotly = await library;
    // A picture that comes while a hand turns the view would put its camera back.
    while (hand) await hand;
    if (stop.signal.aborted) return;
    const first = !box.on;
    if (first) box.textContent = "";
    await Plotly.react(box, traces(), layout(), { displayModeBar: false });
    if (first) for (const event of ["plotly_relayouting", "plotly_relayout"]) box.on(event, look);
    await new Promise(requestAnimationFrame);
  }

  const ask = redrawn(box, draw, stop.signal);
  byKeys(box, camera, (change) => {
    if (change === START) centre = MIDDLE;
    Object.assign(camera, withinReach({ ...camera, ...change }));
    ask();
  });
  const early = { capture: true, passive: true };
  box.addEventListener("pointerdown", (event) => {
    hold();
    event.target.setPointerCapture(event.pointerId);
  }, early);
  for (const end of ["pointerup", "pointercancel", "wheel"]) box.addEventListener(end, letGo, early);
  const news = () => ask(true);
  const listeners = { "change:heart": news, "change:ghost": news, "change:hidden": ask, "change:scale": ask };
  for (const [event, listen] of Object.entries(listeners)) model.on(event, listen);
  ask(true);
  return () => {
    for (const [event, listen] of Object.entries(listeners)) model.off(event, listen);
    stop.abort();
    library.then((Plotly) => Plotly.purge(box));
  };
}

export default { render };

// The 3-D view: meshes and lines in millimetres, turned by hand, drawn with WebGL 2.

const SHOWN_MM = 146; // how much of the model's frame fits the shorter side of the view
const DEEP_MM = 400;
const BAR_MM = 20;
const FINE = 2; // in software, smooth edges are had by drawing finer,
const REST_MS = 600; // once nothing has moved for so long

const LIT = `#version 300 es
in vec3 place; in vec3 normal; in vec3 colour;
uniform mat3 view; uniform vec4 fit;
out vec3 ink; out vec3 up;
void main() {
  vec3 seen = view * place;
  gl_Position = vec4(seen.xy * fit.xy + fit.zw, -seen.z / ${DEEP_MM}.0, 1.0);
  ink = colour; up = view * normal;
}`;
const SHADE = `#version 300 es
precision mediump float;
in vec3 ink; in vec3 up;
uniform float opacity; uniform bool lit;
out vec4 painted;
void main() {
  vec3 n = normalize(up.z < 0.0 ? -up : up);
  float light = lit ? 0.62 + 0.40 * max(dot(n, vec3(-0.30, 0.42, 0.86)), 0.0) : 1.0;
  painted = vec4(ink * light, opacity);
}`;
// A line is a row of flat strips that face the viewer; a point that is no number parts it.
const STRIP = `#version 300 es
in vec3 from; in vec3 to;
uniform mat3 view; uniform vec4 fit; uniform vec2 pixels; uniform float width; uniform vec3 colour;
out vec3 ink; out vec3 up;
void main() {
  vec3 a = view * from, b = view * to;
  if (isnan(a.x + b.x)) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  vec2 p = a.xy * fit.xy + fit.zw, q = b.xy * fit.xy + fit.zw;
  vec2 along = (q - p) * pixels;
  along = length(along) > 0.0 ? normalize(along) : vec2(1.0, 0.0);
  int corner = gl_VertexID % 4;
  float side = corner % 2 == 0 ? -1.0 : 1.0, end = corner < 2 ? 0.0 : 1.0;
  vec2 offset = 0.5 * width * (side * vec2(-along.y, along.x) + (2.0 * end - 1.0) * along);
  vec3 seen = mix(a, b, end);
  gl_Position = vec4(mix(p, q, end) + offset / pixels, -seen.z / ${DEEP_MM}.0, 1.0);
  ink = colour; up = vec3(0.0, 0.0, 1.0);
}`;

function inSoftware() {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software/i.test(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "");
}

function program(gl, vertices, fragments) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertices], [gl.FRAGMENT_SHADER, fragments]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  const uniform = (name) => gl.getUniformLocation(made, name);
  return { made, uniform, attribute: (name) => gl.getAttribLocation(made, name) };
}

function inks(shares, stops) {
  const table = Array.from({ length: 256 }, (_, i) => shade(stops, i / 255));
  const colours = new Uint8Array(3 * shares.length);
  shares.forEach((share, i) => colours.set(table[share], 3 * i));
  return colours;
}

function normalsOf(places, faces) {
  const normals = new Float32Array(places.length);
  for (let f = 0; f < faces.length; f += 3) {
    const a = 3 * faces[f];
    const b = 3 * faces[f + 1];
    const c = 3 * faces[f + 2];
    for (let i = 0; i < 3; i += 1) {
      const j = (i + 1) % 3;
      const k = (i + 2) % 3;
      const n = (places[b + j] - places[a + j]) * (places[c + k] - places[a + k])
        - (places[b + k] - places[a + k]) * (places[c + j] - places[a + j]);
      normals[a + i] += n;
      normals[b + i] += n;
      normals[c + i] += n;
    }
  }
  return normals;
}

// Four corners a segment, each with both its ends; software draws instances one by one, so there are none.
function strips(places) {
  const n = Math.max(places.length / 3 - 1, 0);
  const ends = new Float32Array(24 * n);
  const corners = new Uint32Array(6 * n);
  for (let i = 0; i < n; i += 1) {
    const segment = places.subarray(3 * i, 3 * i + 6);
    for (let corner = 0; corner < 4; corner += 1) ends.set(segment, 24 * i + 6 * corner);
    corners.set([0, 1, 2, 1, 2, 3].map((corner) => 4 * i + corner), 6 * i);
  }
  return { ends, corners };
}

// Each part of the scene on the graphics side: its arrays, and how to draw them.
function upload(gl, { colour, opacity = 1, width, lit, vertices, faces, paint, points }, stops) {
  const buffer = (data, target = gl.ARRAY_BUFFER) => {
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    gl.bufferData(target, data, gl.STATIC_DRAW);
    return made;
  };
  const ink = rgb(colour).map((c) => c / 255);
  if (points) {
    const { ends, corners } = strips(millimetres(points));
    return { ink, width, n: corners.length, buffers: [buffer(ends), buffer(corners, gl.ELEMENT_ARRAY_BUFFER)] };
  }
  const places = millimetres(vertices);
  const corners = cornersOf(faces, places);
  const buffers = [buffer(places), buffer(normalsOf(places, corners)), buffer(corners, gl.ELEMENT_ARRAY_BUFFER)];
  if (paint) buffers.push(buffer(inks(numbers(Uint8Array, paint), stops)));
  return {
    ink, opacity, lit, n: corners.length, buffers, painted: Boolean(paint),
    type: corners instanceof Uint32Array ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT,
  };
}

function render({ model, el }) {
  const stop = new AbortController();
  const words = model.get("words");
  el.classList.add("srh-chart");
  const canvas = element("canvas", "", el);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  const bar = element("div", "srh-scale-bar", el);
  bar.textContent = `${BAR_MM} mm`;
  const scale = element("div", "srh-scale", el);
  const camera = canvas.camera = { ...START };
  const parts = { ghost: [], heart: [] };
  let gl = null;
  let meshes = null;
  let lines = null;
  const software = inSoftware();
  let fine = 1;
  let refining = 0;

  function start() {
    gl = canvas.getContext("webgl2", { antialias: !software, alpha: true });
    if (!gl) { element("p", "srh-hint", el).textContent = words.no3D; return; }
    meshes = program(gl, LIT, SHADE);
    lines = program(gl, STRIP, SHADE);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.depthFunc(gl.LEQUAL);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.frontFace(gl.CW);
    for (const name of ["ghost", "heart"]) take(name);
  }

  function take(name) {
    if (!gl) return;
    for (const { buffers } of parts[name]) buffers.forEach((one) => gl.deleteBuffer(one));
    const stops = model.get("scale").colours;
    parts[name] = model.get(name).map((one) => ({ group: one.group, ...upload(gl, one, stops) }));
    canvas.triangles = parts.heart.reduce((sum, { n, width }) => sum + (width ? 0 : n / 3), 0);
  }

  function draw() {
    if (!gl || gl.isContextLost()) return;
    const ratio = fine * (globalThis.devicePixelRatio || 1);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    clearTimeout(refining);
    if (software && fine === 1) refining = setTimeout(() => { fine = FINE; ask(); }, REST_MS);
    fine = 1;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.depthMask(true);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const perMm = (camera.zoom * Math.min(width, height)) / SHOWN_MM;
    const [c, s] = [Math.cos(camera.turn), Math.sin(camera.turn)];
    const [d, t] = [Math.cos(camera.tilt), Math.sin(camera.tilt)];
    const view = [-s, -c * t, c * d, c, -s * t, s * d, 0, d, t];
    const fit = [(2 * perMm) / width, (2 * perMm) / height, camera.across, camera.up];
    const hidden = model.get("hidden");
    const shown = [...parts.heart, ...parts.ghost].filter(({ group }) => !hidden.includes(group));
    gl.useProgram(meshes.made);
    gl.uniformMatrix3fv(meshes.uniform("view"), false, view);
    gl.uniform4fv(meshes.uniform("fit"), fit);
    gl.disable(gl.CULL_FACE);
    for (const mesh of shown) if (mesh.opacity === 1) drawMesh(mesh);
    gl.useProgram(lines.made);
    gl.uniformMatrix3fv(lines.uniform("view"), false, view);
    gl.uniform4fv(lines.uniform("fit"), fit);
    gl.uniform2f(lines.uniform("pixels"), width / 2, height / 2);
    for (const line of shown) if (line.width) drawLine(line);
    // What is seen through leaves no trace in the depth; of each surface the far side comes first.
    gl.depthMask(false);
    gl.useProgram(meshes.made);
    gl.enable(gl.CULL_FACE);
    for (const mesh of shown) {
      if (!(mesh.opacity < 1)) continue;
      for (const side of [gl.FRONT, gl.BACK]) { gl.cullFace(side); drawMesh(mesh); }
    }
    bar.style.width = `${BAR_MM * perMm}px`;
    const { most, colours } = model.get("scale");
    scale.textContent = most ? `${most} mm` : "";
    scale.hidden = !most;
    const stops = (colours ?? []).map(([at, colour]) => `${colour} ${100 * at}%`);
    scale.style.backgroundImage = `linear-gradient(to top, ${stops})`;
  }

  function array(where, buffer, size, stride = 0, offset = 0, type = gl.FLOAT) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, size, type, type !== gl.FLOAT, stride, offset);
  }

  function drawMesh({ ink, opacity, lit, n, buffers, painted, type }) {
    const [place, normal, colour] = ["place", "normal", "colour"].map(meshes.attribute);
    array(place, buffers[0], 3);
    array(normal, buffers[1], 3);
    if (painted) array(colour, buffers[3], 3, 0, 0, gl.UNSIGNED_BYTE);
    else { gl.disableVertexAttribArray(colour); gl.vertexAttrib3fv(colour, ink); }
    gl.uniform1f(meshes.uniform("opacity"), opacity);
    gl.uniform1i(meshes.uniform("lit"), lit);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[2]);
    gl.drawElements(gl.TRIANGLES, n, type, 0);
  }

  function drawLine({ ink, width, n, buffers }) {
    if (!n) return;
    ["from", "to"].forEach((name, i) => array(lines.attribute(name), buffers[0], 3, 24, 12 * i));
    gl.uniform1f(lines.uniform("width"), width);
    gl.uniform3fv(lines.uniform("colour"), ink);
    gl.uniform1f(lines.uniform("opacity"), 1);
    gl.uniform1i(lines.uniform("lit"), false);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
    gl.drawElements(gl.TRIANGLES, n, gl.UNSIGNED_INT, 0);
  }

  const ask = redrawn(canvas, draw, stop.signal);
  const move = (change) => {
    Object.assign(camera, withinReach({ ...camera, ...change }));
    ask();
  };
  let hand = null;
  canvas.addEventListener("pointerdown", (event) => {
    hand = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!hand) return;
    const [x, y] = [event.clientX - hand[0], event.clientY - hand[1]];
    hand = [event.clientX, event.clientY];
    if (event.shiftKey || event.buttons > 1) {
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      move({ across: camera.across + (2 * x) / width, up: camera.up - (2 * y) / height });
    } else move({ turn: camera.turn - x / 120, tilt: camera.tilt + y / 120 });
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { hand = null; });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    move({ zoom: camera.zoom * Math.exp(-event.deltaY / 600) });
  }, { passive: false });
  canvas.addEventListener("dblclick", () => move(START));
  byKeys(canvas, camera, move);
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { start(); ask(); });

  const listeners = {
    "change:heart": () => { take("heart"); ask(true); },
    "change:ghost": () => { take("ghost"); ask(true); },
    "change:hidden": ask,
    "change:scale": ask,
  };
  for (const [event, listen] of Object.entries(listeners)) model.on(event, listen);
  start();
  ask();
  return () => {
    for (const [event, listen] of Object.entries(listeners)) model.off(event, listen);
    clearTimeout(refining);
    stop.abort();
  };
}

export default { render };

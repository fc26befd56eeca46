// What a Plotly figure needs from a widget: the library, and arrays that came as binary.

import { numbers } from "./canvas.js";

/** @type {Promise<any> | undefined} */
let library;

// A Plotly scene asks for a frame after every frame, for ever, and every one costs the browser some
// milliseconds. It gets them after a picture and under a hand; else it sleeps.
/** @type {FrameRequestCallback[]} */
const asleep = [];
let awake = 0;

globalThis.srhFrame = (callback) => {
  if (performance.now() < awake) return requestAnimationFrame(callback);
  return asleep.push(callback);
};

export function wake(ms = 0) {
  awake = Math.max(awake, performance.now() + ms);
  for (const callback of asleep.splice(0)) requestAnimationFrame(callback);
}

async function unpacked(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).blob();
  const parts = ["const requestAnimationFrame = globalThis.srhFrame;", text];
  const url = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
  await import(url);
  URL.revokeObjectURL(url);
  return globalThis.Plotly;
}

// plotly.js comes once a page: the first view asks its kernel for it, and all others wait with it.
export function plotly(model) {
  library ??= new Promise((done, fail) => {
    const take = (message, [view]) => {
      if (message.kind !== "library") return;
      model.off("msg:custom", take);
      unpacked(view).then(done, fail);
    };
    model.on("msg:custom", take);
    model.send({ kind: "library" });
  });
  return library;
}

const KINDS = { float32: Float32Array, uint16: Uint16Array, uint32: Uint32Array };

// A trace as Plotly takes it: every array that came as binary is one of numbers.
export function revived(trace) {
  const read = (value) => (value?.kind ? numbers(KINDS[value.kind], value.numbers) : value);
  return Object.fromEntries(Object.entries(trace).map(([name, value]) => [name, read(value)]));
}

// Whether WebGL is computed on the processor.
export function inSoftware() {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? gl?.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
  return /swiftshader|llvmpipe|software/i.test(name);
}

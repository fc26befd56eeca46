// The engine in a thread of its own: a request names what it is to do, and gets what comes of it.

import { Engine, file } from "./engine.js";
// @ts-expect-error The runtime lies beside the page, not in the repository.
import * as ort from "./ort.wasm.min.mjs";

const wasmPaths = new URL("./", import.meta.url).href;
const ready = file("ort-wasm-simd-threaded.wasm").then((wasmBinary) => {
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths, wasmBinary });
  return ort;
});
const engine = new Engine(ready, file);
/** @type {Promise<any>} */ let last = Promise.resolve();

addEventListener("message", ({ data: { what, given }, ports: [port] }) => {
  last = last
    .then(() => engine[what](...given))
    .then(
      (found) => port.postMessage({ found }),
      (error) => port.postMessage({ error: String(error) }),
    );
});

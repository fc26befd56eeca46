// The engine in a thread of its own: a request names what it is to do, and gets what comes of it.

import { Engine, file } from "./engine.js";
// @ts-expect-error The runtime lies beside the page, not in the repository.
import * as ort from "./ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
const engine = new Engine(ort, file);
/** @type {Promise<any>} */ let last = file("ort-wasm-simd-threaded.wasm").then((binary) => {
  ort.env.wasm.wasmBinary = binary;
});

addEventListener("message", ({ data: { what, given }, ports: [port] }) => {
  last = last
    .then(() => engine[what](...given))
    .then(
      (found) => port.postMessage({ found }),
      (error) => port.postMessage({ error: String(error) }),
    );
});

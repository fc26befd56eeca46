// Solve a sample of a built page in Node: node page_solve.mjs PAGE SUBJECT SPACING WAY MOTION NOISE
// ITERATIONS γ,γ,γ LABELS. What each iteration found is printed as JSON; what was scanned is written to
// LABELS.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [page, subject, spacing, way, ...further] = process.argv.slice(2);
const [motion, noise, iterations, gamma, labels] = further;
const { Engine } = await import(join(page, "engine.js"));
const ort = await import(join(page, "ort.wasm.min.mjs"));
ort.env.wasm.numThreads = 1;

async function file(name) {
  const content = gunzipSync(await readFile(join(page, `${name}.gz`)));
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
}

ort.env.wasm.wasmBinary = await file("ort-wasm-simd-threaded.wasm");
const known = JSON.parse(new TextDecoder().decode(await file("page.en.json")));
const engine = new Engine(ort, file);
const told = await engine.open(subject, spacing, way);
const truth = told.motion.flat().map((mm) => Number(motion) * mm);
const S_LR = await engine.scan(truth, Number(noise));
await writeFile(labels, S_LR);
const settings = { ...known.solvers[way], gamma: gamma.split(",").map(Number) };
const moments = [await engine.begin(settings)];
const began = process.cpuUsage();
for (let i = 0; i < Number(iterations); i += 1) moments.push(await engine.step(i));
const { user, system } = process.cpuUsage(began);
const seconds = (user + system) / 1e6; // of the processor
const { z, common } = moments.at(-1);
const { dice } = await engine.run("dice", { z, shift: common });
console.log(JSON.stringify({ moments, dice: [...dice], seconds }));

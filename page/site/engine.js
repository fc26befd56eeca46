// A subject's graphs, run by ONNX Runtime Web, and the run of a solver over them.

import { SOLVERS } from "./solver.js";

const KINDS = { float32: Float32Array, uint8: Uint8Array, uint32: Uint32Array };

// A file of the page, which lies packed beside it.
export async function file(name) {
  const answer = await fetch(new URL(`./${name}.gz`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  const stream = answer.body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// JSON in which arrays stand as their bytes.
export function parsed(text) {
  return JSON.parse(text, (_, value) => {
    if (!value?.base64) return value;
    const letters = atob(value.base64);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
    return new KINDS[value.kind](bytes.buffer);
  });
}

export class Engine {
  sessions = {};
  /** @type {any} */ shared; // constants of all subjects
  /** @type {any} */ told; // of the subject
  /** @type {any} */ settings;
  /** @type {any[]} */ past = []; // of a run, each point and what the solver remembers there

  // `read` fetches a file by its name, as an ArrayBuffer.
  constructor(ort, read) {
    this.ort = ort;
    this.read = read;
  }

  // A graph, with the blocks of constants that it may read.
  async session(name, externalData) {
    const graph = new Uint8Array(await this.read(`${name}.onnx`));
    const options = { executionProviders: ["wasm"], externalData, logSeverityLevel: 3 };
    return this.ort.InferenceSession.create(graph, options);
  }

  async block(path) {
    return { path, data: new Uint8Array(await this.read(path)) };
  }

  // Take another subject; what is told of it comes back.
  async open(subject) {
    const told = new TextDecoder().decode(await this.read(`${subject}.json`));
    const old = ["objective", "scan", "pictures"].map((name) => this.sessions[name]);
    for (const session of old) await session?.release();
    this.shared ??= await this.block("heart.bin");
    const blocks = [this.shared, await this.block(`${subject}.bin`)];
    this.sessions.heart ??= await this.session("heart", blocks.slice(0, 1));
    for (const name of ["scan", "objective", "pictures"])
      this.sessions[name] = await this.session(`${subject}.${name}`, blocks);
    this.told = parsed(told);
    return this.told;
  }

  run(name, inputs) {
    return this.sessions[name].run(inputs);
  }

  tensor(values, ...shape) {
    return new this.ort.Tensor("float32", Float32Array.from(values), shape);
  }

  // Eq. 1: scan the subject with its slices displaced by d (K, 2), mm; the labels come back.
  async scan(d) {
    const { K, room } = this.told;
    const { S_LR, near, ...voxels } = await this.run("scan", { d: this.tensor(d, 1, K, 2) });
    if (near.data[0] > room) throw new Error(`more than ${room} voxels near a border`);
    this.voxels = voxels;
    return Uint8Array.from(S_LR.data);
  }

  async look(z, d) {
    const { gamma, prior } = this.settings;
    const found = await this.run("objective", {
      z: this.tensor(z, 1, z.length),
      d: this.tensor(d, 1, this.told.K, 2),
      gamma: this.tensor(gamma, gamma.length),
      prior: this.tensor([prior], 1),
      ...this.voxels,
    });
    const one = (name) => found[name].data[0];
    return {
      z: [...z],
      d: [...d],
      objective: one("objective"),
      L: one("L"),
      L_SA: one("L_SA"),
      L_LA: gamma.reduce((sum, weight, i) => sum + (weight ? found.L_LA.data[i] : 0), 0),
      of_z: [...found.gradient_z.data],
      of_d: [...found.gradient_d.data],
    };
  }

  // Begin at z = d = 0, with M latents; the first moment comes back.
  async begin(settings, M) {
    this.settings = { ...settings, units: this.told.units };
    const here = await this.look(new Array(M).fill(0), new Array(2 * this.told.K).fill(0));
    this.past = [{ here, memory: {} }];
    return this.moment(0);
  }

  // One more iteration after that of a number; what came after it is forgotten.
  async step(iteration) {
    this.past.length = iteration + 1;
    const { here, memory } = this.past[iteration];
    const look = (z, d) => this.look(z, d);
    const update = SOLVERS[this.settings.solver];
    const [point, kept] = await update(this.settings, here, memory, look, iteration);
    this.past.push({ here: point, memory: kept });
    return { ...this.moment(iteration + 1), settled: point === here };
  }

  // Another γ, from an iteration on.
  async weigh(gamma, iteration) {
    this.past.length = iteration + 1;
    this.settings = { ...this.settings, gamma };
    const { z, d } = this.past[iteration].here;
    this.past[iteration] = { here: await this.look(z, d), memory: {} };
    return this.moment(iteration);
  }

  moment(iteration) {
    const { z, d, objective, L, L_SA, L_LA } = this.past[iteration].here;
    return { iteration, z, d, objective, L, L_SA, L_LA };
  }

  // Margins of the surfaces, and what slices and views show of G(z) under d.
  async pictures(z, d) {
    const at = { z: this.tensor(z, 1, z.length), d: this.tensor(d, 1, this.told.K, 2) };
    const found = await this.run("pictures", at);
    return { inside: Float32Array.from(found.inside.data), S_SA: Uint8Array.from(found.S_SA.data) };
  }

  // Dice with the truth of each tissue, after G(z) is moved by a shift along H and W, mm.
  async dice(z, shift) {
    const at = { z: this.tensor(z, 1, z.length), shift: this.tensor(shift, 1, 1, 2) };
    const found = await this.run("heart", at);
    const sums = [1, 2, 3].map(() => [0, 0]);
    const truth = this.told.S_HR;
    for (const [i, label] of found.labels.data.entries()) {
      if (label) sums[label - 1][1] += 1;
      if (truth[i]) sums[truth[i] - 1][1] += 1;
      if (label && label === truth[i]) sums[label - 1][0] += 1;
    }
    return sums.map(([both, all]) => (2 * both) / all);
  }
}

// Of d (K, 2), mm, over slices with tissue: the mean difference from the truth, the RMS length of
// what is left, and of this what grows linearly along the stack, as with a leaning heart.
export function compared(d, truth, { tissue, z }) {
  const seen = [...tissue.keys()].filter((k) => tissue[k]);
  const mean = (of) => seen.reduce((sum, k) => sum + of(k), 0) / seen.length;
  const middle = mean((k) => z[k]);
  const [rows, columns] = [0, 1].map((i) => {
    const common = mean((k) => d[2 * k + i] - truth[2 * k + i]);
    const left = (k) => d[2 * k + i] - truth[2 * k + i] - common;
    const along = mean((k) => left(k) * (z[k] - middle)) / mean((k) => (z[k] - middle) ** 2) ** 0.5;
    return { common, square: mean((k) => left(k) ** 2), along };
  });
  const error = Math.sqrt(rows.square + columns.square);
  return {
    common: [rows.common, columns.common],
    error,
    lean: Math.hypot(rows.along, columns.along),
  };
}

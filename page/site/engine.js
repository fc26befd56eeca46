// A scan's graphs, run by ONNX Runtime Web, and the run of a solver over them.

import { SOLVERS } from "./solver.js";

// A file of the page, which lies packed beside it.
export async function file(name) {
  const answer = await fetch(new URL(`./${name}.gz`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  const stream = answer.body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export class Engine {
  /** @type {Record<string, string>} */ graphs = {}; // what each is called
  /** @type {Record<string, any>} */ sessions = {}; // those that have been run
  /** @type {any} */ known; // inputs that a scan has once for all
  /** @type {any[]} */ past = []; // of a run, each point and what the solver remembers there
  /** @type {any} */ settings;

  // `ort` is the runtime, or will be; `read` fetches a file by its name, as an ArrayBuffer.
  constructor(ort, read) {
    this.ort = ort;
    this.bytes = async (name) => new Uint8Array(await read(name));
    this.json = async (name) => JSON.parse(new TextDecoder().decode(await read(`${name}.json`)));
  }

  // Take a subject, slices so many mm apart, and the generator of a way to solve; what is told of
  // the scan comes back.
  async open(subject, spacing, way) {
    const scan = `${subject}.${spacing}`;
    this.graphs = {
      scan,
      look: `${scan}.${way}`,
      surfaces: `${way}.surfaces`,
      dice: `${way}.dice`,
    };
    for (const session of Object.values(this.sessions)) await session.release();
    this.sessions = {};
    const block = async (path) => ({ path, data: await this.bytes(path) });
    const blocks = ["shared", subject, spacing, way].map((name) => block(`${name}.bin`));
    const told = [this.json(subject), this.json(scan)];
    const S_HR = await this.bytes(`${subject}.S_HR`);
    this.blocks = await Promise.all(blocks);
    this.told = Object.assign({}, ...(await Promise.all(told)));
    this.known = { S_HR, planes: this.told.views.flatMap(({ corners }) => corners.flat()) };
    return this.told;
  }

  // What a graph finds, by name, of its inputs as numbers; it is made ready when it is first asked.
  async run(what, inputs) {
    const options = {
      executionProviders: ["wasm"],
      externalData: this.blocks,
      graphOptimizationLevel: "disabled", // it takes longer than it saves in a run
      logSeverityLevel: 3,
    };
    const { InferenceSession, Tensor } = await this.ort;
    const create = async (name) =>
      InferenceSession.create(await this.bytes(`${name}.onnx`), options);
    this.sessions[what] ??= await create(this.graphs[what]);
    const all = { ...this.known, ...inputs };
    const given = ({ name, type, shape }) => [name, new Tensor(type, all[name], shape)];
    const session = this.sessions[what];
    const found = await session.run(Object.fromEntries(session.inputMetadata.map(given)));
    return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data]));
  }

  // Eq. 1: scan the subject with its slices displaced by d (K, 2), mm, and so many % of labels
  // wrong; the labels come back.
  async scan(d, noise) {
    const { S_LR, near, ...voxels } = await this.run("scan", { d, noise: [noise] });
    const { room } = this.told;
    if (near[0] > room) throw new Error(`more than ${room} voxels near a border`);
    Object.assign(this.known, voxels, { truth: d });
    return Uint8Array.from(S_LR);
  }

  async look(z, d) {
    const { gamma, prior } = this.settings;
    const found = await this.run("look", { z, d, gamma, prior: [prior] });
    const [objective, L, L_SA, L_LA, error, lean] = found.scores;
    const rest = [found.gradient_z, found.gradient_d, found.common];
    const [of_z, of_d, common] = rest.map((x) => [...x]);
    return { z: [...z], d: [...d], objective, L, L_SA, L_LA, error, lean, common, of_z, of_d };
  }

  // Keep a point that a run has come to; the moment comes back.
  keep(here, memory = {}) {
    this.past.push({ here, memory });
    return { iteration: this.past.length - 1, ...here };
  }

  // Begin at z = d = 0; the first moment comes back.
  async begin(settings) {
    this.settings = { ...settings, units: this.told.units };
    this.past = [];
    const [z, d] = [settings.M, 2 * this.told.K].map((n) => new Array(n).fill(0));
    return this.keep(await this.look(z, d));
  }

  // One more iteration after that of a number; what came after it is forgotten.
  async step(iteration) {
    this.past.length = iteration + 1;
    const { here, memory } = this.past[iteration];
    const look = (z, d) => this.look(z, d);
    const update = SOLVERS[this.settings.solver];
    const [point, kept] = await update(this.settings, here, memory, look, iteration);
    return { ...this.keep(point, kept), settled: point === here };
  }

  // Another γ, from an iteration on.
  async weigh(gamma, iteration) {
    this.settings = { ...this.settings, gamma };
    const { z, d } = this.past[iteration].here;
    this.past.length = iteration;
    return this.keep(await this.look(z, d));
  }
}

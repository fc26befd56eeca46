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
  /** @type {Record<string, any>} */ graphs = {}; // what each is called
  /** @type {Record<string, any>} */ sessions = {}; // those that have been run
  /** @type {any[]} */ past = []; // of a run, each point and what the solver remembers there
  /** @type {any} */ told; // of the scan
  /** @type {any} */ settings;

  // `read` fetches a file by its name, as an ArrayBuffer.
  constructor(ort, read) {
    this.ort = ort;
    this.bytes = async (name) => new Uint8Array(await read(name));
    this.json = async (name) => JSON.parse(new TextDecoder().decode(await read(`${name}.json`)));
  }

  // Take a subject, slices so many mm apart, and the generator of a way to solve; what is told of
  // the scan comes back.
  async open(subject, spacing, way) {
    const scan = `${subject}.${spacing}`;
    const names = {
      scan,
      objective: `${scan}.${way}`,
      surfaces: `${way}.surfaces`,
      dice: `${way}.dice`,
    };
    const read = async (path) => ({ path, data: await this.bytes(path) });
    const blocks = ["shared", subject, spacing, way].map((name) => read(`${name}.bin`));
    const told = [this.json(subject), this.json(scan)];
    for (const session of Object.values(this.sessions)) await session.release();
    [this.graphs, this.sessions] = [names, {}];
    this.S_HR = await this.bytes(`${subject}.S_HR`);
    this.blocks = await Promise.all(blocks);
    this.told = Object.assign({}, ...(await Promise.all(told)));
    return this.told;
  }

  // What a graph finds; it is made ready when it is first asked.
  async run(what, inputs) {
    const options = {
      executionProviders: ["wasm"],
      externalData: this.blocks,
      graphOptimizationLevel: "disabled", // it takes longer than it saves in a run
      logSeverityLevel: 3,
    };
    const create = (graph) => this.ort.InferenceSession.create(graph, options);
    this.sessions[what] ??= await create(await this.bytes(`${this.graphs[what]}.onnx`));
    return this.sessions[what].run(inputs);
  }

  tensor(values, ...shape) {
    return new this.ort.Tensor("float32", Float32Array.from(values), shape);
  }

  // Eq. 1: scan the subject with its slices displaced by d (K, 2), mm, and so many % of labels
  // wrong; the labels come back.
  async scan(d, noise) {
    const inputs = { d: this.tensor(d, 1, this.told.K, 2), noise: this.tensor([noise], 1) };
    const { S_LR, near, ...voxels } = await this.run("scan", inputs);
    const { room, views } = this.told;
    if (near.data[0] > room) throw new Error(`more than ${room} voxels near a border`);
    const corners = views.flatMap((view) => view.corners.flat());
    this.seen = { ...voxels, truth: inputs.d, planes: this.tensor(corners, views.length, 3, 3) };
    return Uint8Array.from(S_LR.data);
  }

  async look(z, d) {
    const { gamma, prior } = this.settings;
    const found = await this.run("objective", {
      z: this.tensor(z, 1, z.length),
      d: this.tensor(d, 1, this.told.K, 2),
      gamma: this.tensor(gamma, gamma.length),
      prior: this.tensor([prior], 1),
      ...this.seen,
    });
    const [objective, L, L_SA, L_LA, error, lean] = found.scores.data;
    const slopes = { of_z: [...found.gradient_z.data], of_d: [...found.gradient_d.data] };
    const judged = { common: [...found.common.data], error, lean };
    return { z: [...z], d: [...d], objective, L, L_SA, L_LA, ...judged, ...slopes };
  }

  // Begin at z = d = 0; the first moment comes back.
  async begin(settings) {
    this.settings = { ...settings, units: this.told.units };
    const [z, d] = [settings.M, 2 * this.told.K].map((n) => new Array(n).fill(0));
    this.past = [{ here: await this.look(z, d), memory: {} }];
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
    return { iteration, ...this.past[iteration].here };
  }

  // Margins of the surfaces of G(z).
  async surfaces(z) {
    const { inside } = await this.run("surfaces", { z: this.tensor(z, 1, z.length) });
    return Float32Array.from(inside.data);
  }

  // Dice with the truth of each tissue, after G(z) is moved by a shift along H and W, mm.
  async dice(z, shift) {
    const S_HR = new this.ort.Tensor("uint8", this.S_HR, this.told.grid);
    const at = { z: this.tensor(z, 1, z.length), shift: this.tensor(shift, 1, 1, 2), S_HR };
    return [...(await this.run("dice", at)).dice.data];
  }
}

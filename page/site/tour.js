// The guided tour: where somebody is in it, and what has been done there, as `explorer/tour.py` says.

// Words in which numbers stand at places such as {}, {:.1f} or {0:.1f}.
export function filled(words, ...values) {
  let next = 0;
  return words.replace(/\{(\w*)(?::\.(\d)f)?\}/g, (_, name, digits) => {
    const value = values[name ? Number(name) : next++];
    return digits ? value.toFixed(Number(digits)) : value;
  });
}

// What is seen now: `at`, `over`, `hidden`, the choices of the `state`, and the `moment` of the run.
const DONE = {
  look: (_, now, { severe }) => now.at === 0 && now.state.motion >= severe,
  walk: (_, now, { watched }) => now.state.way === "paper" && now.at >= watched,
  drag: (_, now, { far }) =>
    now.over && Math.max(...Object.values(now.state.byHand).flat().map(Math.abs), 0) >= far,
  guess: (tour, { moment, hidden }) => {
    if (tour.guessed === moment && !hidden) [tour.error, tour.guessed] = [moment.error, null];
    return tour.error !== null;
  },
  lean: ({ leans }, { state, moment, over, hidden }) => {
    const { views, gamma, k, way, ...scanned } = state;
    const scan = JSON.stringify(scanned);
    if (leans.scan !== scan) Object.assign(leans, { scan, found: {} });
    if (over) leans.found[gamma ? views : 0] = hidden ? NaN : moment.lean;
    return 0 in leans.found && Object.keys(leans.found).length > 1;
  },
};

export class Tour {
  at = 0;
  acts = 0; // that were shown of this stop
  done = new Set();
  leans = { scan: "", found: {} }; // by the number of views, of one scan
  /** @type {number | null} */ guess = null;
  /** @type {number | null} */ error = null;
  /** @type {any} */ guessed = null;

  // Its stops, the limits from which tasks are done, and words.
  constructor(page) {
    this.page = page;
  }

  get stop() {
    return this.page.stops[this.at];
  }

  go(by) {
    this.at = Math.min(Math.max(this.at + by, 0), this.page.stops.length - 1);
    this.acts = 0;
  }

  // What "Show me" does next; after the last, the first again.
  act() {
    this.acts = (this.acts % this.stop.acts.length) + 1;
    return this.stop.acts[this.acts - 1];
  }

  bet(guess, now) {
    if (now.hidden && now.over) Object.assign(this, { guess, error: null, guessed: now.moment });
  }

  look(now) {
    const { name } = this.stop;
    if (DONE[name]?.(this, now, this.page.limits)) this.done.add(name);
  }

  // The stop as markup, and what is said when its task is done.
  told() {
    const { name, text, done, figures } = this.stop;
    if (!this.done.has(name)) return [text, ""];
    const leans = Object.entries(this.leans.found);
    const known = leans.length > 1 && leans.every(([, mm]) => Number.isFinite(mm));
    const all = leans.map((one) => filled(this.page.words.leans, ...one)).join(", ");
    const told = { guess: [this.guess, this.error], lean: known && [all] }[name];
    return [text, `✓ ${done} ${told ? filled(figures, ...told) : ""}`];
  }
}

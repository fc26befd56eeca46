// What stands in for a widget's model where there is no kernel: values, and who listens to them.

export class Model {
  /** @type {Map<string, Set<Function>>} */
  heard = new Map();

  // `answer` takes what a view sends.
  constructor(values, answer = (_) => {}) {
    this.values = values;
    this.send = answer;
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.give({ [name]: value });
  }

  save_changes() {}

  // Other values, of which each listener hears once.
  give(values) {
    Object.assign(this.values, values);
    const listeners = Object.keys(values).map((name) => this.heard.get(`change:${name}`) ?? []);
    for (const act of new Set(listeners.flatMap((some) => [...some]))) act();
  }

  // A message as from a kernel.
  tell(message, buffers) {
    for (const act of [...(this.heard.get("msg:custom") ?? [])]) act(message, buffers);
  }

  on(events, act) {
    for (const event of events.split(" ")) {
      if (!this.heard.has(event)) this.heard.set(event, new Set());
      this.heard.get(event)?.add(act);
    }
  }

  off(events, act) {
    for (const event of events.split(" ")) this.heard.get(event)?.delete(act);
  }
}

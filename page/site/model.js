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

  // Other values, of each of which its listeners hear.
  give(values) {
    Object.assign(this.values, values);
    for (const name of Object.keys(values)) this.tell(`change:${name}`);
  }

  tell(event, ...given) {
    for (const act of [...(this.heard.get(event) ?? [])]) act(...given);
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

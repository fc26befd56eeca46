// What stands in for a widget's model where there is no kernel: values, and who listens to them.

export class Model {
  /** @type {[string, Function][]} */
  heard = [];

  // `send` takes what a view sends.
  constructor(values, send = (_) => {}) {
    this.values = values;
    this.send = send;
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
    for (const [of, act] of this.heard) if (of === event) act(...given);
  }

  on(events, act) {
    this.heard = [...this.heard, ...events.split(" ").map((event) => [event, act])];
  }

  off(events, act) {
    const left = ([of, other]) => other !== act || !events.split(" ").includes(of);
    this.heard = this.heard.filter(left);
  }
}

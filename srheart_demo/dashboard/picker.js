// A button that takes a file, chosen or dropped, and hands it over in parts, each when it is asked
// for: a websocket ends at a message of more than 10 MB. Of several files each waits for its turn.

import { element, listen, view } from "./canvas.js";

function show(model, el, signal) {
  const input = Object.assign(element("input", "", el), {
    type: "file",
    accept: ".nii,.gz,.dcm",
    hidden: true,
    multiple: model.get("many"),
  });
  const button = Object.assign(element("button", "", el), { type: "button" });
  const said = element("output", "", el);
  /** @type {File | null} */
  let file = null;
  /** @type {File[]} */
  let waiting = [];

  const draw = () => {
    button.textContent = model.get("text");
    said.textContent = model.get("said");
  };
  const next = () => {
    file = waiting.shift() ?? null;
    if (file) model.send({ kind: "chosen", name: file.name, size: file.size });
  };
  const take = (chosen) => {
    const idle = !file;
    waiting = model.get("many") ? [...waiting, ...chosen] : [...chosen].slice(0, 1);
    if (idle || !model.get("many")) next();
  };

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // so that the same file, mended, can be chosen again
  });
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  const give = async ({ kind, start, stop }) => {
    if (kind === "next") next();
    if (kind !== "give" || !file) return;
    const asked = file.slice(start, stop);
    const part = await asked.arrayBuffer().catch(() => null);
    if (part) model.send({ kind: "part", start }, undefined, [part]);
    else model.send({ kind: "unreadable" });
  };
  listen(signal, model, "msg:custom", give);
  listen(signal, model, "change:text change:said", draw);
  draw();
}

export default view("srh-picker", show);

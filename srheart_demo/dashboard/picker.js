// A button that takes a file, chosen or dropped, and hands it over in parts, each when it is asked
// for: a websocket ends at a message of more than 10 MB.

import { element, listen, view } from "./canvas.js";

function show(model, el, signal) {
  const input = Object.assign(element("input", "", el), {
    type: "file",
    accept: model.get("accept"),
    hidden: true,
  });
  const button = Object.assign(element("button", "", el), { type: "button" });
  const said = element("output", "", el);
  /** @type {File | null} */
  let file = null;

  const draw = () => {
    button.textContent = model.get("text");
    said.textContent = model.get("said");
  };
  const take = (chosen) => {
    if (!chosen) return;
    file = chosen;
    model.send({ kind: "chosen", name: chosen.name, size: chosen.size });
  };

  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files[0]);
    input.value = ""; // so that the same file, mended, can be chosen again
  });
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  const give = async ({ kind, start, stop }) => {
    if (kind !== "give" || !file) return;
    const part = await file
      .slice(start, stop)
      .arrayBuffer()
      .catch(() => null);
    if (part) model.send({ kind: "part", start }, undefined, [part]);
    else model.send({ kind: "unreadable" });
  };
  listen(signal, model, "msg:custom", give);
  listen(signal, model, "change:text change:said", draw);
  draw();
}

export default view("srh-picker", show);

// A button that takes a file, chosen or dropped, and hands it over in parts, each when it is asked
// for: a websocket ends at a message of more than 10 MB.

function render({ model, el }) {
  const input = Object.assign(document.createElement("input"), { type: "file", accept: model.get("accept"), hidden: true });
  const button = document.createElement("button");
  const said = document.createElement("output");
  button.type = "button";
  el.classList.add("srh-picker");
  el.append(input, button, said);
  let file = null;

  const draw = () => {
    button.textContent = model.get("text");
    said.textContent = model.get("said");
  };
  const take = (chosen) => {
    if (!chosen) return;
    file = chosen;
    model.send({ kind: "chosen", name: file.name, size: file.size });
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
    const part = await file.slice(start, stop).arrayBuffer().catch(() => null);
    if (part) model.send({ kind: "part", start }, undefined, [part]);
    else model.send({ kind: "unreadable" });
  };
  model.on("msg:custom", give);
  model.on("change:text change:said", draw);
  draw();
  return () => {
    model.off("msg:custom", give);
    model.off("change:text change:said", draw);
  };
}

export default { render };

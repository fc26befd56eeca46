// The stack from the side on two canvases: as scanned, where a slice can be dragged, and put back.

const NUDGE_MM = 1.25;
const FARTHEST_MM = 30;
const REST_MS = 250;

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

function render({ model, el }) {
  const words = model.get("words");
  el.classList.add("srh-stack");
  const panels = ["scanned", "putBack"].map((name) => {
    const figure = element("figure", `srh-stack-${name}`, el);
    const caption = element("figcaption", "", figure);
    caption.textContent = words[name];
    return element("canvas", "", figure);
  });
  const [front] = panels;
  const said = element("output", "srh-stack-said", el);
  const bar = element("div", "srh-stack-bar", el);
  const turn = element("button", "srh-small", bar);
  const leave = element("button", "srh-small", bar);
  const undo = element("button", "srh-small", bar);
  turn.textContent = words.turn;
  undo.textContent = words.undo;
  front.tabIndex = 0;
  front.setAttribute("role", "application");
  panels[1].setAttribute("role", "img");
  panels[1].setAttribute("aria-label", words.putBack);

  let axis = 0; // 0: seen along columns, 1: along rows
  let offset = 0; // of the chosen slice, mm, not yet sent
  let hand = null;
  let resting = null;

  const bytes = (name) => {
    const view = model.get(name);
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  };
  const slot = () => front.clientHeight / Math.max(model.get("of"), 1);
  const taken = () => model.get("slices").includes(model.get("chosen"));

  function paint(canvas, name) {
    const [slices, of] = [model.get("slices"), model.get("of")];
    const data = bytes(name);
    if (!of || !slices.length) return;
    const n = data.length / (2 * slices.length);
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const colours = model.get("colours").map(rgb);
    const band = height / of;
    const strip = new ImageData(n, 1);
    const brush = new OffscreenCanvas(n, 1);
    pen.imageSmoothingEnabled = false;
    slices.forEach((slice, k) => {
      for (let i = 0; i < n; i += 1) {
        const label = data[(axis * slices.length + k) * n + i];
        const colour = label ? [...colours[label - 1], 255] : [0, 0, 0, 0];
        strip.data.set(colour, 4 * i);
      }
      brush.getContext("2d").putImageData(strip, 0, 0);
      const moved = canvas === front && slice === model.get("chosen") ? offset : 0;
      const x = (moved / model.get("pixel_mm")) * (width / n);
      pen.drawImage(brush, x, height - (slice + 1) * band + 0.5, width, Math.max(band - 1, 1));
    });
    const style = getComputedStyle(el);
    for (let slice = 0; slice < of; slice += 1) {
      if (slices.includes(slice)) continue;
      pen.strokeStyle = style.getPropertyValue("--muted");
      pen.setLineDash([3, 3]);
      const y = height - (slice + 0.5) * band;
      pen.beginPath();
      pen.moveTo(0.2 * width, y);
      pen.lineTo(0.8 * width, y);
      pen.stroke();
      pen.setLineDash([]);
    }
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.lineWidth = 1.5;
    pen.strokeRect(1, height - (model.get("chosen") + 1) * band, width - 2, band);
  }

  function draw() {
    panels.forEach((canvas, i) => paint(canvas, i ? "put_back" : "scanned"));
    const chosen = model.get("chosen");
    if (!model.get("of")) return; // nothing is scanned yet
    const state = taken() ? (offset ? `${offset > 0 ? "+" : ""}${offset.toFixed(1)} mm` : "") : words.missing;
    said.textContent = `${words.slice} ${chosen + 1} ${state}`;
    front.setAttribute("aria-label", `${words.help} ${said.textContent}`);
    turn.setAttribute("aria-label", `${words.turn}: ${words.direction} ${axis ? words.rows : words.columns}`);
    leave.textContent = taken() ? words.leaveOut : words.takeAgain;
    leave.setAttribute("aria-label", `${leave.textContent}: ${words.slice} ${chosen + 1}`);
    undo.disabled = !model.get("by_hand");
  }

  function choose(slice) {
    flush();
    model.set("chosen", Math.min(Math.max(slice, 0), model.get("of") - 1));
    model.save_changes();
    draw();
  }

  function displace(mm) {
    offset = Math.min(Math.max(mm, -FARTHEST_MM), FARTHEST_MM);
  }

  function flush() {
    clearTimeout(resting);
    if (!offset || !taken()) { offset = 0; return; }
    const [rows, columns] = axis ? [offset, 0] : [0, offset];
    model.send({ kind: "move", slice: model.get("chosen"), rows, columns });
  }

  const toggle = () => {
    offset = 0;
    model.send({ kind: "toggle", slice: model.get("chosen") });
  };

  front.addEventListener("pointerdown", (event) => {
    const slice = Math.floor((front.clientHeight - event.offsetY) / slot());
    choose(slice);
    hand = event.clientX;
    front.setPointerCapture(event.pointerId);
  });
  front.addEventListener("pointermove", (event) => {
    if (hand === null || !taken()) return;
    const n = bytes("scanned").length / (2 * model.get("slices").length);
    displace(((event.clientX - hand) / front.clientWidth) * n * model.get("pixel_mm"));
    draw();
  });
  const drop = () => {
    if (hand === null) return;
    hand = null;
    if (Math.abs(offset) < 0.6) { offset = 0; draw(); } else flush();
  };
  front.addEventListener("pointerup", drop);
  front.addEventListener("pointercancel", drop);
  front.addEventListener("keydown", (event) => {
    const act = {
      ArrowUp: () => choose(model.get("chosen") + 1),
      ArrowDown: () => choose(model.get("chosen") - 1),
      ArrowLeft: () => displace(offset - NUDGE_MM),
      ArrowRight: () => displace(offset + NUDGE_MM),
      Delete: toggle,
      Backspace: toggle,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    draw();
    clearTimeout(resting);
    resting = setTimeout(flush, REST_MS);
  });
  turn.addEventListener("click", () => { flush(); axis = 1 - axis; draw(); });
  leave.addEventListener("click", toggle);
  undo.addEventListener("click", () => model.send({ kind: "undo" }));

  const shown = () => { if (hand === null) offset = 0; draw(); };
  model.on("change:revision", shown);
  model.on("change:chosen", draw);
  const sizes = new ResizeObserver(draw);
  sizes.observe(front);
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  draw();
  return () => {
    clearTimeout(resting);
    model.off("change:revision", shown);
    model.off("change:chosen", draw);
    sizes.disconnect();
    themes.disconnect();
  };
}

export default { render };

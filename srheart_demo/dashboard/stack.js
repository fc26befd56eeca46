// The stack from the side on two canvases: as scanned, where a slice can be dragged, and put back.

import { brushOf, coloured, element, listen, numbers, penFor, redrawn, view } from "./canvas.js";

const NUDGE_MM = 1.25;
const FARTHEST_MM = 30;
const LEAST_MM = 0.6; // a hand that moved less has only chosen
const REST_MS = 250;

function show(model, el, signal) {
  const get = (name) => model.get(name);
  const words = get("words");
  const panels = ["scanned", "putBack"].map((name) => {
    const figure = element("figure", `srh-stack-${name}`, el);
    element("figcaption", "", figure).textContent = words[name];
    return element("canvas", "", figure);
  });
  const [front, back] = panels;
  const said = element("output", "srh-stack-said", el);
  const bar = element("div", "srh-stack-bar", el);
  const [turn, leave, undo] = [0, 1, 2].map(() => element("button", "srh-small", bar));
  turn.textContent = words.turn;
  undo.textContent = words.undo;
  front.tabIndex = 0;
  front.setAttribute("role", "application");
  back.setAttribute("role", "img");
  back.setAttribute("aria-label", words.putBack);

  let axis = 0; // 0: seen along columns, 1: along rows
  let offset = 0; // of the chosen slice, mm, not yet sent
  let hand = null;
  let resting = 0;
  const taken = () => get("slices").includes(get("chosen"));
  const wide = () => get("scanned").byteLength / (2 * get("slices").length); // pixels of a slice

  function paint(canvas, name) {
    const [slices, of, chosen, n] = [get("slices"), get("of"), get("chosen"), wide()];
    if (!of || !slices.length) return;
    const pen = penFor(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    const [K, all] = [slices.length, numbers(Uint8Array, get(name))];
    const seen = all.subarray(axis * K * n, (axis + 1) * K * n);
    const side = brushOf(coloured(seen, [K, n], get("colours")));
    const style = getComputedStyle(el);
    const band = height / of;
    pen.imageSmoothingEnabled = false;
    pen.setLineDash([3, 3]);
    pen.strokeStyle = style.getPropertyValue("--muted");
    for (let slice = 0; slice < of; slice += 1) {
      const k = slices.indexOf(slice);
      const top = height - (slice + 1) * band;
      if (k < 0) {
        pen.beginPath();
        pen.moveTo(0.2 * width, top + band / 2);
        pen.lineTo(0.8 * width, top + band / 2);
        pen.stroke();
      } else {
        const moved = canvas === front && slice === chosen ? offset : 0;
        const left = (moved / get("pixel_mm")) * (width / n);
        pen.drawImage(side, 0, k, n, 1, left, top + 0.5, width, Math.max(band - 1, 1));
      }
    }
    pen.setLineDash([]);
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.lineWidth = 1.5;
    pen.strokeRect(1, height - (chosen + 1) * band, width - 2, band);
  }

  const ask = redrawn(
    front,
    () => {
      paint(front, "scanned");
      paint(back, "put_back");
    },
    signal,
  );

  function draw() {
    ask();
    if (!get("of")) return; // nothing is scanned yet
    const slice = `${words.slice} ${get("chosen") + 1}`;
    const away = offset ? `${offset > 0 ? "+" : ""}${offset.toFixed(1)} mm` : "";
    said.textContent = `${slice} ${taken() ? away : words.missing}`;
    front.setAttribute("aria-label", `${words.help} ${said.textContent}`);
    turn.setAttribute(
      "aria-label",
      `${words.turn}: ${words.direction} ${axis ? words.rows : words.columns}`,
    );
    leave.textContent = taken() ? words.leaveOut : words.takeAgain;
    leave.setAttribute("aria-label", `${leave.textContent}: ${slice}`);
    undo.disabled = !get("by_hand");
  }

  function choose(slice) {
    flush();
    model.set("chosen", Math.min(Math.max(slice, 0), get("of") - 1));
    model.save_changes();
  }

  function displace(mm) {
    offset = Math.min(Math.max(mm, -FARTHEST_MM), FARTHEST_MM);
  }

  function flush() {
    clearTimeout(resting);
    if (!offset || !taken()) {
      offset = 0;
      return;
    }
    const [rows, columns] = axis ? [offset, 0] : [0, offset];
    model.send({ kind: "move", slice: get("chosen"), rows, columns });
  }

  const toggle = () => {
    offset = 0;
    model.send({ kind: "toggle", slice: get("chosen") });
  };

  front.addEventListener("pointerdown", (event) => {
    choose(
      Math.floor(
        ((front.clientHeight - event.offsetY) / front.clientHeight) * Math.max(get("of"), 1),
      ),
    );
    hand = event.clientX;
    front.setPointerCapture(event.pointerId);
    draw();
  });
  front.addEventListener("pointermove", (event) => {
    if (hand === null || !taken()) return;
    displace(((event.clientX - hand) / front.clientWidth) * wide() * get("pixel_mm"));
    draw();
  });
  const drop = () => {
    if (hand === null) return;
    hand = null;
    if (Math.abs(offset) < LEAST_MM) {
      offset = 0;
      draw();
    } else flush();
  };
  front.addEventListener("pointerup", drop);
  front.addEventListener("pointercancel", drop);
  front.addEventListener("keydown", (event) => {
    const act = {
      ArrowUp: () => choose(get("chosen") + 1),
      ArrowDown: () => choose(get("chosen") - 1),
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
  turn.addEventListener("click", () => {
    flush();
    axis = 1 - axis;
    draw();
  });
  leave.addEventListener("click", toggle);
  undo.addEventListener("click", () => model.send({ kind: "undo" }));

  listen(signal, model, "change:revision", () => {
    if (hand === null) offset = 0;
    draw();
  });
  listen(signal, model, "change:chosen", draw);
  signal.addEventListener("abort", () => clearTimeout(resting));
  draw();
}

export default view("srh-stack", show);

// The stack from the side on two canvases: as scanned, where a slice can be dragged, and put back;
// or a long-axis view over it, which can be dragged too.

import {
  brushOf,
  coloured,
  element,
  listen,
  numbers,
  penFor,
  redrawn,
  trace,
  view,
} from "./canvas.js";

const NUDGE_MM = 1.25;
const FARTHEST_MM = 30;
const LEAST_MM = 0.6; // a hand that moved less has only chosen
const REST_MS = 250;

function show(model, el, signal) {
  const get = (name) => model.get(name);
  const words = get("words");
  const panels = ["scanned", "put_back"].map((name) => {
    const figure = element("figure", `srh-stack-${name}`, el);
    element("figcaption", "", figure).textContent = words[name];
    return element("canvas", "", figure);
  });
  const [front, back] = panels;
  const caption = front.previousElementSibling;
  const choice = element("div", "srh-stack-bar srh-stack-views", el);
  const bar = element("div", "srh-stack-bar", el);
  const said = element("output", "srh-stack-said", bar);
  const [turn, leave, undo] = [0, 1, 2].map(() => element("button", "srh-small", bar));
  turn.textContent = words.turn;
  undo.textContent = words.undo;
  front.tabIndex = 0;
  front.setAttribute("role", "application");
  back.setAttribute("role", "img");
  back.setAttribute("aria-label", words.put_back);

  let axis = 0; // 0: seen along columns, 1: along rows
  let offset = 0; // of the chosen slice, or of the view across, mm, not yet sent
  let down = 0; // of the view, mm, not yet sent
  let sent = []; // and in no picture yet
  /** @type {number[] | null} */
  let hand = null; // where it took hold, pixels
  let resting = 0;
  const viewed = () => get("view") >= 0 && Boolean(get("overlay").shape);
  const taken = () => (viewed() ? get("views_move") : get("slices").includes(get("chosen")));
  const keyOf = (slice) => (viewed() ? `view ${get("view")}` : `slice ${slice} ${axis}`);
  const wide = () => get("scanned").byteLength / (2 * get("slices").length); // pixels of a slice

  // How far a slice, or the view, is ahead of the picture, mm across and down.
  function ahead(slice = get("chosen")) {
    const moves = sent.filter(({ key }) => key === keyOf(slice));
    const [x, y] = slice === get("chosen") ? [offset, down] : [0, 0];
    return moves.reduce(([x, y], move) => [x + move.offset, y + move.down], [x, y]);
  }

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
        const moved = canvas === front ? ahead(slice)[0] : 0;
        const left = (moved / get("pixel_mm")) * (width / n);
        pen.drawImage(side, 0, k, n, 1, left, top + 0.5, width, Math.max(band - 1, 1));
      }
    }
    pen.setLineDash([]);
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.lineWidth = 1.5;
    pen.strokeRect(1, height - (chosen + 1) * band, width - 2, band);
  }

  // Of the view's picture: pixels of the screen for a mm, its size on it, and where it begins.
  function frameOf({ clientWidth, clientHeight }) {
    const { shape, spacing } = get("overlay");
    const mm = shape.map((n, axis) => n * spacing[axis]);
    const scale = Math.min(clientHeight / mm[0], clientWidth / mm[1]);
    const [tall, broad] = mm.map((length) => scale * length);
    return { scale, tall, broad, left: (clientWidth - broad) / 2, top: (clientHeight - tall) / 2 };
  }

  function paintView(canvas, name) {
    const overlay = get("overlay");
    const [h, w] = overlay.shape;
    const both = numbers(Uint8Array, overlay[name]);
    const [slices, seen] = [both.subarray(0, h * w), both.subarray(h * w)];
    const pen = penFor(canvas);
    const { scale, tall, broad, left, top } = frameOf(canvas);
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = 0.55;
    pen.drawImage(brushOf(coloured(slices, [h, w], get("colours"))), left, top, broad, tall);
    pen.globalAlpha = 1;
    const [across, below] = canvas === front ? ahead() : [0, 0];
    const [x, y] = [left + scale * across, top + scale * below];
    pen.strokeStyle = getComputedStyle(el).getPropertyValue("--ink");
    pen.lineWidth = 1.5;
    trace(pen, seen, [h, w], [x, y], [broad / w, tall / h]);
  }

  const paintBoth = () => {
    const one = viewed() ? paintView : paint;
    one(front, "scanned");
    one(back, "put_back");
  };
  const ask = redrawn(front, paintBoth, signal);

  function draw() {
    ask();
    if (!get("of")) return; // nothing is scanned yet
    const [name, viewing] = [get("views")[get("view")], viewed()];
    const slice = viewing ? words.view.replace("{}", name) : `${words.slice} ${get("chosen") + 1}`;
    const signed = (mm) => `${mm > 0 ? "+" : ""}${mm.toFixed(1)}`;
    const [x, y] = ahead();
    const away = x || y ? `${viewing ? `${signed(-y)} ` : ""}${signed(x)} mm` : "";
    said.textContent = `${slice} ${taken() ? away : viewing ? words.fixed : words.missing}`;
    const help = viewing ? words.viewHelp : words.help;
    front.setAttribute("aria-label", `${help} ${said.textContent}`);
    front.style.cursor = taken() || !viewing ? "" : "not-allowed";
    const ofView = taken() ? words.scannedView : words.fixedView;
    caption.textContent = viewing ? ofView : words.scanned;
    turn.hidden = leave.hidden = viewing;
    undo.hidden = !taken() && viewing;
    turn.ariaLabel = `${words.turn}: ${words.direction} ${axis ? words.rows : words.columns}`;
    leave.textContent = taken() ? words.leaveOut : words.takeAgain;
    leave.setAttribute("aria-label", `${leave.textContent}: ${slice}`);
    showChoice();
    undo.disabled = !get("by_hand");
  }

  // A button for the slices, and one for each view.
  function showChoice() {
    const names = get("views").length ? [words.slices, ...get("views")] : [];
    if (names.join() !== [...choice.children].map(({ textContent }) => textContent).join()) {
      choice.replaceChildren();
      for (const [i, name] of names.entries()) {
        const button = element("button", "srh-small", choice);
        button.textContent = name;
        button.addEventListener("click", () => {
          flush();
          model.set("view", i - 1);
          model.save_changes();
        });
      }
    }
    for (const [i, button] of [...choice.children].entries())
      button.setAttribute("aria-pressed", String(i - 1 === get("view")));
  }

  function choose(slice) {
    flush();
    model.set("chosen", Math.min(Math.max(slice, 0), get("of") - 1));
    model.save_changes();
  }

  const within = (mm) => Math.min(Math.max(mm, -FARTHEST_MM), FARTHEST_MM);

  function displace(mm, mmDown = down) {
    if (!taken() && viewed()) return;
    [offset, down] = [within(mm), within(mmDown)];
  }

  function flush() {
    clearTimeout(resting);
    if ((offset || down) && taken()) {
      const [rows, columns, at] = axis ? [offset, 0, Date.now()] : [0, offset, Date.now()];
      sent.push({ at, key: keyOf(get("chosen")), offset, down });
      if (viewed()) model.send({ kind: "move view", view: get("view"), down, across: offset, at });
      else model.send({ kind: "move", slice: get("chosen"), rows, columns, at });
    }
    offset = down = 0;
  }

  const tell = (message) => {
    flush();
    model.send(message);
  };
  const toggle = () => tell({ kind: "toggle", slice: get("chosen") });

  front.addEventListener("pointerdown", (event) => {
    const up = (front.clientHeight - event.offsetY) / front.clientHeight;
    flush();
    if (!viewed()) choose(Math.floor(up * Math.max(get("of"), 1)));
    hand = [event.clientX, event.clientY];
    front.setPointerCapture(event.pointerId);
    draw();
  });
  front.addEventListener("pointermove", (event) => {
    if (hand === null || !taken()) return;
    const [right, below] = [event.clientX - hand[0], event.clientY - hand[1]];
    if (viewed()) displace(right / frameOf(front).scale, below / frameOf(front).scale);
    else displace((right / front.clientWidth) * wide() * get("pixel_mm"));
    draw();
  });
  const drop = () => {
    if (hand === null) return;
    hand = null;
    if (Math.hypot(offset, down) < LEAST_MM) {
      offset = down = 0;
      draw();
    } else flush();
  };
  front.addEventListener("pointerup", drop);
  front.addEventListener("pointercancel", drop);
  front.addEventListener("keydown", (event) => {
    const viewing = viewed();
    const upwards = (by) =>
      viewing ? displace(offset, down - by * NUDGE_MM) : choose(get("chosen") + by);
    const act = {
      ArrowLeft: () => displace(offset - NUDGE_MM),
      ArrowRight: () => displace(offset + NUDGE_MM),
      ArrowUp: () => upwards(1),
      ArrowDown: () => upwards(-1),
      Delete: viewing ? null : toggle,
      Backspace: viewing ? null : toggle,
    }[event.key];
    if (!act || hand) return;
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
  undo.addEventListener("click", () => tell({ kind: "undo" }));

  listen(signal, model, "change:revision", () => {
    sent = sent.filter(({ at }) => at > get("told"));
    draw();
  });
  listen(signal, model, "change:chosen change:view", draw);
  signal.addEventListener("abort", () => clearTimeout(resting));
  draw();
}

export default view("srh-stack", show);

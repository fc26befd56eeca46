// Whatever a reader of the page cannot read: words that are cut off, lie on others or have no room;
// axes without a scale; pictures that do not load. Returns a sentence for each fault.
async () => {
  const ARROW = 18; // of a select box, pixels
  const faults = [];
  const page = document.querySelector(".srh");
  const shown = (e) => e.checkVisibility() && !e.closest(".srh-unseen, .srh-plotly");
  const within = (box, room, slack = 1) => box.left >= room.left - slack && box.right <= room.right + slack
    && box.top >= room.top - 2 * slack && box.bottom <= room.bottom + 2 * slack;
  const hides = (e) => ["hidden", "clip"].includes(getComputedStyle(e).overflowX);
  const drawn = await wordsDrawn();
  const said = []; // every word, on the page or on a canvas: [words, box, what it stands in]

  const nodes = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const [node, e] = [nodes.currentNode, nodes.currentNode.parentElement];
    if (!node.data.trim() || e.closest("select, textarea, .srh-tip, [role=region]") || !shown(e)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) said.push([node.data.trim(), box, e]);
    if (/[A-Za-z]_[A-Za-z]/.test(node.data) && !e.closest("output, .srh-detail")) faults.push(`a plain subscript: ${node.data}`);
  }
  for (const canvas of page.querySelectorAll(".srh-chart canvas")) {
    if (!shown(canvas) || !canvas.panels?.length) continue;
    const at = canvas.getBoundingClientRect();
    const words = drawn.get(canvas) ?? [];
    if (!words.length || !canvas.axes?.length) faults.push(`an empty chart: ${canvas.ariaLabel}`);
    for (const [word, box] of words) {
      if (!within(box, at)) faults.push(`off its chart: ${word}`);
      said.push([word, box, canvas]);
    }
    for (const [title, ticks] of canvas.axes ?? []) if (ticks < 2) faults.push(`${ticks} numbers on the axis: ${title}`);
  }
  const homes = said.map(([words, box, e]) => {
    for (let room = e; room !== page; room = room.parentElement) {
      const bounds = room.matches("button, .srh-card, .srh-told-of, .srh-header") || hides(room);
      if (bounds && !within(box, room.getBoundingClientRect())) faults.push(`cut off or spilt: ${words}`);
    }
    return e.closest(".srh-card, .srh-told-of, .srh-header");
  });
  said.forEach(([words, box, e], i) => {
    for (let j = 0; j < i; j += 1) {
      const [others, other, f] = said[j];
      const wide = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const high = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (homes[i] === homes[j] && (e !== f || e.matches("canvas")) && wide > 1 && high > 3) faults.push(`${words} lies on ${others}`);
    }
  });
  const pen = document.createElement("canvas").getContext("2d");
  for (const e of page.querySelectorAll("button, select, input, label, output, img")) {
    if (!shown(e) || e.matches("[type=file]")) continue;
    const style = getComputedStyle(e);
    if (e.scrollWidth > e.clientWidth + 1 && style.display !== "inline") faults.push(`wider than its room: ${e.className} ${e.textContent}`);
    if (e.title === "null") faults.push(`a tooltip of nothing: ${e.textContent}`);
    if (e.matches("img") && e.complete && !e.naturalWidth) faults.push(`a broken picture: ${e.alt}`);
    pen.font = style.font;
    const room = e.clientWidth - parseFloat(style.paddingLeft) - Math.max(parseFloat(style.paddingRight), ARROW);
    for (const { text } of e.options ?? []) if (pen.measureText(text).width > room) faults.push(`under its arrow: ${text}`);
  }
  if (page.scrollWidth > page.clientWidth + 1) faults.push("the page is wider than its window");
  return [...new Set(faults)];

  // What charts write when they are drawn anew: canvas → [words, box on the page].
  async function wordsDrawn() {
    const pens = CanvasRenderingContext2D.prototype;
    const [write, wipe] = [pens.fillText, pens.clearRect];
    const found = new Map();
    pens.clearRect = function (...all) {
      found.set(this.canvas, []);
      wipe.call(this, ...all);
    };
    pens.fillText = function (words, x, y) {
      const { canvas, textAlign } = this;
      const { a, b, e, f } = this.getTransform();
      const [at, scale] = [canvas.getBoundingClientRect(), canvas.clientWidth / canvas.width];
      const [wide, high] = [this.measureText(words).width, parseInt(this.font.match(/(\d+)px/)[1], 10)];
      const start = { left: 0, center: -wide / 2, right: -wide }[textAlign];
      const turned = Math.abs(b) > Math.abs(a);
      const [left, top] = [at.x + e * scale, at.y + f * scale];
      const box = turned
        ? new DOMRect(left - high / 2, top - start - wide, high, wide)
        : new DOMRect(left + start, top - high / 2, wide, high);
      found.get(canvas)?.push([words, box]);
      write.call(this, words, x, y);
    };
    document.body.classList.toggle("srh-drawn-anew"); // charts watch the classes of the page
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    document.body.classList.toggle("srh-drawn-anew");
    [pens.fillText, pens.clearRect] = [write, wipe];
    return found;
  }
}

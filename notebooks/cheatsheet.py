"""The cheat sheet on one page of paper: ``python -m notebooks.cheatsheet``, or ``make cheatsheet``.

`docs/cheatsheet.md` is set in two columns on A4, in the largest type that fits.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from srheart_demo.files import atomic_path

ROOT = Path(__file__).resolve().parents[1]
SHEET, PDF = ROOT / "docs" / "cheatsheet.md", ROOT / "build" / "cheatsheet.pdf"
WIDTH, HEIGHT = 842.0, 595.0  # A4, landscape, points
MARGIN, GUTTER, PADDING = 28.0, 20.0, 5.0
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
LARGEST, LEAST, STEP = 9.0, 5.0, 0.25  # Type, points
LEADING = 1.3
FINE = 10  # Type is measured so many times as large: small letters are rounded to pixels


@dataclass(frozen=True)
class Piece:
    """A line of text: how far from the column's left edge it begins, and its type."""

    x: float
    text: str
    size: float
    bold: bool = False
    code: bool = False

    @property
    def font(self) -> FontProperties:
        """What it is set in."""
        family = "DejaVu Sans Mono" if self.code else "DejaVu Sans"
        weight = "bold" if self.bold else "normal"
        return FontProperties(family=family, size=self.size, weight=weight)


@dataclass(frozen=True)
class Line:
    """What stands beside each other, the space above it, whether the next line must stand below it
    in the same column, and whether a rule stands above it."""

    pieces: tuple[Piece, ...]
    above: float = 0.0
    keep: bool = False
    rule: bool = False


class Measure:
    """How wide text is, points."""

    def __init__(self) -> None:
        self._renderer = FigureCanvasAgg(Figure(dpi=72 * FINE)).get_renderer()

    def width(self, piece: Piece) -> float:
        """Of a line of text, points."""
        found = self._renderer.get_text_width_height_descent(piece.text, piece.font, ismath=False)
        return float(found[0]) / FINE

    def wrapped(self, piece: Piece, width: float) -> list[Piece]:
        """The text in lines of at most this width; a word that is longer stands alone."""
        lines: list[Piece] = []
        for word in piece.text.split(" "):
            longer = f"{lines[-1].text} {word}" if lines else word
            candidate = Piece(piece.x, longer, piece.size, piece.bold, piece.code)
            if lines and self.width(candidate) <= width:
                lines[-1] = candidate
            else:
                lines.append(Piece(piece.x, word, piece.size, piece.bold, piece.code))
        return lines


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description="The cheat sheet on one page, as PDF.")
    parser.add_argument("-o", type=Path, default=PDF, metavar="FILE", help=f"default: {PDF.name}")
    target = parser.parse_args().o
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as draft:
        page(SHEET.read_text("utf-8")).savefig(draft, format="pdf")
    print(f"Wrote {target}: one page of A4, landscape.")


def page(markdown: str) -> Figure:
    """A page of markdown in the largest type that fits.

    Raises:
        ValueError: it does not fit in type that can be read.
    """
    measure, size = Measure(), LARGEST
    while size >= LEAST:
        lines = list(_lines(markdown, size, measure))
        placed = _placed(lines)
        wide = max(p.x + measure.width(p) for line in lines for p in line.pieces)
        if placed is not None and wide <= COLUMN:
            return _drawn(placed, size)
        size -= STEP
    raise ValueError(f"the cheat sheet does not fit on a page in type of {LEAST:g} points")


def _plain(text: str) -> str:
    return re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", lambda m: m[1] or "", text)


def _lines(markdown: str, size: float, measure: Measure) -> Iterator[Line]:
    blocks = (
        r"^```python\n((?:(?!```).*\n)*)```$|^(#+ .*)$|((?:^\|.*\n)+)|((?:^(?!```|#|\|).+\n?)+)"
    )
    for code, heading, table, paragraph in re.findall(blocks, markdown, flags=re.M):
        if code:
            written = code.rstrip().split("\n")
            for i, line in enumerate(written, 1):
                piece = Piece(0, line, size * 0.92, code=True)
                yield Line((piece,), size * 0.6 * (i == 1), keep=i < len(written))
        elif heading:
            large = 1.5 if heading.startswith("# ") else 1.2
            piece = Piece(0, heading.lstrip("# "), size * large, bold=True)
            yield Line((piece,), size * 0.9, keep=True)
        elif table:
            yield from _table(table, size, measure)
        else:
            text = Piece(0, _plain(paragraph.strip().replace("\n", " ")), size)
            for i, piece in enumerate(measure.wrapped(text, COLUMN)):
                yield Line((piece,), size * 0.5 * (i == 0), keep=piece.text.endswith(":"))


def _table(table: str, size: float, measure: Measure) -> Iterator[Line]:
    cells_of = [row.strip().strip("|").split("|") for row in table.strip().split("\n")]
    rows = [[cell.strip() for cell in row] for row in (cells_of[0], *cells_of[2:])]
    columns = len(rows[0])
    natural = [
        max(measure.width(Piece(0, _plain(row[i]), size)) for row in rows) + PADDING
        for i in range(columns)
    ]
    left, widths = COLUMN, [0.0] * columns
    for n, i in enumerate(sorted(range(columns), key=natural.__getitem__)):
        widths[i] = min(natural[i], left / (columns - n))
        left -= widths[i]
    for number, row in enumerate(rows):
        cells = []
        for i, text in enumerate(row):
            piece = Piece(sum(widths[:i]), _plain(text), size, bold=number == 0)
            cells.append(measure.wrapped(piece, widths[i] - PADDING))
        for i in range(max(map(len, cells))):
            pieces = tuple(cell[i] for cell in cells if i < len(cell))
            yield Line(pieces, size * 0.25 * (i == 0), number == 0, rule=number > 0 and i == 0)


def _placed(lines: list[Line]) -> list[tuple[float, float, Line]] | None:
    """Each line with its place from the lower left, or None where two columns do not hold them."""
    placed, left, y = [], MARGIN, HEIGHT - MARGIN
    heights = [LEADING * max(p.size for p in line.pieces) + line.above for line in lines]
    for i, (line, high) in enumerate(zip(lines, heights, strict=True)):
        end = i
        while lines[end].keep and end + 1 < len(lines):
            end += 1
        if y - sum(heights[i : end + 1]) < MARGIN:
            if left > MARGIN:
                return None
            left, y = left + COLUMN + GUTTER, HEIGHT - MARGIN
        y -= high
        placed.append((left, y, line))
    return placed


def _drawn(placed: list[tuple[float, float, Line]], size: float) -> Figure:
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
    for left, y, line in placed:
        for p in line.pieces:
            at = (left + p.x) / WIDTH, (y + 0.3 * size) / HEIGHT
            figure.text(*at, p.text, fontproperties=p.font, parse_math=False)
        if line.rule:
            above = (y + LEADING * size) / HEIGHT
            ends = [left / WIDTH, (left + COLUMN) / WIDTH]
            figure.add_artist(Line2D(ends, [above, above], lw=0.3, color="0.6"))
    return figure


if __name__ == "__main__":
    main()

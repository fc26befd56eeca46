"""A run of Algorithm 1 as a page that moves without a kernel: iteration, slice and angle.

    python docs/site/recorded.py OUT

The scripts of the explorer's own 3-D view and pictures draw it; a recording stands in for the
kernel. ``plotly.js``, packed, lies beside the page, once for all pages of a folder.
"""

from __future__ import annotations

import gzip
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from srheart_demo.dashboard import texts, theme
from srheart_demo.dashboard.heart import Trace, ghost_traces, heart_traces, layout, plotly_js
from srheart_demo.dashboard.heart_panel import pack
from srheart_demo.dashboard.module import module
from srheart_demo.explorer.pictures import Pictures
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.frame import TISSUE_COLOURS
from srheart_demo.machine import one_thread

HERE = Path(__file__).parent
PAGE_CSS = Path(theme.__file__).with_name("page.css")
SCAN = ScanSettings("healthy_1", motion=4.0)
ITERATIONS = 24
"""So many of a run are kept, most of them early, where most happens."""
ANGLES = range(0, 180, 15)
"""Degrees from the long-axis view."""
PER_MM = 64
"""Vertices are kept as whole numbers of 1/64 mm."""
NOWHERE = np.iinfo(np.int16).min
"""Stands for NaN, where a line is interrupted."""
FARTHER = 1.22
"""Than the explorer's camera: the view is narrower here."""
MOST_BYTES = 3_000_000


class Arrays:
    """Arrays in one block of bytes, the same one once."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self._known: dict[tuple[str, bytes], list[Any]] = {}

    def keep(self, values: np.ndarray) -> dict[str, list[Any]]:
        """Where an array lies: its kind, its first byte and how many there are."""
        if values.dtype == np.float32:
            small = np.nan_to_num(values * PER_MM, nan=NOWHERE).round().astype(np.int16)
        else:
            small = values
        content = small.tobytes()
        key = small.dtype.name, content
        if key not in self._known:
            self.bytes += bytes(-len(self.bytes) % 4)  # The browser reads whole words.
            self._known[key] = [key[0], len(self.bytes), len(content)]
            self.bytes += content
        return {"kept": self._known[key]}

    def traces(self, traces: list[Trace]) -> list[Trace]:
        """Traces with their arrays kept here."""
        return [
            {k: self.keep(v) if isinstance(v, np.ndarray) else v for k, v in trace.items()}
            for trace in traces
        ]

    def pictures(self, pictures: Pictures) -> dict[str, Any]:
        """Label maps, as the explorer sends them."""
        known = {name: map_ for name, map_ in vars(pictures).items() if map_ is not None}
        kept = {n: self.keep(np.frombuffer(pack(m), np.uint8)) for n, m in known.items()}
        return kept | {"shape": pictures.input.shape}


def record(session: Session, iterations: int = ITERATIONS) -> bytes:
    """What a page needs of a session's run: a line of JSON, and arrays behind it."""
    arrays, scene, figure = Arrays(), session.scene, layout()
    eye = figure["scene"]["camera"]["eye"]
    figure["scene"]["camera"]["eye"] = {axis: FARTHER * place for axis, place in eye.items()}
    for name in ("xaxis", "yaxis", "zaxis"):
        figure["scene"][name]["title"]["font"] = {"size": 9}
        figure["scene"][name]["tickfont"] = {"size": 9}
    told = {
        "heart": {
            "words": {"loading": texts.PLOTLY_LOADING},
            "figure_layout": figure,
            "ghost": arrays.traces(ghost_traces(scene.subject.ghost)),
            "shows_ghost": True,
        },
        "pictures": {
            "columns": texts.COLUMNS,
            "rows": texts.ROWS,
            "tissues": [*TISSUE_COLOURS.values()],
            "difference": [theme.AGREE, theme.DISAGREE],
        },
        "angles": [*ANGLES],
        "perMm": PER_MM,
        "moments": [*_moments(session, arrays, iterations)],
    }
    head = json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
    head += b" " * (-(len(head) + 1) % 4) + b"\n"
    return head + arrays.bytes


def _moments(session: Session, arrays: Arrays, iterations: int) -> Iterator[dict[str, Any]]:
    last, slices = session.history.last, range(len(session.scene.slices))
    kept = np.unique(np.r_[0, np.geomspace(1, last, iterations)].round().astype(int)).tolist()
    for i in kept:
        session.history.look(i)
        now = session.now
        # What is seen of a slice does not depend on the angle, nor the other way round.
        hearts = [now.heart(k, coarse=i < last) for k in slices]
        turned = [now.heart(0, angle, coarse=i < last) for angle in ANGLES]
        parts = [_parts(heart_traces(heart)) for heart in hearts]
        cuts = [now.cuts(k, 0.0) for k in slices], [now.cuts(0, angle) for angle in ANGLES]
        yield {
            "iteration": i,
            "said": f"{now.name} · iteration {i} of {last} · L = {now.step.loss:.4f}",
            "scores": " · ".join(f"{tissue} {score:.3f}" for tissue, score in now.dice.items()),
            "numbers": [cut.number for cut in cuts[0]],
            "surfaces": arrays.traces(parts[0][0]),
            "slices": [arrays.traces(slice_) for _, slice_, _ in parts],
            "cuts": [arrays.traces(_parts(heart_traces(heart))[2]) for heart in turned],
            "sa": [arrays.pictures(cut.short_axis) for cut in cuts[0]],
            "la": [arrays.pictures(cut.long_axis) for cut in cuts[1]],
        }


def _parts(traces: list[Trace]) -> tuple[list[Trace], list[Trace], list[Trace]]:
    """The heart with the outlines of all slices, the slice that is looked at, and the cut."""
    left, *drawn, right, myocardium = traces
    tiles, lines = drawn[:6], drawn[6:]
    return (
        [left, *lines[:3], right, myocardium],
        [*tiles[:3], lines[3]],
        [*tiles[3:], *lines[4:]],
    )


@one_thread()
def write(folder: Path, iterations: int = ITERATIONS) -> None:
    """Solve, and write ``run.html`` and ``plotly.packed.js`` into a folder."""
    session = Session(SCAN)
    while not session.finished:
        session.advance()
    page = (HERE / "recorded.html").read_text("utf-8")
    parts = {
        "CSS": PAGE_CSS.read_text("utf-8"),
        "HEART": json.dumps(module("heart")),
        "PICTURES": json.dumps(module("slices")),
        "RECORDING": b64encode(gzip.compress(record(session, iterations))).decode(),
    }
    for name, text in parts.items():
        page = page.replace(f"{{{{{name}}}}}", text.replace("</script", r"<\/script"))
    size = len(page.encode())
    if size > MOST_BYTES:
        raise ValueError(f"the page of the recorded run has {size} bytes; keep less of the run")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.html").write_text(page, "utf-8")
    library = f'globalThis.srhPlotly = "{b64encode(plotly_js()).decode()}";\n'
    (folder / "plotly.packed.js").write_text(library, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

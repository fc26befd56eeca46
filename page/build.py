"""Write the page: static files that any web server serves, and that ask no other host.

    python -m page.build [FOLDER]

The runtime comes from the npm registry, pinned, when the page is built. Everything that is not read
by the browser itself is packed, since a plain server packs nothing.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from page.graphs import SETTINGS, SURFACES, Subject
from page.packages import fetched
from srheart_demo.dashboard import module, texts, theme
from srheart_demo.dashboard.chart import TICKS, Axis, Series
from srheart_demo.dashboard.heart import (
    FLAT,
    LIT,
    OPACITY,
    ghost_traces,
    layout,
    plotly_js,
)
from srheart_demo.explorer.subjects import MOST_BY_HAND, load_subject
from srheart_demo.frame import HALF_EXTENT, HR_SPACING, LATTICE_SHAPE, TISSUE_COLOURS
from srheart_demo.heart.generator import HeartGenerator, load_generator
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack
from srheart_demo.scan.long_axis import BY_WORTH
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.solver.curvature import units
from srheart_demo.solver.settings import REFERENCE

HERE = Path(__file__).parent
WEIGHTS = HERE / "sketch.safetensors"
SHARED = ("camera", "canvas", "chart", "heart", "plotly", "stack")
"""The explorer's own scripts."""
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs")
BINARY = "ort-wasm-simd-threaded.wasm"
SHARED_CONSTANTS = "heart"
"""The block of what several subjects' graphs hold."""
WORDS = {
    "LOADING_PAGE": "Loading: some 8 MB the first time, none later.",
    "OPENING": "Reading the heart",
    "HELP": "The stack from the side. Up and down choose a slice, left and right displace it.",
}
"""What only the page says."""
LARGE = 1024
"""Constants of a graph from so many bytes on lie in a file of their own."""


def keep_apart(graphs: Mapping[str, onnx.ModelProto]) -> dict[str, bytes]:
    """Move the large constants of graphs out of them: blocks of bytes in which each lies once.

    Graphs are named SUBJECT.WHAT; a block holds what is of one subject, or else of several.
    """
    owners: dict[bytes, set[str]] = {}
    large = [
        (name.split(".")[0], tensor, onnx.numpy_helper.to_array(tensor).tobytes())
        for name, graph in graphs.items()
        for tensor in graph.graph.initializer
    ]
    large = [(owner, tensor, content) for owner, tensor, content in large if len(content) >= LARGE]
    for owner, _, content in large:
        owners.setdefault(sha256(content).digest(), set()).add(owner)
    blocks: dict[str, bytearray] = {}
    places: dict[bytes, tuple[str, int]] = {}
    for owner, tensor, content in large:
        key = sha256(content).digest()
        block = f"{owner if len(owners[key]) == 1 else SHARED_CONSTANTS}.bin"
        held = blocks.setdefault(block, bytearray())
        if key not in places:
            held += bytes(-len(held) % 64)
            places[key] = block, len(held)
            held += content
        tensor.raw_data = b" "  # what is kept elsewhere must have been bytes before
        place, size = places[key][1], len(content)
        onnx.external_data_helper.set_external_data(tensor, block, place, size)
        tensor.ClearField("raw_data")
    return {name: bytes(held) for name, held in blocks.items()}


def build(folder: Path, G: HeartGenerator, subjects: Sequence[str] = SAMPLES) -> None:
    """Write the page for some samples, solved with a generator."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as drafts:
        draft = Path(drafts)
        for subject in subjects:
            known = Subject(load_sample(subject), G)
            for what in ("objective", "scan", "pictures"):
                getattr(known, f"write_{what}")(draft / f"{subject}.{what}.onnx")
            _pack(folder / f"{subject}.json", _json(told_of(known)))
        known.write_heart(draft / "heart.onnx")
        graphs = {path.name: onnx.load(path) for path in sorted(draft.glob("*.onnx"))}
    for name, block in keep_apart(graphs).items():
        _pack(folder / name, block)
    for name, graph in graphs.items():
        _pack(folder / name, graph.SerializeToString())
    statics(folder, G, subjects)


def statics(folder: Path, G: HeartGenerator, subjects: Sequence[str] = SAMPLES) -> None:
    """Write all but what depends on the subjects' graphs."""
    runtime = fetched(HERE) / "onnxruntime-web" / "dist"
    for name in RUNTIME:
        shutil.copy(runtime / name, folder)
    _pack(folder / BINARY, (runtime / BINARY).read_bytes())
    (folder / "plotly.min.js.gz").write_bytes(plotly_js())
    for script in SHARED:
        shutil.copy(Path(module.__file__).with_name(f"{script}.js"), folder)
    shutil.copy(Path(theme.__file__).with_name("page.css"), folder / "explorer.css")
    for path in (HERE / "site").iterdir():
        shutil.copy(path, folder)
    told = _page(G, subjects)
    page = (HERE / "site" / "index.html").read_text("utf-8")
    choices = (f'<option value="{name}">{word}</option>' for name, word in told["subjects"].items())
    for name, text in (told["words"] | {"SUBJECTS": "".join(choices), "M": G.latent_size}).items():
        page = page.replace(f"{{{{{name}}}}}", str(text))
    (folder / "index.html").write_text(page, "utf-8")
    _pack(folder / "page.json", _json(told))
    _list_for_offline(folder)


def told_of(subject: Subject) -> dict[str, Any]:
    """What the page must know of a sample."""
    p, stack = subject.problem, subject.stack
    ghost = load_subject(subject.sample.name).ghost
    return {
        "K": stack.K,
        "tissue": p.tissue.int().tolist(),
        "room": subject.room,
        "motion": subject.sample.motion.displacement(1.0)[0].tolist(),
        "z": stack.z.tolist(),
        "origin": stack.origin.tolist(),
        "pixel": stack.spacing[0],
        "shape": stack.shape,
        "pixels": _array(stack.pixels()),
        "units": _array(units(subject.unseen(), SETTINGS)),
        "S_HR": _array(torch.from_numpy(subject.sample.S_HR.labels)),
        "views": [
            {
                "name": name,
                "corners": corners.tolist(),
                "labels": _array(view.S_LA.to(torch.uint8)),
                "shape": tuple(view.S_LA.shape),
            }
            for name, view, corners in zip(BY_WORTH, p.views, subject.planes.values(), strict=True)
        ],
        "ghost": [_trace(trace) for trace in ghost_traces(ghost)],
    }


def _page(G: HeartGenerator, subjects: Sequence[str]) -> dict[str, Any]:
    """Words and looks, from the explorer's own catalogue."""
    names = (
        "TITLE SUBTITLE SCAN RUN_CARD HEART SHIFTS_HEADING LATENT_HEADING CONVERGENCE DICE_HEADING "
        "MOTION_ERROR PLOTLY_LOADING RUNNING PAUSED DONE READY FAILED NOT_CLINICAL"
    )
    controls = (
        "subject motion long-axis gamma preset button-run button-pause button-step button-reset "
        "iteration show-truth show-cut theme"
    )
    words = {name: getattr(texts, name) for name in names.split()} | WORDS
    labels = {name: texts.LABELS[f"srh-{name}"] for name in controls.split()}
    surfaces = {
        name: {
            "type": "mesh3d",
            "name": name,
            "color": TISSUE_COLOURS[name],
            "opacity": OPACITY[name],
            "lighting": LIT,
            "hovertemplate": f"<b>{name}</b><br>{texts.PLACE}<extra></extra>",
        }
        for name in SURFACES
    }
    none = {"of": 0, "view": -1, "views": (), "overlay": {}, "pixel_mm": HR_SPACING[1]}
    told = {"scanned": texts.SCANNED, "put_back": texts.PUT_BACK, "help": WORDS["HELP"]}
    return {
        "words": words | labels,
        "stack": none | {"colours": [*TISSUE_COLOURS.values()], "words": texts.STACK_WORDS | told},
        "subjects": {name: texts.SAMPLE_NAMES[name] for name in subjects},
        "layout": layout(),
        "surfaces": surfaces,
        "axes": {name: asdict(axis) for name, axis in _axes(G.latent_size).items()},
        "looks": {name: asdict(series) for name, series in _series().items()},
        "flat": {"type": "mesh3d", "lighting": FLAT, "hoverinfo": "skip"},
        "colours": [*TISSUE_COLOURS.values()],
        "lattice": LATTICE_SHAPE,
        "spacing": [2 * half / n for half, n in zip(HALF_EXTENT, LATTICE_SHAPE, strict=True)],
        "voxel": HR_SPACING,
        "motions": MOTION_LEVELS,
        "by_hand": MOST_BY_HAND,
        "views": BY_WORTH,
        "M": G.latent_size,
        "solvers": {
            "ours": {"solver": "lbfgs", "prior": 1, "iterations": SETTINGS.iterations},
            "paper": {
                "solver": "adam",
                "prior": 0,
                "iterations": REFERENCE.iterations,
                "lr_z": REFERENCE.lr_z,
                "lr_d": REFERENCE.lr_d,
                "halve_every": REFERENCE.halve_every,
            },
        },
    }


def _axes(M: int) -> dict[str, Axis]:
    """The axes of the explorer's charts; the page sets those ranges that change."""
    slices = range(1, Stack.from_hr().K + 1)
    return {
        "iteration": Axis(texts.ITERATION, (0, 10), grid=False, whole=True),
        "loss": Axis(texts.LOSS_AXIS, (0.1, 1), log=True, ticks=TICKS),
        "latent": Axis(texts.LATENT_AXIS, (0.2, M + 0.8), grid=False, whole=True),
        "code": Axis(texts.LATENT_VALUE, (-2, 2), zero=True),
        "rows": Axis(texts.ROW_SHIFT, (-2, 2), zero=True),
        "columns": Axis(texts.COLUMN_SHIFT, (-2, 2), zero=True),
        "slice": Axis(texts.SLICE_AXIS, (0.3, slices[-1] + 0.7), ticks=tuple(slices)),
    }


def _series() -> dict[str, Series]:
    """How the explorer's charts draw each series."""
    found, grey = theme.ESTIMATE, theme.MIDDLE
    thin = partial(Series, (), (), grey, width=1.6)
    ring = partial(Series, (), (), kind="rings", size=10)
    return {
        "L": Series((), (), found, name=texts.LOSS),
        "L_SA": thin(name=texts.LOSS_SA, dash="dashdot"),
        "L_LA": thin(name=texts.LOSS_LA, dash="dot"),
        "here": ring(found, tells=False),
        "code": Series((), (), found, kind="bars"),
        "true": ring(grey, width=2, name=texts.TRUE_SHIFT),
        "found": Series((), (), found, kind="points", name=texts.ESTIMATED_SHIFT, size=6),
    }


def _trace(trace: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _array(torch.from_numpy(value.astype(np.uint32 if name in "ijk" else np.float32)))
        if isinstance(value, np.ndarray)
        else value
        for name, value in trace.items()
    }


def _array(values: torch.Tensor) -> dict[str, str]:
    numbers = values.contiguous().numpy()
    return {"kind": numbers.dtype.name, "base64": b64encode(numbers.tobytes()).decode()}


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def _pack(path: Path, content: bytes) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, mtime=0))


def _list_for_offline(folder: Path) -> None:
    """Tell the service worker what there is, by a name that changes with any of it."""
    files = sorted(p.name for p in folder.iterdir() if p.name != "sw.js")
    version = sha256(b"".join((folder / name).read_bytes() for name in files)).hexdigest()[:16]
    worker = (folder / "sw.js").read_text("utf-8")
    worker = worker.replace('"{{VERSION}}"', json.dumps(version))
    (folder / "sw.js").write_text(worker.replace('"{{FILES}}"', json.dumps(files)), "utf-8")


if __name__ == "__main__":
    here = Path(sys.argv[1] if len(sys.argv) > 1 else "build/explorer")
    build(here, load_generator(str(WEIGHTS)))
    print(f"Serve it: python -m http.server -d {here}")

"""Write the page: static files that any web server serves, and that ask no other host.

    python -m page.build [FOLDER]

The runtime and plotly.js come from the npm registry, pinned, when the page is built. What is not
read by the browser itself is packed, since a plain server packs nothing.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from page.blocks import keep_apart
from page.graphs import MOST_NOISE, SETTINGS, SURFACES, Subject, write_dice, write_surfaces
from page.packages import fetched
from srheart_demo.dashboard import module, sentences, texts, theme
from srheart_demo.dashboard.chart import TICKS, Axis, Series
from srheart_demo.dashboard.heart import (
    FLAT,
    LIT,
    OPACITY,
    ghost_traces,
    layout,
)
from srheart_demo.explorer import tour
from srheart_demo.explorer.subjects import MOST_BY_HAND, ScanSettings, load_subject
from srheart_demo.files import Unusable, whole_folder
from srheart_demo.frame import HALF_EXTENT, HR_SPACING, LATTICE_SHAPE, TISSUE_COLOURS
from srheart_demo.heart.generator import HeartGenerator, load_generator
from srheart_demo.heart.surface import Mesh
from srheart_demo.scan.long_axis import BY_WORTH
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.solver.curvature import units
from srheart_demo.solver.settings import PAPERS_SYSTEM, REFERENCE
from srheart_demo.solver.workers import cores, in_processes

HERE = Path(__file__).parent
WEIGHTS = HERE / "sketch.safetensors"
SHARED = ("camera", "canvas", "chart", "heart", "plotly", "stack")
"""The explorer's own scripts."""
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs")
BINARY = "ort-wasm-simd-threaded.wasm"
PLOTLY = Path("plotly.js-gl3d-dist-min", "plotly-gl3d.min.js")
"""The explorer's plotly.js without its charts in a plane: a third to read, and ready sooner."""
SPACINGS = (10, 6, 14)
"""From slice to slice, mm, the usual first: some of the explorer's, each with graphs of its own."""
Generators = Mapping[str, HeartGenerator]  # of each way to solve, which are named by `_ways`
OWN_WORDS = tomllib.loads((HERE / "words.toml").read_text("utf-8"))
"""Language → what only the page says."""
CHOICES = "subject motion spacing noise long-axis gamma preset iteration theme"
SHOWN = "show-truth show-cut hide-truth"
BUTTONS = "button-run button-pause button-step button-reset tour-start tour-guess"
TOUR_BUTTONS = "tour-tell tour-show tour-back tour-next tour-leave"
"""Controls that the page has, as the explorer names them."""
EXPLAINED = "gamma fig-shifts fig-latent fig-convergence"
"""Controls and charts that the page explains, as the explorer does when they are pointed at."""
TAKEN = (
    "TITLE SUBTITLE SCAN RUN_CARD PAPERS_SYSTEM HEART UNKNOWN SHIFTS_HEADING LATENT_HEADING "
    "CONVERGENCE QUALITY GAUGE_SCORE_NOTE DICE_HEADING MOTION_ERROR LEAN HIDDEN_NOTE "
    "PLOTLY_LOADING RUNNING PAUSED DONE READY FAILED"
)
"""Words of the explorer that the page says."""


def shipped() -> Generators:
    """The small decoder for our way, and the paper's own generator for its."""
    _, papers = PAPERS_SYSTEM
    return {"ours": load_generator(str(WEIGHTS)), "paper": load_generator(papers)}


@contextmanager
def in_place_of(folder: Path) -> Iterator[Path]:
    """Yield where to write a page, which then takes the place of an earlier one as a whole.

    `Unusable` where the folder holds anything else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "sw.js").exists():
        raise Unusable(f"{folder} holds files that are no earlier page: give another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with whole_folder(folder, folder.parent) as page:
        yield page


def build(
    folder: Path,
    generators: Generators,
    subjects: Sequence[str] = SAMPLES,
    spacings: Sequence[int] = SPACINGS,
) -> None:
    """Write the page for some samples and spacings, solved with a generator in each way."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as drafts:
        draft = Path(drafts)
        for way, G in generators.items():
            write_surfaces(G, draft / f"{way}.surfaces.onnx")
            write_dice(G, draft / f"{way}.dice.onnx")
        write = partial(_write_subject, folder, draft, generators, spacings)
        alone = len(subjects) == 1  # Then a process of its own would take longer to start.
        ends = enumerate(map(write, subjects)) if alone else in_processes(write, subjects, cores())
        for _, failed in ends:
            if failed:
                raise failed
        graphs = {path.stem: onnx.load(path) for path in sorted(draft.glob("*.onnx"))}
    of_several = [*subjects, *generators, *map(str, spacings)]
    for name, block in keep_apart(graphs, of_several).items():
        _pack(folder / name, block)
    for name, graph in graphs.items():
        _pack(folder / f"{name}.onnx", graph.SerializeToString())
    statics(folder, generators, subjects, spacings)


def _write_subject(
    folder: Path, draft: Path, generators: Generators, spacings: Sequence[int], name: str
) -> None:
    """Write what the page needs of a sample at some spacings; its graphs are drafts."""
    sample = load_sample(name)
    _pack(folder / f"{name}.S_HR", sample.S_HR.labels.tobytes())
    for spacing in spacings:
        scan = f"{name}.{spacing}"
        for way, G in generators.items():
            Subject(sample, G, spacing).write_objective(draft / f"{scan}.{way}.onnx")
        known = Subject(sample, generators["ours"], spacing)
        known.write_scan(draft / f"{scan}.onnx")
        _pack(folder / f"{scan}.json", _json(told_of(known)))
    _pack(folder / f"{name}.json", _json(told_of_heart(known)))


def statics(
    folder: Path,
    generators: Generators,
    subjects: Sequence[str] = SAMPLES,
    spacings: Sequence[int] = SPACINGS,
) -> None:
    """Write all but what depends on the subjects' graphs."""
    runtime = fetched(HERE) / "onnxruntime-web" / "dist"
    for name in RUNTIME:
        shutil.copy(runtime / name, folder)
    _pack(folder / BINARY, (runtime / BINARY).read_bytes())
    _pack(folder / PLOTLY.name, (fetched(HERE) / PLOTLY).read_bytes())
    for script in SHARED:
        shutil.copy(Path(module.__file__).with_name(f"{script}.js"), folder)
    shutil.copy(Path(theme.__file__).with_name("page.css"), folder / "explorer.css")
    for path in (HERE / "site").iterdir():
        shutil.copy(path, folder)
    spoken = texts.SPOKEN
    told = {}
    for language in OWN_WORDS:
        texts.speak(language)
        told[language] = _page(generators, subjects)
        _pack(folder / f"page.{language}.json", _json(told[language]))
    texts.speak(spoken)
    page = _written(told[texts.ENGLISH]["words"], subjects, spacings)
    (folder / "index.html").write_text(page, "utf-8")
    _list_for_offline(folder)


def _written(words: Mapping[str, str], subjects: Sequence[str], spacings: Sequence[int]) -> str:
    """The page with its words in English; a script says them in other languages."""
    page = (HERE / "site" / "index.html").read_text("utf-8")
    usual = texts.CONTROLS["srh-long-axis"]["value"]
    views = [(n, f'data-word="views-{n}"{_usual(n == usual)}') for n in range(len(BY_WORTH) + 1)]
    apart = [(mm, _usual(mm == spacings[0]), mm) for mm in sorted(spacings)]
    options: dict[str, list[tuple[Any, ...]]] = {
        "SUBJECTS": [(name, f'data-word="{name}"') for name in subjects],
        "VIEWS": views,
        "SPACINGS": apart,
        "LANGUAGES": [(code, f'lang="{code}"', texts.LANGUAGES[code]) for code in OWN_WORDS],
    }
    for place, choices in options.items():
        page = page.replace(f"{{{{{place}}}}}", "".join(_option(*choice) for choice in choices))
    most = {name: texts.CONTROLS[f"srh-{name}"]["max"] for name in ("motion", "gamma")}
    for name, value in (most | {"noise": MOST_NOISE, "k": max(LATTICE_SHAPE) - 1}).items():
        page = page.replace(f"{{{{{name}}}}}", str(value))
    return re.sub(r'data-word="([\w-]+)"[^>]*>', lambda at: at[0] + words[at[1]], page)


def _usual(chosen: bool) -> str:
    return " selected" if chosen else ""


def _option(value: object, attributes: str, words: object = "") -> str:
    return f'<option value="{value}" {attributes}>{words}</option>'


def told_of(subject: Subject) -> dict[str, Any]:
    """What the page must know of a sample's scan."""
    p, stack = subject.problem, subject.stack
    name, spacing = subject.sample.name, subject.spacing
    _, d, _ = load_subject(name).take(ScanSettings(name, spacing=spacing))
    assert d is not None
    return {
        "K": stack.K,
        "tissue": p.tissue.int().tolist(),
        "room": subject.room,
        "motion": _rounded(d[0]),
        "z": stack.z.tolist(),
        "origin": stack.origin.tolist(),
        "pixel": stack.spacing[0],
        "shape": stack.shape,
        "units": _rounded(units(subject.unseen(), SETTINGS)),
    }


def told_of_heart(subject: Subject) -> dict[str, Any]:
    """What the page must know of a sample, however it is scanned."""
    return {
        "views": [
            {
                "corners": corners.tolist(),
                "labels": view.S_LA.flatten().tolist(),
                "shape": tuple(view.S_LA.shape),
            }
            for view, corners in zip(subject.problem.views, subject.corners, strict=True)
        ],
        "ghost": [_parted(trace)[1] for trace in ghost_traces(_truth(subject.sample.name))],
    }


def _truth(name: str) -> Mapping[str, Mesh]:
    return load_subject(name).ghost


def _page(generators: Generators, subjects: Sequence[str]) -> dict[str, Any]:
    """Words and looks, from the explorer's own catalogue."""
    own = OWN_WORDS[texts.SPOKEN]
    words = {name: getattr(texts, name) for name in TAKEN.split()}
    words |= {name: said for name, said in own.items() if name != "TOUR"}
    latents = {way: G.latent_size for way, G in generators.items()}
    words["GENERATORS"] = own["GENERATORS"].format(**latents)
    words["LEFT_OUT"] = "".join(f"<li>{said}</li>" for said in own["LEFT_OUT"])
    controls = f"{CHOICES} {SHOWN} {BUTTONS} {TOUR_BUTTONS}".split()
    words |= {name: texts.LABELS[f"srh-{name}"] for name in controls}
    words |= {f"tip-{name}": texts.TIPS[f"srh-{name}"] for name in EXPLAINED.split()}
    words["legend"] = sentences.legend()
    words |= {name: texts.SAMPLE_NAMES[name] for name in subjects}
    words |= {f"views-{n}": said for said, n in texts.CONTROLS["srh-long-axis"]["options"]}
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
    told = {"scanned": texts.SCANNED, "put_back": texts.PUT_BACK, "help": own["HELP"]}
    return {
        "words": words,
        "tour": _tour(subjects),
        "stack": none | {"colours": [*TISSUE_COLOURS.values()], "words": texts.STACK_WORDS | told},
        "layout": layout(),
        "surfaces": surfaces,
        "axes": {name: asdict(axis) for name, axis in _axes().items()},
        "looks": {name: asdict(series) for name, series in _series().items()},
        "ghost": _parted(ghost_traces(_truth(subjects[0]))[0])[0],
        "flat": {"type": "mesh3d", "lighting": FLAT, "hoverinfo": "skip"},
        "colours": [*TISSUE_COLOURS.values()],
        "lattice": [n + 2 for n in LATTICE_SHAPE],  # of the surfaces, a node wider all around
        "spacing": [2 * half / n for half, n in zip(HALF_EXTENT, LATTICE_SHAPE, strict=True)],
        "by_hand": MOST_BY_HAND,
        "views": BY_WORTH,
        "solvers": {way: told | {"M": latents[way]} for way, told in _ways().items()},
    }


def _ways() -> dict[str, dict[str, Any]]:
    """Ours and the paper's."""
    adam = {
        name: getattr(REFERENCE, name) for name in ("iterations", "lr_z", "lr_d", "halve_every")
    }
    return {
        "ours": {"solver": "lbfgs", "prior": 1, "iterations": SETTINGS.iterations},
        "paper": {"solver": "adam", "prior": 0, **adam},
    }


def _tour(subjects: Sequence[str]) -> dict[str, Any]:
    """The explorer's tour, with what the page can show of it."""
    return {
        "words": texts.TOUR_WORDS,
        "limits": {"severe": tour.SEVERE, "watched": tour.WATCHED, "far": tour.DRAGGED_FAR},
        "stops": [_stop(i, stop, subjects) for i, stop in enumerate(tour.STOPS, 1)],
    }


def _stop(number: int, stop: tour.Stop, subjects: Sequence[str]) -> dict[str, Any]:
    """A stop as markup, and what is said when its task is done."""
    words, acts = texts.TOUR[stop.name], _acts(stop, subjects)
    here = OWN_WORDS[texts.SPOKEN]["TOUR"].get(stop.name)
    place = texts.TOUR_WORDS["place"].format(number, len(tour.STOPS))
    task = [f"<b>{texts.TOUR_WORDS['task']}</b> {words['task']}"] if acts else []
    asked = " ".join([*task, *([f"<i>{here}</i>"] if here else [])])
    return {
        "name": stop.name,
        "text": f"<p><b>{place} · {words['title']}</b> {words['sentence']}</p><p>{asked}</p>",
        "done": words["done"],
        "figures": words.get("figures"),
        "acts": acts,
    }


def _acts(stop: tour.Stop, subjects: Sequence[str]) -> list[dict[str, Any]]:
    """What "Show me" does on the page; nothing where it cannot do all of it."""
    made = [(act, act.scan) for act in stop.acts]
    if any(scan is None or scan.missing or scan.subject not in subjects for _, scan in made):
        return []
    return [
        {
            "choice": {
                "subject": scan.subject,
                "motion": scan.motion,
                "spacing": scan.spacing,
                "noise": round(100 * scan.noise),
                "views": scan.long_axis,
                "way": "paper" if act.system == PAPERS_SYSTEM else "ours",
                "gamma": 1,
            },
            "hands": {k: mm for k, *mm in scan.by_hand},
            "runs": act.runs,
            "hides": act.hidden,
        }
        for act, scan in made
        if scan is not None
    ]


def _axes() -> dict[str, Axis]:
    """The axes of the explorer's charts; the page sets the ranges that change."""
    return {
        "iteration": Axis(texts.ITERATION, (0, 10), grid=False, whole=True),
        "loss": Axis(texts.LOSS_AXIS, (0.1, 1), log=True, ticks=TICKS),
        "latent": Axis(texts.LATENT_AXIS, (0, 1), grid=False, whole=True),
        "code": Axis(texts.LATENT_VALUE, (-2, 2), zero=True),
        "rows": Axis(texts.ROW_SHIFT, (-2, 2), zero=True),
        "columns": Axis(texts.COLUMN_SHIFT, (-2, 2), zero=True),
        "slice": Axis(texts.SLICE_AXIS, (0, 1)),
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


def _parted(trace: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a trace looks, in words and numbers; and its arrays."""
    arrays = {name: value for name, value in trace.items() if isinstance(value, np.ndarray)}
    look = {name: value for name, value in trace.items() if name not in arrays}
    return look, {name: _rounded(value) for name, value in arrays.items()}


def _rounded(values: torch.Tensor | np.ndarray) -> list[Any]:
    """As JSON: to a ten-millionth of the largest, which makes numbers short."""
    numbers = np.asarray(values)
    if numbers.dtype.kind != "f":
        return numbers.tolist()
    digits = 7 - int(np.ceil(np.log10(np.abs(numbers).max())))
    return numbers.astype(float).round(digits).tolist()


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
    try:
        with in_place_of(here) as page:
            build(page, shipped())
    except Unusable as error:
        sys.exit(str(error))
    print(f"Serve it: python -m http.server -d {here}")

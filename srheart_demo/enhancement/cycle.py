"""A beating heart: every frame of a scan, with one displacement for each breath-hold.

Each frame is restored alone, from where the one before it ended; then again, with what all frames
together tell (`solver.cycle`). What is done may be kept in a file, from which a run goes on.
"""

import json
import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Self

import torch

from srheart_demo.enhancement.enhance import Enhancement, enhance
from srheart_demo.files import atomic_folder, write_csv, write_json
from srheart_demo.frame import TISSUES
from srheart_demo.heart.generator import soft_volumes_ml
from srheart_demo.heart.measures import MYOCARDIAL_DENSITY
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.cycle import Alone, breath_holds, shared
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import Settings

KEPT_FILE, VOLUMES_FILE = "cycle.json", "volumes.csv"
ONE_MUSCLE = 0.25
"""A muscle whose volume wanders by more where each frame is solved alone is not held: the labels
are not of one. On a real cine with slices 18 mm apart it wandered by 0.19."""
PHASES = ("1 of 2, frames alone:", "2 of 2, frames together:")

Measured = tuple[float, float | None]
"""A figure and its standard deviation, None where the run had no priors."""

WatchFrame = Callable[[str, int, Step], None]
"""Told one of `PHASES`, the index of the frame, and each step."""


@dataclass(frozen=True)
class Beat:
    """What one frame holds: volumes of S_SR, its run, and a verdict where somebody asked.

    Standard deviations, ml, are those of `sure`, with d known; None where nobody
    asked, or the run had no priors.
    """

    frame: int  # its index in the file
    LV_ml: float
    MYO_ml: float
    RV_ml: float
    iterations: int
    L: float
    verdict: str | None = None
    LV_ml_sd: float | None = None
    MYO_ml_sd: float | None = None
    RV_ml_sd: float | None = None

    @classmethod
    def of(cls, frame: int, e: Enhancement) -> Self:
        """Measured on a restored frame."""
        sds = {f"{tissue}_ml_sd": e.sds[tissue] for tissue in TISSUES[1:]} if e.sds else {}
        LV, MYO, RV = (round(ml, 1) for ml in e.volumes_ml.values())
        verdict = e.trust.verdict if e.trust else None
        return cls(frame, LV, MYO, RV, e.last.iteration, round(e.last.loss, 5), verdict, **sds)


@dataclass
class Kept:
    """What is done of a cine: in its folder of results, so that a run that was cut goes on."""

    out: Path | None = None  # the folder; None keeps nothing
    # all that the results depend on, of JSON's types; what was made otherwise is made anew
    made_with: Mapping[str, Any] = field(default_factory=dict)
    alone: list[Alone] = field(default_factory=list)  # the first frames without the others
    beats: dict[int, Beat] = field(default_factory=dict)  # by frame, those whose folder is there

    @classmethod
    def of(cls, out: Path, made_with: Mapping[str, Any]) -> Self:
        """What a folder holds."""
        kept = cls(out, json.loads(json.dumps(made_with)))
        with suppress(OSError, ValueError, KeyError, TypeError):  # None, or of something else
            found = json.loads((out / KEPT_FILE).read_text("utf-8"))
            if found["made_with"] == kept.made_with:
                alone = [Alone(torch.tensor(z), torch.tensor(d), ml) for z, d, ml in found["alone"]]
                beats = [Beat(**beat) for beat in found["beats"]]
                there = [b for b in beats if (kept.folder(b.frame) / "d.json").exists()]
                kept.alone, kept.beats = alone, {b.frame: b for b in there}
        return kept

    def folder(self, frame: int) -> Path:
        """Where the results of a frame go."""
        return (self.out or Path()) / f"frame_{frame:03d}"

    def take(self, e: Enhancement) -> None:
        """Write a restored frame, and the volumes of all that are done."""
        frame = e.scan.frame
        with atomic_folder(self.folder(frame)) as folder:
            e.write(folder)
        self.beats[frame] = Beat.of(frame, e)
        beats = [self.beats[n] for n in sorted(self.beats)]
        write_volumes(beats, self.folder(frame).with_name(VOLUMES_FILE))
        self.save()

    def forget_others(self, frames: Collection[int], inputs: Sequence[Path]) -> list[Path]:
        """Remove what an earlier run made of other frames than these, or all of it where there are
        none, but nothing with an input in it; what it was."""
        root = self.folder(0).parent
        if not (root / KEPT_FILE).exists():
            return []
        ours = {self.folder(frame) for frame in frames}
        results = {path.parent for path in root.glob("frame_*/S_SR.nii.gz")}
        kept = {parent for path in inputs for parent in path.resolve().parents}
        gone = sorted(folder for folder in results - ours if folder.resolve() not in kept)
        for folder in gone:
            shutil.rmtree(folder)
        files = [] if frames else [root / name for name in (VOLUMES_FILE, KEPT_FILE)]
        for file in files:
            file.unlink(missing_ok=True)
        return gone + files

    def save(self) -> None:
        """Write what is done, whole or not at all."""
        if self.out is None:
            return
        alone = [[own.z.tolist(), own.d.tolist(), own.muscle_ml] for own in self.alone]
        beats = [asdict(beat) for beat in self.beats.values()]
        self.out.mkdir(parents=True, exist_ok=True)
        content = {"made_with": self.made_with, "alone": alone, "beats": beats}
        write_json(content, self.out / KEPT_FILE)


def restore_cycle(
    scans: Sequence[Scan],
    G: Generator,
    settings: Settings,
    watch: WatchFrame | None = None,
    kept: Kept | None = None,
) -> Iterator[Enhancement]:
    """Restore the frames of `read_cycle`, those that are not among the `kept` beats.

    Each is solved alone, from where the one before it ended; once more with the displacements that
    all agree on, and with the volume of muscle that they have on average, if it is `ONE_MUSCLE`.
    """
    kept, tell = kept or Kept(), watch or (lambda phase, i, step: None)
    for i, scan in enumerate(scans):
        if i >= len(kept.alone):
            z = kept.alone[-1].z if kept.alone else None
            e = enhance(scan, G, settings, partial(tell, PHASES[0], i), z)
            kept.alone.append(found_alone(e))
            kept.save()
    frames = [Problem.of(scan, G) for scan in scans]
    known = shared(frames, breath_holds(scans), kept.alone, settings)
    if wandering([own.muscle_ml for own in kept.alone]) > ONE_MUSCLE:
        settings = replace(settings, muscle_sd=0.0)
    for i, scan in enumerate(scans):
        if scan.frame not in kept.beats:
            seen = partial(tell, PHASES[1], i)
            yield enhance(scan, G, settings, seen, kept.alone[i].z, known[i])


def found_alone(e: Enhancement) -> Alone:
    """What the other frames are told of one."""
    muscle_ml = float(soft_volumes_ml(e.field)[0, TISSUES.index("MYO")])
    return Alone(e.last.z, e.last.state.point.d, muscle_ml)


def write_volumes(beats: Sequence[Beat], path: Path) -> None:
    """The volumes over the cycle as CSV, whole or not at all.

    Beside them what share of its largest volume each ventricle has ejected (at end-systole the
    ejection fraction), and the mass of the myocardium, g.
    """
    rows: list[dict[str, Any]] = []
    for beat in beats:
        row = asdict(beat)
        for side in ("LV", "RV"):
            fullest = max(beats, key=lambda b: getattr(b, f"{side}_ml"))
            share, sd = ejected([fullest, beat], side)
            row[f"{side}_ejected"] = share
            row[f"{side}_ejected_sd"] = sd if beat is not fullest else sd and 0.0  # by definition
        row["LV_mass_g"], row["LV_mass_g_sd"] = mass_g([beat])
        rows.append({name: round(x, 4) if isinstance(x, float) else x for name, x in row.items()})
    write_csv(rows, list(rows[0]), path)


def ejection_fraction(beats: Sequence[Beat], tissue: str = "LV") -> float:
    """Share of a ventricle's largest volume that its smallest lacks: (EDV − ESV) / EDV."""
    return ejected(beats, tissue)[0]


def extremes(beats: Sequence[Beat], tissue: str) -> tuple[Measured, Measured]:
    """A ventricle's largest and smallest volume, ml."""
    volumes = [(getattr(b, f"{tissue}_ml"), getattr(b, f"{tissue}_ml_sd")) for b in beats]
    return max(volumes), min(volumes)


def ejected(beats: Sequence[Beat], tissue: str) -> Measured:
    """`ejection_fraction`, errors of two frames being independent."""
    (EDV, ED_sd), (ESV, ES_sd) = extremes(beats, tissue)
    if ED_sd is None or ES_sd is None:
        return 1 - ESV / EDV, None
    return 1 - ESV / EDV, math.hypot(ES_sd, ESV / EDV * ED_sd) / EDV


def mass_g(beats: Sequence[Beat]) -> Measured:
    """Mean mass of the left ventricle's myocardium, g.

    That is the mean of the frames': what one does not tell of the muscle the others do not either.
    """
    mean = MYOCARDIAL_DENSITY * fmean(beat.MYO_ml for beat in beats)
    sds = [beat.MYO_ml_sd for beat in beats if beat.MYO_ml_sd is not None]
    return mean, MYOCARDIAL_DENSITY * fmean(sds) if sds else None


def wandering(volumes: Sequence[float]) -> float:
    """Largest less smallest, as a share of the mean: 0 of an incompressible muscle."""
    return (max(volumes) - min(volumes)) / fmean(volumes)

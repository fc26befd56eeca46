"""From one scan to a heart: placed, solved, answered and written.

What the command line, cohorts and the dashboard share; nothing here is for display.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.enhancement import WORDING, sentence
from srheart_demo.files import Unusable, write_csv, write_json
from srheart_demo.frame import TISSUES, hr_affine, lattice_axes
from srheart_demo.heart.ends import ENDS, ends
from srheart_demo.heart.generator import likeliest, load_generator, soft_volumes_ml, to_labels
from srheart_demo.heart.measures import volumes_ml
from srheart_demo.heart.surface import heart_surfaces, write_surfaces
from srheart_demo.scan.degradation import degrade
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.space import slices_first
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver.algorithm import Step, solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.gauge import Centred, centred
from srheart_demo.solver.motion_prior import astray
from srheart_demo.solver.problem import Generator, Known, Problem
from srheart_demo.solver.settings import RECOMMENDED, Settings
from srheart_demo.solver.uncertainty import heights_sd, laplace, measured_sd

TELLS = 0.1  # Share of the largest slice's tissue that tells where a slice lies
DRAWS = 16  # Of hearts, for standard deviations
_ALIKE = "objective", "gradient_z", "gradient_d", "seconds"
CURVES = {"L": "loss", "L_SA": "loss_sa", "L_LA": "loss_la"} | {name: name for name in _ALIKE}
"""Columns of ``convergence.csv`` → attributes of a step."""


class Diverged(Unusable, ArithmeticError):
    """A run whose objective is no number any more."""


@dataclass(frozen=True)
class Trust:
    """Whether to trust a heart, as `check.judged` found."""

    verdict: str  # fine, unusual or distrust
    words: str  # the same for a reader
    reasons: tuple[str, ...]  # what is odd, in sentences

    def __str__(self) -> str:
        """In one line."""
        return " ".join([f"{self.words}{':' if self.reasons else '.'}", *self.reasons])


@dataclass(frozen=True)
class End:
    """Where the left ventricle ends: its base or its apex, as `heart.ends` has them."""

    world_mm: tuple[float, float, float]  # RAS+
    # along the stack's axis, beyond the outermost slice with tissue; negative where that is farther
    beyond_mm: float
    sd_mm: float | None = None  # standard deviation along that axis; None where nobody asked

    def __str__(self) -> str:
        """How far beyond or inside the slices."""
        side = "inside" if round(self.beyond_mm) < 0 else "beyond"
        return f"{figure(abs(self.beyond_mm), self.sd_mm)} mm {side}"


@dataclass(frozen=True, eq=False)
class Enhancement:
    """What a run made of a scan."""

    scan: Scan  # as it was read and placed
    problem: Problem  # the scan in the model's frame, with slices from apex to base
    steps: Sequence[Step]  # the whole run, from start to end, or as far as it is
    trust: Trust | None = None  # None where nobody asked
    # standard deviations by `sure`, of volumes by tissue, ml, and of `ENDS` along the stack's axis,
    # mm; None where nobody asked, or the run had no priors
    sds: Mapping[str, float] | None = None

    @property
    def last(self) -> Step:
        """The end of the run."""
        return self.steps[-1]

    @cached_property
    def field(self) -> Tensor:
        """The heart, class logits (1, 4, 32, 64, 64): the run's answer, before its end G(z)."""
        if self.last.stopped:
            return answer(self.last, self.problem)
        with torch.no_grad():
            return self.problem.G.decode(self.last.z)

    @cached_property
    def world_from_field(self) -> NDArray[np.float64]:
        """Model mm of `field` → world RAS+ mm, (4, 4), in the gauge of `d`."""
        translation = np.eye(4)
        translation[1:3, 3] = self.centred.translation.numpy()
        return self.scan.placement.world_from_model @ translation

    @cached_property
    def S_SR(self) -> LabelVolume:
        """The heart on the HR grid, in the stack's world frame."""
        return LabelVolume(to_labels(self.field), self.world_from_field @ hr_affine())

    @cached_property
    def volumes_ml(self) -> dict[str, float]:
        """Of `S_SR`, by tissue."""
        return volumes_ml(self.S_SR.labels, self.S_SR.spacing)

    @cached_property
    def ends(self) -> dict[str, End]:
        """Base and apex of the left ventricle, by their names; empty where the heart has none."""
        points, slices = ends(self.field)[0].double(), self._slices_with_tissue
        world, sds = self.world_from_field, self.sds or {}
        beyond = points[0, 0] - slices.max(), slices.min() - points[1, 0]
        found = zip(ENDS, points.numpy() @ world[:3, :3].T + world[:3, 3], beyond, strict=True)
        return {
            name: End(tuple(at.round(2).tolist()), round(float(far), 2), sds.get(name))
            for name, at, far in found
            if not math.isnan(far)
        }

    @property
    def ends_said(self) -> str:
        """The same in a sentence; none where the heart has none."""
        return WORDING["heart"]["ends"].format(**self.ends) if self.ends else ""

    @property
    def _slices_with_tissue(self) -> Tensor:
        """Where they lie along D, mm."""
        return self.problem.stack.z[self.problem.tissue].double()

    @property
    def planes_within(self) -> NDArray[np.bool_]:
        """Which planes (D,) of `S_SR` lie within the outermost slices with tissue.

        Or at most half the distance of two slices beyond them: the others nobody looked at.
        """
        slices = self._slices_with_tissue.numpy()
        half = self.problem.stack.gap / 2 + 1e-3
        planes = lattice_axes()[0]
        return (planes > slices.min() - half) & (planes < slices.max() + half)

    @cached_property
    def S_stack(self) -> LabelVolume:
        """The heart on the stack's own voxels, each slice where it was scanned; axes as stored."""
        scan, back = self.scan, self.centred.translation
        given = scan.reading.volume if scan.reading else scan.stack
        stack = stack_geometry(given, scan.placement)
        stack = replace(stack, origin=stack.origin - back)
        logits = degrade(self.field, stack, torch.from_numpy(self.d).float()[None])
        labels = likeliest(logits[0])
        axes = slices_first(scan.reading.slice_axis) if scan.reading else (0, 1, 2)
        stored = np.argsort(axes)
        return LabelVolume(labels.transpose(stored), given.affine[:, [*stored, 3]])

    @cached_property
    def centred(self) -> Centred:
        """The end of the run in the gauge of every output, slices from apex to base."""
        return centred(self.last, self.problem)

    @property
    def d_LA(self) -> NDArray[np.float64]:
        """Displacements (V, 2) of the long-axis views, mm along their rows and columns."""
        return self.centred.d_LA[0].double().numpy()

    @property
    def d(self) -> NDArray[np.float64]:
        """Displacements (K, 2), mm along rows and columns, in the stack's own order of slices.

        In the gauge of `gauge.centred`; 0 for slices without tissue.
        """
        d, scan = np.zeros((self.scan.stack.shape[0], 2)), self.scan
        d[scan.looked_at] = scan.placement.from_apex(self.centred.d[0].numpy())
        return d

    @property
    def d_mean_removed(self) -> NDArray[np.float64]:
        """d less its mean over the slices with tissue; 0 for the others, which say nothing."""
        d, tissue = self.d, self.scan.stack.labelled
        return np.where(tissue[:, None], d - d[tissue].mean(axis=0), 0.0)

    @cached_property
    def astray(self) -> tuple[str, ...]:
        """A sentence for each slice or view whose breath-hold went astray.

        Slices with next to no tissue do not tell.
        """
        scan, p, step = self.scan, self.problem, self.last
        lost = astray(step.state.point.d, p, step.state.settings)[None]
        slices, views = (np.flatnonzero(x[0]) for x in p.split(lost))
        there = np.flatnonzero(scan.looked_at)
        there = there[::-1] if scan.placement.flipped else there
        tissue = (scan.stack.labels > 0).sum(axis=(1, 2))
        tells = tissue > TELLS * tissue.max()
        far = [
            *((f"Slice {k}", self.d[k]) for k in sorted(there[slices]) if tells[k]),
            *((scan.views[v].name, self.d_LA[v]) for v in views),
        ]
        said = WORDING["heart"]["astray"]
        return tuple(said.format(name=os.path.basename(name), far=np.hypot(*d)) for name, d in far)

    def write(
        self,
        folder: Path | str,
        surface: bool = True,
        scene: bool = False,
        on_stack: bool = False,
        within: bool = False,
    ) -> None:
        """Write S_SR.nii.gz, d.json, convergence.csv and heart.stl to a folder.

        The folder is made if it is missing; files of these names in it are written over. The
        `surface`, heart.stl, takes nearly all of the space; it may be left out. A `scene`,
        heart.glb, has a named and coloured body for each tissue. With `on_stack` comes
        S_stack.nii.gz too. With `within` comes S_within.nii.gz: `S_SR`, background but for
        its `planes_within`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_volume(self.S_SR, folder / "S_SR.nii.gz")
        if on_stack:
            write_volume(self.S_stack, folder / "S_stack.nii.gz")
        if within:
            kept = self.S_SR.labels * self.planes_within[:, None, None]
            said = WORDING["heart"]["within"].format(half=self.scan.stack.spacing[0] / 2)
            write_volume(replace(self.S_SR, labels=kept), folder / "S_within.nii.gz", said)
        columns = ["iteration", *CURVES]
        write_csv(map(_curves, self.steps), columns, folder / "convergence.csv")
        write_json(_report(self), folder / "d.json")
        names = ["heart.stl"] * surface + ["heart.glb"] * scene
        if names:
            world = self.world_from_field
            found = heart_surfaces(self.field, refine=2).items()
            meshes = {tissue: mesh.transform(world) for tissue, mesh in found}
        for name in names:
            write_surfaces(meshes, folder / name)


def enhance(
    scan: Scan,
    G: Generator | None = None,
    settings: Settings = RECOMMENDED,
    watch: Callable[[Step], None] | None = None,
    z: Tensor | None = None,
    known: Known | None = None,
) -> Enhancement:
    """Restore the heart of a scan: all that ``srheart enhance`` does but for the check.

    >>> heart = sr.enhance(scan, settings=sr.INTERACTIVE)
    >>> heart.S_SR.shape, heart.d.shape
    ((64, 128, 128), (13, 2))

    ``heart.write("out/")`` writes it.

    Args:
        scan: by `read_scan`, or `Scan.of`.
        G: the generator that must explain the scan; `traits` by default.
        watch: sees each step.
        z: (1, M) where to start, in place of where the settings say.
        known: what other frames of a cine tell of this one.

    Raises:
        Diverged: the run found no heart.
    """
    problem = replace(Problem.of(scan, G or load_generator()), known=known)
    steps: list[Step] = []

    def keep(step: Step) -> None:
        steps.append(step)
        if watch:
            watch(step)

    if not math.isfinite(solve(problem, settings, keep, z).objective):
        raise Diverged(sentence("diverged", name=scan.stack.name, preset=settings.name))
    return Enhancement(scan, problem, steps)


def sure(e: Enhancement) -> Enhancement:
    """The same with its `sds`, as `measured_sd` has them."""
    settings = e.last.state.settings
    if e.sds or not (settings.prior and settings.prior_of == "zd"):
        return e

    def measure(hearts: Tensor) -> Tensor:
        return torch.cat([soft_volumes_ml(hearts), ends(hearts)[..., 0]], dim=1)

    posterior = laplace(e.last, e.problem)
    volumes, drawn = measured_sd(posterior, measure, DRAWS).split((len(TISSUES), len(ENDS)))
    found = volumes.tolist() + heights_sd(posterior, ends(e.field)[0, :, 0], drawn).tolist()
    named = zip((*TISSUES, *ENDS), found, strict=True)
    return replace(e, sds={name: round(sd, 2) for name, sd in named if not math.isnan(sd)})


def figure(value: float, sd: float | None) -> str:
    """A figure with its standard deviation, where there is one; that is said to be 1 at least."""
    return f"{value:.0f}" if sd is None else f"{value:.0f} ± {max(sd, 1):.0f}"


def _curves(step: Step) -> dict[str, int | str]:
    """A row of ``convergence.csv``."""
    numbers = {name: getattr(step, of) for name, of in CURVES.items()}
    told = {name: "" if math.isnan(n) else f"{n:.6g}" for name, n in numbers.items()}
    return {"iteration": step.iteration, **told}


def _report(e: Enhancement) -> dict[str, Any]:
    """What ``d.json`` holds: displacements in the stack's own axes and order of slices."""
    end, scan, placement = e.last, e.scan, e.scan.placement
    in_plane = scan.stack.affine[:3, 1:3] / np.array(scan.stack.spacing[1:])
    sds, ml = e.sds or {}, e.volumes_ml
    return {
        **WORDING["d.json"],
        "d_mm": _rounded(e.d),
        "d_mean_removed_mm": _rounded(e.d_mean_removed),
        "d_world_mm": _rounded(e.d @ in_plane.T),
        "d_LA_mm": _rounded(e.d_LA),
        **{name: asdict(e.ends[name]) if name in e.ends else None for name in ENDS},
        "volumes": {t: {"ml": round(ml[t], 1), "sd_ml": sds.get(t)} for t in ml},
        "S_SR_planes_within": np.flatnonzero(e.planes_within)[[0, -1]].tolist(),
        "slice_has_tissue": scan.stack.labelled.tolist(),
        "slice_looked_at": scan.looked_at.tolist(),
        "slice_order": "base to apex" if placement.flipped else "apex to base",
        "row_direction_ras": _rounded(in_plane[:, 0], 6),
        "column_direction_ras": _rounded(in_plane[:, 1], 6),
        "z": _rounded(end.z[0].numpy(), 5),
        "stopped": end.stopped,
        "iterations": end.iteration,
        "seconds": round(end.seconds, 3),
        "L": end.loss,
        "L_SA": end.loss_sa,
        "L_LA": end.loss_la if scan.views else None,
        "trust": None if e.trust is None else asdict(e.trust),
        "astray": list(e.astray),
        "view_agrees_dice": [dict(dice) for dice in scan.crossing],
        "view_lacks": scan.lacking,
        "placement": {
            "world_from_model": _rounded(placement.world_from_model, 6),
            "rv_azimuth_deg": round(placement.azimuth_deg, 2),
            "rotation_deg": round(placement.rotation_deg, 2),
            "orientation_known": placement.orientation_known,
            "notes": list(scan.notes),
        },
        "stack": scan.stack.name,
        "long_axis": [view.name for view in scan.views],
        "generator": {
            "name": getattr(e.problem.G, "name", type(e.problem.G).__name__),
            "weights": getattr(e.problem.G, "weights", None),
        },
        "settings": asdict(end.state.settings),
        "version": version("srheart-demo"),
    }


def _rounded(numbers: np.ndarray, digits: int = 4) -> list[Any]:
    return (np.round(numbers.astype(np.float64), digits) + 0.0).tolist()

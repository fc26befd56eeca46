"""A beating heart: every frame of a scan, each restored from where the one before it ended."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from torch import Tensor

from srheart_demo.enhancement.enhance import Enhancement, enhance
from srheart_demo.files import write_csv
from srheart_demo.heart.measures import volumes_ml
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.problem import Generator
from srheart_demo.solver.settings import Settings


@dataclass(frozen=True)
class Beat:
    """What one frame holds: volumes of S_SR, its run, and a verdict where somebody asked."""

    frame: int  # its index in the file
    LV_ml: float
    MYO_ml: float
    RV_ml: float
    iterations: int
    L: float
    verdict: str | None = None

    @classmethod
    def of(cls, frame: int, e: Enhancement) -> Self:
        """Measured on a restored frame."""
        ml = volumes_ml(e.S_SR.labels, e.S_SR.spacing)
        LV, MYO, RV = (round(volume, 1) for volume in ml.values())
        verdict = e.trust.verdict if e.trust else None
        return cls(frame, LV, MYO, RV, e.last.iteration, round(e.last.loss, 5), verdict)


def restore_cycle(
    scans: Sequence[Scan],
    G: Generator,
    settings: Settings,
    watch: Callable[[int, Step], None] | None = None,
) -> Iterator[Enhancement]:
    """`enhance` the frames of `read_cycle`, each from where the one before it ended.

    `watch` sees the index of the frame in `scans`, and each step.
    """
    z: Tensor | None = None
    for i, scan in enumerate(scans):
        e = enhance(scan, G, settings, watch and partial(watch, i), z)
        z = e.last.z
        yield e


def write_volumes(beats: Sequence[Beat], path: Path) -> None:
    """The volumes over the cycle as CSV, whole or not at all."""
    write_csv(map(vars, beats), list(Beat.__dataclass_fields__), path)


def ejection_fraction(beats: Sequence[Beat], tissue: str = "LV") -> float:
    """Share of a ventricle's largest volume that its smallest lacks: (EDV − ESV) / EDV."""
    volumes = [getattr(beat, f"{tissue}_ml") for beat in beats]
    return 1 - min(volumes) / max(volumes)

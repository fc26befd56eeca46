"""A report on a scan: what it is, what was assumed of it, and whether to trust its heart."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from srheart_demo.enhancement import WORDING
from srheart_demo.enhancement.enhance import Diverged, Enhancement, Trust, enhance
from srheart_demo.enhancement.quantities import (
    Grade,
    Measure,
    judge,
    measured,
    of_heart,
    quick,
    verdict_of,
)
from srheart_demo.heart.generator import OURS
from srheart_demo.heart.measures import volumes_ml
from srheart_demo.scan.labels import USUAL_ORDER
from srheart_demo.scan.placement import apex_contrast
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.problem import Generator

TESTED = {"labelled slices": (4, 30), "mm between slices": (4, 15), "mm pixels": (0.5, 3.0)}
"""Ranges of scans on which this is tested."""
SCANNER_AXES = ("left-right", "posterior-anterior", "inferior-superior")


@dataclass(frozen=True)
class Report:
    """What is to be said of a scan, in sentences; the last four of its heart, where it was solved.

    The verdict is the worst of its measures and of the scan's doubts, and what is as bad as that,
    if it is not fine, are the reasons.
    """

    name: str  # of the file
    found: tuple[str, ...]  # what the file holds
    assumed: tuple[str, ...]  # what was taken for granted
    facts: Mapping[str, Any]  # what was found, for programs
    measures: tuple[Measure, ...] = ()
    # which breath-holds went astray, where the heart ends, and where the prior's draws lie
    besides: tuple[str, ...] = ()
    verdict: Grade | None = None
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For a reader, in lines."""
        measures = [
            f"{m.sentence} [{m.verdict.words}]" if m.verdict else m.sentence for m in self.measures
        ]
        parts = {
            "Found": self.found,
            "Assumed": self.assumed,
            "The heart, after a quick solve": [*measures, *self.besides],
        }
        lines = [self.name]
        for title, sentences in parts.items():
            if sentences:
                lines += [f"  {title}", *(f"    - {sentence}" for sentence in sentences)]
        if self.verdict is not None:
            lines.append(f"  Verdict: {self.verdict.words}.")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Everything, of JSON's types; a value that cannot be measured is null."""
        verdict = self.verdict
        return {
            "file": self.name,
            "verdict": None if verdict is None else verdict.name.lower(),
            "verdict_in_words": None if verdict is None else verdict.words,
            "reasons": list(self.reasons),
            "found": list(self.found),
            "assumed": list(self.assumed),
            "facts": dict(self.facts),
            "besides": list(self.besides),
            "measures": {m.name: m.as_json() for m in self.measures},
        }


def report_on(scan: Scan, G: Generator | None = None) -> Report:
    """Look at a scan, and solve it where there is a generator to do so with."""
    report = Report(scan.stack.name, tuple(_found(scan)), tuple(_assumed(scan)), _facts(scan))
    if G is None:
        return report
    solved = None
    with suppress(Diverged):  # which the measures say
        solved = enhance(scan, G, quick(G))
    measures = judge(measured(scan, G, solved))
    of_it = (*solved.astray, solved.ends_said) if solved else ()
    # |z|² is χ² distributed; scipy.stats would say so too, but takes 0.4 s to import.
    low, high = np.sqrt(2 * gammaincinv(G.latent_size / 2, (0.01, 0.99)))
    drawn = WORDING["heart"]["prior"].format(M=G.latent_size, low=low, high=high)
    besides = (*filter(None, of_it), drawn)
    verdict, reasons = verdict_of(measures, scan.doubts)
    report = replace(report, measures=measures, besides=besides, verdict=verdict, reasons=reasons)
    if (name := getattr(G, "name", OURS)) != OURS:
        other = WORDING["assumed"]["generator"].format(ours=OURS, name=name)
        report = replace(report, assumed=(*report.assumed, other))
    return report


def judged(e: Enhancement, watch: Callable[[int, int], None] | None = None) -> Enhancement:
    """The same with its `trust`: whether the scan's heart lies in what the prior knows.

    Of each quantity the worse counts: that of a quick solve, or of the heart as it was restored.
    `watch` is told how many of how many quick solves are done.
    """
    G = e.problem.G
    is_quick = e.problem.known is None and e.last.state.settings == quick(G)
    measures = judge(measured(e.scan, G, e if is_quick else None, watch))
    if not is_quick:
        own = {m.name: m for m in judge(of_heart(e))}
        measures = tuple(max(m, own.get(m.name, m), key=lambda m: m.verdict) for m in measures)
    verdict, reasons = verdict_of(measures, e.scan.doubts)
    return replace(e, trust=Trust(verdict.name.lower(), verdict.words, reasons))


def _found(scan: Scan) -> Iterable[str]:
    volume, placement, reading = scan.stack, scan.placement, scan.reading
    say = WORDING["found"]
    if reading:
        shape = " x ".join(map(str, reading.stored_shape))
        frames = f", {reading.frames} frames" if reading.frames > 1 else ""
        yield say["array"].format(shape=shape, frames=frames, axis=reading.slice_axis)
    d, h, w = volume.spacing
    yield say["slices"].format(n=volume.shape[0], d=d, h=h, w=w)
    with_labels = np.flatnonzero(volume.labelled)
    n, first, last = len(with_labels), with_labels[0], with_labels[-1]
    yield say["with labels"].format(n=n, first=first, last=last)
    if volume.gaps.any():
        yield say["gaps"].format(gaps=", ".join(map(str, np.flatnonzero(volume.gaps))))
    if reading:
        held = ", ".join(f"{value} ({n} voxels)" for value, n in reading.counts.items() if value)
        yield say["values"].format(held=held)
    ml = volumes_ml(volume.labels, volume.spacing)
    amounts = ", ".join(f"{tissue} {amount:.0f} ml" for tissue, amount in ml.items())
    yield say["volumes"].format(amounts=amounts)
    normal = np.abs(placement.world_from_model[:3, 0])
    angle = np.degrees(np.arccos(min(1.0, normal.max())))
    axis = SCANNER_AXES[int(normal.argmax())]
    lies = "axis" if placement.orientation_known else "spacing only"
    yield say[lies].format(angle=angle, axis=axis)
    yield say["azimuth"].format(azimuth=placement.azimuth_deg)
    for value, (units, (low, high)) in zip((n, d, max(h, w)), TESTED.items(), strict=True):
        if not low <= value <= high:
            yield say["untested"].format(value=value, units=units, low=low, high=high)


def _assumed(scan: Scan) -> Iterable[str]:
    reading, say = scan.reading, WORDING["assumed"]
    if reading and reading.convention == USUAL_ORDER:
        yield say["convention"].format(convention=USUAL_ORDER, source=USUAL_ORDER.source)
    slices = np.flatnonzero(scan.stack.labelled)
    apex = slices[-1 if scan.placement.flipped else 0]
    yield say["apex"].format(apex=apex, taper=apex_contrast(scan.placement.apex_first(scan.stack)))
    yield from scan.notes
    if reading and reading.units != "mm":
        yield say["units"].format(units=reading.units)


def _facts(scan: Scan) -> dict[str, Any]:
    volume, placement, reading = scan.stack, scan.placement, scan.reading
    file = {}
    if reading:
        file = {
            "stored_shape": list(reading.stored_shape),
            "slice_axis": reading.slice_axis,
            "frames": reading.frames,
            "frame": reading.frame,
            "values": {str(value): voxels for value, voxels in reading.counts.items()},
            "taken_for": {t: list(values) for t, values in reading.convention.tissues.items()},
        }
    return file | {
        "slices": volume.shape[0],
        "labelled_slices": np.flatnonzero(volume.labelled).tolist(),
        "not_looked_at": np.flatnonzero(~scan.looked_at).tolist(),
        "spacing_mm": [round(mm, 4) for mm in volume.spacing],
        "slice_order": "base to apex" if placement.flipped else "apex to base",
        "rv_azimuth_deg": round(placement.azimuth_deg, 2),
        "rotation_deg": round(placement.rotation_deg, 2),
        "orientation_known": placement.orientation_known,
        "world_from_model": placement.world_from_model.round(6).tolist(),
        "view_agrees_dice": [dict(dice) for dice in scan.crossing],
        "view_lacks": scan.lacking,
    }

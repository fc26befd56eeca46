"""Sentences of the dashboard that hold numbers."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import isnan
from typing import TYPE_CHECKING

from srheart_demo.dashboard import texts

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import LossCurves, Moment
    from srheart_demo.explorer.race import Lane
    from srheart_demo.explorer.saved import Said
    from srheart_demo.explorer.why import Direction, GaugeCurve


def progress_line(now: Moment, running: bool) -> str:
    """Where the run is, how long it has taken, and may still take where that is known."""
    if not now.last and not running:
        return texts.READY_NOTE
    if now.ended and not running:
        whole = f"of {now.last}"
    elif now.at < now.last:
        whole = f"of {now.last} so far"
    else:
        whole = f"of at most {now.most}"
    parts = [now.name, f"iteration {now.at} {whole}"]
    if now.step.stopped:
        parts.append(texts.ENDS[now.step.stopped])
    if now.at:
        parts.append(f"{now.step.seconds:.1f}\u00a0s")
    if running and now.left is not None:
        parts.append(_remaining(now.left))
    return " · ".join(parts)


def _remaining(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))}\u00a0s left"
    return f"about {seconds / 60:.0f}\u00a0min left"


def problem(error: Exception) -> str:
    """Why a computation came to nothing; of a state that cannot be restored in the page's words."""
    reason, facts = getattr(error, "said", ("", {}))
    if reason:
        return str(texts.NO_STATE[reason].format(**facts))
    return str(error.args[0]) if error.args else type(error).__name__


def otherwise(found: Iterable[Said]) -> str:
    """What came of a state that was restored otherwise than it was."""
    return " ".join(texts.OTHERWISE[which].format(**facts) for which, facts in found)


def spoken(name: str) -> str:
    """Settings, not in capitals; what a step adds stays as it is."""
    return name if name.startswith("+") else name.capitalize()


def run_name(curves: LossCurves) -> str:
    """A run in a few words."""
    name = spoken(curves.name)
    if curves.parted:
        name += f" ↳ {curves.parted}"
    return name if curves.gamma == 1 or isnan(curves.loss_la[0]) else f"{name}, γ {curves.gamma:g}"


def loss_of(curves: LossCurves) -> str:
    """L of the only run that is shown."""
    return f"{texts.LOSS}, {run_name(curves)}"


def short_axis_note(number: int, of: int) -> str:
    """Which slice is shown, counted from the apex."""
    end = " (apex)" if number == 1 else " (base)" if number == of else ""
    return f"slice {number} of {of}{end}"


def long_axis_note(angle: float, acquired: bool) -> str:
    """Which plane is shown, as turned about the heart's axis."""
    if angle == 0:
        return "0°: the acquired view" if acquired else "0°: the 4-chamber view"
    return f"turned {angle:+.0f}° from the 4-chamber view"


def lean(now: Moment) -> str:
    """How much of the motion error is a drift along the stack, and what sees that."""
    views = len(now.scene.view_names) if now.settings.gamma else 0
    seen = texts.LEAN_SEEN.format(views, "s" * (views > 1)) if views else texts.LEAN_UNSEEN
    return texts.LEAN.format(now.lean, seen)


def latent_story(volumes: dict[str, float], odd: list[str], share: float) -> str:
    """The volumes here, and how much of the way leaves the population."""
    told = " · ".join(
        f"{tissue} {ml:.0f}\u00a0ml{' (outside)' if tissue in odd else ''}"
        for tissue, ml in volumes.items()
    )
    if not share:
        return f"{told}. All along the way the volumes are those of the population."
    return (
        f"{told}. On {100 * share:.0f}\u00a0% of the way, where the lines are thin, G draws volumes"
        " that only 1 in 500 hearts of its population has, or none: no known hearts."
    )


def direction(number: int, direction: Direction) -> str:
    """A principal direction by what it changes."""
    return f"{number}: {texts.FEATURE_NAMES[direction.changes][direction.sign > 0]}"


def gauge_verdict(curve: GaugeCurve) -> str:
    """What the experiment shows, in numbers, as markup."""
    reach = abs(curve.amounts) <= 8
    sa = curve.loss_sa[reach].max() - curve.loss_sa[reach].min()
    if isnan(curve.loss_la[0]):
        return f"Within 8\u00a0mm {texts.LOSS_SA} changes by {sa:.4f}: nothing in the data objects."
    la = curve.loss_la[reach].max() - curve.loss_la[reach].min()
    return (
        f"Within 8\u00a0mm {texts.LOSS_SA} changes by {sa:.4f}, {texts.LOSS_LA} by {la:.3f}:"
        " the long-axis view objects."
    )


def race_table(lanes: list[Lane]) -> str:
    """Where each lane stands, as markup; what is not known is left out."""
    table = [
        (
            escape(spoken(lane.name)),
            f"{len(lane.loss) - 1}",
            f"{lane.loss[-1]:.3f}",
            f"{lane.motion_error[-1]:.1f}\u00a0mm",
            f"{lane.dice:.3f}",
        )
        for lane in lanes
    ]
    rows = [texts.RACE_COLUMNS, *table]
    known = [any("nan" not in row[i] for row in table) for i in range(len(rows[0]))]
    cells = ("".join(f"<td>{c}</td>" for c, k in zip(row, known, strict=True) if k) for row in rows)
    return f'<table class="srh-race">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'


def alternatives(now: Moment) -> dict[str, str]:
    """What each figure shows now, in words."""
    active, at, path = now.curves[now.active], now.at, now.paths[now.active]
    shifts, z = now.shifts, now.step.z[0].numpy()
    error = abs(shifts.estimate - shifts.truth)[: len(shifts.tissue)][shifts.tissue]
    worst = int(error.sum(1).argmax()) if len(error) else 0
    number = shifts.slices[shifts.tissue][worst] if len(error) else 0
    off, views = "", "".join(f", {name} view" for name in shifts.views)
    if len(error) and not isnan(error[worst, 0]):
        length = (error[worst] ** 2).sum() ** 0.5
        off = f" Furthest from the truth is slice {number}, by {length:.1f}\u00a0mm."
    return {
        "srh-fig-convergence": (
            f"Chart of the losses: L went from {active.loss[0]:.3f} to {active.loss[at]:.3f} nats"
            f" per voxel in {at} iterations; {len(now.curves)} runs are shown."
        ),
        "srh-fig-shifts": (
            "Chart of each slice's displacement in millimetres, estimated and true:"
            f" {int(shifts.tissue.sum())} slices with tissue{views}.{off}"
        ),
        "srh-fig-latent": (
            f"Bar chart of the latent code: {len(z)} numbers, the largest is number"
            f" {int(abs(z).argmax()) + 1} with {z[abs(z).argmax()]:.1f} standard deviations."
        ),
        "srh-fig-path": (
            "Chart of the latent code's path in two principal directions, from"
            f" {path[0, 0]:.1f}, {path[0, 1]:.1f} to"
            f" {path[at, 0]:.1f}, {path[at, 1]:.1f} standard deviations."
        ),
    }


def heart_alternative(now: Moment) -> str:
    """The 3-D view in words."""
    names, volumes = texts.TISSUE_NAMES, now.volumes.items()
    told = ", ".join(f"{names[tissue]} {ml:.0f}\u00a0ml" for tissue, ml in volumes)
    what, help_ = texts.NAMES["srh-fig-heart"].split(". ", 1)
    return f"{what}. The estimate at iteration {now.at}: {told}. {help_}"

"""Sentences of the dashboard that hold numbers; their words stand in `texts`."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import isnan
from typing import TYPE_CHECKING

from srheart_demo.dashboard import texts
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.history import Run
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.saved import Said
    from srheart_demo.explorer.tour import Tour
    from srheart_demo.explorer.why import Direction, GaugeCurve, Lane


def legend() -> str:
    """The tissues by their colours, as markup."""
    chips = "".join(
        f'<span class="srh-chip"><i style="background:{colour}"></i>'
        f"<b>{tissue}</b> {texts.TISSUE_NAMES[tissue]}</span>"
        for tissue, colour in TISSUE_COLOURS.items()
    )
    return f'<div class="srh-legend">{chips}</div>'


def progress_line(now: Moment, running: bool) -> str:
    """Where the run is, how long it has taken, and may still take where that is known."""
    if not now.last and not running:
        return texts.READY_NOTE
    if now.run.steps[-1].stopped and not running:
        how = "ended"
    elif now.at < now.last:
        how = "so_far"
    else:
        how = "at_most"
    said = texts.PROGRESS[how].format(at=now.at, last=now.last, most=now.most)
    parts = [in_words(now.name), said]
    if now.step.stopped:
        parts.append(texts.ENDS[now.step.stopped])
    if now.at:
        parts.append(f"{now.step.seconds:.1f}\u00a0s")
    if running and now.left is not None:
        minutes, seconds = now.left / 60, max(1, round(now.left))
        left = texts.PROGRESS["seconds" if now.left < 90 else "minutes"]
        parts.append(left.format(seconds=seconds, minutes=minutes))
    return " · ".join(parts)


def in_words(name: str) -> str:
    """Settings and their generator, whose names are alike in every language, with the words
    between."""
    for english, words in texts.RUN_NAMES.items():
        name = name.replace(english, words)
    return name


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
    return in_words(name if name.startswith("+") else name.capitalize())


def run_name(run: Run) -> str:
    """A run in a few words."""
    name, gamma = spoken(run.name), run.steps[-1].state.settings.gamma
    if run.parted:
        name += f" ↳ {run.parted}"
    return name if gamma == 1 or isnan(run.steps[0].loss_la) else f"{name}, γ {gamma:g}"


def short_axis_note(number: int, of: int) -> str:
    """Which slice is shown, counted from the apex."""
    end = {of: "base", 1: "apex"}.get(number, "between")
    return str(texts.SLICE_NOTE[end].format(number, of))


def long_axis_note(angle: float, acquired: bool) -> str:
    """Which plane is shown, as turned about the heart's axis."""
    which = "turned" if angle else "acquired" if acquired else "chambers"
    return str(texts.CUT_NOTE[which].format(angle))


def lean(now: Moment) -> str:
    """How much of the motion error is a drift along the stack, and what sees that."""
    views = len(now.scene.view_names) if now.settings.gamma else 0
    return str(texts.LEAN[min(views, 2)].format(now.lean, views))


def tour_done(tour: Tour) -> str:
    """That the task of the stop is done, with what came of it where that is known; or nothing."""
    name, figures = tour.stop.name, ""
    if name not in tour.done:
        return ""
    words = texts.TOUR[name]
    if name == "guess" and tour.guess is not None and tour.error is not None:
        figures = words["figures"].format(tour.guess, tour.error)
    if name == "lean" and 0 in tour.leans and not any(map(isnan, tour.leans.values())):
        told = [texts.TOUR_WORDS["leans"].format(n, mm) for n, mm in sorted(tour.leans.items())]
        figures = words["figures"].format(", ".join(told))
    return " ".join(filter(None, ("✓", words["done"], figures)))


def latent_story(volumes: dict[str, float], odd: list[str], share: float) -> str:
    """The volumes here, and how much of the way leaves the population."""
    beyond = dict.fromkeys(odd, texts.OUTSIDE)
    told = " · ".join(f"{t} {ml:.0f}\u00a0ml{beyond.get(t, '')}" for t, ml in volumes.items())
    return str(texts.LATENT_STORY[share > 0].format(told=told, share=100 * share))


def direction(number: int, direction: Direction) -> str:
    """A principal direction by what it changes."""
    return f"{number}: {texts.FEATURE_NAMES[direction.changes][direction.sign > 0]}"


def gauge_verdict(curve: GaugeCurve) -> str:
    """What the experiment shows, in numbers, as markup."""
    reach = abs(curve.amounts) <= 8
    sa = curve.loss_sa[reach].max() - curve.loss_sa[reach].min()
    la = curve.loss_la[reach].max() - curve.loss_la[reach].min()
    said = texts.GAUGE_VERDICT[not isnan(la)]
    return str(said.format(L_SA=texts.LOSS_SA, L_LA=texts.LOSS_LA, sa=sa, la=la))


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
    loss, at, path = now.losses[now.active][0], now.at, now.paths[now.active]
    shifts, scene, z = now.shifts, now.scene, now.step.z[0].numpy()
    error = abs(shifts.estimate - shifts.truth)[: len(shifts.tissue)][shifts.tissue]
    worst = int(error.sum(1).argmax()) if len(error) else 0
    number = scene.slices[shifts.tissue][worst] + 1 if len(error) else 0
    off, views = "", "".join(f", {texts.STACK_WORDS['view']}".format(n) for n in scene.view_names)
    if len(error) and not isnan(error[worst, 0]):
        off = texts.FURTHEST.format(number, (error[worst] ** 2).sum() ** 0.5)
    largest = int(abs(z).argmax())
    facts = {
        "srh-fig-convergence": (loss[0], loss[at], at, len(now.runs)),
        "srh-fig-shifts": (int(shifts.tissue.sum()), views, off),
        "srh-fig-latent": (len(z), largest + 1, z[largest]),
        "srh-fig-path": (*path[0], *path[at]),
    }
    return {name: texts.ALTERNATIVES[name].format(*told) for name, told in facts.items()}


def heart_alternative(now: Moment) -> str:
    """The 3-D view in words."""
    names, volumes = texts.TISSUE_NAMES, now.volumes.items()
    told = ", ".join(f"{names[tissue]} {ml:.0f}\u00a0ml" for tissue, ml in volumes)
    what, help_ = texts.NAMES["srh-fig-heart"].split(". ", 1)
    return f"{what}. {texts.HEART_NOW.format(now.at, told)} {help_}"

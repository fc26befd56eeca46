"""Every word that the dashboard shows. A translation is this one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srheart_demo.session import Progress

TITLE = "One heart from a few displaced slices"
SUBTITLE = "Joint motion correction and super-resolution by latent optimisation"
TRUTH = "truth"
TISSUE_NAMES = {"LV": "left ventricle", "MYO": "myocardium", "RV": "right ventricle"}

# Left: the scan and the run
SCAN = "The scan"
SCAN_NOTE = (
    "A stack of short-axis slices, 10 mm apart; breathing has displaced each one."
    " The true heart is known and scores the result."
)
SUBJECT = "Subject"
MOTION = "Motion"
MOTION_NOTE = "× the mean shift of 2.3 mm: 0 none, 1 normal, 4 severe"
LONG_AXIS = "Use the long-axis view"
RUN_CARD = "The run"
PRESET = "Preset"
PRESET_NOTES = {
    "PAPER": "As printed: Adam, step 0.0001, stop at 5 %. It hardly moves.",
    "REFERENCE": "As the authors’ public code: d and z in turn, 500 iterations.",
    "RECOMMENDED": "Our best: weak priors on z and d, a global search of each shift.",
    "INTERACTIVE": "RECOMMENDED cut short, to solve again while a slider moves.",
}
GAMMA = "γ"
GAMMA_NOTE = "weight of the long-axis view; acts at once, mid-run too"
GAMMA_UNUSED = "no long-axis view, so γ counts as 0"
RUN, PAUSE, STEP, RESET = "Run", "Pause", "Step", "Reset"

# Status
LOADING = "Loading the generator"
READY = "Ready"
READY_NOTE = "Press Run: find the heart z and the shifts d that explain the slices."
RUNNING, PAUSED, DONE, FAILED = "Running", "Paused", "Finished", "Something went wrong"
FAILED_NOTE = "Press Reset to go on, or choose another setting."


ENDS = {
    "iterations": "all iterations done",
    "converged": "stopped: hardly anything changes any more",
    "diverged": "stopped: the loss is no longer a number; try smaller steps",
}


def progress_line(progress: Progress, running: bool) -> str:
    """Where the run is, and how long it has taken or will take."""
    parts = [f"iteration {progress.iteration} of {progress.iterations}"]
    if progress.stopped:
        parts.append(ENDS[progress.stopped])
    if progress.iteration:
        parts.append(f"{progress.seconds:.1f}\u00a0s")
    if running and progress.iteration:
        left = progress.iterations - progress.iteration
        parts.append(_remaining(left * progress.seconds / progress.iteration))
    return READY_NOTE if not progress.iteration and not running else " · ".join(parts)


def _remaining(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))}\u00a0s left"
    return f"about {seconds / 60:.0f}\u00a0min left"


def subject(name: str) -> str:
    """A sample's name as a person would say it."""
    return name.replace("_", " ").capitalize()


# Middle: the heart
HEART = "The heart in 3D"
SHOW_TRUTH = "truth (grey)"
SHOW_SLICES = "slices, moved back by d"
SCALE_BAR = "20 mm"
SLICES = "Slice by slice"
SLICES_NOTE = "short axis: the slice framed in 3D"
SHORT_AXIS_SCRUBBER = "Short axis"
LONG_AXIS_SCRUBBER = "Long axis"
COLUMNS = {
    "input": ("Input", "what was scanned"),
    "redegraded": ("Re-degraded", "the estimate, scanned"),
    "estimate": ("Estimate", "line: the truth"),
    "truth": ("Truth", "unknown to the solver"),
}


def short_axis_note(k: int, slices: int) -> str:
    """Which slice is shown, counted from the apex."""
    end = " (apex)" if k == 0 else " (base)" if k == slices - 1 else ""
    return f"slice {k + 1} of {slices}{end}"


def long_axis_note(angle: float, acquired: bool) -> str:
    """Which plane is shown, as turned about the heart's axis."""
    if angle == 0:
        return "0°: the acquired view" if acquired else "0°: the four-chamber view"
    return f"turned {angle:+.0f}° from the four-chamber view"


# Right: unknowns, convergence, quality
UNKNOWN = "What is unknown"
SHIFTS_HEADING = "d: displacement of each slice"
LATENT_HEADING = "z: the heart’s latent code"
ROW_SHIFT, COLUMN_SHIFT = "along rows, mm", "along columns, mm"
SLICE_AXIS = "slice (1 = apex)"
TRUE_SHIFT, ESTIMATED_SHIFT = "true", "estimated"
SHIFT_HOVER = "slice %{y}: %{x:.1f} mm"
LATENT_AXIS, LATENT_VALUE = "latent dimension", "prior SD"
LATENT_HOVER = "z%{x} = %{y:.2f} SD<extra></extra>"
CONVERGENCE = "How it converges"
ITERATION = "iteration"
LOSS_AXIS = "nats per voxel"
LOSS, LOSS_SA, LOSS_LA = "L = L<sub>SA</sub> + γ L<sub>LA</sub>", "L<sub>SA</sub>", "L<sub>LA</sub>"
QUALITY = "How good it is"
DICE_HEADING = "Dice with the truth"
DICE_NEAREST = "nearest neighbour"
DICE_ESTIMATE = "estimate"
MOTION_ERROR = "Motion error, RMS"

STORY = "What happens"
STORY_NOTE = (
    "A generator G turns a code z into a heart. Cut where the slices lie (↓) and displaced slice"
    " by slice (M<sub>d</sub>), it predicts a scan:"
    "<p>S<sub>LR</sub> = M<sub>d</sub>(↓ G(z))</p>"
    "Run changes z and d until the prediction matches the input. L is the mismatch:"
    "<p>L(z, d) = L<sub>SA</sub> + γ L<sub>LA</sub></p>"
    "Watch the outlines in 3D: d puts the slices back in place while z shapes the heart."
)
GAUGE_SCORE_NOTE = "after one shift common to all slices"

# Accessible names: what a screen reader says for each control and figure
NAMES = {
    "srh-subject": "Subject",
    "srh-motion": "Motion amplitude, times the normal amplitude",
    "srh-long-axis": "Use the long-axis view",
    "srh-preset": "Preset of the solver",
    "srh-gamma": "Gamma, weight of the long-axis loss",
    "srh-button-run": RUN,
    "srh-button-pause": PAUSE,
    "srh-button-step": STEP,
    "srh-button-reset": RESET,
    "srh-short-axis-scrubber": "Short-axis slice, counted from the apex",
    "srh-long-axis-scrubber": "Angle of the long-axis cut, degrees",
    "srh-show-truth": "Show the truth in the 3D view",
    "srh-show-slices": "Show the stack's slices in the 3D view",
    "srh-fig-heart": "3D view of the estimated heart, the true heart and the slices",
    "srh-fig-shifts": "Chart of each slice's displacement, estimated and true, in millimetres",
    "srh-fig-latent": "Bar chart of the latent code",
    "srh-fig-convergence": "Chart of the losses against the iteration",
} | {
    f"srh-{row}-{column}": f"{view}, {COLUMNS[column][0].lower()}"
    for row, view in (("sa", "Short-axis slice"), ("la", "Long-axis cut"))
    for column in COLUMNS
}

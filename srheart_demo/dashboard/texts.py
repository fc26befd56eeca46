"""Every word that the dashboard shows. A translation is this one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srheart_demo.explorer import Curves, Direction, Frame, GaugeCurve, Lane, Progress, Scores

TITLE = "One heart from a few displaced slices"
SUBTITLE = "Joint motion correction and super-resolution by latent optimisation"
TRUTH = "truth"
TISSUE_NAMES = {"LV": "left ventricle", "MYO": "myocardium", "RV": "right ventricle"}

# Header
EQUATION, DARK = "Equation", "Dark"
EQUATIONS = (
    '<span class="srh-term-scan">S<sub>LR</sub></span> ='
    ' <span class="srh-term-motion">M<sub>d</sub></span>'
    ' <span class="srh-term-down">↓<sub>s</sub></span>'
    ' <span class="srh-term-heart">S<sub>HR</sub></span> +'
    ' <span class="srh-term-noise">ε</span>',
    '<span class="srh-term-heart">S<sub>HR</sub></span> ≈'
    ' <span class="srh-term-G">G(<span class="srh-term-z">z</span>)</span>',
    'min<sub><span class="srh-term-z">z</span>, <span class="srh-term-d">d</span></sub> '
    '<span class="srh-term-L">L</span> ='
    ' <span class="srh-term-LSA">CE(<span class="srh-term-motion srh-term-d">M<sub>d</sub></span>'
    ' <span class="srh-term-down">↓<sub>s</sub></span> G(<span class="srh-term-z">z</span>),'
    ' <span class="srh-term-scan">S<sub>LR</sub></span>)</span> +'
    ' <span class="srh-term-gamma">γ</span>'
    ' <span class="srh-term-LLA">CE(R ⊙ G(<span class="srh-term-z">z</span>),'
    " S<sub>LA</sub>)</span>"
    ' <span class="srh-term-prior">− log p(z) − log p(d)</span>',
    '<span class="srh-term-z">z ← z − <span class="srh-term-lrz">α<sub>z</sub></span>'
    " ∂L/∂z</span>, "
    '<span class="srh-term-d">d ← d − <span class="srh-term-lrd">α<sub>d</sub></span>'
    " ∂L/∂d</span>",
)
BEGIN = (
    "<b>Begin here:</b> drag a slice in 1 sideways, press Run, see in 3 how d and z put it back."
    " <b>Point at a control or chart:</b> this line explains it, and its term lights up."
)
TERMS = {
    "srh-subject": ["heart"],
    "srh-seed": ["heart"],
    "srh-motion": ["motion"],
    "srh-spacing": ["down"],
    "srh-noise": ["noise"],
    "srh-long-axis": ["LLA"],
    "srh-stack": ["motion", "scan"],
    "srh-preset": ["L", "prior", "lrz", "lrd"],
    "srh-gamma": ["gamma", "LLA"],
    "srh-solver": ["lrz", "lrd"],
    "srh-lr-z": ["lrz"],
    "srh-lr-d": ["lrd"],
    "srh-prior": ["prior"],
    "srh-fig-shifts": ["d"],
    "srh-fig-latent": ["z"],
    "srh-fig-path": ["z"],
    "srh-fig-convergence": ["L", "LSA", "LLA"],
    "srh-fig-heart": ["G"],
}

# 1 The scan
SCAN = "The scan"
SUBJECT, SEED, OWN_FILE, OWN_VIEW = "Subject", "Seed", "Your stack", "Your long-axis view"
SUBJECT_RANDOM, SUBJECT_OWN = "A random heart", "A file of yours"
OWN_HINT = "Choose it in the tab “Your scan”."
MOTION, SPACING, NOISE = "Motion, × usual", "Spacing, mm", "Wrong labels"
LONG_AXIS = "long-axis view"
LIVE = "solve at once"
SCANNED, PUT_BACK = "Scan: drag a slice", "Motion undone by d"
STACK_WORDS = {
    "columns": "columns",
    "rows": "rows",
    "turn": "turn 90°",
    "direction": "seen along",
    "leaveOut": "leave out",
    "takeAgain": "use again",
    "undo": "undo",
    "slice": "slice",
    "help": (
        "The stack from the side. Up and down choose a slice, left and right displace it,"
        " Delete leaves it out or uses it again."
    ),
    "missing": "is not used",
}

# 2 The solver
RUN_CARD = "The solver"
PRESET = "Preset"
PRESET_NOTES = {
    "PAPER": "As the paper prints it: steps of 0.0001, stop at 5\u00a0%. It hardly moves.",
    "REFERENCE": "As the authors’ public code: d and z in turn, 500 iterations.",
    "RECOMMENDED": "Our best: weak priors on z and d, a search over all shifts first.",
    "INTERACTIVE": "RECOMMENDED cut short, to solve again while a slider moves.",
}
GAMMA = "Weight γ"
GAMMA_NOTE = "of the long-axis view; also while it runs"
GAMMA_UNUSED = "no long-axis view is used: γ counts as 0"
SOLVER = "Optimiser"
SOLVERS = {"adam": "Adam", "lbfgs": "L-BFGS"}
LEARNING_RATE_Z, LEARNING_RATE_D = "Step of z", "d, mm"
PRIOR = "use priors"
RUN, PAUSE, STEP, RESET = "Run", "Pause", "Step", "Reset"
REPLAY, FORK, CANCEL = "Replay", "Branch here", "Cancel"
ITERATION_SCRUBBER = "Iteration"

# Status
LOADING = "Loading the generator"
READY = "Ready"
READY_NOTE = "Press Run: find the heart z and the shifts d that explain the slices."
RUNNING, REPLAYING, PAUSED, DONE = "Running", "Replaying", "Paused", "Finished"
FAILED = "Something went wrong"
REFUSED, RESTORED = "Not done", "Restored, but not the very same"
FAILED_NOTE = "Press Reset to go on, or choose another setting."
ENDS = {
    "iterations": "all iterations done",
    "converged": "stopped: hardly anything changes any more",
    "diverged": "stopped: the loss is no longer a number; try smaller steps",
}
JOBS = {
    "load": "Reading the file",
    "check": "Checking your scan",
    "uncertainty": "Drawing likely hearts",
    "spread": "Solving from five starts",
    "shift_map": "Trying every shift",
    "valley": "Trying L around the run",
    "directions": "Naming directions of z",
    "gauge": "Moving heart and slices",
    "race": "The presets race",
    "restore": "Restoring the state",
    "film": "Drawing the animation",
    "take": "Writing the file",
    "picture": "Drawing",
}


def progress_line(progress: Progress, running: bool) -> str:
    """Where the run is, how long it has taken, and may still take where that is known."""
    if not progress.last and not running:
        return READY_NOTE
    if progress.ended and not running:
        whole = f"of {progress.last}"
    elif progress.iteration < progress.last:
        whole = f"of {progress.last} so far"
    else:
        whole = f"of at most {progress.iterations}"
    parts = [progress.name, f"iteration {progress.iteration} {whole}"]
    if progress.stopped:
        parts.append(ENDS[progress.stopped])
    if progress.iteration:
        parts.append(f"{progress.seconds:.1f}\u00a0s")
    if running and progress.left is not None:
        parts.append(_remaining(progress.left))
    return " · ".join(parts)


def shown_run(shown: str, chosen: str) -> str:
    """Of a run that did not run with the chosen preset."""
    return f"Shown: {shown}. Run starts {chosen}:"


# Where one looks: what is loading, computed, old or still to come
AGAIN = "Compute it"
CANCELLED = "Cancelled: nothing was computed."
COMPUTED_LATER = "Computed when the run ends, or when you press Pause."
OLD = "Of an earlier iteration; computed anew when the run ends, or when you press Pause."
OLD_RACE = "Of another scan. Start the race again for this one."
COMING = {
    "landscape": "Two maps of the loss are computed when the run rests.",
    "latent": "The directions of z are named when the run rests; the first time takes a while.",
    "gauge": "The losses of moved hearts are computed when the run rests.",
    "race": (
        "Press “Start the race”: within about 10\u00a0s of computing two charts come, the loss and"
        " the motion error of every preset against computing time."
    ),
    "own": (
        "Choose a stack above. Then a report stands here: whether to trust the restored heart, what"
        " was found in the file, what was assumed. The other tabs show your heart like any other."
    ),
    "take": "",
}
PAGE_LOADING = (
    "Loading: Python reads the generator and solves a first scan. That takes some seconds; then the"
    " heart found stands here."
)


def old_heading(iteration: int) -> str:
    """Of scores that are older than the picture."""
    return f"Dice at iteration {iteration}"


def _remaining(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))}\u00a0s left"
    return f"about {seconds / 60:.0f}\u00a0min left"


def subject(name: str) -> str:
    """A sample's name as a person would say it."""
    return name.replace("_", " ").capitalize()


def run_name(curves: Curves) -> str:
    """A run in a few words."""
    name = curves.name.capitalize()
    if curves.parted:
        name += f" ↳ {curves.parted}"
    return name if curves.gamma == 1 or not _has_view(curves) else f"{name}, γ {curves.gamma:g}"


def loss_of(curves: Curves) -> str:
    """L of the only run that is shown."""
    return f"{LOSS}, {run_name(curves)}"


def _has_view(curves: Curves) -> bool:
    """Whether the run has an LA view, so that γ weighs anything."""
    return bool(curves.loss_la[0] == curves.loss_la[0])


# The heart
TABS = {
    "heart": "Heart",
    "landscape": "Loss landscape",
    "latent": "Latent space",
    "gauge": "Ambiguity",
    "race": "Race",
    "own": "Your scan",
    "take": "Save",
}
TITLES = TABS | {"gauge": "What the data cannot tell", "race": "A race of the presets"}
LESSONS = {
    "landscape": "lesson 4, Latent optimisation",
    "latent": "lesson 3, The anatomical prior",
    "gauge": "lesson 5, Motion and gauge",
    "race": "lesson 4, Latent optimisation",
    "own": "lesson 9, Your own scan",
    "take": "lesson 9, Your own scan",
}
"""Which lesson explains a tab."""
HEART = "3D"
SHOW_TRUTH = "true heart (grey)"
SHOW_CUT = "long-axis cut"
SLICES_SHOWN = {"outlined": "slice outlines", "painted": "painted slices", "": "no slices"}
PAINT = "Colours"
PAINTS = {
    "": "tissues",
    "error": "error, mm",
    "uncertainty": "uncertainty, mm",
    "spread": "spread of 5 starts, mm",
}
HEART_AXES = ("columns, mm", "rows, mm", "D, mm: apex → base")
PLACE = "D %{z:.0f} · rows %{y:.0f} · columns %{x:.0f}\u00a0mm"
PLOTLY_LOADING = "Loading Plotly"
TURN_HELP = "Arrow keys turn it, plus and minus zoom, Home brings it back."
SLICES = "Slice by slice"
SLICES_NOTE = "both planes are painted in 3D"
SHORT_AXIS_SCRUBBER = "Short axis"
LONG_AXIS_SCRUBBER = "Long axis"
COLUMNS = {
    "input": ("Scan", "what is given"),
    "redegraded": ("Predicted", "scan of G(z)"),
    "disagreement": ("Difference", "of these two"),
    "estimate": ("Estimate", "line: truth"),
    "truth": ("Truth", "to compare"),
}


def short_axis_note(number: int, of: int) -> str:
    """Which slice is shown, counted from the apex."""
    end = " (apex)" if number == 1 else " (base)" if number == of else ""
    return f"slice {number} of {of}{end}"


def long_axis_note(angle: float, acquired: bool) -> str:
    """Which plane is shown, as turned about the heart's axis."""
    if angle == 0:
        return "0°: the acquired view" if acquired else "0°: the 4-chamber view"
    return f"turned {angle:+.0f}° from the 4-chamber view"


# Unknowns, convergence, quality
UNKNOWN = "What is unknown"
SHIFTS_HEADING = "d: displacement of each slice"
LATENT_HEADING = "z: the heart’s latent code"
LATENT_MODES = {"bars": "bars", "path": "path"}
ROW_SHIFT, COLUMN_SHIFT = "along rows, mm", "along columns, mm"
SLICE_AXIS = "slice (1 = apex)"
TRUE_SHIFT, ESTIMATED_SHIFT = "true", "estimated"
LATENT_AXIS, LATENT_VALUE = "latent dimension", "SD"
PATH_X, PATH_Y = "1st principal direction, SD", "2nd, SD"
CONVERGENCE = "How it converges"
ITERATION = "iteration"
LOSS_AXIS = "nats per voxel"
LOSS, LOSS_SA, LOSS_LA = "L", "L<sub>SA</sub>", "L<sub>LA</sub>"
QUALITY = "How good it is"
DICE_HEADING = "Dice with the truth"
DICE_NEAREST = "nearest neighbour"
DICE_ESTIMATE = "estimate"
AGREEMENT_HEADING = "Dice with the scan"
NO_TRUTH_NOTE = "Nobody knows this heart: scored by how well it explains the slices."
MOTION_ERROR = "Motion error, RMS"
GAUGE_SCORE_NOTE = "after one shift common to all slices"

# Seeing why: the loss landscape
LANDSCAPE_NOTE = (
    "L is a surface over all unknowns, and a run walks down it. Above, <b>one slice moves</b> and"
    " all else stays: a Fourier transform tries every shift at once. Below, <b>the heart changes"
    " too</b>: a slanting valley means that z can make up for a wrong d."
)
LANDSCAPE_DIRECTION = "Direction of z"
ALONG = "z along the direction, SD"
LANDSCAPE_VALLEY_TITLE = "Its shift and one direction of z"
LANDSCAPE_L = "L, nats per voxel"
HERE = "here"


def landscape_shift_title(number: int) -> str:
    """Of the map of one slice's shift."""
    return f"Slice {number}’s shift: choose another at the left"


# Seeing why: the latent space
LATENT_NOTE = (
    "G turns every z into a heart. Move z along a <b>principal direction</b>, one of those that"
    " change a heart most; each is named by the trait that it changes most. The lines show the"
    " volumes on the way, the dots this heart."
)
LATENT_DIRECTION, LATENT_AMOUNT = "Direction of z", "Amount, SD"
LATENT_VOLUME = "volume, ml"
TRAIT_NAMES = {
    "LV": ("a smaller LV", "a larger LV"),
    "MYO": ("less myocardium", "more myocardium"),
    "RV": ("a smaller RV", "a larger RV"),
    "length": ("a shorter heart", "a longer heart"),
    "wall": ("thinner walls", "thicker walls"),
    "lean_rows": ("leaning up", "leaning down the rows"),
    "lean_columns": ("leaning left", "leaning right along columns"),
    "place_rows": ("further up", "further down the rows"),
    "place_columns": ("further left", "further right along columns"),
}


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
    return f"{number}: {TRAIT_NAMES[direction.changes][direction.sign > 0]}"


# Seeing why: the gauge
GAUGE_NOTE = (
    "Move the whole heart one way and all slices the other: every slice looks as before, so"
    " <b>L<sub>SA</sub> stays flat</b>. A shear does the same with a drift that grows along the"
    " stack. Only the <b>long-axis view</b> (or a prior) sees it: switch it off and on at the left."
    " This freedom is called the gauge."
)
GAUGE_KINDS = {"translate": "shift the heart", "shear": "shear the heart"}
GAUGE_KIND, GAUGE_AMOUNT = "Experiment", "by, mm"
GAUGE_AXIS = {
    "translate": "the heart to the right, the slices to the left, mm",
    "shear": "base to the right over 100\u00a0mm of heart, the slices against it, mm",
}
GAUGE_BEFORE, GAUGE_AFTER = "the heart found", "moved: it fits the slices as well"


def gauge_verdict(curve: GaugeCurve) -> str:
    """What the experiment shows, in numbers, as markup."""
    reach = abs(curve.amounts) <= 8
    sa = curve.loss_sa[reach].max() - curve.loss_sa[reach].min()
    if _unknown(curve.loss_la[0]):
        return f"Within 8\u00a0mm {LOSS_SA} changes by {sa:.4f}: nothing in the data objects."
    la = curve.loss_la[reach].max() - curve.loss_la[reach].min()
    return (
        f"Within 8\u00a0mm {LOSS_SA} changes by {sa:.4f}, {LOSS_LA} by {la:.3f}:"
        " the long-axis view objects."
    )


def _unknown(value: float) -> bool:
    """Whether a number is none."""
    return bool(value != value)


# Seeing why: the race
RACE_NOTE = (
    "All presets from the same start, z = d = 0, with the same computing time. <b>PAPER</b> stops"
    " where it began; <b>REFERENCE</b> walks; priors, curvature and a global search let"
    " <b>RECOMMENDED</b> jump."
)
RACE_START = "Start the race"
RACE_SECONDS, RACE_LOSS, RACE_ERROR = "computing time, s", "L, nats per voxel", "motion error, mm"


def race_line(lanes: list[Lane]) -> str:
    """Where each lane stands."""
    return " · ".join(
        f"{lane.name.capitalize()}: {len(lane.loss) - 1} iterations, L {lane.loss[-1]:.3f}"
        + ("" if _unknown(lane.motion_error[-1]) else f", {lane.motion_error[-1]:.1f}\u00a0mm")
        for lane in lanes
    )


# A scan of one's own
OWN_NOTE = (
    "A short-axis <b>segmentation</b> as NIfTI, and a long-axis view of the same heart if there is"
    " one. Choose or drop the files; nothing is kept when the page is closed."
)
OWN_FRAME, OWN_LABELS, OWN_TURN = "Frame", "Labels", "Turn, °"
OWN_VIEW_FRAME = "Frame of the view"
OWN_FLIP, OWN_MIRROR = "apex at the other end", "mirror it"
OWN_AS_IT_IS = (
    "Your scan as it is: nothing is simulated. Slices are shown as in the file; in 3D the heart is"
    " turned as the model has it, with the RV at the left."
)
OWN_STACK_FIRST = "Choose the stack first, then its long-axis view."
OWN_RECOGNISED = "recognised, or LV=1 MYO=2 RV=3"
REPORT = "Report on your scan"
REPORT_PARTS = "The heart, after a quick solve", "Found in the file", "Assumed"
NOT_CLINICAL = "For research and teaching, not for clinical use."


def too_large(name: str, size: int, most: int) -> str:
    """A file that is not taken."""
    return (
        f"{name}: the file has {size / 2**20:.0f}\u00a0MB, more than the {most / 2**20:.0f}\u00a0MB"
        " that are taken; crop it to the heart and pack it (.nii.gz)."
    )


def empty(name: str) -> str:
    """A file with nothing in it."""
    return f"{name}: the file is empty; export or download it again."


def unreadable(name: str) -> str:
    """A file that was there when it was chosen."""
    return f"{name}: the browser cannot read the file any more; choose it again."


# Taking it away
TAKE_NOTE = "What you see now, as files; everything is made on this computer."
TAKES = {
    "S_SR": ("Heart (NIfTI)", "labels on a fine grid, where the scan lies"),
    "d": ("Displacements d (JSON)", "mm along rows and columns, with the losses"),
    "stl": ("Surfaces (STL)", "for a 3D printer, mm"),
    "glb": ("Surfaces (GLB)", "coloured, for slides and browsers"),
    "png": ("Figure (PNG)", "heart, stack and curves"),
    "html": ("3D view (HTML)", "one file that turns in any browser"),
    "gif": ("Animation (GIF)", "the run, iteration by iteration"),
}
STATE = "This state as a text"
STATE_NOTE = (
    "Send it to somebody: Restore computes the same runs again, and says where another machine"
    " comes to another end."
)
RESTORE = "Restore"

# What the line below the equation says of a control or chart that is pointed at
TIPS = {
    "srh-subject": (
        "Whose heart is scanned: S<sub>HR</sub> in the equation. Synthetic hearts, or a"
        " segmentation of yours."
    ),
    "srh-seed": "Each number is another random heart.",
    "srh-motion": (
        "How far breathing displaced the slices (M<sub>d</sub>): 1 is usual, 2.3\u00a0mm on"
        " average; 4 is severe."
    ),
    "srh-spacing": (
        "From slice to slice. ↓<sub>s</sub> keeps every s-th plane of the heart; they lie"
        " 2\u00a0mm apart, so 10\u00a0mm is s = 5."
    ),
    "srh-noise": "Share of voxels whose label is wrong (ε).",
    "srh-long-axis": (
        "A second picture, along the heart (S<sub>LA</sub>). It sees a drift of the slices that"
        " the slices hide."
    ),
    "srh-live": (
        "Solves again, in few iterations, whenever the scan changes. Without it: press Run."
    ),
    "srh-stack": (
        "The slices from the side, base on top: left as they were scanned, right moved back by"
        " d. Drag one sideways."
    ),
    "srh-preset": "A ready choice of all that follows. REFERENCE walks slowly enough to watch.",
    "srh-gamma": "γ weighs how much the long-axis view counts beside the slices; 0: it is ignored.",
    "srh-solver": (
        "Who chooses each step: Adam follows the gradient, L-BFGS also learns how the unknowns"
        " hang together."
    ),
    "srh-prior": (
        "Priors: z should be like the hearts that G has learnt from (p(z)), d small unless the"
        " slices say more (p(d))."
    ),
    "srh-lr-z": (
        "α<sub>z</sub>, the length of a step of the heart’s code z. Adam: in SD; L-BFGS: times"
        " its own step."
    ),
    "srh-lr-d": "α<sub>d</sub>, the length of a step of the displacements d, in mm.",
    "srh-button-run": "Search for z and d, iteration by iteration.",
    "srh-button-pause": "Stop here; Run goes on, Step goes one iteration further.",
    "srh-button-step": "One iteration: z and d move one step downhill.",
    "srh-button-reset": "Back to the start of the run.",
    "srh-iteration": "Look back at an earlier iteration.",
    "srh-button-replay": "Show the run again from its start.",
    "srh-button-fork": (
        "Keep this run and begin another one at the iteration that is shown; then change a"
        " setting and press Run."
    ),
    "srh-equation": "Shows the equation. Point at a control: the term that it acts on lights up.",
    "srh-show-truth": "The true heart, which the solver never sees, as a grey shell.",
    "srh-show-cut": "The long-axis cut of the scan, painted where it lies; turn it below.",
    "srh-show-slices": (
        "The slices where d puts them: as outlines, as painted areas, or not at all."
    ),
    "srh-paint": (
        "Colours of the surface: tissues, or in mm its error, its uncertainty, how far five"
        " random starts differ."
    ),
    "srh-short-axis-scrubber": (
        "Which slice of the stack is shown, counted from the apex; the frame in 3D shows where"
        " it lies."
    ),
    "srh-long-axis-scrubber": (
        "Turns a cut along the heart about its long axis; 0° is the 4-chamber view."
    ),
    "srh-label-pictures": "A good answer predicts the scan: then the difference is empty.",
    "srh-fig-heart": "G(z): the heart that the code z stands for. Drag to turn it.",
    "srh-fig-shifts": (
        "d: how far each slice was displaced, in mm. Rings are the truth, dots the estimate."
    ),
    "srh-fig-latent": (
        "z: 128 numbers that G turns into a heart, in standard deviations (SD) of its prior."
    ),
    "srh-fig-path": "The way of z during the run, in its two directions that change a heart most.",
    "srh-fig-convergence": (
        "L: how badly the predicted scan fits. L<sub>SA</sub> is the slices’ part,"
        " L<sub>LA</sub> the long-axis view’s."
    ),
    "srh-scores": (
        "Dice is overlap: 1 is all, 0 is none. Black marks: the same slices enlarged without"
        " any model."
    ),
    "srh-landscape-direction": (
        "Which of z’s directions the lower map shows; 1 changes a heart most."
    ),
    "srh-latent-direction": (
        "Along which direction z is moved; each is named by what it changes most."
    ),
    "srh-latent-amount": "How far z is moved, in standard deviations (SD).",
    "srh-gauge-kind": (
        "Shift: the whole heart sideways. Shear: the further up, the more, so that it leans."
    ),
    "srh-gauge-amount": "How far the heart is moved; its slices are moved back as far.",
    "srh-own-labels": "Which label is which tissue, if that was not recognised.",
    "srh-own-turn": (
        "Turns the scan in its plane, if the right ventricle is not where it should be."
    ),
}

# Accessible names: what a screen reader says for each control and figure
NAMES = {
    "srh-subject": "Subject",
    "srh-seed": "Seed of the random heart",
    "srh-motion": "Motion, × usual amplitude",
    "srh-spacing": "Spacing, mm from slice to slice",
    "srh-noise": "Wrong labels, share of voxels",
    "srh-long-axis": "Use the long-axis view",
    "srh-live": "Solve at once, with each change of the scan",
    "srh-preset": "Preset of the solver",
    "srh-gamma": "Weight γ (gamma) of the long-axis loss",
    "srh-solver": "Optimiser",
    "srh-lr-z": "Step of z: its learning rate",
    "srh-lr-d": "Step of d, mm: its learning rate",
    "srh-prior": "Use priors on z and d",
    "srh-button-run": RUN,
    "srh-button-pause": PAUSE,
    "srh-button-step": STEP,
    "srh-button-reset": RESET,
    "srh-button-replay": "Replay the run",
    "srh-button-fork": "Branch here: begin another run at this iteration",
    "srh-button-cancel": "Cancel the computation",
    "srh-iteration": "Iteration shown",
    "srh-equation": "Show the equation",
    "srh-theme": "Dark colours",
    "srh-short-axis-scrubber": "Short-axis slice, counted from the apex",
    "srh-long-axis-scrubber": "Angle of the long-axis cut, degrees",
    "srh-show-truth": "Show the truth in the 3D view",
    "srh-show-slices": "How the stack's slices are shown in the 3D view",
    "srh-show-cut": "Show the long-axis cut in the 3D view",
    "srh-paint": "What is painted on the surface",
    "srh-fig-heart": f"3D view of the estimated heart, the true heart and the slices. {TURN_HELP}",
    "srh-fig-shifts": "Chart of each slice's displacement, estimated and true, in millimetres",
    "srh-fig-latent": "Bar chart of the latent code",
    "srh-fig-path": "Chart of the latent code's path in two principal directions",
    "srh-fig-convergence": "Chart of the losses against the iteration",
}
ROWS = {"sa": "Short-axis slice", "la": "Long-axis cut"}
LATER_NAMES = {
    "srh-landscape-direction": "Direction of z in the lower map",
    "srh-fig-shift-map": "Map of the loss over one slice's shift",
    "srh-fig-valley": "Map of the loss over a shift and a direction of z",
    "srh-latent-direction": "Direction of z, by what it changes",
    "srh-latent-amount": "Amount, SD: z along the direction",
    "srh-fig-volumes": "Chart of volumes along the direction, in millilitres",
    "srh-latent-portrait": "The heart at this z, in 3D",
    "srh-gauge-kind": "Experiment: shift or shear the heart",
    "srh-gauge-amount": "Amount, millimetres",
    "srh-fig-gauge": "Chart of the losses against the amount",
    "srh-gauge-before": "The heart found, in 3D",
    "srh-gauge-after": "The heart moved, in 3D",
    "srh-race-start": RACE_START,
    "srh-own-stack": "Your stack: choose a short-axis segmentation, a NIfTI file",
    "srh-own-view": "Your long-axis view: choose a segmentation, a NIfTI file",
    "srh-own-frame": "Frame of your scan, from 0",
    "srh-own-view-frame": "Frame of your long-axis view, from 0; by default the stack's",
    "srh-own-labels": "What the label values mean",
    "srh-own-turn": "Further turn of your scan in its plane, degrees",
    "srh-own-flip": "Take the other end of the stack for the apex",
    "srh-own-mirror": "Mirror your scan",
    "srh-fig-race-loss": "Chart of each preset's loss against computing time",
    "srh-fig-race-error": "Chart of each preset's motion error against computing time",
    "srh-state": STATE,
    "srh-restore": RESTORE,
} | {f"srh-take-{name}": title for name, (title, _) in TAKES.items()}
"""Of what is made when its tab is opened first."""


def alternatives(frame: Frame) -> dict[str, str]:
    """What each figure shows now, in words."""
    active = next(curves for curves in frame.curves if curves.active)
    at, shifts, z = frame.progress.iteration, frame.shifts, frame.z
    error = abs(shifts.estimate - shifts.truth)[shifts.tissue]
    worst = int(error.sum(1).argmax()) if len(error) else 0
    number = shifts.slices[shifts.tissue][worst] if len(error) else 0
    off = ""
    if len(error) and not _unknown(error[worst, 0]):
        length = (error[worst] ** 2).sum() ** 0.5
        off = f" Furthest from the truth is slice {number}, by {length:.1f}\u00a0mm."
    return {
        "srh-fig-convergence": (
            f"Chart of the losses: L went from {active.loss[0]:.3f} to {active.loss[at]:.3f} nats"
            f" per voxel in {at} iterations; {len(frame.curves)} runs are shown."
        ),
        "srh-fig-shifts": (
            "Chart of each slice's displacement in millimetres, estimated and true:"
            f" {int(shifts.tissue.sum())} slices with tissue.{off}"
        ),
        "srh-fig-latent": (
            f"Bar chart of the latent code: {len(z)} numbers, the largest is number"
            f" {int(abs(z).argmax()) + 1} with {z[abs(z).argmax()]:.1f} standard deviations."
        ),
        "srh-fig-path": (
            "Chart of the latent code's path in two principal directions, from"
            f" {active.path[0, 0]:.1f}, {active.path[0, 1]:.1f} to"
            f" {active.path[at, 0]:.1f}, {active.path[at, 1]:.1f} standard deviations."
        ),
    }


def as_scanned(tissue: str) -> str:
    """What a painted plane shows."""
    return f"{tissue}, as scanned"


def heart_alternative(scores: Scores) -> str:
    """The 3-D view in words."""
    volumes = ", ".join(f"{TISSUE_NAMES[t]} {ml:.0f}\u00a0ml" for t, ml in scores.volumes.items())
    return (
        "3D view of the estimated heart, the true heart and the slices. The estimate at iteration"
        f" {scores.iteration}: {volumes}."
        f" {TURN_HELP}"
    )

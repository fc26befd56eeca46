"""The dashboard's words, with those of `words.toml`; `sentences` makes sentences of numbers.

A translation is these three files.
"""

import tomllib
from pathlib import Path
from typing import Any

_WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _of_controls(what: str) -> dict[str, Any]:
    return {name: words[what] for name, words in _WORDS["control"].items() if what in words}


LABELS: dict[str, str] = _of_controls("label")
TIPS: dict[str, str] = _of_controls("tip")
TERMS: dict[str, list[str]] = _of_controls("terms")
"""CSS class of a control or chart → what is said of it, and terms of the equation."""
TABS: dict[str, dict[str, str]] = _WORDS["tab"]
"""Name of a tab → what it says; see `words.toml`."""

TITLE = "One heart from a few displaced slices"
SUBTITLE = "Joint motion correction and super-resolution by latent optimisation"
TRUTH = "truth"
TISSUE_NAMES: dict[str, str] = _WORDS["tissue"]

# Header
EQUATIONS: list[str] = _WORDS["equations"]
BEGIN = (
    "<b>Begin here:</b> drag a slice in 1 sideways, press Run, see in 3 how d and z put it back."
    " <b>Point at a control or chart:</b> this line explains it, and its term lights up."
)

# 1 The scan
SCAN = "The scan"
SUBJECT_RANDOM, SUBJECT_OWN = "A random heart", "A file of yours"
OWN_HINT = "Choose it in the tab “Your scan”."
SCANNED, PUT_BACK = "Scan: drag a slice", "Motion undone by d"
STACK_WORDS: dict[str, str] = _WORDS["stack"]

# 2 The solver
RUN_CARD = "The solver"
PRESET_NOTES: dict[str, str] = _WORDS["preset"]
GAMMA_NOTE = "of the long-axis view; also while it runs"
GAMMA_UNUSED = "no long-axis view is used: γ counts as 0"
SHOWN_RUN = "Shown: {}. Run starts {}:"
SOLVERS: dict[str, str] = _WORDS["solver"]

# Status
LOADING = "Loading the generator"
READY = "Ready"
READY_NOTE = "Press Run: find the heart z and the shifts d that explain the slices."
RUNNING, REPLAYING, PAUSED, DONE = "Running", "Replaying", "Paused", "Finished"
FAILED = "Something went wrong"
REFUSED, RESTORED = "Not done", "Restored, but not the very same"
FAILED_NOTE = "Press Reset to go on, or choose another setting."
ENDS: dict[str, str] = _WORDS["end"]
JOBS: dict[str, str] = _WORDS["job"]

# Where one looks: what is loading, computed, old or still to come
CANCELLED = "Cancelled: nothing was computed."
COMPUTED_LATER = "Computed when the run ends, or when you press Pause."
OLD = "Of an earlier iteration; computed anew when the run ends, or when you press Pause."
OLD_RACE = "Of another scan. Start the race again for this one."
PAGE_LOADING = (
    "Loading: Python reads the generator and solves a first scan. That takes some seconds; then the"
    " heart found stands here."
)

# The heart
HEART = "3D"
SLICES_SHOWN: dict[str, str] = _WORDS["slices"]
PAINTS: dict[str, str] = _WORDS["paint"]
HEART_AXES = ("columns, mm", "rows, mm", "D, mm: apex → base")
PLACE = "D %{z:.0f} · rows %{y:.0f} · columns %{x:.0f}\u00a0mm"
AS_SCANNED = "{}, as scanned"
PLOTLY_LOADING = "Loading Plotly"
SLICES = "Slice by slice"
SLICES_NOTE = "both planes are painted in 3D"
SHORT_AXIS_SCRUBBER = "Short axis"
LONG_AXIS_SCRUBBER = "Long axis"
COLUMNS: dict[str, list[str]] = _WORDS["column"]

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
OLD_HEADING = "Dice at iteration {}"
AGREEMENT_HEADING = "Dice with the scan"
NO_TRUTH_NOTE = "Nobody knows this heart: scored by how well it explains the slices."
MOTION_ERROR = "Motion error, RMS"
GAUGE_SCORE_NOTE = "after one shift common to all slices"

# Seeing why: the loss landscape
ALONG = "z along the direction, SD"
LANDSCAPE_SHIFT_TITLE = "Slice {}’s shift: choose another at the left"
LANDSCAPE_VALLEY_TITLE = "Its shift and one direction of z"
LANDSCAPE_L = "L, nats per voxel"
HERE = "here"

# Seeing why: the latent space
LATENT_VOLUME = "volume, ml"
FEATURE_NAMES: dict[str, list[str]] = _WORDS["feature"]

# Seeing why: the gauge
GAUGE_KINDS: dict[str, str] = _WORDS["gauge"]
GAUGE_AXIS: dict[str, str] = _WORDS["gauge_axis"]
GAUGE_BEFORE, GAUGE_AFTER = "the heart found", "moved: it fits the slices as well"

# Seeing why: the race
RACE_SECONDS, RACE_LOSS, RACE_ERROR = "computing time, s", "L, nats per voxel", "motion error, mm"

# A scan of one's own
OWN_AS_IT_IS = (
    "Your scan as it is: nothing is simulated. Slices are shown as in the file; in 3D the heart is"
    " turned as the model has it, with the RV at the left."
)
OWN_STACK_FIRST = "Choose the stack first, then its long-axis view."
OWN_RECOGNISED = "recognised, or LV=1 MYO=2 RV=3"
TOO_LARGE = (
    "{}: the file has {:.0f}\u00a0MB, more than the {:.0f}\u00a0MB that are taken; crop it to the"
    " heart and pack it (.nii.gz)."
)
EMPTY = "{}: the file is empty; export or download it again."
UNREADABLE = "{}: the browser cannot read the file any more; choose it again."
REPORT = "Report on your scan"
REPORT_PARTS = "The heart, after a quick solve", "Found in the file", "Assumed"
NOT_CLINICAL = "For research and teaching, not for clinical use."

# Taking it away
TAKES: dict[str, list[str]] = _WORDS["take"]
STATE = "This state as a text"
STATE_NOTE = (
    "Send it to somebody: Restore computes the same runs again, and says where another machine"
    " comes to another end."
)
ROWS = {"sa": "Short-axis slice", "la": "Long-axis cut"}
NAMES: dict[str, str] = _of_controls("name") | {
    f"srh-take-{name}": title for name, (title, _) in TAKES.items()
}
"""CSS class of a control or chart → its accessible name."""

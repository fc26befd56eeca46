# %% [markdown]
# # 9 · Your own scan
#
# **Goal.** Find out what a stranger's label map is, restore its heart, decide whether to trust the answer, and put it back where the scan lies.
#
# **You need** lesson 1, and if you like a NIfTI file of your own. About 13 minutes to read, and 3 for what is marked "Further"; half a minute to run. A further lesson, beyond the core. Words and symbols: [glossary](../docs/glossary.md). For research and teaching, not for clinical use.

# %% [markdown]
# ## What a stranger sends
#
# A stranger sends a label map of a short-axis stack, without a word about it. To use a scan of your own, put its path in `MY_SCAN` and run all cells. All pictures and figures are then about your scan, except those that are called "the stranger's". [docs/own_scan.md](../docs/own_scan.md) says which files can be read.

# %%
from dataclasses import replace
from pathlib import Path

import numpy as np

import srheart_demo as sr
from srheart_demo.lessons import own_scan as lesson
from srheart_demo.scan import labels, nifti, placement, read

MY_SCAN = None  # your own, such as "~/scans/sa.nii.gz"
MY_LABELS = None  # where they are not recognised, such as "LV=500,420 MYO=200 RV=600"
MY_FRAME = None  # of several, counted from 0; by default the first with labels
BY_HAND = placement.ByHand()  # such as placement.ByHand(flip=True), if the placement below is wrong

folder = lesson.temporary_folder()  # gone when the kernel ends; to keep results, name a folder
stack = sr.load_sample("healthy_1").stacks["normal"]
stranger = lesson.disguised([stack], folder / "stranger.nii.gz")
scan = Path(MY_SCAN).expanduser() if MY_SCAN else stranger

# %%
image = nifti.load(scan)
frame = (image.labelled() or [0])[0] if MY_FRAME is None else MY_FRAME
array = image.frame(frame)
lesson.picture_array(array, image.affine)

# %% [markdown]
# This is the stranger's array as it comes, cut through the middle along each of its axes. Only `[:, i, :]` looks like a short-axis slice, so axis 1 leads from slice to slice. The colours are wrong: blue should be the RV. In this file 3 means the LV, as in the data set ACDC.
#
# ## Orientation
#
# An array knows no left and right. The **affine** does: it maps an index $(i, j, k)$ to millimetres in the scanner, $x = A\,(i, j, k) + b$. The three numbers of $x$ grow to the patient's right, to the front (anterior) and to the head (superior), which is called RAS+. Each column of $A$ is the step from one voxel to the next along one axis, in mm. Its length is the spacing; its greatest component says which way the axis mostly runs.

# %% tags=["nbval-check-output"]
np.set_printoptions(suppress=True)
print(image.affine[:3, :3].round(2))
print("spacing", np.linalg.norm(image.affine[:3, :3], axis=0).round(2), "mm")

# %% [markdown]
# ### Exercise 1: which way does each axis run?
#
# Write `orientation(affine)`: three letters, one for each axis of the array. A letter says where the axis mostly leads: R or L (right, left), A or P (anterior, posterior), S or I (superior, inferior).
#
# <details><summary>Hint</summary>For a column <code>c</code> of the 3 × 3 part, <code>i = abs(c).argmax()</code> says which direction, and the sign of <code>c[i]</code> which of its two letters. Columns are the rows of <code>affine[:3, :3].T</code>.</details>


# %% tags=["exercise"]
def orientation(affine):
    ### BEGIN SOLUTION
    letters = ""
    for column in affine[:3, :3].T:
        i = abs(column).argmax()
        letters += "RAS"[i] if column[i] > 0 else "LPI"[i]
    return letters
    ### END SOLUTION


# %% tags=["check"]
lesson.orientation(orientation)

# %% [markdown]
# Letters are for people; the library uses $A$ itself.
#
# ## Labels
#
# Whoever drew the labels decided what 1, 2 and 3 mean. The library recognises three label orders, by their values and by the anatomy: the LV lies within its muscle.

# %% tags=["nbval-check-output"]
convention = labels.parse_convention(MY_LABELS.split()) if MY_LABELS else None
placed = sr.read_scan(scan, how=sr.HowToRead(convention, frame=frame, by_hand=BY_HAND))
reading, volume = placed.reading, placed.stack
print(f"stored {reading.stored_shape}; slices along axis {reading.slice_axis}")
print(f"values {sorted(reading.counts)} mean {reading.convention} ({reading.convention.source})")
print(f"read as {volume.shape}, spacing {np.round(volume.spacing, 2)} mm")

# %% [markdown]
# ### Exercise 2: labels by a dictionary
#
# Write `relabel(stored, meaning)`: a new array in which each stored value is replaced by what the dictionary says, such as `{3: 1, 2: 2, 1: 3}` for ACDC's order. A value that the dictionary does not name becomes background, 0.
#
# <details><summary>Hint</summary>Begin with zeros of the same shape; for each pair of <code>meaning.items()</code> set those voxels. Compare with <code>stored</code>, not with what you are writing.</details>


# %% tags=["exercise"]
def relabel(stored, meaning):
    ### BEGIN SOLUTION
    labels = np.zeros(stored.shape, np.uint8)
    for value, label in meaning.items():
        labels[stored == value] = label
    return labels
    ### END SOLUTION


# %% tags=["check"]
lesson.relabelled(relabel)

# %% [markdown]
# ## Placed in the model's frame
#
# $G$ has seen hearts in one position only: the apex in the first slices, the RV at the left of the picture, and never a mirror image. So a scan is turned into this position first (`place`). The labels show which end tapers (the apex), where the RV lies and where the middle is. The sign of $\det A$ shows whether the picture is mirrored.

# %%
print(*placed.notes, sep="\n")
lesson.pictures.slices({"scan": placed.placement.apex_first(volume).labels})

# %% [markdown]
# In the array the RV lies on the right. That is no fault of the file: the order of its axes makes a mirror image, and its affine says so. `place` reads the columns backwards.
#
# **Try it.** The picture shows $G(0)$, the prior's mean heart, and the scan as placed: one slice each, and one cut from apex (below) to base. Turn the scan, flip it, mirror it. Which fault would you notice if only the scan were shown?

# %%
G = sr.load_generator()
problem = sr.Problem.of(placed, G)
z, d = problem.zero()
expected = sr.to_labels(G.decode(z))


def draw(turn_deg=BY_HAND.turn_deg, flip=BY_HAND.flip, mirror=BY_HAND.mirror):
    by_hand = placement.ByHand(turn_deg, flip, mirror)
    field = lesson.nearest(sr.Problem.of(placed.placed(by_hand), G))
    shown = sr.to_labels(field)
    return lesson.picture_placement({"the prior expects": expected, "the scan, placed": shown})


lesson.pictures.try_it(
    draw, turn_deg=(-180.0, 180.0, 15.0), flip=BY_HAND.flip, mirror=BY_HAND.mirror
)

# %% [markdown]
# ## Crop and run
#
# Background far from the heart only costs time, so slices are cut to the tissue and 10 mm around it. `enhance` places, crops, solves and answers, and calls `watch` in every iteration.


# %%
def watch(step):
    if step.iteration % 10 == 0 or step.stopped:
        print(f"iteration {step.iteration}: L = {step.loss:.3f}")


print(f"slices of {volume.shape[1:]} pixels, solved on {tuple(problem.S_LR.shape[1:])}")
heart = sr.enhance(placed, G, sr.RECOMMENDED, watch)

# %% [markdown]
# ## May it be trusted?
#
# A solver always gives an answer. `check` asks whether to believe it. It solves three times, quickly: the scan as placed, its mirror image, and the scan upside down. Then it compares figures such as the length of z, motion, volumes and shape with those of 270 synthetic scans.
#
# We check the scan, and two copies of the stranger's with a wrong affine. One is **mirrored**: somebody turned the array and left the affine as it was. The other says that its slices are **8 mm** apart; they are 10 mm apart.

# %%
slip = stack.affine.copy()
slip[:3, 0] *= 0.8
wrong = {
    "the stranger's, mirrored": lesson.mirrored(stack.affine, stack.shape[2]),
    "the stranger's, 8 mm for 10": slip,
}
reports = {"the scan": lesson.check.report_on(placed, G)}
for name, affine in wrong.items():
    file = lesson.disguised([stack], folder / "wrong.nii.gz", affine)
    reports[name] = lesson.check.report_on(sr.read_scan(file), G)
for name, report in reports.items():
    print("\n  - ".join([f"{name}: {report.verdict.words}", *report.reasons]))

# %% [markdown]
# The mirrored copy is found out: its mirror image explains the slices much better (45 nats are a probability $e^{45}$ times as high). The copy with 8 mm is **not** found out: a heart that is so much shorter is nothing unusual. What came out of each?

# %%
for name, report in reports.items():
    said = {m.name: m.value for m in report.measures}
    LV = f"LV {said['LV volume']:.0f} ml, {said['LV length']:.0f} mm long"
    print(f"{name:28s} {LV}, {said['flaws']:.0f} flaws of anatomy")

# %% [markdown]
# All three are hearts without flaws; neither volumes nor a picture show that one is mirrored. A good verdict says that nothing is odd. It does not say that the answer is right. So first read what was found and assumed, and compare it with what you *know* of the scan:

# %%
found = reports["the scan"]
print(*(f"- {line}" for line in (*found.found, *found.assumed)), sep="\n")

# %% [markdown]
# Do not trust an answer
#
# - when the verdict says so, or when you cannot explain why it says *unusual*;
# - when something that was found or assumed is not so;
# - where no slice lies ([lesson 8](08_uncertainty.ipynb): imagined anatomy);
# - for a heart unlike the population's, above all a malformed one, whatever the verdict says.
#
# ### Exercise 3: the volume of an oblique stack
#
# Write `volume_ml(labels, label, affine)`: the volume of one label in millilitres. In an oblique stack the diagonal of the affine is not the spacing. But a voxel has the volume $|\det A|$.
#
# <details><summary>Hint</summary><code>np.linalg.det(affine[:3, :3])</code> is in mm³, and negative where the array is a mirror image.</details>


# %% tags=["exercise"]
def volume_ml(labels, label, affine):
    ### BEGIN SOLUTION
    return (labels == label).sum() * abs(np.linalg.det(affine[:3, :3])) / 1000
    ### END SOLUTION


# %% tags=["check"]
lesson.volume_ml(volume_ml)

# %% [markdown]
# ## Back to where it came from
#
# `write` gives S_SR an affine of its own, which puts the heart where the scan lies, on a grid of 2 × 1.25 × 1.25 mm. Let another program judge: nibabel reads the file and resamples it to the scan's array, by the two affines alone.

# %%
import nibabel.processing

out = folder / "out"
heart.write(out)
print(sorted(path.name for path in out.iterdir()))

S_SR = nibabel.load(out / "S_SR.nii.gz")
grid = (image.shape, image.affine)
there = np.asarray(nibabel.processing.resample_from_to(S_SR, grid, order=0).dataobj)
scores = sr.dice(there.astype(np.uint8), reading.convention.labels(array))
print(", ".join(f"{tissue} {score:.2f}" for tissue, score in scores.items()), "(Dice)")
lesson.picture_array(there, image.affine)

# %% [markdown]
# This is the array of the first picture, filled with the restored heart in our labels. The heart lies where the scan lies. The two are not equal: the slices are displaced (`d.json` says how far), and S_SR is not.
#
# ## Remember
#
# - An array means nothing without its affine and the meaning of its labels. Wrong ones give a plausible heart and no error.
# - A prior notices what looks like none of its hearts, such as a mirror image. It cannot notice what is plausible and wrong, such as slices that are said to be 8 mm apart and are 10.
# - The answer goes back by its affine. Test that once with another program.

# %% [markdown]
# ## Further
#
# ### The same from the command line
#
# ```
# srheart check stranger.nii.gz
# srheart enhance stranger.nii.gz --preset interactive -o heart/
# ```
#
# `--labels`, `--frame`, `--turn`, `--flip` and `--mirror` are the corrections from above; `srheart cohort` does a whole folder. Without `--preset` the settings are RECOMMENDED. Here is the second command:

# %%
lesson.srheart(f"enhance {stranger.name} --preset interactive -o heart", folder)

# %% [markdown]
# ### Several frames
#
# A fourth axis of a file is time. All frames are placed alike. Each slice is scanned in one breath-hold, so it has one displacement for all frames: these are solved one after the other, then once more with the displacements on which they agree. `srheart enhance --frames all` does the same. It also holds the muscle's volume where no slice tells of it (`muscle_sd`), which is switched off here. The *ejection fraction* is the share of its blood that the LV throws out: largest less smallest volume, divided by the largest. Our "beat" is no true one: the stranger's stack was made smaller within each slice. Which curve shows that?

# %%
moments = [lesson.shrunk(stack, factor) for factor in (1.0, 0.85, 0.75, 0.9)]
scans = read.read_cycle(lesson.disguised(moments, folder / "cine.nii.gz"))
settings = replace(sr.INTERACTIVE, muscle_sd=0)
hearts = lesson.cycle.restore_cycle(scans, G, settings)
beats = [lesson.cycle.Beat.of(heart.scan.frame, heart) for heart in hearts]
print(f"ejection fraction of the LV {lesson.cycle.ejection_fraction(beats):.0%}")
ml = {t: [getattr(beat, f"{t}_ml") for beat in beats] for t in ("LV", "MYO", "RV")}
axes = {"xlabel": "frame", "ylabel": "volume, ml", "colours": lesson.pictures.HEART[1:]}
lesson.pictures.lines({"lines": ml, "markers": "os^", "xticks": range(len(beats)), **axes})

# %% [markdown]
# The green one: in a true beat the muscle keeps its volume to within some per cent. If it does not in a scan of yours, the segmentation differs from frame to frame.
#
# **One step further.** Put a scan of your own into `MY_SCAN`. If you have none, change the stranger's affine: say that its slices are 7 mm apart, then 6, until the verdict changes. Which figure notices first, and how wrong is the volume by then?

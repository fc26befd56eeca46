# %% [markdown]
# # 1 · Quickstart: from a stack to a heart
#
# **Goal.** Take a stack of short-axis (SA) segmentations, displaced by breathing, and recover the heart in it and the displacement of every slice.
#
# **You need** nothing but this notebook; about 11 minutes to read, five more for each exercise, and ten seconds to run, on a laptop, with no network. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## The scan
#
# Our subject is synthetic: a computer drew the heart, so the truth is known. The scan is a *stack* of 13 short-axis slices, 10 mm apart, under *severe* motion. Short-axis slices lie across the heart, one above the other.
#
# The lower row of the picture is what the slices would show if nothing had moved. The upper row is what they do show: slice $k$ shows the heart moved sideways by an unknown displacement $d_k$. The paper writes this as Eq. 1,
#
# $$S_{LR} = M_d(\downarrow_s S_{HR}) + \epsilon.$$
#
# $S_{HR}$ is the true heart in high resolution, $\downarrow_s$ takes some of its planes, $M_d$ displaces each of them, and $\epsilon$ stands for errors of the segmentation. $S_{LR}$, in low resolution, is the scan. Lesson 2 takes this apart.

# %%
import srheart_demo as sr
from srheart_demo.lessons import pictures
from srheart_demo.lessons import quickstart as lesson

sample = sr.load_sample("healthy_1")
stack = sample.stacks["severe"]
pictures.slices({"scanned, S_LR": stack.labels, "true heart": sample.S_HR.labels[2::5]})

# %% [markdown]
# The top row is all that the solver will see.
#
# ## What we know, and what we do not
#
# A generator $G$ knows what hearts look like (Eq. 2): it makes a heart of any code $z$, a list of $M$ numbers. It was trained on synthetic hearts only. So the unknowns are the $M$ numbers in $z$, which say what heart this is, and two numbers $d_k$ for each of the $K$ slices, which say how far it was displaced.
#
# `Problem.of` first turns the stack the way that the generator's hearts lie. The labels tell it where the apex and the RV are. Then it cuts the slices to the tissue.

# %%
G = sr.load_generator()
scan = sr.Scan.of(stack)
problem = sr.Problem.of(scan, G)
print(f"{G.latent_size} numbers in z, {2 * problem.stack.K} in d")

# %% [markdown]
# ### Exercise 1: how many unknowns?
#
# Write `unknowns(M, K)`: how many numbers does the solver look for, with M numbers in z and a stack of K slices? Compare with the million voxels of a high-resolution heart.
#
# <details><summary>Hint</summary>A displacement has two components, along the rows and along the columns of its slice.</details>


# %% tags=["exercise"]
def unknowns(M, K):
    ### BEGIN SOLUTION
    return M + 2 * K
    ### END SOLUTION


# %% tags=["check"]
lesson.unknowns(unknowns)

# %% [markdown]
# ## Latent optimisation: Algorithm 1
#
# The search begins with a guess of $z$ and $d$. In each iteration it predicts the scan that the guessed heart would give, compares this prediction with the real scan, and changes $z$ and $d$ a little so that the two agree better. How badly they agree is the *loss* $L$: the mean over the voxels of $-\ln p$, where $p$ is the probability that the prediction gives to the label seen there. Its unit is the *nat*. $L = 0$ would be a prediction that is certain and right everywhere.
#
# `latent_optimisation` does this as a Python generator: each iteration yields a `Step` with $z$, $d$ and the losses. `RECOMMENDED` is the name of our settings (a *preset*). Lesson 4 compares it with `PAPER`, the settings that the paper prints, `REFERENCE`, those of its authors' code, and `INTERACTIVE`, ours cut short.

# %%
steps = list(sr.latent_optimisation(problem, sr.RECOMMENDED))
print(f"{steps[-1].iteration} iterations; L fell from {steps[0].loss:.3f} to {steps[-1].loss:.3f}")

# %%
lesson.picture_convergence(steps, sample.d("severe"), problem.tissue.numpy())

# %% [markdown]
# ## The heart that came out
#
# The paper's answer is $S_{SR} = G(z)$. The generator cannot make every heart exactly, so our `answer` adds the *residual*: what the moved-back slices show beyond $G(z)$. On a slice the residual corrects the outline; away from the slices it fades, and 20 mm from the nearest one at most a third of it is left. It helps most where the generator is weak: real hearts, and details that it never learned. It fails where slices are wrong, since it also copies their errors; so it is smoothed. And $d$ is found first, without a residual. Otherwise a crooked heart would explain a displaced slice.
#
# A stack cannot tell a heart that lies 2 mm further left from one whose slices were all moved 2 mm to the left. So before we compare with the truth we remove that one *common translation*. Beside the estimate stands the simplest answer: nearest neighbours, where each voxel takes the label of the nearest slice.

# %%
d = steps[-1].d
truth = lesson.Truth.of(sample, "severe", scan, problem)
hearts = {
    "nearest neighbour": truth.as_scanned(),
    "estimate": truth.labels(sr.answer(steps[-1], problem), d),
    "truth": truth.S_HR,
}
pictures.cuts(hearts, sample.S_HR.spacing)

# %% [markdown]
# ### Two measures
#
# Two measures say how good the answer is. *Dice* is the overlap with the true tissue, from 0 (none) to 1 (all). The *motion error* says how far $d$ is off: the root of the mean square (RMS) over the slices, in mm, again without the common translation. Lesson 7 has more of them, and says where they mislead.

# %%
for name in ("nearest neighbour", "estimate"):
    scores = sr.dice(hearts[name], hearts["truth"]).items()
    print(f"{name:18s} Dice", ", ".join(f"{tissue} {score:.2f}" for tissue, score in scores))
before, error = truth.motion_error(0 * d), truth.motion_error(d)
print(f"displacements      off by {before:.1f} mm before, {error:.1f} mm after")

# %% [markdown]
# ### Exercise 2: what the stack cannot tell
#
# Write `without_common(d)`: take the displacements `d`, of shape (K, 2) in mm, and subtract the one translation that all slices share. Two answers that differ only by a common translation must come out equal.
#
# <details><summary>Hint</summary>The translation that all share is the mean over the slices: axis 0. Without `keepdim`, mind the shape.</details>


# %% tags=["exercise"]
def without_common(d):
    ### BEGIN SOLUTION
    return d - d.mean(0)
    ### END SOLUTION


# %% tags=["check"]
lesson.without_common(without_common)

# %% [markdown]
# ### Exercise 3: how much blood does it hold?
#
# Write `volume_ml(labels, label, spacing)`: the volume in ml of one label (1 is the LV) in a label map whose voxels are `spacing` = (2, 1.25, 1.25) mm.
#
# <details><summary>Hint</summary>Count the voxels; one has 2 × 1.25 × 1.25 mm³; 1 ml is 1000 mm³.</details>


# %% tags=["exercise"]
def volume_ml(labels, label, spacing):
    ### BEGIN SOLUTION
    height, row, column = spacing
    return (labels == label).sum() * height * row * column / 1000
    ### END SOLUTION


# %% tags=["check"]
lesson.volume_ml(volume_ml)

# %% [markdown]
# ## Try it
#
# Choose another subject or another amount of motion. Each change solves again, with the preset INTERACTIVE, in half a second or so. Does the estimate look like the truth, however the slices look?


# %%
def draw(subject="dilated", motion="severe"):
    sample = sr.load_sample(subject)
    scan = sr.Scan.of(sample.stacks[motion])
    problem = sr.Problem.of(scan, G)
    step = sr.solve(problem, sr.INTERACTIVE)
    truth = lesson.Truth.of(sample, motion, scan, problem)
    estimate = truth.labels(sr.answer(step, problem), step.d)
    hearts = {"scan": truth.as_scanned(), "estimate": estimate, "truth": truth.S_HR}
    return pictures.cuts(hearts, sample.S_HR.spacing)


subjects = ["healthy_1", "healthy_2", "dilated", "hypertrophic"]
pictures.try_it(draw, subject=subjects, motion=["none", "normal", "severe"])

# %% [markdown]
# ## Take it with you
#
# `enhance` does all of this in one go. `write` leaves files: the heart where the scan lies in the scanner, the displacements, the losses and a surface. On the command line it is `srheart enhance STACK.nii.gz -o OUT/`.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    sr.enhance(scan, G, sr.INTERACTIVE).write(folder)
    print(*sorted(path.name for path in Path(folder).iterdir()))

# %% [markdown]
# ## Remember
#
# - A scan is a degraded heart; Eq. 1 says how. Each part of Eq. 1 but $\epsilon$ can be differentiated, so gradients reach $z$ and $d$.
# - The generator turns an impossible problem (a million voxels from thirteen slices) into one with 154 unknowns. Only 148 of them are searched for: three slices at the ends of this stack show no tissue, so nothing tells how they were displaced, and their $d$ stays 0.
# - Some things no stack can tell, such as a common translation. Say how you fix them before you score.
#
# **One step further.** Replace `"severe"` by `"none"` in the notebook and compare with nearest neighbours again; then run `RECOMMENDED` against `PAPER`. Or open the dashboard, `make explorer`, and watch all of it move.

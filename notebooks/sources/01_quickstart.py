# %% [markdown]
# # 1 · Quickstart: from a stack to a heart
#
# **Goal.** Take a stack of short-axis (SA) segmentations, displaced by breathing, and recover the heart in it and the displacement of every slice.
#
# **You need** nothing but this notebook; it takes about ten minutes to read, five more for each exercise, and ten seconds to run, on a laptop, with no network.

# %% [markdown]
# ## The scan
#
# A shipped, synthetic subject, so that the truth is known: 13 slices, 10 mm apart, under *severe* motion. Each slice should show the heart below it; it shows the heart moved by an unknown $d_k$ (Eq. 1: $S_{LR} = M_d(\downarrow_s S_{HR}) + \epsilon$).

# %%
import srheart_demo as sr
from srheart_demo.lessons import pictures
from srheart_demo.lessons import quickstart as lesson

sample = sr.load_sample("healthy_1")
stack = sample.stacks["severe"]
pictures.slices({"scanned, S_LR": stack.labels, "true heart": sample.S_HR.labels[2::5]})

# %% [markdown]
# Orange is the left ventricle's blood pool (LV), green its muscle (MYO), blue the right ventricle (RV). The top row is all that the solver will see.
#
# ## What we know, and what we do not
#
# A generator $G(z)$ knows what hearts look like (Eq. 2). It was trained on synthetic hearts only. The unknowns are the $M$ latent numbers in $z$ and two numbers $d_k$ for each slice. First the stack is put into the generator's frame, by its own labels, and cut to the tissue; a slice that nobody labelled, between others, would be left out (`Problem.of`).

# %%
G = sr.load_generator()
scan = sr.Scan.of(stack)
problem = sr.Problem.of(scan, G)
print(f"{G.latent_size} numbers in z, {2 * problem.stack.K} in d")

# %% [markdown]
# ### Exercise 1: how many unknowns?
#
# Write `unknowns(M, K)`: how many numbers does the solver look for, with M latents and a stack of K slices? Compare with the million voxels of a high-resolution heart.
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
# ## Latent optimisation (Algorithm 1)
#
# `latent_optimisation` is a Python generator: each iteration yields a `Step` with $z$, $d$ and the losses. `RECOMMENDED` are our settings; `PAPER`, `REFERENCE` and `INTERACTIVE` are there too.

# %%
steps = list(sr.latent_optimisation(problem, sr.RECOMMENDED))
print(f"{steps[-1].iteration} iterations; L fell from {steps[0].loss:.3f} to {steps[-1].loss:.3f}")

# %%
lesson.picture_convergence(steps, sample.d("severe"), problem.tissue.numpy())

# %% [markdown]
# ## The heart that came out
#
# The generator does not hold every heart exactly, so `answer` adds to $G(z)$ what the moved-back slices show beyond it.
#
# A stack cannot tell a heart that lies 2 mm further left from one whose slices were all moved 2 mm to the left, so we compare after removing that one common translation. We look at the estimate where the true heart's voxels lie, beside plain nearest-neighbour up-sampling of the stack.

# %%
d = steps[-1].d
truth = lesson.Truth.of(sample, "severe", scan, problem)
hearts = {
    "nearest neighbour": truth.as_scanned(),
    "estimate": truth.labels(sr.answer(steps[-1], problem), d),
    "truth": truth.S_HR,
}
pictures.cuts(hearts, sample.S_HR.spacing)

# %%
for name in ("nearest neighbour", "estimate"):
    scores = sr.dice(hearts[name], hearts["truth"]).items()
    print(f"{name:18s} Dice", ", ".join(f"{tissue} {score:.2f}" for tissue, score in scores))
before, error = truth.motion_error(0 * d), truth.motion_error(d)
print(f"displacements      off by {before:.1f} mm before, {error:.1f} mm after")

# %% [markdown]
# ### Exercise 2: what the stack cannot tell
#
# Write `without_common(d)`: the displacements `d`, of shape (K, 2) in mm, less the one translation that all slices share. Two answers that differ by a common translation must come out equal.
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
# Another subject, another amount of motion. Each change solves again, with the preset INTERACTIVE, which takes half a second: the estimate should look like the truth whatever the slices looked like.


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
# `enhance` does all of this in one go, and `write` leaves files: the heart in the scanner's frame, by the stack's own affine, and what was found on the way. On the command line it is `srheart enhance STACK.nii.gz -o OUT/`.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    sr.enhance(scan, G, sr.INTERACTIVE).write(folder)
    print(*sorted(path.name for path in Path(folder).iterdir()))

# %% [markdown]
# ## Remember
#
# - A scan is a degraded heart; Eq. 1 says how. Everything in it is differentiable, so gradients reach $z$ and $d$.
# - The generator turns an impossible problem (a million voxels from thirteen slices) into one with 154 unknowns. Of these 148 are searched for: at the ends of this stack three slices show no tissue, nothing tells where they lie, and their $d$ stays 0.
# - Some things no stack can tell, such as a common translation. Say how you fix them before you score.
#
# **One step further.** Replace `"severe"` by `"none"` in the notebook and compare with nearest neighbours again; then run `RECOMMENDED` against `PAPER`. Or open the dashboard, `make explorer`, and watch all of it move.

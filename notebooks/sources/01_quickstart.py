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
from srheart_demo.lessons.pictures import picture_convergence, picture_cuts, picture_slices
from srheart_demo.scan.samples import load_sample

sample = load_sample("healthy_1")
stack = sample.stacks["severe"]
picture_slices({"scanned, S_LR": stack.labels, "true heart": sample.S_HR.labels[2::5]})

# %% [markdown]
# Orange is the left ventricle's blood pool (LV), green its muscle (MYO), blue the right ventricle (RV). The top row is all that the solver will see.
#
# ## What we know, and what we do not
#
# A generator $G(z)$ knows what hearts look like (Eq. 2). It was trained on synthetic hearts only. The unknowns are the $M$ latent numbers in $z$ and two numbers $d_k$ for each slice. First the stack is put into the generator's frame, by its own labels, and cut to the tissue; a slice that nobody labelled, between others, would be left out (`Problem.of`).

# %%
import torch

from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.problem import Problem

G = load_generator()
scan = Scan.of(stack)
placement = scan.placement
geometry = stack_geometry(stack, placement)
problem = Problem.of(scan, G)
print(f"{G.latent_size} numbers in z, {2 * geometry.K} in d")

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
from srheart_demo.lessons import quickstart as check

check.unknowns(unknowns)

# %% [markdown]
# ## Latent optimisation (Algorithm 1)
#
# `latent_optimisation` is a Python generator: each iteration yields a `Step` with $z$, $d$ and the losses. `RECOMMENDED` are our settings; `PAPER`, `REFERENCE` and `INTERACTIVE` are in `srheart_demo.solver.settings` too.

# %%
from srheart_demo.solver.algorithm import latent_optimisation, solve
from srheart_demo.solver.settings import RECOMMENDED

steps = list(latent_optimisation(problem, RECOMMENDED))
print(f"{steps[-1].iteration} iterations; L fell from {steps[0].loss:.3f} to {steps[-1].loss:.3f}")

# %%
picture_convergence(steps, sample.d("severe"), problem.tissue.numpy())

# %% [markdown]
# ## The heart that came out
#
# The generator does not hold every heart exactly, so `answer` adds to $G(z)$ what the moved-back slices show beyond it.
#
# A stack cannot tell a heart that lies 2 mm further left from one whose slices were all moved 2 mm to the left, so we compare after removing that one common translation. We look at the estimate where the true heart's voxels lie, beside plain nearest-neighbour up-sampling of the stack.

# %%
from srheart_demo.scan.degradation import HR_GRID, one_hot_field
from srheart_demo.solver.answer import answer
from srheart_demo.solver.baselines.nearest import restore
from srheart_demo.solver.gauge import common_translation, labels_at, motion_error

d_true = torch.as_tensor(sample.d("severe"))[None]
voxels = torch.as_tensor(placement.to_model(sample.S_HR.points())).float()


def at_the_truth(field, d):
    shift = geometry.in_model_axes(common_translation(d, d_true, problem.tissue))[0]
    return labels_at(field, voxels, shift)


d = steps[-1].d
field = answer(steps[-1], problem)
S_SR = at_the_truth(field, d)
S_NN = at_the_truth(one_hot_field(restore(stack.labels, geometry, HR_GRID)), torch.zeros_like(d))
truth = sample.S_HR.labels
hearts = {"nearest neighbour": S_NN, "estimate": S_SR, "truth": truth}
picture_cuts(hearts, sample.S_HR.spacing)

# %%
from srheart_demo.heart.measures import dice

for name, labels in {"nearest neighbour": S_NN, "estimate": S_SR}.items():
    scores = ", ".join(f"{tissue} {score:.2f}" for tissue, score in dice(labels, truth).items())
    print(f"{name:18s} Dice {scores}")
error, before = (motion_error(x, d_true, problem.tissue) for x in (d, torch.zeros_like(d)))
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
check.without_common(without_common)

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
check.volume_ml(volume_ml)

# %% [markdown]
# ## Try it
#
# Another subject, another amount of motion. Each change solves again, with the preset INTERACTIVE, which takes half a second: the estimate should look like the truth whatever the slices looked like.

# %%
from srheart_demo.lessons.controls import try_it
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.settings import INTERACTIVE


def draw(subject="dilated", motion="severe"):
    sample = load_sample(subject)
    stack = sample.stacks[motion]
    scan = Scan.of(stack)
    placement = scan.placement
    geometry = stack_geometry(stack, placement)
    problem = Problem.of(scan, G)
    field = answer(solve(problem, INTERACTIVE), problem)
    voxels = torch.as_tensor(placement.to_model(sample.S_HR.points())).float()
    nearest = one_hot_field(restore(stack.labels, geometry, HR_GRID))
    return picture_cuts(
        {
            "scan": labels_at(nearest, voxels),
            "estimate": labels_at(field, voxels),
            "truth": sample.S_HR.labels,
        },
        sample.S_HR.spacing,
    )


try_it(draw, subject=list(SAMPLES), motion=["none", "normal", "severe"])

# %% [markdown]
# ## Take it with you
#
# The result goes back into the scanner's frame by the stack's own affine. The command line does all of this in one go: `srheart enhance STACK.nii.gz -o OUT/`.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from srheart_demo.frame import hr_affine
from srheart_demo.heart.generator import to_labels
from srheart_demo.scan.volume import LabelVolume, write_volume

with TemporaryDirectory() as folder:
    heart = LabelVolume(to_labels(field), placement.world_from_model @ hr_affine())
    write_volume(heart, Path(folder) / "S_SR.nii.gz")
    print([path.name for path in Path(folder).iterdir()])

# %% [markdown]
# ## Remember
#
# - A scan is a degraded heart; Eq. 1 says how. Everything in it is differentiable, so gradients reach $z$ and $d$.
# - The generator turns an impossible problem (a million voxels from thirteen slices) into one with 154 unknowns. Of these 148 are searched for: at the ends of this stack three slices show no tissue, nothing tells where they lie, and their $d$ stays 0.
# - Some things no stack can tell, such as a common translation. Say how you fix them before you score.
#
# **One step further.** Replace `"severe"` by `"none"` in the notebook and compare with nearest neighbours again; then run `RECOMMENDED` against `PAPER`. Or open the dashboard, `make explorer`, and watch all of it move.

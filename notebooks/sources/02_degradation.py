# %% [markdown]
# # 2 · Degradation: from a heart to a scan
#
# **Goal.** Take Eq. 1 apart, write its two operators yourself, and see why one word in the motion layer, *nearest* instead of *bilinear*, keeps every slice where it is.
#
# **You need** lesson 1, and PyTorch tensors; about 11 minutes to read. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %%
import torch

import srheart_demo as sr
from srheart_demo.lessons import degradation as lesson
from srheart_demo.lessons import pictures
from srheart_demo.scan.degradation import HR_GRID, label_noise, sample

field = lesson.heart_field(seed=7)
S_HR = sr.to_labels(field)
stack = sr.Stack.from_hr()


def scan(amplitude=4.0, epsilon=0.1, seed=0):
    d = sr.Motion.draw(stack.K, seed).displacement(amplitude)
    still, moved = (sr.degrade(field, stack, x)[0].argmax(0).numpy() for x in (0 * d, d))
    noisy = label_noise(moved, epsilon, seed)
    return {"↓ₛ S_HR": still, "M_d(↓ₛ S_HR)": moved, "S_LR = M_d(↓ₛ S_HR) + ε": noisy}


lesson.picture_degradation(S_HR, scan(), stack, k=7)

# %% [markdown]
# ## Eq. 1 in three parts
#
# The upper row shows the heart cut along its length, the lower row one slice. Each dotted line marks where the other row cuts. From left to right the three parts of Eq. 1 do their work:
#
# $$S_{LR} = F(S_{HR}) = M_d(\downarrow_s S_{HR}) + \epsilon$$
#
# | operator | what it does | here |
# |---|---|---|
# | $\downarrow_s$ | takes every $s$-th plane; $s = [5, 1, 1]$ | 64 planes of 2 mm become 13 slices, 10 mm apart |
# | $M_d$ | displaces each slice in its plane by its own $d_k$ | in a random direction, by 2.3 ± 0.87 mm; four times that is *severe* |
# | $\epsilon$ | errs in single voxels | with probability ε a voxel takes a neighbour's label, so errors fall on borders |
#
# ### Each part at its extremes
#
# The first number of $s$ counts along D, from apex to base; the other two say that rows and columns are kept. With $s = 1$ every plane is kept: nothing has to be restored, and only the motion is left. With $s = 10$ six or seven slices are left, 20 mm apart. Then most of the heart between them is the generator's guess, and a heart whose apex or base falls into a gap suffers most. $M_d$ with $d = 0$ changes nothing. The paper's motion leaves every slice in its own plane; real breathing also moves the heart *through* the planes and turns it, and Eq. 1 has no number for that (you try it at the end of lesson 6). ε = 0 is a perfect segmentation. The larger ε is, the higher is the loss that even the true heart has. But errors in single voxels cancel out over a slice, so they harm little. An outline that is wrong all along one side does not cancel. It looks like a displacement.
#
# ## One idea: read a field at points
#
# Here a heart is not stored as voxels but as a *field*: 32 × 64 × 64 nodes fill a box of 128 × 160 × 160 mm, and each node holds four numbers, one for each class (background, LV, MYO, RV). Such a number is a *logit*: the larger it is, the more probable is that class there. Near a surface the logit of a tissue is the distance to that surface in mm, positive inside. Between the nodes we interpolate. The label at a place is the class with the largest logit there. Half as many nodes as voxels along each axis are enough: they hold a real heart to a Dice of 0.999.
#
# So $\downarrow_s$ and $M_d$ are one thing, interpolation, at different points: first along D at the heights of the slices, then within each slice at $x - d_k$.

# %%
planes = sr.downsample(field, stack)
d_true = sr.Motion.draw(stack.K, seed=3).displacement(1.0)
moved = sr.move(planes, stack, d_true)
for name, x in {"field": field, "↓ₛ field": planes, "M_d(↓ₛ field)": moved}.items():
    print(f"{name:15s} {tuple(x.shape)}")
print("heights of the slices, mm:", stack.z.int().tolist())

# %% [markdown]
# ### Exercise 1: write ↓ₛ
#
# Write `my_downsample(field, stack)`: read the field (B, C, n, H′, W′) at the heights `stack.z` (K,), in mm, by linear interpolation along D. (B counts hearts, C classes; H′ and W′ are the nodes along rows and columns.) The result is (B, C, K, H′, W′). Cut the box from −64 to 64 mm into n equal parts: each of the n planes lies in the *middle* of its part.
#
# <details><summary>Hint 1</summary>The pitch is 128 / n mm, and plane i lies at (i + ½) · pitch − 64. Solve for i: a fraction such as 3.4 means 0.6 of plane 3 and 0.4 of plane 4.</details>
# <details><summary>Hint 2</summary><code>low = i.floor().long()</code> can index a whole axis at once: <code>field[:, :, low]</code> has K planes. The weight needs two more axes to broadcast: <code>w[:, None, None]</code>.</details>


# %% tags=["exercise"]
def my_downsample(field, stack):
    n = field.shape[2]
    ### BEGIN SOLUTION
    i = (stack.z + 64) / (128 / n) - 0.5
    low = i.floor().long()
    w = (i - low)[:, None, None]
    return (1 - w) * field[:, :, low] + w * field[:, :, low + 1]
    ### END SOLUTION


# %% tags=["check"]
lesson.downsample(my_downsample)

# %% [markdown]
# ### Exercise 2: write $M_d$
#
# A slice that was displaced *by* d shows at x what lies at x − d in the heart. Complete `my_move(planes, stack, d)` for one heart. First compute the places that the pixels of each slice show, (H, W) in mm; then turn them into the grid that `grid_sample` wants. PyTorch's grid has three traps: it counts in half boxes, so that −1 and 1 are the faces; it wants x, along W, *before* y; and it has to be told where ±1 are (`align_corners`).
#
# <details><summary>Hint 1</summary><code>stack.pixels()</code> is (h, w, 2), <code>d[0]</code> is (K, 2); <code>d[0][:, None, None]</code> broadcasts to (K, h, w, 2).</details>
# <details><summary>Hint 2</summary>Half the box is 80 mm along H and W. <code>.flip(-1)</code> turns (H, W) into (W, H).</details>


# %% tags=["exercise"]
def my_move(planes, stack, d):
    images = planes[0].transpose(0, 1)  # (K, C, H′, W′): grid_sample takes slices for a batch
    ### BEGIN SOLUTION
    shown = stack.pixels() - d[0][:, None, None]
    grid = (shown / 80).flip(-1)
    moved = torch.nn.functional.grid_sample(images, grid, mode="bilinear", align_corners=False)
    return moved.transpose(0, 1)[None]
    ### END SOLUTION


# %% tags=["check"]
lesson.move(my_move)

# %% [markdown]
# ## Why bilinear and not nearest
#
# Algorithm 1 finds d by walking down the gradient of a loss, here the *cross-entropy* (CE): the mean over the pixels of $-\ln p$, where $p$ is the probability of the label that was seen, from the four logits by softmax. It is 0 where the prediction is certain and right, $\ln 4 = 1.4$ where it has no idea, and large where it is certain and wrong.
#
# To have a gradient, the loss must change when d changes *a little*. With nearest neighbours the loss does not change. A pixel shows the same node until d is large enough for the next node; then the label jumps. Between two jumps the derivative is exactly zero, and automatic differentiation does not see the jumps. Below, one slice is moved along its columns and everything else is left alone.

# %%
S_LR = moved[0].argmax(0)
k, positions = 7, [x / 4 for x in range(-40, 41)]
along_columns = d_true * torch.tensor([0.0, 1.0])
seen = sr.move(planes, stack, along_columns)[0].argmax(0)
looks = {
    "bilinear": lesson.look_along(sr.move, planes, stack, seen, k, positions),
    "nearest": lesson.look_along(lesson.move_nearest, planes, stack, seen, k, positions),
}
losses, slopes = ({name: look[i] for name, look in looks.items()} for i in (0, 1))
axes = {"x": positions, "mark": d_true[0, k, 1], "xlabel": "d along columns, mm (dotted: truth)"}
pictures.lines(
    {"lines": losses, "title": "loss", "ylabel": "L_SA, nats per pixel", **axes},
    {"lines": slopes, "title": "its gradient", "ylabel": "∂L/∂d, nats per pixel and mm", **axes},
)

# %% [markdown]
# The two losses look alike, and a person could find the valley in either. The two gradients do not look alike. In the next cell the heart is known, and an optimiser looks for all thirteen $d_k$ at once (lesson 4 tells how it works):

# %% tags=["nbval-check-output"]
tissue = (S_LR > 0).flatten(1).any(1)
for name, mover in {"bilinear": sr.move, "nearest": lesson.move_nearest}.items():
    d = torch.zeros_like(d_true).requires_grad_()
    adam = torch.optim.Adam([d], lr=0.2)
    for _ in range(50):
        adam.zero_grad()
        sr.cross_entropy(mover(planes, stack, d), S_LR).sum().backward()
        adam.step()
    off = [(x - d_true)[0, tissue].square().sum(1).mean().sqrt() for x in (0 * d_true, d.detach())]
    before, after = off
    print(f"{name:9s} d off by {before:.1f} mm before, {after:.1f} mm after")

# %% [markdown]
# Nothing failed with *nearest*: there is no error, the loss is finite, and the run ends. One wrong word in one call, and the estimated motion is zero. Only a look at the gradient, or at d, shows it.
#
# ## Where is a voxel? Half-voxel traps
#
# A voxel is a box, and its value belongs to the centre of that box. With `align_corners=False` ±1 are the outer faces of the grid, as this picture of a voxel asks. With `align_corners=True` ±1 are the centres of the outermost voxels, which stretches everything between.

# %%
lesson.picture_corners(nodes=8, pitch=4.0)

# %% [markdown]
# What does it cost to mix the two up? We read the same heart in the wrong places and compare with the right ones.

# %% tags=["nbval-check-output"]
points = HR_GRID.points()
nodes = torch.tensor(field.shape[2:])
places = {
    "right places": points,
    "aligned corners": points * (nodes - 1) / nodes,
    "half a node off in-plane": points + torch.tensor([0.0, 1.25, 1.25]),
}
for name, at in places.items():
    scores = sr.dice(sample(field, at)[0].argmax(0).numpy(), S_HR)
    print(f"{name:25s}", ", ".join(f"{tissue} {score:.2f}" for tissue, score in scores.items()))

# %% [markdown]
# Such a mistake looks like a slightly worse method. The myocardium is thin, so it loses most. The loss of Dice is larger than the difference between the best methods in the paper's tables.
#
# ### Exercise 3: a trap in the wild
#
# The public code of the paper's authors takes its slices at `linspace(-1, 1, 13)` with aligned corners, along 64 planes of 2 mm. How many mm is it from one slice to the next? (The paper's s = 5 means 10 mm.)
#
# <details><summary>Hint</summary>With aligned corners −1 is the centre of the first plane and 1 that of the last. How far apart are they? How many steps do 13 points have?</details>


# %% tags=["exercise"]
def step_in_mm():
    ### BEGIN SOLUTION
    return 63 * 2 / 12
    ### END SOLUTION


# %% tags=["check"]
lesson.linspace_step(step_in_mm)

# %% [markdown]
# ## Try it
#
# An `amplitude` of 1 is the paper's normal motion, 4 its severe motion. At which amplitude would you no longer trust the cut? And at which ε?


# %%
def show(amplitude=1.0, epsilon=0.0, seed=0):
    return lesson.picture_degradation(S_HR, scan(amplitude, epsilon, seed), stack, k=7)


pictures.try_it(show, amplitude=(0.0, 4.0, 0.5), epsilon=(0.0, 0.3, 0.05), seed=(0, 9))

# %% [markdown]
# ## Remember
#
# - Eq. 1 reads a field at physical points: $\downarrow_s$ picks heights, $M_d$ reads each slice at $x - d_k$, and ε errs on borders.
# - Interpolation is there for the gradient, not for beauty. A layer that is not smooth in d has no gradient in d, and no message tells you so.
# - Positions are in mm and belong to centres of voxels. Test an operator on a field whose values *are* its coordinates: the checks above did just that.
#
# **One step further.** Give `my_move` slices that are displaced more and more from apex to base: `d = torch.linspace(-10, 10, 13)` along the columns. Could you tell such a stack from the stack of a heart that leans? Lesson 5 says what can.

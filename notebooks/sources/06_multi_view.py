# %% [markdown]
# # 6 · A second view
#
# **Goal.** Put a long-axis (LA) view into the same space as the slices, add it to the loss (Eqs. 4 and 5), and see what it repairs.
#
# **You need** lessons 4 and 5; about 15 minutes to read, 40 seconds to run.

# %% [markdown]
# ## What it looks like
#
# One LA view cuts all slices, and each slice cuts it. The lines are where. The slices were displaced by severe motion, each in a breath-hold of its own; the LA view is one more breath-hold.

# %%
from dataclasses import replace

import numpy as np
import torch

import srheart_demo as sr
from srheart_demo.lessons import multi_view as lesson
from srheart_demo.lessons import pictures

p, truth = lesson.known_scan("hypertrophic", "severe", long_axis=True)
lesson.picture_views(p, slices=[3, 5, 7])

# %% [markdown]
# ## The idea
#
# Eq. 4 asks of the heart that it explains the LA view as well: $R \odot G(z)$ is the heart cut along the view's plane, and
#
# $$L_{LA}(z) = CE\big(R \odot G(z),\ S_{LA}\big), \qquad L(z, d) = L_{SA}(z, d) + \gamma\, L_{LA}(z) \quad \text{(Eq. 5)}.$$
#
# $G(z)$ is a field, so $R\odot$ is nothing new: `sample(field, points)` at the points of the plane, as $\downarrow_s$ is at the planes of the slices. Nothing is trained again. All that is needed is **where the pixels of the view lie**.
#
# ## From an affine to a plane
#
# A NIfTI file carries a 4 × 4 affine: index (0, i, j) → scanner, in mm. (DICOM has the same as image position and orientation.) The stack's placement carries the scanner into the model's frame. So a pixel's way is: index → scanner → model. The view and the stack must come from the same session, or the second step is another one for each.
#
# ### Exercise 1: the points of a plane
#
# Write `plane_points(affine, h, w, model_from_world)`: the points (h, w, 3) in the model's frame of the pixels (0, i, j) of a view. Both matrices are 4 × 4 and act on columns $(x, y, z, 1)^T$.
#
# <details><summary>Hint</summary><code>np.meshgrid(np.arange(h), np.arange(w), indexing="ij")</code> gives i and j. Stack 0, i, j and 1 along the last axis; for points in rows the product is <code>points @ matrix.T</code>.</details>


# %% tags=["exercise"]
def plane_points(affine, h, w, model_from_world):
    ### BEGIN SOLUTION
    i, j = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    index = np.stack([0 * i, i, j, np.ones((h, w))], axis=-1)
    return (index @ affine.T @ model_from_world.T)[..., :3]
    ### END SOLUTION


# %% tags=["check"]
lesson.plane_points(plane_points)

# %% [markdown]
# The library's is `placement.plane_geometry`; for files of your own `placement.check_long_axis` refuses a view that misses the heart of the stack.
#
# ### Exercise 2: Eq. 5
#
# Write `multi_view(z, d, p, gamma)`: the loss of Eq. 5. Where `p.views` is empty there is no LA view, and $L = L_{SA}$.
#
# <details><summary>Hint</summary>Decode once: <code>field = p.G.decode(z)</code>. Then <code>sr.short_axis_loss(sr.downsample(field, p.stack), d, p)</code> and <code>sr.long_axis_loss(field, p)</code>.</details>


# %% tags=["exercise"]
def multi_view(z, d, p, gamma):
    ### BEGIN SOLUTION
    field = p.G.decode(z)
    L = sr.short_axis_loss(sr.downsample(field, p.stack), d, p)
    if p.views:
        L = L + gamma * sr.long_axis_loss(field, p)
    return L
    ### END SOLUTION


# %% tags=["check"]
lesson.multi_view(multi_view)

# %% [markdown]
# ## Why $L_{LA}$ does not depend on $d$
#
# The paper prints $L_{LA}(z, d)$. But $d$ is how far each **slice of the stack** was displaced, and the LA view is no slice of the stack: $R \odot G(z)$ has no $d$ in it. Ask the gradient:

# %% tags=["nbval-check-output"]
z = torch.zeros(1, p.G.latent_size, requires_grad=True)
d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
field = p.G.decode(z)
losses = {
    "L_SA": sr.short_axis_loss(sr.downsample(field, p.stack), d, p),
    "L_LA": sr.long_axis_loss(field, p),
}
for name, loss in losses.items():
    by_z, by_d = torch.autograd.grad(loss, (z, d), allow_unused=True, retain_graph=True)
    told = [who for who, g in (("z", by_z), ("d", by_d)) if g is not None and g.any()]
    print(f"{name} pulls at {' and '.join(told)}")

# %% [markdown]
# Still the view mends $d$, by way of $z$: it says where the heart stands and how it leans, and once the heart stands right each slice finds its own place. In lesson 5 two hearts, one leaning, showed the same stack. They do not show the same LA view.
#
# ## What it repairs
#
# A thick-walled heart under severe motion, solved from the stack alone and from both views. All four pictures are on the plane of the LA view, with the borders of $S_{LA}$ drawn on the others; the second is the stack as it was scanned, which is what nearest neighbours would make of it.

# %%
stack_only = replace(p, views=())
ends = {"SA": sr.solve(stack_only, sr.RECOMMENDED), "SA and LA": sr.solve(p, sr.RECOMMENDED)}


def on_the_plane(field):
    return sr.long_axis_view(field, p.views[0].plane)[0].argmax(0).numpy()


hearts = {name: on_the_plane(p.G.decode(end.z)) for name, end in ends.items()}
scanned = on_the_plane(lesson.nearest(p))
lesson.picture_along({"S_LA": p.views[0].S_LA.numpy(), "the stack": scanned, **hearts})

# %%
print("              Dice   motion error   less drift   as it stands")
for name, end in ends.items():
    shown = "".join(f"{error:10.1f} mm" for error in truth.motion_errors(end.d))
    print(f"{name:10s} {truth.dice(end):7.2f} {shown}")

# %% [markdown]
# - The **drift** goes: what grows along the stack, and no SA slice can see.
# - The **translation** becomes known along the plane: the error "as it stands" keeps it in, the others do not. Across the plane the view hardly tells. There the heart goes where the generator expects one of its kind, which can be 6 mm off, so the library centres $d$ across the plane before it writes anything (`gauge.centred`).
# - The **shape** between the slices and at the base follows what one view shows of it, and by the prior the rest of the heart with it.
#
# Not every scan gains so much. A heart that the stack and the prior hold upright already has little to repair.
#
# ## γ
#
# γ says how far the views' losses count against each other; the paper takes 1. Both losses are means over their own pixels, and there are not as many of the one as of the other.
#
# ### Exercise 3: a pixel is a pixel
#
# Write `even_gamma(p)`: the γ under which one pixel of the LA view counts as much as one pixel of the stack.
#
# <details><summary>Hint</summary>In L a pixel of the stack weighs 1 / <code>p.S_LR.numel()</code>. What does one of the LA view weigh?</details>


# %% tags=["exercise"]
def even_gamma(p):
    ### BEGIN SOLUTION
    return p.views[0].S_LA.numel() / p.S_LR.numel()
    ### END SOLUTION


# %% tags=["check"]
lesson.even_gamma(even_gamma)

# %% [markdown]
# So γ = 1 trusts a pixel of the LA view more than one of the stack. For this heart, with every run to its end:

# %%
gammas = [0.0, 1.0, 10.0, 100.0]
sweep = [
    ends["SA and LA"] if gamma == 1 else sr.solve(p, replace(sr.RECOMMENDED, gamma=gamma))
    for gamma in gammas
]
pixels = p.S_LR.numel() / p.views[0].S_LA.numel()
print(f"At γ = 1 a pixel of this LA view counts {pixels:.1f} times as much as one of the stack.")
for gamma, end in zip(gammas, sweep, strict=True):
    print(f"γ = {gamma:<3g}: {end.stopped} after {end.iteration} iterations")
scores = {
    "mean Dice": [truth.dice(end) for end in sweep],
    "motion error, mm": [truth.motion_error(end.d) for end in sweep],
}
axis = {"x": [f"{gamma:g}" for gamma in gammas], "xlabel": "γ", "markers": "o"}
pictures.lines(*(axis | {"lines": {name: y}, "ylabel": name} for name, y in scores.items()))

# %% [markdown]
# The view helps from the start, and between γ = 1 and 10 little changes. At 100 the stack hardly counts: $d$ is as good, since the view holds the heart in its place, but the heart itself follows one plane and gets worse. Had every run been stopped after 20 iterations, γ = 10 would have looked clearly worse than 1: a large γ needs longer, and an unfinished run is no finding.
#
# **Try it.** What if the patient held the breath at another depth for the LA view? Then the whole view is shifted against the stack. Shift it along its columns: does $L_{LA}$ complain, or does the heart simply follow? And what does $d$ do? (To be quick, each picture is of a run of 20 iterations. At γ = 10 that is not its end.)

# %%
short = replace(sr.INTERACTIVE, iterations=20)


def draw(gamma=1.0, shift_mm=0):
    across = p.views[0].plane.points[0, 1] - p.views[0].plane.points[0, 0]
    elsewhere = sr.Plane(p.views[0].plane.points - shift_mm * across / across.norm())
    end = sr.solve(replace(p, plane=elsewhere), replace(short, gamma=gamma))
    heart = sr.long_axis_view(p.G.decode(end.z), elsewhere)[0].argmax(0).numpy()
    d = end.d[0, p.tissue].mean(0)
    done = "done" if end.stopped == "converged" else "unfinished"
    title = f"heart ({done}); L_LA = {end.loss_la:.2f}\nmean of d: ({d[0]:.1f}, {d[1]:.1f}) mm"
    return lesson.picture_along(
        {f"S_LA, {shift_mm} mm off\n": p.views[0].S_LA.numpy(), title: heart}
    )


pictures.try_it(draw, gamma=[0.0, 0.1, 1.0, 10.0], shift_mm=(-10, 10, 5))

# %% [markdown]
# It follows, as far as the generator can place a heart off the middle of its box: one rigid shift of one view is a gauge again. With a second LA view, shifted otherwise, the two would contradict each other; then each would need a displacement of its own, a $d$ for LA views. That is a fair project.
#
# ## Remember
#
# - A view is a set of points. Once they are known in the model's frame, $R\odot$ is interpolation and Eq. 5 is one more term.
# - $L_{LA}$ has no $d$ in it. It mends $d$ through $z$.
# - An LA view breaks both freedoms of lesson 5: it sees the lean, and fixes the translation along its plane.
# - γ = 1 does not mean that pixels count alike. Both losses are means.
#
# **One step further.** `views.standard_view(S_HR, "2ch")` is the plane of a two-chamber view. Cut the true heart along it, use it instead of the four-chamber view, and find out which displacements it mends: along rows, or along columns?

# %% [markdown]
# # 6 · A second view
#
# **Goal.** Put long-axis (LA) views into the same space as the slices, add them to the loss (Eqs. 4 and 5), and see what they repair, even where they are displaced themselves.
#
# **You need** lessons 4 and 5; about 16 minutes to read, and 3 for what is marked "Further"; a minute to run. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## What it looks like
#
# A long-axis view is a picture along the heart, from apex to base; usual ones are named after the chambers that they show: 2CH, 3CH and 4CH. It cuts every slice, and the lines in the picture show where. This is a four-chamber view (4CH). The slices were displaced by severe motion; the view was not.

# %%
from dataclasses import replace

import numpy as np
import torch

import srheart_demo as sr
from srheart_demo.lessons import multi_view as lesson
from srheart_demo.lessons import pictures

p, truth = lesson.known_scan("hypertrophic", "severe", views=["4ch"])
lesson.picture_views(p, slices=[3, 5, 7])

# %% [markdown]
# ## The idea
#
# Eq. 4 asks that the heart also explains the LA view. $R \odot G(z)$ is the heart cut along the plane of the view, $S_{LA}$ is the segmentation of the view, and
#
# $$L_{LA}(z) = CE\big(R \odot G(z),\ S_{LA}\big), \qquad L(z, d) = L_{SA}(z, d) + \gamma\, L_{LA}(z) \quad \text{(Eq. 5)}.$$
#
# $G(z)$ is a field, so $R\odot$ is nothing new: `sample(field, points)` at the points of the plane, as $\downarrow_s$ is at the planes of the slices. Nothing is trained again. All that we need to know is **where the pixels of the view lie**. The paper has one view. With several views, $L_{LA}$ is their sum.
#
# ## From an affine to a plane
#
# A NIfTI file has a 4 × 4 matrix, its *affine*: it leads from the index (0, i, j) of a pixel to a place in the scanner, in mm. (DICOM has the same as image position and orientation.) A second matrix, the stack's placement, leads from the scanner to the generator's frame. It holds for the view too, if the patient did not move between stack and view. So take both from the same session.
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
# In the library this is `placement.plane_geometry`. For files of your own `placement.check_long_axis` refuses a view that misses the heart of the stack.
#
# ### Exercise 2: Eq. 5
#
# Write `multi_view(z, d, p, gamma)`: the loss of Eq. 5. If `p.views` is empty, there is no LA view, and $L = L_{SA}$.
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
# ## Why the view's loss does not depend on d
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
# Still the view mends $d$, by way of $z$. It shows how the heart leans, and once the heart stands right, each slice finds its own place. In lesson 5 an upright heart and a leaning one gave the same stack. They do not give the same LA view.
#
# ## What it repairs
#
# This is the paper's form: one view, taken to lie exactly where its file says (`moving_views=False`). We solve from the stack alone, and with the view. All pictures show the plane of the view. The first is the true heart, and its borders are drawn on the others. The second is the stack as it was scanned.

# %%
trusting = replace(sr.RECOMMENDED, moving_views=False)
ends = {
    "stack alone": sr.solve(replace(p, views=()), sr.RECOMMENDED),
    "4CH": sr.solve(p, trusting),
}
plane_4ch = p.views[0].plane
on_plane = lesson.on_plane(truth, plane_4ch)


def show(*names):
    found = {name: on_plane.labels(p.G.decode(ends[name].z), ends[name].d)[0] for name in names}
    scanned = on_plane.as_scanned()[0]
    return lesson.picture_along({"truth": p.views[0].S_LA.numpy(), "as scanned": scanned, **found})


show("stack alone", "4CH")


# %%
def table(*names):
    print(f"{'':26s}Dice   motion error   less drift")
    for name in names:
        error, rest, _ = truth.motion_errors(ends[name].d)
        print(f"{name:24s} {truth.dice(ends[name]):5.2f} {error:11.1f} mm {rest:9.1f} mm")


table("stack alone", "4CH")

# %% [markdown]
# - Most of the **drift** is gone: the error that grows along the stack, which no SA slice can see.
# - Between the slices and at the base the **shape** follows the view where the view shows it. The prior takes the rest of the heart along.
#
# Hearts that gain most are those that lean or drift. A heart that stack and prior already hold upright gains less.
#
# ## One displaced view
#
# But an LA view is a breath-hold too, and nobody holds the breath twice at the same depth. Here is the same view, displaced as the slices were, and trusted as before:

# %%
ALL = ["4ch", "2ch", "3ch"]
true_d_LA = sr.load_sample("hypertrophic").d_LA("severe", ALL)
moved, _ = lesson.known_scan("hypertrophic", "severe", views=["4ch"], displaced="severe")
print(f"4CH was displaced by {np.linalg.norm(true_d_LA[0]):.1f} mm")
ends["4CH displaced, trusted"] = sr.solve(moved, trusting)
table("stack alone", "4CH displaced, trusted")

# %% [markdown]
# Now the heart is **worse** than without a view. The view says that the heart lies in one place, the slices say another, and the solver bends the heart to fit both.
#
# ## A displacement of its own
#
# The cure is the same as for the slices: each view gets two numbers that say how far it was displaced in its plane, in mm along its rows and its columns (`Step.d_LA`, in short d_LA). RECOMMENDED finds them together with $z$ and $d$, by the same search and the same gradient. The paper has no such numbers. INTERACTIVE, which solves anew while a slider moves, stops after a few iterations. Its first heart leans, and the views are first sought by that heart. So with views it searches once more (`views_search_at`) and may take 30 iterations in place of 10 (`far_iterations`), of which it needs some 10. Without both it is quicker, and worse: a mean Dice of 0.964 in place of 0.975, under severe motion with three displaced views.
#
# ### Exercise 3: the points of a displaced view
#
# Write `displaced_points(points, d)`: where the pixels of a view look in the heart if it was displaced by d. The points are (h, w, 3) in mm, where the file says that the pixels lie. `d[0]` is in mm along the direction from one row to the next, `d[1]` from one column to the next. As in lesson 2, what was displaced by $d$ shows at $x$ what lies at $x - d$.
#
# <details><summary>Hint</summary>From one row to the next is <code>down = points[1, 0] - points[0, 0]</code>. It is as long as pixels are apart: divide it by <code>down.norm()</code>.</details>


# %% tags=["exercise"]
def displaced_points(points, d):
    ### BEGIN SOLUTION
    down, right = points[1, 0] - points[0, 0], points[0, 1] - points[0, 0]
    return points - d[0] * down / down.norm() - d[1] * right / right.norm()
    ### END SOLUTION


# %% tags=["check"]
lesson.displaced_points(displaced_points)

# %% [markdown]
# The library's is `long_axis_view(field, plane, d)`. With it:

# %%
ends["4CH displaced"] = sr.solve(moved, sr.RECOMMENDED)


def compare_d_LA(names, end):
    for name, true, found in zip(names, true_d_LA, end.d_LA[0], strict=False):
        print(f"{name}: displaced by ({true[0]:4.1f}, {true[1]:4.1f}) mm, ", end="")
        print(f"found ({found[0]:4.1f}, {found[1]:4.1f}) mm")


compare_d_LA(ALL, ends["4CH displaced"])
table("4CH", "4CH displaced, trusted", "4CH displaced")
show("4CH displaced, trusted", "4CH displaced")

# %% [markdown]
# The displaced view is now nearly as good as the one in its place. It brings two more unknowns, and thousands of pixels to find them by.
#
# ## Several views
#
# One plane shows how the heart leans **in that plane**. Views 60° apart see both leans. Here are three, each displaced by a breath-hold of its own: 4CH, 2CH and 3CH.

# %%
views, _ = lesson.known_scan("hypertrophic", "severe", views=ALL, displaced="severe")
seen = [view.S_LA.numpy()[::-1] for view in views.views]
pictures.finish(pictures.grid({"": seen}, 2.2, ["4CH", "2CH", "3CH"])[0])

# %% [markdown]
# The 2CH view shows no right ventricle. In a real 2CH view the plane may touch the edge of the RV, and nobody outlines that. So if a view has no pixel of a tissue, its background may be that tissue, and the loss does not ask (`View.lacks`).
#
# Beside the result stands the same heart from a stack that was **not displaced at all**, without a view:

# %%
still, still_truth = lesson.known_scan("hypertrophic", "none")
ends["three displaced"] = sr.solve(views, sr.RECOMMENDED)
straight = sr.solve(still, sr.RECOMMENDED)
print("labels that a view lacks:", [view.lacks for view in views.views])
compare_d_LA(ALL, ends["three displaced"])
table("stack alone", "4CH displaced", "three displaced")
error, rest, _ = still_truth.motion_errors(straight.d)
print(f"straight stack alone     {still_truth.dice(straight):5.2f} {error:11.1f} mm {rest:9.1f} mm")

# %% [markdown]
# With three views, each displaced, the heart is as good as from a straight stack: severe motion then does no harm. The same was found for thirty healthy hearts that the generator never saw, slices and views under severe motion: mean Dice 0.91 from the stack alone, 0.96 with 4CH, 0.98 with all three; motion error 2.4, 1.2 and 0.5 mm ([results](../docs/results.md#long-axis-views-each-in-a-breath-hold-of-its-own)).
#
# ## What is still free
#
# In lesson 5 a heart and all its slices could move together, and no loss noticed. A view that is held in its place notices. A view that may move does not: it moves along. Below, the heart and all slices move by 10 mm, along the plane of the view or across it. The view is held, or it moves along in its plane:

# %%
end = ends["4CH displaced"]
heart, d = moved.G.decode(end.z), torch.cat([end.d, end.d_LA], dim=1)
across = plane_4ch.normal[1:] / plane_4ch.normal[1:].norm()
along = torch.stack([-across[1], across[0]])
print("the heart moves     L_SA     L_LA, view held     L_LA, view moves along")
for name, t in {"not at all": 0 * along, "along": 10 * along, "across": 10 * across}.items():
    there = lesson.translated(heart, t)
    d_SA, d_LA = moved.split(d - moved.carried @ t)
    L_SA = sr.short_axis_loss(sr.downsample(there, moved.stack), d_SA, moved).item()
    held, follows = (sr.long_axis_loss(there, moved, x).item() for x in (end.d_LA, d_LA))
    print(f"{name:15s} {L_SA:9.3f} {held:15.3f} {follows:23.3f}")

# %% [markdown]
# Along the plane, no loss notices once the view moves along. Across the plane, the view then cuts another part of the heart, so its loss rises a little. The library does not rely on this small rise: the generator has a preference for where hearts lie in its box, which can be stronger.
#
# So the gauge of lesson 5 remains, with views and without. The library therefore fixes it by a rule: in what it writes, the mean of $d$ over the slices is zero, so the heart lies where the stack was scanned (`gauge.centred`). Only a view that is trusted, as in the paper, fixes the place along its plane. That is right only if this view was not displaced.
#
# ## γ
#
# γ says how far the views' losses count against the stack's; the paper takes 1. Each loss is a mean over its own pixels, and a view has fewer of them than the stack.
#
# ### Exercise 4: a pixel is a pixel
#
# Write `even_gamma(p)`: the γ under which one pixel of the first LA view counts as much as one pixel of the stack.
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
# So with γ = 1 a pixel of the LA view counts more than a pixel of the stack. Here is the scan with one displaced view, with several γ, and every run to its end:

# %%
gammas = [0.0, 1.0, 10.0, 100.0]
patient = replace(sr.RECOMMENDED, iterations=400)
known = {0.0: ends["stack alone"], 1.0: ends["4CH displaced"]}
sweep = [known.get(gamma) or sr.solve(moved, replace(patient, gamma=gamma)) for gamma in gammas]
pixels = moved.S_LR.numel() / moved.views[0].S_LA.numel()
print(f"At γ = 1 a pixel of this LA view counts {pixels:.1f} times as much as one of the stack.")
for gamma, end in zip(gammas, sweep, strict=True):
    print(f"γ = {gamma:<3g}: {end.stopped}, L_SA {end.loss_sa:.3f}, length of z {end.z.norm():.0f}")
scores = {
    "mean Dice": [truth.dice(end) for end in sweep],
    "motion error, mm": [truth.motion_error(end.d) for end in sweep],
}
axis = {"x": [f"{gamma:g}" for gamma in gammas], "xlabel": "γ", "markers": "o"}
pictures.lines(*(axis | {"lines": {name: y}, "ylabel": name} for name, y in scores.items()))

# %% [markdown]
# At γ = 0 the view is not looked at, and the stack alone is left. Between 1 and 10 little changes. As γ → ∞ the stack and the prior no longer count: the heart follows one plane, $z$ grows far beyond what $N(0, I)$ would draw (a length of about 11), and the rest of the heart gets worse.
#
# **Try it.** Which view, and how displaced? Take the views' own displacements away. Where does that hurt most, and which view hardly helps this heart?


# %%
def draw(views="4CH", displaced="severe", own_displacement=True):
    chosen = ALL if views == "all three" else [views.lower()]
    given, _ = lesson.known_scan("hypertrophic", "severe", chosen, displaced)
    end = sr.solve(given, replace(sr.RECOMMENDED, moving_views=own_displacement))
    found = on_plane.labels(given.G.decode(end.z), end.d)[0]
    title = f"Dice {truth.dice(end):.2f}, motion error {truth.motion_error(end.d):.1f} mm"
    return lesson.picture_along({"truth, along 4CH": p.views[0].S_LA.numpy(), title: found})


pictures.try_it(
    draw,
    views=["4CH", "2CH", "3CH", "all three"],
    displaced=["severe", "normal", "none"],
    own_displacement=True,
)

# %% [markdown]
# ## Remember
#
# - A view is a set of points. Once they are known in the model's frame, $R\odot$ is interpolation and Eq. 5 is one more term.
# - $L_{LA}$ has no $d$ of the slices in it. It mends $d$ through $z$.
# - Trusted blindly, a displaced view can be worse than none. With a displacement of its own it is nearly as good as one in its place.
# - Views that may move see the lean, but fix no place: the gauge stays.
# - γ = 1 does not mean that pixels count alike. All losses are means.

# %% [markdown]
# ## Further
#
# ### A slice that turned, or moved through its plane
#
# A breath may also **turn** a slice in its plane, or move the heart **through** it, so that the slice shows a part some mm higher. $d$ has no number for either. What could slices tell of them? Below, one slice of the stack is turned about the middle of the box, or moved through its plane, and the scan is solved as if nothing had happened. Then we look at $L$ of this slice under the heart that was found: how would it be if the slice had turned by so much, or moved? The dotted line is the truth.

# %%
from torch.nn.functional import cross_entropy

from srheart_demo.scan.degradation import one_hot_field, sample


def elsewhere(points, degrees, mm):
    a = torch.deg2rad(torch.tensor(float(degrees)))
    turn = torch.stack([a.cos(), -a.sin(), a.sin(), a.cos()]).reshape(2, 2)
    return torch.cat([points[..., :1] + mm, points[..., 1:] @ turn], dim=-1)


def what_it_tells(turned=20, through=0.0, with_views=False, k=7):
    S_LR, shown = views.S_LR.clone(), elsewhere(views.stack.points(truth.d)[0, k], turned, through)
    S_LR[k] = sample(one_hot_field(truth.S_HR), shown).argmax(1)[0]
    given = replace(views, S_LR=S_LR, views=views.views if with_views else ())
    end = sr.solve(given, sr.INTERACTIVE)
    heart, points = given.G.decode(end.z), given.stack.points(end.d)[0, k]
    panels = []
    assumed = {
        "turn, °": (turned, (1, 0), range(-40, 41, 5)),
        "shift, mm": (through, (0, 1), np.arange(-8, 8.5, 0.5)),
    }
    for name, (true, unit, tried) in assumed.items():
        at = [sample(heart, elsewhere(points, *np.multiply(unit, x).tolist())) for x in tried]
        L = [cross_entropy(logits, S_LR[k : k + 1]).item() for logits in at]
        names = {"xlabel": f"assumed {name}", "ylabel": "L of the slice"}
        panels.append({"lines": {"": L}, "x": tried, "mark": true, **names})
    return pictures.lines(*panels)


pictures.try_it(
    what_it_tells, turned=(-40, 40, 10), through=(-8.0, 8.0, 1.0), with_views=False, k=(3, 9)
)

# %% [markdown]
# Slices tell **about half**. This slice was turned by 20°, and its $L$ is least at 10°, where it has 0.10 in place of 0.16. Moved through its plane by 5 mm, it says 2.5 mm, and $L$ falls from 0.056 to 0.041 only; unspoilt it has 0.038. The other half the heart has bent to, since it could: each slice has a say in $z$. So it was with seven slices of two hearts, displaced or not: they told 10 of 20° (one near the apex, which is round, 5) and 2 to 4 of 5 mm, and one turned slice cost up to 0.03 of the mean Dice. Three views hold the heart against the shift (3.5 of 5 mm), but not against the turn (10 of 20°).
#
# To find turns and shifts one would solve again with what was found, and again. They would need a prior, as $d$ does. The library leaves them out.
#
# **One step further.** Breathing moves a heart through the planes too, and neither $d$ nor `d_LA` has a number for that. Make such a view: `sr.long_axis_view` cuts the true heart (`one_hot_field(truth.S_HR)` of `scan.degradation`) along a plane 5 mm beside that of the view, in the direction of `plane_4ch.normal`. Give the solver these labels with the old plane (`View` of `solver.problem`). One such view does little harm: why? Then do so with all three, each in its own direction. Would a third number pay?

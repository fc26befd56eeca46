# %% [markdown]
# # 5 · Motion and gauge
#
# **Goal.** See the landscape of $L$ over the displacement of a slice; learn what a stack of slices can never tell; see what a prior does about it.
#
# **You need** lesson 4 (Algorithm 1, `known_scan`), and a little of Fourier transforms; about 20 minutes to read, 20 seconds to run.

# %% [markdown]
# ## What it looks like
#
# Take the heart as found and move **one** slice over the whole plane. For each place we ask how badly the slice fits there: that is $L_{SA}$ of this slice as a function of its $d_k$. Dark is a good fit; the cross is the truth, up to the translation that all slices share, the line is the way of the run from its ring to its dot, and triangles are all local minima, the deepest included.

# %%
from dataclasses import replace

import torch

import srheart_demo as sr
from srheart_demo.explorer import why
from srheart_demo.lessons import gauge as lesson
from srheart_demo.lessons import pictures

p, truth = lesson.known_scan("healthy_1", "severe")
steps = list(sr.latent_optimisation(p, replace(sr.INTERACTIVE, search_at=())))
end = steps[-1]


def landscape(k):
    return why.shift_map(p, steps, k, truth.aligned(end.d), reach=60.0)


maps = {"first slice with tissue": landscape(1), "middle": landscape(6), "last": landscape(10)}
minima = [lesson.local_minima(found) for found in maps.values()]
lesson.picture_landscapes(maps, minima)

# %% [markdown]
# - The middle of the heart is one wide funnel: from far around, downhill leads home. Severe motion, some 10 mm and up to 16 here, is well inside it.
# - At the ends of the stack slices show little, and far out there are hollows of their own, here at the base. Whoever starts in one stays there.
# - The funnel is drawn for **one** heart $G(z)$. In the run $z$ moves too, and with another $z$ the lowest point lies elsewhere. That, not these hollows, makes most of the difficulty.
#
# **Try it.** Adam on the displacement of one slice alone, the heart held still. The first start shown does not come home. How far off must a slice be for that, and which slices can it happen to?


# %%
def draw(slice_number=11, rows=40, columns=-50):
    k = slice_number - 1
    way = lesson.descend(p, end.z, k, (float(rows), float(columns)))
    found = replace(landscape(k), path=way)
    return lesson.picture_landscapes({f"slice {slice_number}": found}, [lesson.local_minima(found)])


pictures.try_it(draw, slice_number=(2, 11), rows=(-50, 50, 5), columns=(-50, 50, 5))

# %% [markdown]
# ## All shifts at once
#
# Such a map needs no gradient and not one loss after another. Let $\log p_c(x)$ be the heart's log-probability of class $c$ at pixel $x$, and $y_c(x)$ the slice, 1 where it shows $c$. If the slice was displaced by $s$, it shows at $x$ what lies at $x - s$, so its log-likelihood is
#
# $$\ell(s) = \sum_c \sum_x y_c(x)\, \log p_c(x - s),$$
#
# a cross-correlation. The Fourier transform turns it into a product, with one factor conjugated: $\hat\ell = \sum_c \hat y_c\, \overline{\widehat{\log p_c}}$. RECOMMENDED searches so for every slice before its first iteration and once more before it stops (`search.best_shifts`).
#
# ### Exercise 1: all shifts by one Fourier transform
#
# Write `shift_scores(log_p, seen)`: both are (classes, h, w); return $\ell$ as (h, w), where entry `[i, j]` is the score of a displacement by i rows and j columns (cyclic).
#
# <details><summary>Hint</summary><code>torch.fft.rfft2</code> works on the last two axes; <code>.conj()</code>; sum over the classes; <code>torch.fft.irfft2(…, s=(h, w))</code>.</details>


# %% tags=["exercise"]
def shift_scores(log_p, seen):
    ### BEGIN SOLUTION
    spectrum = torch.fft.rfft2(seen) * torch.fft.rfft2(log_p).conj()
    return torch.fft.irfft2(spectrum.sum(0), s=seen.shape[-2:])
    ### END SOLUTION


# %% tags=["check"]
lesson.shift_scores(shift_scores)

# %% [markdown]
# ## What no stack can tell
#
# Move the whole heart 10 mm to the right and every slice 10 mm to the left: each slice shows what it showed before. So $L_{SA}$ cannot change. The same holds for a **shear**: let the heart lean, and displace each slice against it, the more the further it is from the middle. Physicists call such a freedom a *gauge*: different numbers, same observation.
#
# **Try it.** Each row begins with a heart, cut along its length; then comes every second slice of the stack that is seen. The amount of a shear is how far the ends move apart over 100 mm.

# %%
straight, straight_truth = lesson.known_scan("healthy_1", "none", views=["4ch"])
slices_only = replace(straight, views=())
found = sr.solve(slices_only, sr.RECOMMENDED)
heart = straight.G.decode(found.z)


def and_its_stack(field, d):
    return sr.to_labels(field), sr.degrade(field, straight.stack, d)[0].argmax(0).numpy()


def draw(kind="shear", amount=25):
    moved = why.gauge_heart(heart, kind, float(amount))
    against = found.d - why.gauge_shift(kind, float(amount), straight.stack.z)
    after = and_its_stack(moved, against)
    return lesson.picture_moved(
        {"as found": and_its_stack(heart, found.d), f"{kind},\n{amount} mm": after}
    )


pictures.try_it(draw, kind=["translate", "shear"], amount=(-30, 30, 5))

# %% [markdown]
# ### Exercise 2: against the move
#
# A heart is moved in its slices' plane: at depth $z$ by `translation + z * lean` (mm along rows and columns; a lean of 0.1 is 10 mm over 100 mm). Write `compensate(d, z, translation, lean)`: the displacements under which it shows the very stack that it showed under `d`. Shapes: d (1, K, 2), z (K,), the others (2,).
#
# <details><summary>Hint</summary>A slice displaced by d shows at x what lies at x − d. If what lay at x − d now lies at x − d + t, which displacement finds it? For shapes, <code>z[:, None] * lean</code> is (K, 2).</details>


# %% tags=["exercise"]
def compensate(d, z, translation, lean):
    ### BEGIN SOLUTION
    return d - (translation + z[:, None] * lean)
    ### END SOLUTION


# %% tags=["check"]
lesson.compensate(compensate)

# %% [markdown]
# Both losses over both freedoms. $L_{SA}$ is flat however far we go, until the heart touches the end of the box (at −30 mm). An LA view, which this run was not shown, is another matter: it says how the heart stands and, as long as it is held where its file says, that the heart lies some 8 mm from where the run had put it. Lesson 6 uses it.


# %%
def losses(kind):
    curve = why.gauge_curve(straight, heart, found, kind, why.Watch(), n=13)
    return {
        "lines": {"$L_{SA}$": curve.loss_sa, "$L_{LA}$": curve.loss_la},
        "x": curve.amounts,
        "xlabel": "amount, mm",
        "ylabel": "loss, nats per voxel",
        "yscale": "log",
        "title": f"{kind}: heart one way, slices the other",
    }


pictures.lines(losses("translate"), losses("shear"))

# %% [markdown]
# So who says that this heart stands upright? The translation does not matter: no shape depends on it, and scores are taken after removing it. The shear does: it makes another heart. Only the **prior** can tell. The generator is one part of it, since $G(z)$ cannot lean as it likes, but it can lean, and with 128 latents it can do so at a small cost in $L$.
#
# ## Maximum likelihood or maximum a posteriori
#
# The paper minimises $L$ alone: maximum likelihood. Here RECOMMENDED runs with and without its priors on a scan of a heart that **did not move at all**.

# %%
without = sr.solve(slices_only, replace(sr.RECOMMENDED, prior=False, iterations=60))
print("            L      Dice   motion error   less drift   length of z")
for name, step in {"prior": found, "no prior": without}.items():
    error, rest, _ = straight_truth.motion_errors(step.d)
    dice, length = straight_truth.dice(step), step.z.norm()
    print(f"{name:9s} {step.loss:.4f} {dice:7.2f} {error:10.1f} mm {rest:9.1f} mm {length:12.0f}")
print(f"a draw of N(0, I) has a length of about {straight.G.latent_size**0.5:.0f}")

# %% [markdown]
# Without a prior the loss is lower and everything else is worse. The straight stack is explained by a leaning heart whose slices were displaced by millimetres, and $z$ lies far outside of what $N(0, I)$ would draw: a heart that the generator never saw in training.
#
# The priors are short. $z \sim N(0, I)$ costs $|z|^2/2$ nats. The components of $d$, less their mean, are Gaussian, but nobody knows in advance whether this patient held the breath. So the variance is unknown, and the one that fits $d$ best is taken, which leaves
#
# $$-\log p(d) = \left(\tfrac{n}{2} + 1\right) \log\left(1 + \frac{\sum_k |d_k - \bar d|^2}{2\,\sigma_0^2}\right), \qquad n = 2 \times \text{slices}, \quad \sigma_0 = 2\ \text{mm}.$$
#
# (RECOMMENDED also lets a breath-hold go astray, one in fifty: its $d_k$ then says nothing of the others'.) The price is steep where nothing moves and flat where much does. A Gaussian that is wide enough for severe motion (7 mm) lets a small false motion pass for next to nothing:

# %%
rms, slices = torch.linspace(0, 12, 61), int(straight.tissue.sum())
gain = lesson.nats(found.loss - without.loss, slices_only)
prices = {
    "unknown variance": [lesson.price(float(mm), slices_only) for mm in rms],
    "Gaussian of 7 mm": slices * rms**2 / (2 * 7**2),
    "what a false motion gains in L": torch.full_like(rms, gain),
}
axes = {"xlabel": "motion, RMS over the slices, mm", "ylabel": "price, nats"}
pictures.lines({"lines": prices, "x": rms, **axes}, width=6.4)

# %% [markdown]
# How are nats of a prior weighed against a mean over voxels? Neighbouring voxels err together, so the library counts one independent observation for every 100 mm² of slice (`Settings.patch_mm2`; [decisions](../docs/decisions.md) tells what was tried).
#
# ### Exercise 3: what is left without the drift
#
# An error of $d$ that is a translation or a shear is one that the slices cannot see. Write `without_drift(e, z)`: the errors e (K, 2), less the best constant **and** the best slope along z (K,), for rows and for columns. What is left the stack should have told.
#
# <details><summary>Hint</summary>With <code>a = z - z.mean()</code> the constant is the mean of e, and the slope is <code>(a[:, None] * e).sum(0) / (a**2).sum()</code>.</details>


# %% tags=["exercise"]
def without_drift(e, z):
    ### BEGIN SOLUTION
    a = (z - z.mean())[:, None]
    slope = (a * e).sum(0) / (a**2).sum()
    return e - e.mean(0) - a * slope
    ### END SOLUTION


# %% tags=["check"]
lesson.without_drift(without_drift)

# %% [markdown]
# ## Remember
#
# - Of one slice in a known heart, the landscape of $d$ is a funnel, but for hollows far out at apex and base. One Fourier transform shows all of it.
# - A common translation, and a shear of all slices with a lean of the heart, leave a stack as it was. No loss on SA slices can see them.
# - What data cannot tell the prior decides, whether you wrote it down or not. A lower loss without a prior was a worse heart.
# - Say what you removed before you scored: here one common translation, the same for all tissues.
#
# **One step further.** `explorer.why.valley` draws $L$ over one direction of $z$ and the displacement of one slice: the explorer shows it too. Find a direction in which a lean of the heart and a drift of the slices make one long valley, and watch Adam and L-BFGS walk it. Or set `motion_mm=10` in RECOMMENDED and solve the straight stack again.

# %% [markdown]
# # 5 · Motion and gauge
#
# **Goal.** See the landscape of $L$ over the displacement of a slice; learn what a stack of slices can never tell; see what a prior does about it.
#
# **You need** lesson 4 (Algorithm 1), and for exercise 1 a little of Fourier transforms; about 11 minutes to read, and 3 for what is marked "Further"; a minute or two to run. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## What it looks like
#
# Take the heart that a run found, and move **one** slice over the whole plane. At each place we compute how badly the slice fits: its $L_{SA}$ as a function of its $d_k$. Such a map is called a *landscape*. Dark means a good fit. The line shows how the run moved the slice, from the ring (start) to the dot (end). The cross is the true displacement, less the translation that all slices share. Triangles are local minima of the map, the deepest point among them.

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
# - In the middle of the heart the map is one wide funnel: from far around, the way downhill leads to the truth. Severe motion, here up to 16 mm, lies well inside.
# - Slices at the ends of the stack show little tissue, and their maps have other minima far out. A run that starts in one of these stays there.
# - Each map is drawn for **one** heart $G(z)$. In a run $z$ changes too, and the deepest point moves with it. Most of the difficulty comes from there, and not from far minima.
#
# **Try it.** Adam moves one slice alone; the heart stays as it is. From the start that is shown first, this slice does not reach the truth. How far off must a slice be to get lost, and which slices can get lost?


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
# A whole map can be computed at once, without gradients. Let $\log p_c(x)$ be the log-probability that the heart gives to class $c$ at pixel $x$. Let $y_c(x)$ be 1 where the slice shows class $c$, and 0 elsewhere. A slice displaced by $u$ shows at $x$ what lies at $x - u$, so its log-likelihood is
#
# $$\ell(u) = \sum_c \sum_x y_c(x)\, \log p_c(x - u).$$
#
# This is a cross-correlation. The Fourier transform turns it into a product, in which one factor is conjugated: $\hat\ell = \sum_c \hat y_c\, \overline{\widehat{\log p_c}}$. RECOMMENDED searches in this way for every slice, up to 20 mm (`reach`), before its first iteration (`search_at`) and once more before it stops (`search_last`). With a `reach` of 0 the gradient alone must bring the slices home; inside the funnel it does. The search pays where few iterations are allowed, and where a slice lies outside its funnel. A search too far out can put a slice with little tissue into a false minimum. So far shifts cost something (`search_sd`, an SD of 7 mm, that of severe motion). INTERACTIVE lets one pixel in 2.5 mm stand for its neighbours (`search_mm`), which is as good a start and takes a third of the time.
#
# ### Exercise 1: all shifts by one Fourier transform
#
# Write `shift_scores(log_p, seen)`: both are (classes, h, w). Return $\ell$ as (h, w): entry `[i, j]` is the score of a displacement by i rows and j columns (cyclic: what leaves at one side comes in at the other).
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
# Move the whole heart 10 mm to the right, and every slice 10 mm to the left: each slice shows what it showed before. So $L_{SA}$ cannot change. The same holds for a **shear**: the heart leans to one side, and each slice moves to the other side, the more the further it is from the middle. Such a freedom is called a *gauge*: other numbers, the same observation.
#
# **Try it.** Each row begins with a heart, cut along its length; beside it is every second slice of its stack. The amount of a shear is how many mm the heart leans over 100 mm of height.

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
# A heart is moved along its slices: at a height of $h$ mm by `translation + h * lean`, in mm along rows and columns. A lean of 0.1 is 10 mm over 100 mm. Write `compensate(d, heights, translation, lean)`: the displacements with which the moved heart gives the same stack that the old heart gave with `d`. Shapes: d (1, K, 2), heights (K,), the others (2,).
#
# <details><summary>Hint</summary>A slice displaced by d shows at x what lies at x − d. If what lay at x − d now lies at x − d + t, which displacement finds it? For shapes, <code>heights[:, None] * lean</code> is (K, 2).</details>


# %% tags=["exercise"]
def compensate(d, heights, translation, lean):
    ### BEGIN SOLUTION
    return d - (translation + heights[:, None] * lean)
    ### END SOLUTION


# %% tags=["check"]
lesson.compensate(compensate)

# %% [markdown]
# ### The losses along both freedoms
#
# $L_{SA}$ is flat however far we go, until the heart touches the end of the box (at −30 mm). $L_{LA}$ is the loss of a long-axis (LA) view, a picture along the heart that this run did not see. $L_{LA}$ is not flat: it is least where the heart does not lean. It also says that the heart lies some 8 mm from where the run put it, if the view lies where its file says. Lesson 6 uses such views.


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
# What says, then, that this heart stands upright? The translation does not matter: it changes no shape, and it is removed before scoring. The shear matters: it makes another heart. Without an LA view only the **prior** can decide. The generator is a part of it: most of its hearts stand nearly upright. But 128 latents can also make a leaning heart.
#
# ## Maximum likelihood or maximum a posteriori
#
# The paper minimises $L$ alone (maximum likelihood). *Maximum a posteriori* minimises $L$ together with the price of an improbable $z$ and $d$. Here RECOMMENDED runs with and without its priors on a scan whose slices were **not displaced at all**. *Less drift* is the motion error without what grows along the stack: the part that the slices could have told.

# %%
without = sr.solve(slices_only, replace(sr.RECOMMENDED, prior=False, iterations=60))
print("            L      Dice   motion error   less drift   length of z")
for name, step in {"prior": found, "no prior": without}.items():
    error, rest, _ = straight_truth.motion_errors(step.d)
    dice, length = straight_truth.dice(step), step.z.norm()
    print(f"{name:9s} {step.loss:.4f} {dice:7.2f} {error:10.1f} mm {rest:9.1f} mm {length:12.0f}")
print(f"a draw of N(0, I) has a length of about {straight.G.latent_size**0.5:.0f}")

# %% [markdown]
# Without a prior the loss is lower, and everything else is worse. A leaning heart and slices displaced by millimetres explain the straight stack, and $z$ is longer than any draw of $N(0, I)$: the generator never saw such a heart in training.
#
# The prior on $z$ is $N(0, I)$: it costs $|z|^2/2$ nats. The prior on $d$ takes the displacements, without their mean, for Gaussian. Nobody knows beforehand whether this patient could hold the breath, so the SD is unknown: for each $d$ the SD that fits best is taken. That leaves
#
# $$-\log p(d) = \left(\tfrac{n}{2} + 1\right) \log\left(1 + \frac{\sum_k |d_k - \bar d|^2}{2\,\sigma_0^2}\right), \qquad n = 2 \times \text{slices}, \quad \sigma_0 = 2\ \text{mm}.$$
#
# The price of this prior rises steeply from zero and then flattens. So a straight stack stays straight, and a displaced one may move. A Gaussian of fixed width cannot do both. If it is wide enough for severe motion (7 mm), a small false motion costs next to nothing: less than it gains in $L$.

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
# ### Exercise 3: what is left without the drift
#
# The slices cannot see an error of $d$ that is a translation or a shear. Write `without_drift(e, heights)`: take the errors e (K, 2), and subtract the best constant **and** the best slope along the heights (K,), for rows and for columns. The stack could have told what is left.
#
# <details><summary>Hint</summary>With <code>a = heights - heights.mean()</code> the constant is the mean of e, and the slope is <code>(a[:, None] * e).sum(0) / (a**2).sum()</code>.</details>


# %% tags=["exercise"]
def without_drift(e, heights):
    ### BEGIN SOLUTION
    a = (heights - heights.mean())[:, None]
    slope = (a * e).sum(0) / (a**2).sum()
    return e - e.mean(0) - a * slope
    ### END SOLUTION


# %% tags=["check"]
lesson.without_drift(without_drift)

# %% [markdown]
# ## Remember
#
# - If the heart is known, $L_{SA}$ of one slice is a funnel over its $d$, with other minima only far out at apex and base. One Fourier transform shows all of it.
# - A common translation leaves a stack as it was, and so does a lean of the heart with a drift of the slices. No loss on SA slices can see them.
# - What the data cannot tell, the prior decides, whether you wrote it down or not. Without a prior the loss was lower and the heart was worse.
# - Say what you removed before you scored: here one common translation, the same for all tissues.

# %% [markdown]
# ## Further
#
# ### The settings of the priors, at their extremes
#
# Four settings say how strong the priors are:
#
# - `prior_of`: which of $z$ and $d$ have one.
# - `motion_mm` is $\sigma_0$: motion below it costs little.
# - `patch_mm2`: $L$ is a mean over voxels, and a prior is in nats of the whole scan. To weigh them we must know how many independent observations a scan has. Neighbouring voxels err together, so a voxel is less than one observation. The library counts one for every 100 mm² of slice; this was chosen on five hearts.
# - `astray`: one breath-hold in fifty may go astray, and its $d_k$ then says nothing of the others. At 0 a single slice 20 mm off loosens the prior for all slices. At one in twenty severe motion is restored less well, because slices that are merely far off are no longer held together.
#
# Each of the first three at its extremes, on the straight scan and under severe motion, after 30 iterations:

# %%
extremes = {
    "as it is": {},
    "prior on z alone": {"prior_of": "z"},
    "prior on d alone": {"prior_of": "d"},
    "motion_mm = 0.02": {"motion_mm": 0.02},
    "motion_mm = 20": {"motion_mm": 20.0},
    "patch_mm2 = 4": {"patch_mm2": 4.0},
    "patch_mm2 = 2500": {"patch_mm2": 2500.0},
}
brief = replace(sr.RECOMMENDED, iterations=30)
print(f"{'Dice, motion error, |z|':24s} {'not displaced':>18s} {'severe motion':>23s}")
for name, change in extremes.items():
    print(f"{name:24s}", end="")
    for problem, known in ((slices_only, straight_truth), (p, truth)):
        end = sr.solve(problem, replace(brief, **change))
        print(
            f"{known.dice(end):7.2f} {known.motion_error(end.d):5.1f} mm {end.z.norm():4.0f}",
            end="    ",
        )
    print()

# %% [markdown]
# - With a prior on $z$ alone the straight stack is bent by false motion. With a prior on $d$ alone, $z$ begins to run away, to make up for small errors of the slices.
# - A small `motion_mm` holds the slices too tightly: severe motion is restored less well. The harm is limited, because the price grows only with a logarithm. A large one lets false motion pass.
# - A small `patch_mm2` makes the scan look richer than it is, so the priors hardly count. A large one makes it look so poor that the slices stay where they were scanned, and the heart becomes an ordinary one.
#
# So priors help ordinary hearts and straight stacks most. A heart that really leans, or that is unlike the population, is pulled towards the ordinary. One sees it in $L$, which stays higher than without the prior.
#
# **One step further.** `explorer.why.valley` draws $L$ over one direction of $z$ and the displacement of one slice; the explorer shows it in its tab *Loss landscape*. Find a direction in which a lean of the heart and a drift of the slices make one long valley, and watch Adam and L-BFGS walk along it.

# %% [markdown]
# # 11 · Which step earns its keep?
#
# **Goal.** Walk from the paper's method to the library's in single steps, see on one valley what each step does, and read from thirty hearts what each is worth.
#
# **You need** lessons 4 (Algorithm 1) and 5 (the priors); about 7 minutes to read, half a minute to run. A further lesson, beyond the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## Two runs, two hearts
#
# One scan that was **not displaced at all**, our generator, and two runs. REFERENCE is the public code's way: Adam, $L$ alone, from $z = d = 0$; it is cut after 80 iterations here. The other run minimises $L$ with the priors on $z$ and $d$, by L-BFGS. Both explain the slices equally well. Why are the hearts so different?

# %%
from dataclasses import replace
from functools import cache

import numpy as np
import torch

import srheart_demo as sr
from srheart_demo.experiments import ablation, paper_tables
from srheart_demo.explorer.why import LossMap
from srheart_demo.lessons import gauge, pictures, scores
from srheart_demo.lessons import steps as lesson
from srheart_demo.solver.losses import objective
from srheart_demo.solver.settings import STEPS

p, truth = lesson.known_scan("healthy_1", "none")
STEP = {step.name: replace(step, iterations=min(step.iterations, 80)) for step in STEPS}


def run(name, p=p):
    return list(sr.latent_optimisation(p, STEP[name]))


runs = {name: run(name) for name in ("REFERENCE", "+ L-BFGS")}
hearts = {name: truth.labels(p.G.decode(steps[-1].z), steps[-1].d) for name, steps in runs.items()}
for name, steps in runs.items():
    end = steps[-1]
    print(f"{name:10s} L {end.loss:.3f}   motion error {truth.motion_error(end.d):.1f} mm")
pictures.cuts(scores.dice_titles(hearts, truth.S_HR), (2.0, 1.25, 1.25))

# %% [markdown]
# ## One valley
#
# Go in a straight line from the better heart's $z$ to REFERENCE's, and, apart from that, from the one's $d$ to the other's. That makes a plane with two coordinates: at (0, 0) lies the one answer, at (1, 1) the other.
#
# ### Exercise 1: how far along?
#
# A run visits points that lie off the line. Write `how_far(way, start, end)`: for each of the points, way (n, M), the share of the line from start to end, (M,) each, at which the line comes nearest to the point: 0 at start, 1 at end.
#
# <details><summary>Hint</summary>The scalar product of <code>way - start</code> with the line, divided by the line's squared length.</details>


# %% tags=["exercise"]
def how_far(way, start, end):
    ### BEGIN SOLUTION
    line = end - start
    return (way - start) @ line / (line @ line)
    ### END SOLUTION


# %% tags=["check"]
lesson.how_far(how_far)

# %% [markdown]
# Over that plane, what each run minimises: $L$ alone; with $-\log p(z)$; with $-\log p(d)$ too. Colours are the height above the lowest point shown, cut at 0.05. The ways of the runs are drawn as their nearest points on the plane.


# %%
def points(steps):
    """z and d of each step as rows."""
    return torch.cat([step.z for step in steps]), torch.cat([step.d.flatten(1) for step in steps])


(z0, d0), (z1, d1) = ([x[-1] for x in points(runs[name])] for name in ("+ L-BFGS", "REFERENCE"))
shares = np.linspace(-0.7, 1.7, 25, dtype=np.float32)


@cache
@torch.no_grad()
def height(settings):
    """The objective over the plane, (y, x), above its lowest value."""
    found = np.empty((len(shares), len(shares)), np.float32)
    for i, x in enumerate(shares):
        z = (z0 + x * (z1 - z0))[None]
        heart = p.decode(z)
        for j, y in enumerate(shares):
            d = (d0 + y * (d1 - d0)).reshape(1, -1, 2)
            found[j, i] = objective(z, d, p, settings, heart)[0].item()
    return np.minimum(found - found.min(), 0.05)


def along(steps):
    z, d = points(steps)
    share = lesson.how_far.right
    return np.stack([share(z, z0, z1), share(d, d0, d1)], axis=1)


runs |= {name: run(name) for name in ("+ prior on z", "+ prior on d")}
nowhere = (np.nan, np.nan)
maps = {
    title: LossMap(shares, shares, height(STEP[name]), along(runs[shown]), nowhere)
    for title, name, shown in (
        ("L: REFERENCE", "REFERENCE", "REFERENCE"),
        ("+ prior on z, Adam", "+ prior on z", "+ prior on z"),
        ("+ prior on d, Adam", "+ prior on d", "+ prior on d"),
        ("the same, L-BFGS", "+ prior on d", "+ L-BFGS"),
    )
}
gauge.picture_landscapes(
    maps,
    xlabel="z, to REFERENCE's",
    ylabel="d, to REFERENCE's",
    of="nats per voxel",
    ylim=(-0.7, 1.7),
)

# %% [markdown]
# - **$L$ alone** is one long valley from heart to heart: the more the heart changes, the more the slices are moved against it. Its lowest point lies at REFERENCE's heart. No better optimiser can help there: the lowest point *is* the wrong heart.
# - **The prior on $z$** lifts the far end, for that heart is an unlikely one. What is left is a short valley near the better heart, and a run that went along with the displacements first lies outside of it.
# - **The prior on $d$** makes displacements pay for themselves. In this picture the valley gets only a little shorter, for $z$'s prior has shortened it already. Adam still ends high above it: it went astray in $d$ first, and 80 iterations are too few to come back. With all of its 500 iterations it does; the table of thirty hearts below has those.
# - **L-BFGS** learns from its own steps how $z$ and $d$ hang together, and is at the bottom after a few steps. Adam, number by number, swings about for a long time. The objective is the same.
#
# **Try it.** Take steps away, and see which one you miss. Is L-BFGS alone a help? On a scan under severe motion, is the search? (Adam gets 60 iterations here.)


# %%
scans = {"none": (p, truth), "severe": lesson.known_scan("healthy_1", "severe")}


def draw(motion="none", prior_on_z=True, prior_on_d=True, L_BFGS=True, search=True):
    held = "z" * prior_on_z + "d" * prior_on_d
    settings = sr.RECOMMENDED if L_BFGS else replace(sr.REFERENCE, iterations=60)
    settings = replace(settings, prior=bool(held), prior_of=held, astray=0.02 * prior_on_d)
    settings = replace(settings, start="zero", iterations=60)
    settings = replace(settings, search_at=(0,) * search, search_last=search)
    p, truth = scans[motion]
    end = sr.solve(p, settings)
    found = {
        "as scanned": truth.as_scanned(),
        f"found, {truth.motion_error(end.d):.1f} mm off": truth.labels(p.G.decode(end.z), end.d),
    }
    return pictures.cuts(scores.dice_titles(found, truth.S_HR), (2.0, 1.25, 1.25))


pictures.try_it(
    draw,
    motion=["none", "severe"],
    prior_on_z=True,
    prior_on_d=True,
    L_BFGS=True,
    search=True,
)

# %% [markdown]
# ## Thirty hearts
#
# One heart is an anecdote. `srheart experiment ablation` runs every step on thirty hearts that nothing was trained on, at three levels of motion, which takes an hour and a half; its rows are kept in `docs/results/ablation`. The views of the last three steps are displaced as the slices are.

# %%
steps, measured = paper_tables.recorded(ablation.Ablation)
scores.picture_curves(steps.plots(measured)[0])

# %% [markdown]
# ### Exercise 2: what is a step worth?
#
# Compare heart by heart, on the same scan. Write `gain(after, before)`: the scores (hearts,) with and without a step; return the mean gain, and the share of hearts whose score rose.
#
# <details><summary>Hint</summary><code>(after > before).mean()</code> is a share.</details>


# %% tags=["exercise"]
def gain(after, before):
    ### BEGIN SOLUTION
    return (after - before).mean(), (after > before).mean()
    ### END SOLUTION


# %% tags=["check"]
lesson.gain(gain)

# %%
steps.tables(measured)[1]

# %% [markdown]
# ## Remember
#
# - Read from the left: our generator alone is *worse* under the paper's method. More freedom without a prior is more freedom to be wrong.
# - The prior on $d$ brings most, and most where nothing moved at all: it keeps a straight stack straight. The prior on $z$ comes second. Neither is a better search.
# - L-BFGS, the search and the start change the Dice by next to nothing. L-BFGS brings *time*: a heart in 0.6 to 0.8 seconds instead of 12 to 13. The search and the start are insurance for the odd heart, and thirty healthy ones do not show it.
# - The residual helps where slices are straight, for then they can be followed closely.
# - A long-axis view that is believed to lie where its file says, and lies far off (severe motion), is worse than no view. With a displacement of its own it brings more there than any step before it. Three views make severe motion as good as none.
# - What a step is worth depends on what stands before it. This is one order of many: `srheart experiment gap` crosses generators and priors.
#
# **One step further.** Run `srheart experiment ablation --population dilated --hearts 3 -o out/ablation`: are the same steps worth the same on sick hearts?

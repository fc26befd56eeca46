# %% [markdown]
# # 10 · Beyond hearts
#
# **Goal.** Use the same library for something that is no heart, and see what carries over: the method, the tools, and the faults.
#
# **You need** lessons 4 to 6; about 6 minutes to read, 10 seconds to run. A further lesson, beyond the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## What it looks like
#
# Take pea pods. Somebody cuts one into sections 10 mm apart, and each section slips as it is laid on its glass. The upper picture shows three pods of the generator, each cut along its length in two directions. The lower picture shows the sections of another pod, as they were cut and as they were found.

# %%
import torch

import srheart_demo as sr
from srheart_demo.lessons import pictures
from srheart_demo.lessons import toy as lesson

G = lesson.PeaPod()
codes = torch.randn(3, G.latent_size, generator=torch.Generator().manual_seed(1))
lesson.picture_pods({f"pod {i + 1}": sr.to_labels(G.decode(z[None])) for i, z in enumerate(codes)})

# %%
pod = lesson.cut_pod(seed=2, motion=4.0)
p = pod.p


def sections(z, d):
    return sr.degrade(G.decode(z), p.stack, d)[0].argmax(0).numpy()


still = torch.zeros_like(pod.d)
lesson.picture_sections({"as cut": sections(pod.z, still), "as found, S_LR": p.S_LR.numpy()})

# %% [markdown]
# ## What Algorithm 1 asks for
#
# A generator needs three things: `latent_size` (M), `decode(z)` (class logits on 32 × 64 × 64 nodes that fill the box), and `information` (how much a scan tells of z; `curvature.information` computes it from `decode`). It need not be a network, and it need not have four classes. `PeaPod` has ten latents (length, girth, bend, lean, the size of each pea), three classes, and no weights: it is a formula and was not trained.
#
# The box is 128 × 160 × 160 mm. For things of another size take another unit in place of the mm, and look at the `Settings` that are in mm.
#
# ### Exercise 1: a generator of your own
#
# A candle is a cylinder along D. Write `candle(z, H, W)`: z is (B, 3); H and W, both of shape (D, H, W), are the positions of the nodes along rows and columns, in mm. The radius is 20 + 4 z₀ mm, and the axis stands at row 10 z₁ and column 10 z₂ mm. Return logits (B, 2, D, H, W) of background and wax. Near the surface a logit should change with the distance to the surface, so that gradients flow; a label would jump.
#
# <details><summary>Hint</summary>With <code>a = radius − torch.hypot(H − row, W − column)</code>, positive inside, the logits are −a and a: <code>torch.stack([-a, a], dim=1)</code>. For the batch, <code>z[:, 0, None, None, None]</code>.</details>


# %% tags=["exercise"]
def candle(z, H, W):
    ### BEGIN SOLUTION
    size, row, column = z.T[..., None, None, None]
    a = 20 + 4 * size - torch.hypot(H - 10 * row, W - 10 * column)
    return torch.stack([-a, a], dim=1)
    ### END SOLUTION


# %% tags=["check"]
lesson.candle(candle)

# %% [markdown]
# ### Exercise 2: a scan of anything
#
# Write `scan(G, z, stack, d)`: the labels (K, h, w) that a stack displaced by d shows of $G(z)$. This is Eq. 1 without ε.
#
# <details><summary>Hint</summary><code>sr.degrade(field, stack, d)</code> gives logits (B, C, K, h, w).</details>


# %% tags=["exercise"]
def scan(G, z, stack, d):
    ### BEGIN SOLUTION
    return sr.degrade(G.decode(z), stack, d)[0].argmax(0)
    ### END SOLUTION


# %% tags=["check"]
lesson.scan(scan)

# %% [markdown]
# ## Solve
#
# `Problem`, `solve` and RECOMMENDED are used as they are. We solve twice: from the sections alone, and with a picture along the pod that was taken before it was cut, an LA view.

# %%
found = {"nearest neighbour": pod.as_scanned()}
for name, lengthwise in (("sections", False), ("and lengthwise", True)):
    given = lesson.cut_pod(seed=2, motion=4.0, lengthwise=lengthwise)
    end = sr.solve(given.p, sr.RECOMMENDED)
    field = sr.answer(end, given.p)
    (dice_pod, dice_peas), error = given.scores(field, end.d)
    print(f"{name:15s} Dice {dice_pod:.2f} (pod), {dice_peas:.2f} (peas); d off by {error:.1f} mm")
    found[name] = given.labels(field, end.d)
lesson.picture_pods({**found, "truth": pod.S_HR})

# %% [markdown]
# Algorithm 1, the search, the priors, the residual, the second view: all of them carry over. So do the **faults**. Sections of a leaning pod look like sections that drift, and no section can tell the two apart. The picture along the pod can.
#
# | | hearts | pods |
# |---|---|---|
# | G | a network that learned from synthetic hearts | twenty lines of geometry |
# | z | 128 numbers, N(0, I) | 10 numbers, N(0, I) |
# | Eq. 1, Algorithm 1, presets | this library | this library |
# | what sections cannot tell | translation, lean | translation, lean |
# | placement, checks, volumes | by apex, RV and the names of tissues | left behind |
#
# **Try it.** Take another pod, more motion, or the view along the pod.


# %%
def draw(seed=4, motion=4.0, lengthwise=False):
    given = lesson.cut_pod(seed, motion, lengthwise)
    end = sr.solve(given.p, sr.INTERACTIVE)
    field = sr.answer(end, given.p)
    (dice_pod, _), error = given.scores(field, end.d)
    title = f"found: Dice {dice_pod:.2f}, d off by {error:.1f} mm"
    return lesson.picture_pods({"truth": given.S_HR, title: given.labels(field, end.d)})


pictures.try_it(draw, seed=(0, 9), motion=(0.0, 6.0, 1.0), lengthwise=False)

# %% [markdown]
# ## Remember
#
# - The method needs a generator, a degradation that can be differentiated, and data. Anatomy is in the generator only.
# - A prior need not be learned. If a few lines of geometry describe the things, these lines will do.
# - What the data cannot tell comes from how things are scanned, not from what is scanned. Ask of every problem: which changes leave the observation as it was?
#
# **One step further.** Give `PeaPod` a twist, or a pod in which a pea is missing: does the solver find a gap that no draw of N(0, I) has? That is lesson 8's question: when is a plausible thing a wrong one?

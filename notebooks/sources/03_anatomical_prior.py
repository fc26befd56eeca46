# %% [markdown]
# # 3 · The anatomical prior: what a generator knows of hearts
#
# **Goal.** See what stands behind $G(z)$ of Eq. 2: a population of hearts, a generator that learned from it, and a space of codes to draw from and to walk in. Then see where it ends: hearts that it cannot make, and one that it quietly repairs.
#
# **You need** lesson 1; lesson 2 helps; about 18 minutes to read. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %%
import numpy as np
import torch

import srheart_demo as sr
from srheart_demo.heart import anatomy, phantom, population, published
from srheart_demo.lessons import pictures
from srheart_demo.lessons import prior as lesson

groups = ["healthy", "dilated", "hypertrophic"]
people = {group: population.draw(5, seed=3, population=group) for group in groups}
lesson.picture_hearts({group: phantom.label_maps(shapes) for group, shapes in people.items()})

# %% [markdown]
# ## The population
#
# Each heart is shown twice: cut along its length, and the short-axis slice half way up. None of them is a patient's. The paper learned from the hearts of 1,000 volunteers, which may not be given away; ours come from a *population* that is written down as a formula. It makes a heart of 245 independent random numbers. Their effects were set so that volumes, lengths, walls and angles vary as published for healthy adults. A column is one person, healthy and with each of two diseases.

# %% tags=["nbval-check-output"]
hearts = torch.tensor(phantom.label_maps(population.draw(60, seed=0), (32, 64, 64)))
node_ml = 128 * 160 * 160 / hearts[0].numel() / 1000  # the box is 128 × 160 × 160 mm
for label, tissue in enumerate(["LV", "MYO", "RV"], start=1):
    ml = (hearts == label).flatten(1).sum(1) * node_ml
    target = published.HEALTHY[f"{tissue} volume"]
    print(
        f"{tissue:3s} drawn {ml.mean():.0f} ± {ml.std():.0f} ml, published {target.mean:.0f} ± {target.sd:.0f} ml"
    )

# %% [markdown]
# ## Eq. 2: a generator
#
# $$G_\theta(z): \mathbb{R}^M \ni z \mapsto S = G_\theta(z) \in \Sigma_{HR}$$
#
# A segmentation has a million voxels, and nearly all label maps of that size are noise. Those that are hearts lie close together, like a thin sheet in a large room: the *manifold* $\Sigma_{HR}$. G puts coordinates on this sheet, the M numbers of $z$, which are called *latents* (θ are the weights of its network). Before we see any scan we expect these numbers to be independent, each with mean 0 and standard deviation (SD) 1. This expectation, $z \sim N(0, I)$, is the *prior* of $z$. So we ask three things of a generator. Is every draw of N(0, I) a heart? Is every heart close to some G(z)? Do neighbours in z look alike?
#
# ### Is every draw a heart?
#
# `anatomy.faults` looks for what no heart has: tissue in pieces, a leak, a gap in the septum (the wall between the ventricles), a volume out of range. We draw from three generators: `traits`, which all lessons use, and the paper's two, a β-VAE and a DCGAN.

# %%
generators = {name: sr.load_generator(name) for name in ["traits", "betavae", "dcgan"]}


def sampled(name, scale=1.0, seed=0, n=6):
    G = generators[name]
    z = scale * torch.randn(n, G.latent_size, generator=torch.Generator().manual_seed(seed))
    hearts = [sr.to_labels(G.decode(one[None])) for one in z]
    faults = [anatomy.faults(heart, volumes=population.VOLUME_RANGES) for heart in hearts]
    return hearts, [f"faults: {len(f)}" if f else "sound" for f in faults]


drawn = {name: sampled(name) for name in generators}
lesson.picture_hearts(
    {name: hearts for name, (hearts, _) in drawn.items()},
    {name: verdicts for name, (_, verdicts) in drawn.items()},
)

# %% [markdown]
# Of 1,000 draws of `traits` 98.9 % pass every check, of the DCGAN's some four in five, of the β-VAE's hardly any ([model cards](../srheart_demo/heart/weights/traits.md)). Each has its reason:
#
# - `traits` takes for z the very numbers that make a heart of the population, the most important first. So its decoder was trained on what we draw.
# - A GAN has a second network, the critic, which tries to tell made hearts from true ones. The generator learns only to deceive it. It is never asked to reproduce a given heart, so some hearts may have no code.
# - A β-VAE has an encoder, which gives a code to each heart, and a decoder G, which must give the heart back. That works well. The second term of its loss decides where the codes lie. With the paper's β = 0.001 this term is weak, so the codes of hearts do not lie where draws fall. Even z = 0, where Algorithm 1 starts, is no heart. With the weights that the authors published it is the same.
#
# ### Exercise 1: what β weighs
#
# A β-VAE minimises, for each heart x,
#
# $$\mathbb{E}_{q(z|x)}\,\big[\text{cross-entropy of } G(z) \text{ with } x\big] + \beta\, KL\big(q(z|x)\,\|\,N(0, I)\big)$$
#
# Here $q(z|x)$ is what the encoder says of the code of x: not one number for each latent but a mean μ and an SD σ. KL (the Kullback-Leibler divergence) measures in nats how far q is from N(0, I). The first term wants q narrow, so that z says exactly which heart it was. The second term wants all q alike, so that draws from N(0, I) meet what the decoder has seen.
#
# Write the second term: `my_kl(mean, log_variance)`, both (B, M), gives (B,) nats for $q = N(\mu, \operatorname{diag} \sigma^2)$. For one latent it is $\tfrac12(\mu^2 + \sigma^2 - 1 - \ln \sigma^2)$.
#
# <details><summary>Hint</summary>The encoder gives ln σ², which may be negative; σ² is its <code>.exp()</code>. Independent latents: the KLs add up.</details>


# %% tags=["exercise"]
def my_kl(mean, log_variance):
    ### BEGIN SOLUTION
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
    ### END SOLUTION


# %% tags=["check"]
lesson.kl(my_kl)

# %% [markdown]
# ## What β does
#
# What β does can be computed. Some latents change a heart much, others hardly. Let λ say how much: if the latent is wrong by one SD, the loss rises by λ/2 nats. (λ is called its *Fisher information*, and we can measure it on G.) Then the best q has the variance $\sigma^2 = \beta / (\beta + \lambda)$. So β is a threshold. A latent with λ far above β is used: σ is small. A latent with λ far below β is not used: its σ stays at the prior's 1, and the decoder learns to ignore it.

# %% tags=["nbval-check-output"]
G = generators["traits"]
information = torch.linalg.eigvalsh(G.information).flip(0)
sds = {f"β = {beta:g}": (beta / (beta + information)).sqrt() for beta in [0.01, 1, 100, 10_000]}
for name, sd in sds.items():
    print(f"{name:10s}: {int((sd < 0.5).sum()):3d} of {len(sd)} latents have an SD below ½")

# %%
latents = {"x": range(1, len(information) + 1), "xlabel": "latent, in order"}
pictures.lines(
    latents
    | {"lines": {"λ": information}, "yscale": "log", "ylabel": "information, nats per heart"}
    | {"title": "what a heart tells of a latent"},
    latents
    | {"lines": sds, "ylim": (0, 1.05), "ylabel": "SD of q(z|x)"}
    | {"title": "what q leaves open (1: all)"},
)

# %% [markdown]
# The paper's β-VAE has an encoder that learned together with its decoder. So we can ask it directly: how wide is q, and where do the codes of hearts lie?

# %% tags=["nbval-check-output"]
VAE = generators["betavae"]
twenty = phantom.label_maps(population.draw(20, seed=0))
codes = [VAE.encode(lesson.seen_whole(heart)) for heart in twenty]
means, variances = torch.cat([m for m, _ in codes]), torch.cat([v.exp() for _, v in codes])
print(f"SD of q(z|x), on average: {variances.mean().sqrt():.1f}")
print(
    f"mean of twenty hearts' codes, its length: {means.mean(0).norm():.0f} (of draws: {(64 / 20) ** 0.5:.0f})"
)

# %% [markdown]
# The first figure says that q is narrow: each heart has a spot of its own. The second says that these spots do not lie around 0, as draws would.
#
# **At the extremes.** With a very large β few latents are used: every draw is a heart, but a coarse one. With β near 0 each training heart has a small spot of its own in the space of codes; between the spots nothing was trained, and a draw of N(0, I) falls there. A solver that starts at z = 0 then starts outside, and a prior on z pulls it to the wrong place. What matters is β *compared with the cross-entropy*. The paper's 0.001 belongs to a loss that is scaled in its own way, so compare KLs in nats between papers, not values of β.
#
# ## Is every heart close to a draw?
#
# ### How many latents
#
# The latents of `traits` are ordered by how much they change a heart, so its first M make a smaller generator. The *best code* of a known heart is the one whose G(z) is nearest to it (`best_code` finds it). No solver can do better.

# %%
truth = sr.load_sample("healthy_1").S_HR.labels
sizes = [4, 16, 64]
smaller = [sr.load_generator(latent_size=M) for M in sizes]
held = [sr.to_labels(G.decode(lesson.best_code(G, truth))) for G in smaller]
scores = [sr.dice(heart, truth) for heart in held]
of_tissue = {tissue: [score[tissue] for score in scores] for tissue in ("LV", "MYO", "RV")}
axes = {"xlabel": "M, latents kept", "xticks": sizes, "ylabel": "Dice of the best code"}
pictures.lines(
    {"lines": of_tissue, "x": sizes, "colours": pictures.HEART[1:], "markers": "o^s", **axes}
)

# %%
columns = [*(f"M = {M}" for M in sizes), "truth"]
lesson.picture_hearts({"best code": [*held, truth]}, {"best code": columns})

# %% [markdown]
# Four numbers make a heart of the right size; dozens give it its own shape. The paper has M = 64; ours has 128, which adds 0.01 to the myocardium's Dice. For a scan with motion more than 64 gain nothing; the errors that are left there have other causes. Hearts unlike the population's, above all real ones, gain most from a large M.
#
# ### The encoder's guess
#
# The encoder's guess is quicker than the search for the best code, and worse: one pass through a network instead of thirty iterations. Latent optimisation needs no encoder. Ours only says where the search starts; a bad guess costs iterations, and a good one saves them.

# %% tags=["nbval-check-output"]
code, _ = G.encode(lesson.seen_whole(truth))
both = {"encoder": sr.to_labels(G.decode(code.detach())), "best, M = 64": held[-1]}
for name, heart in both.items():
    print(
        f"{name:12s}", ", ".join(f"{t} {score:.2f}" for t, score in sr.dice(heart, truth).items())
    )

# %% [markdown]
# ### Exercise 2: walk in the latent space
#
# Do neighbours look alike? Write `my_along(z, vector, amount)`: take the code z (1, M) and *replace* its part along the unit direction `vector` (M,) by `amount`. All that is at right angles to `vector` stays as it was.
#
# <details><summary>Hint</summary>The part that z has along the direction is the number <code>z @ vector</code>.</details>


# %% tags=["exercise"]
def my_along(z, vector, amount):
    ### BEGIN SOLUTION
    return z + (amount - z @ vector)[:, None] * vector
    ### END SOLUTION


# %% tags=["check"]
lesson.along(my_along)

# %%
directions = lesson.directions(G, 6)
amounts = [-2, -1, 0, 1, 2]


def walked(i, amount):  # from z = 0
    return sr.to_labels(G.decode(amount * directions[i].vector[None]))


def walk(i):
    return [walked(i, amount) for amount in amounts]


lesson.picture_hearts(
    {f"direction {i + 1}\n(mostly {directions[i].changes})": walk(i) for i in (0, 3, 5)},
    {f"direction 6\n(mostly {directions[5].changes})": [f"{a:+d} SD" for a in amounts]},
)

# %% [markdown]
# The middle column is z = 0, where Algorithm 1 starts in the paper. The hearts change smoothly from left to right, and this is what makes gradient descent in z possible. Few directions change one trait alone. “Mostly” names the trait that changes most, compared with how much it varies from heart to heart.
#
# Far out, however, the hearts are like nobody's. A step of one SD in direction 1 about doubles the LV. So compare its volumes with those of the population above. The table goes one SD further than the picture at each end:

# %% tags=["nbval-check-output"]
for amount in [-3, *amounts, 3]:
    far = walked(0, amount)
    faults = "; ".join(anatomy.faults(far, volumes=population.VOLUME_RANGES)) or "none"
    ml = sr.volumes_ml(far, (2, 1.25, 1.25))["LV"]
    print(f"{amount:+d} SD: LV {ml:4.0f} ml, faults: {faults}")

# %% [markdown]
# Up to 2 SD `anatomy.faults` finds no fault: its range of volumes has room for the largest diseased heart. But no healthy adult of the population above has such volumes. A heart without faults may still be like nobody's.
#
# ## Where the prior ends
#
# Below are four hearts, and for each the nearest one that G can make. The first is of the population, the second has a disease, the third is mirrored (as in a file that says left for right), and the fourth has a hole of 16 mm in the septum.

# %%
defect = lesson.septal_defect(truth, radius=8.0)
cases = {
    "healthy": truth,
    "dilated": sr.load_sample("dilated").S_HR.labels,
    "mirrored": truth[:, :, ::-1].copy(),
    "hole": defect,
}
codes = {name: lesson.best_code(G, labels) for name, labels in cases.items()}
nearest = {name: sr.to_labels(G.decode(z)) for name, z in codes.items()}
hole = defect != truth
lesson.picture_hearts(
    {"heart": list(cases.values()), "nearest G(z)": list(nearest.values())},
    {"nearest G(z)": list(cases)},
    through=np.argwhere(hole).mean(0).astype(int)[:2],
)

# %% [markdown]
# All four are cut where the last one has its hole. In the slice of the last heart the left ventricle opens into the right one.
#
# ### Exercise 3: how surprising is a code?
#
# For draws from N(0, I), the squared length $|z|^2$ has mean M and SD $\sqrt{2M}$. Write `my_surprise(z)`: by how many of these SDs does $|z|^2$ lie above that mean? Give a number, for z (1, M).
#
# <details><summary>Hint</summary>(what it is − its mean) / its SD; M is <code>z.numel()</code>.</details>


# %% tags=["exercise"]
def my_surprise(z):
    ### BEGIN SOLUTION
    return float((z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5)
    ### END SOLUTION


# %% tags=["check"]
lesson.surprise(my_surprise)

# %%
for name, z in codes.items():
    surprise = (z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5
    score = sr.dice(nearest[name], cases[name])["MYO"]
    print(f"{name:9s} |z|² is {surprise:4.0f} SDs above its mean; MYO Dice {score:.2f}")
closed = (nearest["hole"][hole] == 2).mean()
print(f"Of the hole, {100 * closed:.0f} % is myocardium in the nearest G(z).")

# %% [markdown]
# The code of the mirrored heart lies far out, where no draw ever comes, and G makes this heart badly. Such a misfit can be *seen*. (To avoid it, scans are first turned so that they lie as G's hearts do.) The hole is dangerous: G closes nearly all of it, Dice hardly falls, and the code is hardly more surprising than that of the dilated heart: 3 SDs, against 2 there and hundreds for the mirrored one. The generator has never seen a hole, and takes it for an error in the data. Lesson 8 comes back to this.
#
# ## Try it
#
# Draw from a narrower or wider Gaussian; a scale of 1 is the prior. At which scale do faults begin? Which generator breaks first?


# %%
def show(generator="traits", scale=1.0, seed=0):
    hearts, verdicts = sampled(generator, scale, seed, n=4)
    return lesson.picture_hearts({generator: hearts}, {generator: verdicts})


pictures.try_it(show, generator=list(generators), scale=(0.0, 3.0, 0.5), seed=(0, 9))

# %% [markdown]
# ## Remember
#
# - The prior is a population that somebody chose, and a network that learned from it. Both limit what can be restored.
# - M and β trade two wishes against each other: that every draw is a heart, and that every heart is close to a G(z).
# - A code far from 0 shows that a heart is strange as a whole. A strange detail may be repaired without a trace.
#
# **One step further.** `srheart experiment latent-study` trains small β-VAEs with several β and solves scans with each; the paper's supplement has the same study. Or make holes of other sizes: from which radius does G leave one open?

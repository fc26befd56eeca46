# %% [markdown]
# # 4 · Latent optimisation
#
# **Goal.** Write Algorithm 1 by hand, know what each of its settings does, and see why a small loss is not yet a good answer.
#
# **You need** lessons 2 (the degradation) and 3 (the generator $G$), and some PyTorch; about 8 minutes to read, and 4 for what is marked "Further"; 20 seconds to run. Part of the core. Words and symbols: [glossary](../docs/glossary.md).

# %% [markdown]
# ## What it looks like
#
# The top row is a scan under severe motion. Each row below it is the scan that the model predicts, $M_d(\downarrow_s G(z))$, from the start, $z = d = 0$, to the end of a run. Latent optimisation makes the prediction like the scan. It may change $z$ and $d$, and nothing else.

# %%
from dataclasses import replace

import torch

import srheart_demo as sr
from srheart_demo.lessons import optimisation as lesson
from srheart_demo.lessons import pictures

p, truth = lesson.known_scan("healthy_1", "severe")
steps = list(sr.latent_optimisation(p, sr.Settings(lr_z=0.1, lr_d=0.8, iterations=40)))


def explained(step):
    return sr.degrade(p.G.decode(step.z), p.stack, step.d)[0].argmax(0).numpy()


rows = {f"iteration {i}": explained(steps[i]) for i in (0, 5, 15, 40)}
pictures.slices({"scanned, S_LR": p.S_LR.numpy(), **rows})

# %% [markdown]
# ## The idea
#
# The paper puts the question as *maximum likelihood* (Eq. 3): find the $z$ and the $d$ under which the scan is most probable. That is, make its cross-entropy (lesson 2) small,
#
# $$L_{SA}(z, d) = CE\big(M_d(\downarrow_s G(z)),\ S_{LR}\big).$$
#
# Every part of $L_{SA}$ can be differentiated: the network $G$, the sampling $\downarrow_s$, the bilinear shift $M_d$. So one backward pass gives $\partial L/\partial z$ and $\partial L/\partial d$, and Algorithm 1 is gradient descent:
#
# 1. start at $z = 0$, $d = 0$;
# 2. compute $L(z, d)$;
# 3. backpropagate;
# 4. take a step of $z$ and a step of $d$, by Adam;
# 5. repeat until the loss hardly changes. The answer is $S_{SR} = G(z)$.
#
# The weights of $G$ never change. This is no training: 148 numbers are fitted to one scan, 128 of $z$ and two for each of the ten slices that show tissue.
#
# Why cross-entropy, and not Dice? Dice compares labels, and labels change by jumps. A soft Dice, of probabilities, changes smoothly; but it is no likelihood, so no prior could be weighed against it.

# %% [markdown]
# ### Exercise 1: Algorithm 1 in ten lines
#
# Fill the loop. `sr.downsample`, `sr.move` and `sr.cross_entropy` are lesson 2's $\downarrow_s$, $M_d$ and $CE$; the optimiser already has a learning rate for `z` and one for `d`.
#
# <details><summary>Hint</summary>The loss: <code>sr.cross_entropy(sr.move(sr.downsample(p.G.decode(z), p.stack), p.stack, d), p.S_LR)</code>. Then three calls: clear the gradients, compute new ones, step.</details>


# %% tags=["exercise"]
def algorithm_1(p, lr_z, lr_d, iterations):
    z = torch.zeros(1, p.G.latent_size, requires_grad=True)
    d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
    adam = torch.optim.Adam([{"params": [z], "lr": lr_z}, {"params": [d], "lr": lr_d}])
    for _ in range(iterations):
        ### BEGIN SOLUTION
        planes = sr.downsample(p.G.decode(z), p.stack)
        loss = sr.cross_entropy(sr.move(planes, p.stack, d), p.S_LR)
        adam.zero_grad()
        loss.backward()
        adam.step()
        ### END SOLUTION
    return z.detach(), d.detach()


# %% tags=["check"]
lesson.algorithm_1(algorithm_1)

# %% [markdown]
# ## The same from the library
#
# `latent_optimisation(problem, settings)` is this loop as a Python generator: it yields a `Step` in each iteration. If no further step is asked for, the run pauses. `Settings` names every choice; what you wrote above is `Settings(lr_z=…, lr_d=…, iterations=…)`. One thing is added: a slice without tissue keeps $d = 0$, because nothing tells where it lies.
#
# ## Learning rates
#
# An optimiser turns gradients into steps. Adam divides each gradient by its own recent size. So its step is about as long as the learning rate $\alpha$, **whatever the gradient**; the first step of every number is $\pm\alpha$ exactly. After $n$ steps a latent has moved by some $n\alpha$ at most. The latents of hearts spread by about 1, and slices are displaced by millimetres. So $z$ and $d$ need rates of their own, $\alpha_z$ and $\alpha_d$.

# %% tags=["nbval-check-output"]
run = sr.latent_optimisation(p, sr.Settings(lr_z=1e-4, lr_d=0.008))
start, first = next(run), next(run)
moved = (first.z - start.z).abs()
print(f"first step of z: {moved.median():.0e} each, of d: {first.d.abs().max():.0e} mm")
print(f"the slices were displaced by up to {truth.d[0, p.tissue].norm(dim=-1).max():.0f} mm")

# %% [markdown]
# **Try it.** Run twelve iterations at your learning rates, beside a run at $\alpha_z = 0.1$ and $\alpha_d = 0.8$ mm. If a rate is too small, nothing happens; if one is too large, the run overshoots and the loss jumps. What happens if one of them is 0?


# %%
def losses(lr_z, lr_d):
    settings = sr.Settings(lr_z=lr_z, lr_d=lr_d, iterations=12)
    return [step.loss for step in sr.latent_optimisation(p, settings)]


known = losses(0.1, 0.8)
L = {"xlabel": "iteration", "ylabel": "L, nats per voxel", "yscale": "log"}
rates = [0.0, 1e-4, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]


def draw(lr_z=0.01, lr_d=0.03):
    yours = f"yours: {lr_z:g} and {lr_d:g} mm"
    both = {"0.1 and 0.8 mm": known, yours: losses(lr_z, lr_d)}
    return pictures.lines(L | {"lines": both}, width=6.4)


pictures.try_it(draw, lr_z=rates, lr_d=rates)

# %% [markdown]
# ## When to stop
#
# The paper: "the iteration stops if the mean relative change of the loss is smaller than 5 %". The library reads this as the mean of the last ten changes, each $|L_{i} - L_{i-1}| / |L_{i-1}|$ (`stop_change`). If the share is too large, the run stops far from its end; at 0 % it goes on until `iterations` ends it.
#
# ### Exercise 2: the paper's rule
#
# Write `stops(losses)`: given all losses so far, does the paper's rule end the run? While there are fewer than ten changes, it does not.
#
# <details><summary>Hint</summary><code>pairwise(losses)</code> gives pairs of neighbours. Only the last eleven losses matter.</details>


# %% tags=["exercise"]
from itertools import pairwise


def stops(losses):
    ### BEGIN SOLUTION
    recent = losses[-11:]
    changes = [abs(b - a) / abs(a) for a, b in pairwise(recent)]
    return len(changes) == 10 and sum(changes) / 10 < 0.05
    ### END SOLUTION


# %% tags=["check"]
lesson.stops(stops)

# %% [markdown]
# ## Four settings on one scan
#
# | | PAPER | REFERENCE | RECOMMENDED | INTERACTIVE |
# |---|---|---|---|---|
# | source | as printed, section 2.3 | the authors' public code | ours | ours, cut short |
# | solver | Adam | Adam, $d$ then $z$ | L-BFGS in steps of equal curvature | the same |
# | rates of $z$ and $d$ | 1e-4, 0.008 mm | 0.2, 8 mm; halved every 100 | found by the solver | the same |
# | stops | 5 % rule | after 500 | nothing visible changes | the same, judged less strictly; at most 10 |
# | objective | $L$ | $L$ | $L$ and priors on $z$ and $d$ | the same |
# | start | $z = d = 0$ | $z = d = 0$ | encoder's guess, global search of $d$ | the same |
#
# The public code counts $d$ in units of half the box, 80 mm; hence 8 mm. Now a scan of the same heart that was **not displaced at all**. All four use our generator, and REFERENCE is cut after 50 iterations.

# %%
straight, straight_truth = lesson.known_scan("healthy_1", "none")
presets = (sr.PAPER, replace(sr.REFERENCE, iterations=50), sr.RECOMMENDED, sr.INTERACTIVE)
runs = {preset.name: list(sr.latent_optimisation(straight, preset)) for preset in presets}
print("               iterations      L   Dice   motion error")
for name, run in runs.items():
    end = run[-1]
    dice, error = straight_truth.dice(end), straight_truth.motion_error(end.d)
    print(f"{name:14s} {end.iteration:10d} {end.loss:6.3f} {dice:6.2f} {error:8.1f} mm")
seen = {name: [step.loss for step in run] for name, run in runs.items()}
hidden = {name: [straight_truth.motion_error(s.d) for s in run] for name, run in runs.items()}
error = {"xlabel": "iteration", "ylabel": "motion error, mm", "title": "what it does not see"}
pictures.lines(L | {"lines": seen, "title": "what the run sees"}, error | {"lines": hidden})

# %% [markdown]
# What to see:
#
# - **Motion error 0.0 mm** of PAPER is no merit. This scan was not displaced, so $d = 0$ is the truth; PAPER starts there and hardly moves. Look at its loss and its Dice. On a displaced scan the same run leaves the motion as it was.
# - **PAPER** stops after ten iterations, as soon as its rule may end it. Ten steps of $10^{-4}$ take $z$ nowhere, so the loss hardly changes. But "hardly changes" is not "solved". The public code has neither that rate nor that rule.
# - **REFERENCE** ends with about as small a loss as RECOMMENDED, and with a worse heart. It explains a straight stack by displacements of several mm and a leaning heart. The loss alone cannot forbid that; lesson 5 is about it.
# - **RECOMMENDED** has another objective: $L$ and priors on $z$ and $d$ (lesson 5). The priors change the end of a run. Its optimiser, L-BFGS, and the encoder's guess only shorten the way.
# - **INTERACTIVE** is the same, stopped after 10 iterations at most. On this scan it loses 0.01 of Dice at most. Under severe motion it can stop too early.

# %% [markdown]
# ## Remember
#
# - Algorithm 1 is: decode, degrade, compare, backpropagate, step. Only $z$ and $d$ move.
# - Adam's steps are as long as the learning rate. Ask of each rate: how far must this number go, and how many steps will it take?
# - "The loss hardly changes" is not "solved", and a smaller loss is not a better heart.

# %% [markdown]
# ## Further
#
# What follows is not needed for the other lessons: the settings behind the four presets, and a trap of the public code.
#
# ### The settings of the four, one by one
#
# - `alternate`: REFERENCE moves $d$ first, and then $z$ at the new $d$. So each iteration looks at the scan twice.
# - `halve_every`: REFERENCE halves its rates every 100 iterations. Large steps arrive, small ones settle. If rates are never halved, the run keeps trembling around its end; if they are halved too early, it stops on its way.
# - `solver`: L-BFGS learns from its last steps how $z$ and $d$ depend on each other. Adam treats each number alone.
# - *Equal curvature*: the loss is thousands of times steeper along the first latents than along the last. So $z$ is measured in units in which all are equally steep. `lr_z` and `lr_d` then set these units, and not the length of a step. This saves iterations, as the encoder's guess does, and hardly changes the end.
# - `stop_dice`, `stop_mm`, `stop_window`: our rule ends a run when nothing that a user could see has changed over four iterations. The Dice of the new $G(z)$ with the old one is above 0.996, and no slice has moved by more than 0.3 mm. INTERACTIVE is content with 0.97 and 2 mm over three. The rule errs in a long flat valley, where every step is small. So RECOMMENDED searches once more before it stops.
# - `thinned`: our presets read fewer voxels, mostly those near borders, which say the most.

# %% [markdown]
# ### Train mode or eval mode
#
# The authors' network has batch normalisation, which subtracts a mean and divides by an SD between its layers. In `eval` mode both are fixed numbers from the training; in `train` mode they are taken from the batch at hand. The public code never calls `eval()`, and its batch is **one** heart. Does that matter? Here is a network small enough to train on the spot: from three latents (size, row, column) it makes a disc.

# %%
network = lesson.taught(lesson.disc_decoder(seed=0), seed=0)
z = torch.tensor([[-1.5, 0.0, 0.0], [0.0, 0.0, 0.0], [1.5, 0.0, 0.0]])


def alone(codes):
    return [network(code[None])[0, 0].numpy() for code in codes]


rows = {"asked for": list(lesson.discs(z).numpy())}
network.eval()
rows["eval mode"] = alone(z)
network.train()
rows["train mode,\nbatch of one"] = alone(z)
lesson.picture_discs(rows, of=["z₀ = −1.5", "z₀ = 0", "z₀ = 1.5"])

# %% [markdown]
# In train mode small discs come out too large and large ones too small (dashed: what was asked for). The mean that is subtracted carries the size of the disc. An optimiser can still reach most sizes by a larger $z$, but that $z$ no longer means what the prior $N(0, I)$ says. With two codes in one batch, each changes the other's disc:

# %%
centre = torch.zeros(1, 3)


def beside(other):
    return network(torch.cat([centre, other[None]]))[0, 0].numpy()


rows = {"asked for": list(lesson.discs(centre.expand(3, 3)).numpy())}
rows["train mode,\nbatch of two"] = [beside(other) for other in z]
lesson.picture_discs(rows, of=["beside a small disc", "beside its like", "beside a large one"])

# %% [markdown]
# ### Exercise 3: does a neighbour matter?
#
# Write `influence(network, this, other, another)`: put the code `this` in a batch with `other`, and then in another batch with `another`, as the first of the two each time. Return the largest absolute difference between the two pictures of `this`. Leave the network in the mode it is in.
#
# <details><summary>Hint</summary><code>network(torch.cat([this, other]))[0]</code> is the picture of <code>this</code> beside <code>other</code>.</details>


# %% tags=["exercise"]
def influence(network, this, other, another):
    ### BEGIN SOLUTION
    a, b = (network(torch.cat([this, neighbour]))[0] for neighbour in (other, another))
    return (a - b).abs().max()
    ### END SOLUTION


# %% tags=["check"]
lesson.influence(influence)

# %% [markdown]
# So in train mode, a network that normalises over its batch is another network. Call `eval()`, or build one without such layers, as our generator is: try `influence(p.G.decode, *torch.randn(3, 1, p.G.latent_size))`.
#
# **One step further.** Let your `algorithm_1` alternate, $d$ first and then $z$ at the new $d$, as the public code does: what does it cost per iteration? The library's way is `Settings(alternate=True)`; read `solvers.adam`. Then run REFERENCE for all its 500 iterations: how far does the loss still fall, and what does the heart gain?

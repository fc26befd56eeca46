"""Training the generator on synthetic hearts: resumable, seeded, no patient's data.

Loss of one heart, in nats per volume: KL(t ‖ p) summed over the lattice, t being the phantom's
class probabilities softened over 1 mm and p the decoder's, plus β KL(q(z|x) ‖ N(0, I)). The first
term is the paper's cross-entropy less the constant entropy of t; soft targets carry the surfaces'
sub-voxel positions.
"""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo import phantom
from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.generator import Architecture, BetaVAE, save_generator
from srheart_demo.metrics import dice
from srheart_demo.population import draw

MIXTURE = {
    "healthy": 0.6,
    "dilated": 0.1,
    "hypertrophic": 0.1,
    "rv_overload": 0.1,
    "end_systole": 0.1,
}
"""Share of each population among the training hearts."""

QUANTUM = 0.1
"""Stored signed distances are int8 multiples of this, mm: ±12.7 mm, far past the soft border."""

VALIDATION_SEED = 1_000_000
"""Seeds of held-out hearts start here; training seeds lie below."""


@dataclass(frozen=True)
class TrainingSettings:
    """Recipe of a training run.

    Attributes:
        hearts: number of synthetic hearts (0.4 MB of memory each).
        steps, batch: Adam steps and hearts in each.
        learning_rate: peak, reached after `warmup` steps, then a cosine down to 1 %.
        beta: weight of the KL term.
        free_steps: steps over which β rises linearly from zero.
        bfloat16: compute the networks in bfloat16, twice as fast on processors that have it.
        architecture: sizes of the network.
        seed: of hearts, initial weights and batches.
    """

    hearts: int = 8000
    steps: int = 12000
    batch: int = 8
    learning_rate: float = 1e-3
    warmup: int = 200
    beta: float = 10.0
    free_steps: int = 500
    bfloat16: bool = False
    architecture: Architecture = Architecture()
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """State of a running training, for whoever shows it."""

    phase: str
    done: int
    total: int
    seconds: float
    losses: dict[str, float]

    @property
    def eta(self) -> float:
        """Estimated seconds to the end of this phase."""
        return self.seconds * (self.total - self.done) / max(self.done, 1)


def make_hearts(
    n: int, seed: int, progress: Callable[[Progress], None] | None = None, chunk: int = 16
) -> Tensor:
    """`n` hearts of the mixture, in random order: signed distances (n, 3, 32, 64, 64), int8."""
    counts = np.random.default_rng(seed).multinomial(n, list(MIXTURE.values()))
    hearts = torch.empty(n, 3, *LATTICE_SHAPE, dtype=torch.int8)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    done, start = 0, time.perf_counter()
    for index, (population, count) in enumerate(zip(MIXTURE, counts, strict=True)):
        shapes = draw(int(count), seed + index, population)
        for first in range(0, int(count), chunk):
            distances = phantom.on_lattice(shapes[first : first + chunk], LATTICE_SHAPE)
            where = order[done : done + len(distances)]
            hearts[where] = (distances / QUANTUM).round().clamp(-127, 127).to(torch.int8)
            done += len(distances)
            if progress:
                progress(Progress("hearts", done, n, time.perf_counter() - start, {}))
    return hearts


def targets(hearts: Tensor) -> Tensor:
    """Stored distances (B, 3, ...) int8 → class probabilities (B, 4, ...), soft over 1 mm."""
    return phantom.class_logits(hearts.float() * QUANTUM).softmax(1)


def loss_terms(model: BetaVAE, target: Tensor, noise: Tensor) -> dict[str, Tensor]:
    """Reconstruction and KL of a batch, nats per heart; `noise` (B, M) is N(0, I)."""
    mean, log_variance = (x.float() for x in model.encode(target))
    log_p = F.log_softmax(model.decode(mean + (log_variance / 2).exp() * noise).float(), dim=1)
    reconstruction = F.kl_div(log_p, target, reduction="sum") / len(target)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum() / len(target)
    return {"reconstruction": reconstruction, "kl": kl}


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """Linear warm-up, then a cosine from the peak down to 1 % of it."""
    warm = min(1.0, (step + 1) / settings.warmup)
    fall = 0.01 + 0.99 * (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.learning_rate * warm * fall


def train(
    settings: TrainingSettings,
    folder: Path,
    progress: Callable[[Progress], None] | None = None,
    checkpoint_every: int = 200,
) -> Path:
    """Train, or go on from the checkpoint in `folder`; a resumed run equals an uninterrupted one.

    Writes ``checkpoint.pt`` as it goes, then ``betavae.safetensors`` and its card.

    Returns:
        Path of the weights.

    Raises:
        ValueError: the checkpoint in `folder` belongs to other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    model = BetaVAE(settings.architecture)
    optimiser = torch.optim.Adam(model.parameters())
    first, spent = _resume(folder / "checkpoint.pt", settings, model, optimiser)
    hearts = make_hearts(settings.hearts, settings.seed, progress)
    start = time.perf_counter() - spent
    for step in range(first, settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, settings)
        rng = torch.Generator().manual_seed(settings.seed * 10_000_000 + step)
        batch = hearts[torch.randint(len(hearts), (settings.batch,), generator=rng)]
        noise = torch.randn(settings.batch, model.latent_size, generator=rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            terms = loss_terms(model, targets(batch), noise)
        beta = settings.beta * min(1.0, (step + 1) / settings.free_steps)
        optimiser.zero_grad()
        (terms["reconstruction"] + beta * terms["kl"]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e4)
        optimiser.step()
        seconds = time.perf_counter() - start
        if (step + 1) % checkpoint_every == 0 or step + 1 == settings.steps:
            _checkpoint(folder / "checkpoint.pt", settings, model, optimiser, step + 1, seconds)
        if progress:
            losses = {name: value.item() for name, value in terms.items()}
            progress(Progress("training", step + 1, settings.steps, seconds, losses))
    path = folder / f"{model.name}.safetensors"
    quality = evaluate(model)
    card = {"settings": asdict(settings), "seconds": time.perf_counter() - start, **quality}
    save_generator(model, path, card)
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    return path


def _checkpoint(
    path: Path,
    settings: TrainingSettings,
    model: BetaVAE,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    state = {
        "settings": asdict(settings),
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def _resume(
    path: Path,
    settings: TrainingSettings,
    model: BetaVAE,
    optimiser: torch.optim.Optimizer,
) -> tuple[int, float]:
    """Load a checkpoint if there is one: the step to go on from and the seconds spent."""
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    if state["settings"] != asdict(settings):
        raise ValueError(f"{path} belongs to other settings: {state['settings']}")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return state["step"], state["seconds"]


@torch.no_grad()
def evaluate(model: BetaVAE, hearts: int = 100) -> dict[str, float]:
    """Encode-decode Dice on held-out hearts (lattice) and how well q(z|x) matches N(0, I)."""
    held_out = make_hearts(hearts, VALIDATION_SEED)
    means, variances, scores = [], [], []
    for heart in held_out.split(1):
        target = targets(heart)
        mean, log_variance = model.encode(target)
        estimate = model.decode(mean).argmax(1).numpy()
        scores.append(dice(estimate, target.argmax(1).numpy()))
        means.append(mean)
        variances.append(log_variance.exp())
    return {
        **{f"dice_{t}": float(np.mean([s[t] for s in scores])) for t in scores[0]},
        "posterior_sd": float(torch.cat(variances).mean().sqrt()),
        "aggregate_mean_sd": float(torch.cat(means).std(0).mean()),
    }

"""What a card says of freshly trained weights; ``srheart evaluate generator`` says the rest."""

import numpy as np
import torch

from srheart_demo.heart.generator import BetaVAE
from srheart_demo.heart.measures import dice
from srheart_demo.training.hearts import VALIDATION_SEED, make_hearts


@torch.no_grad()
def encode_decode(model: BetaVAE, hearts: int = 100) -> dict[str, float]:
    """Dice on the lattice of held-out hearts, encoded and decoded, and how q fits N(0, I)."""
    held_out = make_hearts(hearts, VALIDATION_SEED)
    means, variances, scores = [], [], []
    for i in range(hearts):
        target = held_out[i : i + 1].probabilities()
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

"""The landscape of one slice's displacement: its local minima, and the way that descent takes."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter
from torch import Tensor

from srheart_demo.explorer.why import LossMap
from srheart_demo.scan.degradation import downsample, move
from srheart_demo.solver.losses import cross_entropy
from srheart_demo.solver.problem import Problem


def local_minima(landscape: LossMap) -> NDArray[np.float32]:
    """(n, 2) where L is lowest among its neighbours, x and y; not on the map's border."""
    lowest = minimum_filter(landscape.L, size=3) == landscape.L
    row, column = np.nonzero(lowest[1:-1, 1:-1])
    return np.stack([landscape.x[column + 1], landscape.y[row + 1]], axis=1)


def descend(
    p: Problem, z: Tensor, k: int, start: tuple[float, float], steps: int = 50, lr_d: float = 1.0
) -> NDArray[np.float32]:
    """Adam on the displacement of slice k alone, in the heart G(z).

    Args:
        z: (1, M).
        start: mm along rows and columns.
        steps: so many.
        lr_d: learning rate, mm.

    Returns:
        (1 + steps, 2) the way, mm along columns (x) and rows (y), as `LossMap.path`.
    """
    planes = downsample(p.G.decode(z), p.stack)[:, :, k : k + 1]
    d = torch.tensor([[start]], requires_grad=True)
    adam = torch.optim.Adam([d], lr_d)
    way = [d.detach().clone()]
    for _ in range(steps):
        adam.zero_grad()
        cross_entropy(move(planes, p.stack, d), p.S_LR[k : k + 1]).backward()
        adam.step()
        way.append(d.detach().clone())
    return torch.cat(way)[:, 0].flip(-1).numpy()

"""What latent optimisation is compared with; each baseline restores a heart from its SA stack.

A baseline knows nothing of motion, so its answer goes with displacements of zero.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from srheart_demo.scan.degradation import MOTION_LEVELS, Stack
from srheart_demo.solver.baselines import edsr, nearest, shape_based

Restore = Callable[[np.ndarray, Stack, Stack], np.ndarray]
"""S_LR (K, h, w), where it lies, where labels are wanted → labels (K', h', w') on that grid."""

BASELINES: dict[str, Restore] = {
    "NN": nearest.restore,
    "SBI": shape_based.restore,
    **{f"EDSR ({level})": partial(edsr.restore, level=level) for level in MOTION_LEVELS},
}
"""Baselines by their name in the paper; an EDSR with the motion that it was trained on."""

"""Eq. 1 as a transform of MONAI's, dictionary in and out; TorchIO takes it in its `MonaiAdapter`.

Only this module needs MONAI: ``pip install monai``.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable
from nibabel import Nifti1Image

from srheart_demo.scan.nifti import Upload
from srheart_demo.scan.placement import on_hr_grid
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.simulate import simulate


class Degraded(Randomizable, MapTransform):
    """Hearts become the stacks that a scan would show: S_LR = M_d(↓_s S_HR) + ε.

    `randomize` draws from MONAI's own state of random numbers, once for all keys, as one scan does;
    `apply` applies what was drawn.

    Args:
        keys: of the hearts: label maps (1, X, Y, Z) with an affine to RAS+ mm, in any order of
            axes. Each becomes its stack (1, K, h, w) with the stack's affine; beside ``KEY`` come
            ``KEY_d``, d (K, 2) in mm along rows and columns, and ``KEY_drawn``, to do it again.
        factor: on the amplitude of motion, or least and greatest of what is drawn evenly.
        noise: ε, the probability that a voxel takes a neighbour's label.
        allow_missing_keys: whether a dictionary may lack some of the keys.
    """

    def __init__(
        self,
        keys: Hashable | Collection[Hashable],
        factor: float | tuple[float, float] = (0.0, 4.0),
        noise: float = 0.0,
        allow_missing_keys: bool = False,
    ) -> None:
        """Draw nothing yet."""
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.factors = factor if isinstance(factor, tuple) else (factor, factor)
        self.noise = noise

    def randomize(self, data: object = None) -> None:
        """Draw how far slices move, and the seed of their directions, amplitudes and ε."""
        factor, seed = float(self.R.uniform(*self.factors)), int(self.R.randint(2**31 - 1))
        self.drawn: dict[str, Any] = {"factor": factor, "seed": seed, "noise": self.noise}

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """`randomize`, and `apply` what was drawn."""
        self.randomize()
        return self.apply(data, **self.drawn)

    def apply(
        self, data: Mapping[Hashable, Any], factor: float, seed: int, noise: float = 0.0
    ) -> dict[Hashable, Any]:
        """The dictionary with stacks for hearts; equal arguments give equal stacks.

        A heart without an affine is a TypeError, what is no heart an `InvalidVolume`.
        """
        changed = dict(data)
        for key in self.key_iterator(changed):
            given = changed[key]
            if not isinstance(given, MetaTensor):
                raise TypeError(f"{key}: this tensor has no affine; give a MetaTensor (LoadImaged)")
            labels = given.as_tensor().squeeze(0).cpu().numpy().round().astype(np.int32)
            image = Nifti1Image(labels, given.affine.cpu().numpy().astype(np.float64))
            heart = on_hr_grid(read_short_axis(Upload(f"{key}.nii", image.to_bytes())))
            scan = simulate(heart, factor, seed, noise=noise)
            stack = torch.from_numpy(scan.stack.labels)[None].to(given.dtype)
            changed[key] = MetaTensor(stack, affine=torch.from_numpy(scan.stack.affine))
            changed[f"{key}_d"] = scan.d[0]
            changed[f"{key}_drawn"] = {"factor": factor, "seed": seed, "noise": noise}
        return changed

"""What the encoder sees: labels as class probabilities on the generator's lattice.

A whole heart fills it; a scan leaves zeros where nobody looked.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from nibabel.affines import apply_affine
from scipy.ndimage import map_coordinates
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, TISSUES, lattice_axes, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.distances import signed_distance, tissue_box, widened
from srheart_demo.scan.degradation import Stack, interpolator, one_hot_field
from srheart_demo.scan.volume import LabelVolume

_NEAR = 10.0  # Distances to tissue are measured this far out, mm; farther off all is background


def whole_heart(heart: LabelVolume) -> Tensor:
    """Class probabilities (1, 4, 32, 64, 64) on the lattice, soft over 1 mm as in training.

    By signed distances of the labels of a heart in the model's frame.
    """
    near = widened(tissue_box(heart.labels), [math.ceil(_NEAR / mm) for mm in heart.spacing])
    points = apply_affine(np.linalg.inv(heart.affine), lattice_points(LATTICE_SHAPE))
    nodes = np.moveaxis(points - [ends.start for ends in near], -1, 0)
    distances = []
    tissues = [heart.labels[near] == label for label in range(1, len(TISSUES))]
    for inside in (heart.labels[near] > 0, *tissues):
        signed = signed_distance(inside, heart.spacing, _NEAR)
        distances.append(map_coordinates(signed, nodes, order=1, mode="nearest"))
    return phantom.class_logits(torch.tensor(np.stack(distances)[None]).float()).softmax(1)


def lattice_stack(z: Tensor) -> Stack:
    """Slices at positions z (K,), mm along D, whose pixels are the lattice's nodes in-plane."""
    _, h, w = lattice_axes(LATTICE_SHAPE)
    return Stack.upright(z, (h[0], w[0]), (h[1] - h[0], w[1] - w[0]), LATTICE_SHAPE[1:])


def on_planes(slices: Tensor, z: Tensor) -> Tensor:
    """Slices (B, C, K, 64, 64) at z (K,), mm → (B, C, 32, 64, 64): each on the nearest plane."""
    d = lattice_axes(LATTICE_SHAPE)[0]
    nearest = ((z - d[0]) / (d[1] - d[0])).round().long()
    inside = (nearest >= 0) & (nearest < len(d))
    planes = slices.new_zeros(*slices.shape[:2], *LATTICE_SHAPE)
    planes[:, :, nearest[inside]] = slices[:, :, inside]
    return planes


def reader_on_nodes(stack: Stack, d: Tensor | None = None) -> Callable[[Tensor], Tensor]:
    """Reads pictures of slices (K, C, h, w) at the lattice's nodes in-plane: (K, C, 64, 64).

    Where d (K, 2), mm along rows and columns, is given `move` is undone. A node beyond a picture
    has the value of its nearest pixel.
    """
    nodes = lattice_stack(stack.z).pixels()
    if d is not None:
        nodes = nodes + stack.in_model_axes(d)[:, None, None]
    return interpolator(stack, nodes)


def evidence(S_LR: Tensor, stack: Stack) -> Tensor:
    """A labelled stack (K, h, w) as the encoder's input; slices outside the box are left out."""
    classes = one_hot_field(S_LR.numpy())[0].transpose(0, 1).to(stack.z.dtype)
    slices = reader_on_nodes(stack)(classes)
    return on_planes(slices.transpose(0, 1)[None], stack.z).float()

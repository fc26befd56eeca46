"""Beyond the manifold: what the slices show that no G(z) holds.

G(z) is the most plausible heart, not the one that was scanned. Where a slice was seen, its own
outlines are known better than any prior's: the prior should decide only what the data leave open.
So a smooth field is added to G(z) that brings it into agreement with the motion-corrected slices.

On each slice the residual is the difference of in-plane signed distances, of the model's outlines
and of those seen; near a surface a class logit is a signed distance over 1 mm (see
`phantom.class_logits`), so it may be added to the field. From slice to slice it is interpolated
as a Gaussian process (kriging): near a slice it follows the slice, far from all it vanishes. A few
strongly damped passes, each against what the last has left, do better than one: a logit is a
distance only near a surface, and what smoothing within the slice takes from a pass the next gives.
"""

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, TISSUES, lattice_axes
from srheart_demo.heart.distances import in_plane_distances
from srheart_demo.heart.generator import soft_volumes_ml
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import Stack, degrade
from srheart_demo.scan.evidence import on_nodes
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.problem import Problem

_REACH = 6.0
"""Signed distances count up to here, mm; the residual of one tissue up to twice as much."""
ALONG = 20.0  # Length over which residuals cease to be alike along D, mm
IN_PLANE = 3.0  # Standard deviation of the smoothing within a slice, mm
NOISE = 0.2  # Variance of a slice's own error, as a share of the residual's
UNSEEN_SD = 0.8
"""Error of an outline that no slice is near to, mm, beside what the posterior of z says."""
GAUSS_NEWTON = 4  # Iterations to a volume of muscle; it is nearly linear in what is sought
PASSES, DAMPING = 3, 0.5
"""How often the residual is taken, and the noise, as such a share, that each pass allows for."""


def residual_field(field: Tensor, d: Tensor, p: Problem) -> Tensor:
    """What the slices show beyond a heart G(z): logits to add to its field (1, 4, 32, 64, 64).

    d (1, K, 2) are the displacements, mm, that solve the problem with it.
    """
    classes = field.shape[1]
    seen = in_plane_distances(p.S_LR.numpy(), p.stack.spacing, _REACH, classes)
    pitch = [axis[1] - axis[0] for axis in lattice_axes(LATTICE_SHAPE)[1:]]
    blur = (0, 0, *(IN_PLANE / mm for mm in pitch))
    along = kriging_weights(p.stack, DAMPING).to(field.dtype)
    total = torch.zeros_like(field)
    for _ in range(PASSES):
        expected = degrade(field + total, p.stack, d)[0].numpy().argmax(0)
        residual = in_plane_distances(expected, p.stack.spacing, _REACH, classes) - seen
        nodes = on_nodes(torch.from_numpy(residual).to(field.dtype), p.stack, d[0]).numpy()
        smooth = torch.from_numpy(gaussian_filter(nodes, blur))
        total = total + torch.einsum("dk,kchw->cdhw", along, smooth)
    return total


@one_thread()
@torch.no_grad()
def answer(step: Step, p: Problem) -> Tensor:
    """The heart that a run found, class logits (1, 4, 32, 64, 64).

    >>> sr.answer(step, problem).shape
    torch.Size([1, 4, 32, 64, 64])

    G(z), in agreement with the slices where the run's settings ask for the residual.
    """
    field, settings = p.G.decode(step.z), step.state.settings
    if settings.residual:
        field = field + residual_field(field, step.d, p)
    if p.known and settings.muscle_sd:
        field = field + muscle_field(field, p, p.known.muscle_ml, settings.muscle_sd)
    return field


@torch.enable_grad()
def muscle_field(field: Tensor, p: Problem, ml: float, sd: float) -> Tensor:
    """What brings the myocardium near a volume: logits (1, 4, 32, 1, 1) to add to a heart's field.

    The LV's outer surface moves by a, mm, times the share that no slice tells (`kriging_variance`),
    so not at all on a slice: a ~ N(0, `UNSEEN_SD`²), log of the volume ~ N(log `ml`, `sd`²).
    """
    share = kriging_variance(p.stack, noise=0.0)[:, None, None]
    classes = torch.tensor([t in ("LV", "MYO") for t in TISSUES])[:, None, None, None]
    a = torch.zeros((), requires_grad=True)
    for _ in range(GAUSS_NEWTON):
        # Two classes' logits differ by twice the distance to their border.
        volume = soft_volumes_ml(field + 2 * a * share * classes)[0, TISSUES.index("MYO")]
        off = (volume / ml).log()
        (slope,) = torch.autograd.grad(off, a)
        towards = slope * (slope * a.detach() - off.detach())
        a = (towards / (slope**2 + (sd / UNSEEN_SD) ** 2)).requires_grad_()
    return (2 * a.detach() * share * classes)[None]


def kriging_weights(stack: Stack, noise: float = NOISE) -> Tensor:
    """Weights (32, K) of the slices' residuals at each plane of the lattice."""
    noisy = _alike(stack.z, stack.z) + noise * torch.eye(stack.K, dtype=stack.z.dtype)
    return torch.linalg.solve(noisy, _alike(stack.z, _planes(stack.z.dtype))).T


def kriging_variance(stack: Stack, noise: float = NOISE) -> Tensor:
    """(32,) share of a residual's variance that the slices leave open at each plane, 0 to 1."""
    explained = kriging_weights(stack, noise) * _alike(_planes(stack.z.dtype), stack.z)
    return 1 - explained.sum(1)


def _planes(dtype: torch.dtype) -> Tensor:
    return torch.tensor(lattice_axes(LATTICE_SHAPE)[0], dtype=dtype)


def _alike(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of residuals at positions a and b along D."""
    return torch.exp(-(a[:, None] - b).abs() / ALONG)

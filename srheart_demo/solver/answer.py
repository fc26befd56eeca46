"""Beyond the manifold: what slices and long-axis views show that no G(z) holds.

G(z) is the most plausible heart, not the one that was scanned. Where a slice was seen, its own
outlines are known better than any prior's: the prior should decide only what the data leave open.
So a smooth field is added to G(z) that brings it into agreement with the motion-corrected slices,
and with the views where the slices leave something open.

On each slice the residual is the difference of in-plane signed distances, of the model's outlines
and of those seen; near a surface a class logit is a signed distance over 1 mm (see
`phantom.class_logits`), so it may be added to the field. From slice to slice it is interpolated
as a Gaussian process (kriging): near a slice it follows the slice, far from all it vanishes. A few
strongly damped passes, each against what the last has left, do better than one: a logit is a
distance only near a surface, and what smoothing within the slice takes from a pass the next gives.
The residual on a view fades away across its plane, and counts by the share of variance that
kriging leaves open: most beyond the ends of the stack, least at a slice.

Where G(z) explains the slices badly, little can be hoped of it between them. The answer then goes
over to the slices themselves, their outlines interpolated as in `baselines.shape_based`, as far as
neighbouring slices agree better with each other than with G(z), and not beyond the stack's ends.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, TISSUES, lattice_axes, lattice_points
from srheart_demo.heart.anatomy import LV, MYO, pieces_of
from srheart_demo.heart.distances import in_plane_distances, tissue_box, widened
from srheart_demo.heart.generator import likeliest, resampled, soft_volumes_ml
from srheart_demo.machine import one_thread
from srheart_demo.scan.degradation import Stack, degrade
from srheart_demo.scan.evidence import reader_on_nodes
from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.problem import Problem, View

_REACH = 6.0
"""Signed distances count up to here, mm; the residual of one tissue up to twice as much."""
ALONG = 20.0  # Length over which residuals cease to be alike along D, mm
IN_PLANE = 3.0  # Standard deviation of the smoothing within a slice or view, mm
ACROSS = 12.0  # Standard deviation of a view's weight across its plane, mm
NOISE = 0.2  # Variance of a slice's own error, as a share of the residual's
UNSEEN_SD = 0.8  # How far a frame's muscle may move where no slice is near, mm
MENDINGS = 3  # Rounds in which a fault is mended; most need one
FLECK = 32  # A piece of a class apart from the rest is a fault below so many HR voxels, 0.1 ml
GAUSS_NEWTON = 4  # Iterations to a volume of muscle; it is nearly linear in what is sought
NEAR_OUTLINES = 3.0  # Outlines are compared so far to either side of them, mm
TRUST = 0.5  # How soon slices are trusted more than a G(z) that does not fit them, 1/mm²
PASSES, DAMPING = 3, 0.5
"""How often the residual is taken, and the noise, as such a share, that each pass allows for."""


def residual_field(
    field: Tensor,
    d: Tensor,
    p: Problem,
    d_LA: Tensor | None = None,
    missed: float | None = None,
) -> Tensor:
    """What the scan shows beyond a heart G(z): logits to add to its field (1, 4, 32, 64, 64).

    d (1, K, 2) and d_LA (1, V, 2) are the displacements of slices and views, mm, that solve the
    problem with it; without d_LA the views lie where their files say. How far G(z) misses the
    slices, mm², is found where it is not given: a draw of the posterior misses them by being one.
    """
    classes = field.shape[1]
    seen = _seen(field, p)
    pitch = [axis[1] - axis[0] for axis in lattice_axes(LATTICE_SHAPE)[1:]]
    blur = (0, 0, *(IN_PLANE / mm for mm in pitch))
    along = kriging_weights(p.stack, DAMPING).to(field.dtype)
    left_open = kriging_variance(p.stack).to(field.dtype)[:, None, None]
    d_LA = field.new_zeros(1, len(p.views), 2) if d_LA is None else d_LA
    views = [_Seen.of(view, own, classes) for view, own in zip(p.views, d_LA[0], strict=True)]
    shares = sum((of.weight for of in views), start=DAMPING)
    total = torch.zeros_like(field)
    on_nodes = reader_on_nodes(p.stack, d[0])
    residual = _outlines(field, d, p) - seen
    missed = _mean_square(residual, seen) if missed is None else missed
    for done in range(PASSES):
        heart = field + total
        residual = _outlines(heart, d, p) - seen if done else residual
        smooth = gaussian_filter(on_nodes(torch.from_numpy(residual)).numpy(), blur)
        total = total + torch.einsum("dk,kchw->cdhw", along, torch.from_numpy(smooth))
        for of in views:
            total = total + left_open * of.weight / shares * of.residual(heart)
    share, between = _from_slice_to_slice(on_nodes(torch.from_numpy(seen)), p, missed)
    return total + share[:, None, None] * (between - (field + total))


def _from_slice_to_slice(outlines: Tensor, p: Problem, missed: float) -> tuple[Tensor, Tensor]:
    """What interpolation between slices says at the lattice, and what it is worth there.

    Distances (K, C, 64, 64) to the outlines of each slice, moved back by its d, and the mean square
    of those by which G(z)'s outlines miss them, mm², give shares (32,) of it, the rest being the
    heart's, and logits (C, 32, 64, 64). How far a slice is from what its two neighbours say of it,
    tells how far interpolation errs; that grows with the fourth power of the gap, as a parabola's.
    """
    upwards = p.stack.z.argsort()
    z, planes, distances = p.stack.z[upwards], _planes(p.stack.z.dtype), outlines[upwards]
    tissue = p.tissue[upwards]
    middle = torch.nonzero(tissue[2:] & tissue[1:-1] & tissue[:-2])[:, 0] + 1
    excess = beyond_pixels(missed, p.stack)
    if not len(middle) or not excess:
        return outlines.new_zeros(len(planes)), outlines.new_zeros(())

    def between(low: Tensor, high: Tensor, at: Tensor) -> Tensor:
        t = ((at - z[low]) / (z[high] - z[low])).clamp(0, 1).to(distances.dtype)
        return torch.lerp(distances[low], distances[high], t[:, None, None, None])

    off = distances[middle] - between(middle - 1, middle + 1, z[middle])
    rough = _mean_square(off.numpy(), distances[middle].numpy())
    above = torch.searchsorted(z, planes).clamp(1, len(z) - 1)
    err = rough * ((z[above] - z[above - 1]) / p.stack.gap) ** 4
    share = TRUST * excess**2 / (TRUST * excess**2 + err)
    share *= (planes >= z[0]) & (planes <= z[-1])
    return share.to(distances.dtype), -between(above - 1, above, planes).movedim(0, 1)


def trust_in_slices(field: Tensor, d: Tensor, p: Problem) -> Tensor:
    """(32,) how far the answer follows the slices in place of a G(z), at each plane of the lattice.

    From 0 to 1, of its field (1, 4, 32, 64, 64) and of displacements (1, K, 2), mm.
    """
    seen = reader_on_nodes(p.stack, d[0])(torch.from_numpy(_seen(field, p)))
    return _from_slice_to_slice(seen, p, misfit(field, d, p))[0]


def _mean_square(of: NDArray[np.float32], seen: NDArray[np.float32]) -> float:
    """Of what lies near outlines, by their distances, mm²; 0 where there are none."""
    near = np.abs(seen) < NEAR_OUTLINES
    return float(np.square(of[near]).mean()) if near.any() else 0.0


def beyond_pixels(mean_square: float, stack: Stack) -> float:
    """Less a sixth of a pixel's area, by which outlines drawn in pixels differ in any case, mm²."""
    return max(mean_square - math.prod(stack.spacing) / 6, 0.0)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A long-axis view, displaced by d (2,), mm, and what it is worth at the lattice's nodes."""

    view: View
    d: Tensor
    distances: NDArray[np.float32]  # (C, h, w) in-plane, signed, of what it shows, mm
    index: Tensor  # (32, 64, 64, 2) its fractional row and column nearest to each node
    weight: Tensor  # (32, 64, 64)

    @classmethod
    def of(cls, view: View, d: Tensor, classes: int) -> Self:
        """By the distance of each node from its plane."""
        plane = view.plane
        seen = in_plane_distances(view.S_LA.numpy()[None], plane.spacing, _REACH, classes)[0]
        nodes = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=d.dtype)
        index, across = plane.nearest(nodes + d @ plane.directions.to(d.dtype))
        return cls(view, d, seen, index, torch.exp(-((across / ACROSS) ** 2) / 2))

    def residual(self, heart: Tensor) -> Tensor:
        """Distances expected of a heart less those seen, smooth, at the nodes, (C, 32, 64, 64).

        It is zero at nodes that lie beside the view.
        """
        plane, lacks = self.view.plane, list(self.view.lacks)
        logits = self.view.told(long_axis_view(heart, plane, self.d[None]))
        shown = likeliest(logits[0])[None]
        expected = in_plane_distances(shown, plane.spacing, _REACH, heart.shape[1])
        residual = expected[0] - self.distances
        residual[lacks] = residual[0]
        smooth = gaussian_filter(residual, (0, *(IN_PLANE / mm for mm in plane.spacing)))
        size = self.index.new_tensor(self.view.S_LA.shape)
        grid = ((2 * self.index + 1) / size - 1).flip(-1).flatten(0, 1)[None]
        at_nodes = F.grid_sample(torch.from_numpy(smooth)[None], grid, align_corners=False)
        return at_nodes[0].unflatten(1, LATTICE_SHAPE[:2])


@one_thread()
@torch.no_grad()
def answer(step: Step, p: Problem) -> Tensor:
    """The heart that a run found, class logits (1, 4, 32, 64, 64).

    >>> sr.answer(step, problem).shape
    torch.Size([1, 4, 32, 64, 64])

    G(z), in agreement with slices and views where the run's settings ask for the residual.
    """
    field, settings = p.G.decode(step.z), step.state.settings
    p = p.heeded(settings.gamma)
    if settings.residual:
        d_LA = step.d_LA[:, : len(p.views)]
        drawn, field = field, field + residual_field(field, step.d, p, d_LA)
        field = with_closed_apex(field, drawn)
        if p.views:  # slices alone leave no specks
            field = without_flecks(field, drawn)
    if p.known and settings.muscle_sd:
        field = field + muscle_field(field, p, p.known.muscle_ml, settings.muscle_sd)
    return field


def with_closed_apex(field: Tensor, drawn: Tensor) -> Tensor:
    """A heart (1, 4, 32, 64, 64) with myocardium where its LV lay upon background.

    A slice below the apex that shows nothing may take the wall away. Where the heart `drawn` by
    G(z) alone is open too, nothing is closed: what G draws is then no heart with a wall.
    """
    for _ in range(MENDINGS):
        near = _lower_half(field)
        beneath = _beneath_an_open_apex(field[near])
        if not beneath.any() or _is_open(drawn[near]):
            break
        nodes = F.max_pool3d(beneath, (1, 3, 3), 1, (0, 1, 1))[0] > 0  # and one around
        field = field.clone()
        part = field[near][0]
        part[MYO] = torch.where(nodes, torch.maximum(part[MYO], part.amax(0) + 1), part[MYO])
    return field


def without_flecks(field: Tensor, drawn: Tensor) -> Tensor:
    """A heart (1, C, 32, 64, 64) without specks of a class that lie apart, nor bubbles in it.

    Residuals of views leave a voxel or two where borders of three classes meet. Where the heart
    `drawn` by G(z) alone has specks too, none is taken away.
    """
    for _ in range(MENDINGS):
        near = _around_tissue(field)
        flecks = _flecks(field[near])
        if not flecks.any() or _flecks(drawn[near]).any():
            break
        field = field.clone()
        field[near] -= 2 * F.max_pool3d(flecks, 2)  # mm, as logits are
    return field


def _around_tissue(field: Tensor) -> tuple[slice, ...]:
    """Where a field (1, C, D', H', W') has tissue, and two nodes around; or its lowest plane."""
    tissue = likeliest(field[0])
    box = widened(tissue_box(tissue), (2, 2, 2)) if tissue.any() else (slice(1),)
    return slice(None), slice(None), *box


def _flecks(part: Tensor) -> Tensor:
    """1 at the HR voxels (1, C, 2 D', 2 H', 2 W') of a class's small pieces apart."""
    flecks = torch.zeros(1, part.shape[1], *(2 * n for n in part.shape[2:]))
    labels = _labels(part)
    for label in range(part.shape[1]):
        pieces, n = pieces_of(labels, label)
        if n > 1:
            sizes = np.bincount(pieces.ravel())
            small = sizes < FLECK
            small[[0, 1 + int(sizes[1:].argmax())]] = False
            flecks[0, label] = torch.from_numpy(small[pieces])
    return flecks


def _labels(part: Tensor, finer: tuple[int, int, int] = (2, 2, 2)) -> NDArray[np.uint8]:
    """Labels of a part (1, C, D', H', W') of the lattice, so many times finer; at HR voxels."""
    D, H, W = (n * by for n, by in zip(part.shape[2:], finer, strict=True))
    return likeliest(resampled(part, (D, H, W))[0])


def _lower_half(field: Tensor) -> tuple[slice, ...]:
    """Where a field (1, C, D', H', W') has the LV's lower half, and two nodes around; its base is
    open. The lowest plane, where there is no LV."""
    inside = (field[0, LV] >= field[0].amax(0)).numpy()
    if not inside.any():
        return (slice(1),)
    planes, *plane = tissue_box(inside)
    middle = int(np.flatnonzero(inside.any((1, 2))).mean())
    return slice(None), slice(None), *widened((slice(planes.start, middle - 2), *plane), (2, 2, 2))


def _beneath_an_open_apex(part: Tensor) -> Tensor:
    """1 at the nodes (1, D', H', W') of background with LV 2 mm above, or above a corner, else 0.

    So no HR voxels have LV on background, wherever their grid lies.
    """
    labels = _labels(part, (6, 2, 2))  # Three to each 2 mm along D
    above = maximum_filter(labels == LV, (1, 3, 3))[3:]
    beneath = torch.from_numpy(above & (labels[:-3] == 0))[None]
    return F.max_pool3d(F.pad(beneath, (0, 0, 0, 0, 0, 3)).float(), (6, 2, 2))


def _is_open(part: Tensor) -> bool:
    """Whether LV lies on background at HR voxels."""
    labels = _labels(part)
    return bool(((labels[1:] == LV) & (labels[:-1] == 0)).any())


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
        volume = soft_volumes_ml(field + 2 * a * share * classes)[0, MYO]
        off = (volume / ml).log()
        (slope,) = torch.autograd.grad(off, a)
        towards = slope * (slope * a.detach() - off.detach())
        a = (towards / (slope**2 + (sd / UNSEEN_SD) ** 2)).requires_grad_()
    return (2 * a.detach() * share * classes)[None]


def misfit(field: Tensor, d: Tensor, p: Problem) -> float:
    """Mean square of the distances by which a heart's outlines miss those of the slices, mm²."""
    seen = _seen(field, p)
    return _mean_square(_outlines(field, d, p) - seen, seen)


def _seen(field: Tensor, p: Problem) -> NDArray[np.float32]:
    """Distances (K, C, h, w) to what the slices show, mm, of as many classes as a heart has."""
    return in_plane_distances(p.S_LR.numpy(), p.stack.spacing, _REACH, field.shape[1])


def _outlines(field: Tensor, d: Tensor, p: Problem) -> NDArray[np.float32]:
    """Distances (K, C, h, w) to what the slices would show of a heart, mm."""
    expected = likeliest(degrade(field, p.stack, d)[0])
    return in_plane_distances(expected, p.stack.spacing, _REACH, field.shape[1])


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

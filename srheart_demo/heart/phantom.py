"""Parametric bi-ventricular hearts: shape parameters → signed distances → labels.

A heart is built around the centre line of the left ventricle (LV). At each level s (0 at the
endocardial apex, 1 at the base) the endo- and epicardium are closed curves around that line, an
ellipsoid's profile times a smooth factor; the right ventricle (RV) is a crescent laid on the
epicardium over an arc. The surfaces are nested by construction, so the LV is closed by
myocardium except at the base and no gap opens at the septum.

All functions are differentiable and vectorised over hearts; coordinates broadcast, so a lattice
costs no more than it must.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from srheart_demo.frame import HR_SHAPE, lattice_axes
from srheart_demo.heart.generator import likeliest

_WIDEST = 0.66
"""Level s at which the endocardium is widest; an ellipse with this centre fits the cohort."""
LEAST_WALL = 3.5  # Thinnest myocardium that a heart may have, mm
LEAST_RV = 2.5
"""Depth at which the RV's rim ends bluntly, mm; a tapering rim would fray into single voxels."""
WARP_REACH = 64.0
"""Half the extent of the cosines that `HeartShape.warp` weighs, mm; constant beyond."""
RV_CENTRE = 25.0  # Distance from the LV's centre line, mm, about which the RV's base is bent
COARSE = (16, 32, 32)  # Nodes at which `label_maps` looks for tissue, 8 × 5 × 5 mm apart
MARGIN = 8.0
"""Signed distance under which tissue may be near, mm: first-order distances may be a bit off."""
RV_RISE = 0.9  # Height over which the RV widens to its full width, in lengths of the LV


@dataclass(frozen=True, eq=False)
class HeartShape:
    """Parameters of N hearts; every tensor starts with the axis N.

    Directions: u points from the LV to the RV, v a quarter turn on, both in the plane of a
    short-axis slice. Knots are spread evenly from s = 0 to s = 1 (cubic B-splines).
    """

    apex: Tensor  # (N,) position of the endocardial apex along D, mm
    length: Tensor  # (N,) endocardial apex to base along D, mm
    centre: Tensor  # (N, 2) the centre line's mean position (H, W), mm
    azimuth: Tensor  # (N,) direction of u, radians from H to W
    bend: Tensor  # (N, 3, 2) Legendre coefficients 1 to 3 of the centre line along (u, v), mm
    radius: Tensor  # (N,) largest endocardial radius, mm
    wall: Tensor  # (N,) wall thickness at the widest level, mm
    apex_wall: Tensor  # (N,) wall thickness at the apex, mm
    # endo_profile, epi_profile: (N, 6) log-radius added along the axis
    endo_profile: Tensor
    epi_profile: Tensor
    endo_harmonics: Tensor  # (N, 2, 2, 4) log-radius, orders 2-3, (cos, sin), knots
    epi_harmonics: Tensor  # (N, 3, 2, 4) log-radius, orders 1-3, (cos, sin), knots
    base_tilt: Tensor  # (N, 2) slope of the LV's base along (u, v)
    rv_apex: Tensor  # (N,) RV apex above the LV's endocardial apex, mm
    rv_base: Tensor  # (N,) RV base above the LV's base, mm
    rv_base_tilt: Tensor  # (N, 2) slope of the RV's base along (u, v)
    rv_width: Tensor  # (N,) greatest distance from epicardium to RV free wall, mm
    rv_arc: Tensor  # (N, 4) half of the arc that the RV covers, radians, at the knots
    rv_centre: Tensor  # (N, 4) centre of that arc against u, radians, at the knots
    rv_power: Tensor  # (N,) roundness of the crescent
    rv_skew: Tensor  # (N,) lean of the crescent towards v
    # (N, 5, 4) relative bulges of the free wall along its arc: 1, then cosine and sine of one and
    # of two periods
    rv_modes: Tensor
    rv_base_bend: Tensor  # (N, 3) curvature of the RV's base: weights of u², uv, v² over 30 mm, mm
    top: Tensor  # (N,) flat cut of all tissue above the LV's base, across D, mm
    # (N, 2, 4, 4, 4) displacement along (H, W), mm: weights of products of cosines of orders 0-3
    # along D, H and W. It gives a heart the irregularities that the rest lacks.
    warp: Tensor

    def __len__(self) -> int:
        return len(self.apex)

    def __getitem__(self, which: slice) -> "HeartShape":
        return HeartShape(*(getattr(self, f.name)[which] for f in fields(self)))

    def double(self) -> "HeartShape":
        """The same hearts in float64."""
        return HeartShape(*(getattr(self, f.name).double() for f in fields(self)))


def _column(values: Tensor) -> Tensor:
    """(N,) → (N, 1, 1, 1), to broadcast over a lattice."""
    return values[:, None, None, None]


def _spline(coefficients: Tensor, s: Tensor) -> Tensor:
    """Uniform cubic B-spline: coefficients (N, knots) at levels s (N, D, 1, 1)."""
    knots = coefficients.shape[1]
    position = s.clamp(0, 1) * (knots - 1)
    total = torch.zeros_like(position)
    for k in range(-1, knots + 1):
        distance = (position - k).abs()
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = (2 - distance).clamp_min(0) ** 3 / 6
        basis = torch.where(distance < 1, near, far)
        total = total + basis * _column(coefficients[:, min(max(k, 0), knots - 1)])
    return total


def _log_radius(
    profile: Tensor, harmonics: Tensor, first: int, s: Tensor, cos: Tensor, sin: Tensor
) -> Tensor:
    """Profile(s) + Σ a_k(s) cos kθ + b_k(s) sin kθ of harmonics (N, orders, 2, knots)."""
    total = torch.zeros((), dtype=s.dtype)
    cos_k, sin_k = torch.ones_like(cos), torch.zeros_like(sin)
    for k in range(1, first + harmonics.shape[1]):
        cos_k, sin_k = cos_k * cos - sin_k * sin, sin_k * cos + cos_k * sin
        if k >= first:
            a, b = harmonics[:, k - first].unbind(1)
            total = total + _spline(a, s) * cos_k + _spline(b, s) * sin_k
    return _spline(profile, s) + total


def _ellipsoid(
    height: Tensor, length: Tensor, radius: Tensor, widest: float | Tensor, log_factor: Tensor
) -> tuple[Tensor, Tensor]:
    """Squared radius at `height` above the apex and its slope; negative below the apex."""
    x = 1 - height / (length * widest)
    scale = radius**2 * torch.exp(2 * log_factor)
    return scale * (1 - x**2), scale * 2 * x / (length * widest)


def _distance_to(rho2: Tensor, radius2: Tensor, slope: Tensor) -> Tensor:
    """First-order signed distance to ρ² = R²(D), smooth through the axis and the apex."""
    return (rho2 - radius2) / torch.sqrt(4 * rho2 + slope**2 + 1)


def signed_distances(shape: HeartShape, D: Tensor, H: Tensor, W: Tensor) -> Tensor:
    """Signed distances to the heart, LV, MYO and RV: negative inside, first order near surfaces.

    The heart is all three together. Its distance is not the least of theirs: inside it, where two
    of them meet, there is no surface. Coordinates D, H, W in mm that broadcast to (N or 1, a, b, c)
    give (N, 4, a, b, c), mm.
    """
    D, H, W = (x.reshape((1,) * (4 - x.ndim) + x.shape) for x in (D, H, W))
    shift_h, shift_w = _displacement(shape.warp, D, H, W)
    H, W = H + shift_h, W + shift_w
    length, radius = _column(shape.length), _column(shape.radius)
    height = D - _column(shape.apex)
    s = height / length

    x = (2 * s - 1).clamp(-1.4, 1.4)
    legendre = (x, (3 * x**2 - 1) / 2, (5 * x**3 - 3 * x) / 2)
    bend_u, bend_v = (
        sum(p * _column(shape.bend[:, k, axis]) for k, p in enumerate(legendre)) for axis in (0, 1)
    )
    dh, dw = H - _column(shape.centre[:, 0]), W - _column(shape.centre[:, 1])
    cos_a, sin_a = _column(shape.azimuth.cos()), _column(shape.azimuth.sin())
    u = cos_a * dh + sin_a * dw - bend_u
    v = cos_a * dw - sin_a * dh - bend_v
    rho2 = u**2 + v**2
    rho = torch.sqrt(rho2 + 1e-6)
    cos, sin = u / rho, v / rho

    endo_log = _log_radius(shape.endo_profile, shape.endo_harmonics, 2, s, cos, sin)
    endo = _distance_to(rho2, *_ellipsoid(height, length, radius, _WIDEST, endo_log))

    apex_wall, wall = _column(shape.apex_wall), _column(shape.wall)
    epi_log = _log_radius(shape.epi_profile, shape.epi_harmonics, 1, s, cos, sin)
    epi_length = length + apex_wall
    epi_widest = (_WIDEST * length + apex_wall) / epi_length
    epi_radius2, epi_slope = _ellipsoid(
        height + apex_wall, epi_length, radius + wall, epi_widest, epi_log
    )
    epi = torch.minimum(_distance_to(rho2, epi_radius2, epi_slope), endo - LEAST_WALL)

    def above(offset: Tensor, tilt: Tensor) -> Tensor:
        return height - length - offset - _column(tilt[:, 0]) * u - _column(tilt[:, 1]) * v

    cut = height - length - _column(shape.top)
    lv_base = torch.maximum(above(torch.zeros_like(length), shape.base_tilt), cut)
    lv = torch.maximum(endo, lv_base)
    myo = torch.maximum(torch.maximum(epi, -endo), lv_base)

    outer = _free_wall(shape, height, s, cos, sin, rho, epi_radius2)
    rv_base = above(_column(shape.rv_base), shape.rv_base_tilt)
    x, y = ((u - RV_CENTRE) / 30).clamp(-2, 2), (v / 30).clamp(-2, 2)
    for k, power in enumerate((x * x, x * y, y * y)):
        rv_base = rv_base - _column(shape.rv_base_bend[:, k]) * power
    rv_base = torch.maximum(rv_base, cut)
    rv = torch.maximum(torch.maximum(outer, -epi), rv_base)
    wall = torch.maximum(epi, lv_base)
    crescent = torch.maximum(torch.maximum(outer, rv_base), torch.minimum(-epi, lv_base))
    heart = torch.minimum(wall, crescent)
    return torch.stack(torch.broadcast_tensors(heart, lv, myo, rv), dim=1)


def _displacement(warp: Tensor, D: Tensor, H: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    """Displacement along H and W, mm; summed one axis at a time, so a lattice stays cheap."""
    total = warp[..., None, None, None]
    for x in (D, H, W):
        phase = (x / WARP_REACH).clamp(-1, 1).add(1) * (np.pi / 2)
        orders = torch.arange(total.shape[2])[:, None, None, None]
        cosines = torch.cos(orders * phase[:, None])
        between = (1,) * (total.ndim - 6)
        cosines = cosines.reshape(len(phase), 1, len(orders), *between, *phase.shape[1:])
        total = (total * cosines).sum(2)
    along_h, along_w = total.unbind(1)
    return along_h, along_w


def _free_wall(shape: HeartShape, height: Tensor, *around: Tensor) -> Tensor:
    """Signed distance to the RV's free wall: the epicardium plus a crescent over an arc."""
    s, cos, sin, rho, epi_radius2 = around
    centre, half_arc = _spline(shape.rv_centre, s), _spline(shape.rv_arc, s)
    angle = torch.atan2(
        sin * centre.cos() - cos * centre.sin(), cos * centre.cos() + sin * centre.sin()
    )
    t = (angle / half_arc).clamp(-1.6, 1.6)
    gap, power = 1 - t**2, _column(shape.rv_power)
    rounded = (gap**2 + 0.01) ** ((power - 1) / 2)
    crescent = gap * rounded * (1 + _column(shape.rv_skew) * t)
    inside = gap.clamp_min(0) + 1e-6
    bulge = _spline(shape.rv_modes[:, 0], s)
    waves = (wave(k * (np.pi * t)) for k in (1, 2) for wave in (torch.cos, torch.sin))
    for mode, wave in enumerate(waves, start=1):
        bulge = bulge + _spline(shape.rv_modes[:, mode], s) * wave
    rise = (height - _column(shape.rv_apex)) / (RV_RISE * _column(shape.length))
    dome = 1 - (1 - rise.clamp_max(1)) ** 2
    full_width = _column(shape.rv_width)
    width = full_width * (dome.clamp_min(0) + 1e-6) ** 0.75
    crescent = crescent * (1 + bulge * inside.sqrt())
    outside = full_width * ((-dome).clamp_min(0) + (-gap).clamp_min(0))
    reach = width * crescent.clamp_min(0) - outside
    steepness = (2 * power * t * rounded * width / (half_arc * rho.clamp_min(10))).clamp(-2, 2)
    depth = rho - torch.sqrt(epi_radius2.clamp_min(0) + 1e-6)
    return torch.maximum(depth - reach, LEAST_RV - reach) / torch.sqrt(1 + steepness**2)


def on_lattice(shape: HeartShape, lattice: tuple[int, int, int] = HR_SHAPE) -> Tensor:
    """Signed distances on a lattice that fills the box: (N, 4, D, H, W), mm."""
    return _on_axes(shape, *lattice_axes(lattice))


def _on_axes(shape: HeartShape, *axes: np.ndarray) -> Tensor:
    d, h, w = (torch.tensor(axis, dtype=shape.apex.dtype) for axis in axes)
    return signed_distances(shape, d[:, None, None], h[:, None], w)


def label_maps(shape: HeartShape, lattice: tuple[int, int, int] = HR_SHAPE) -> np.ndarray:
    """Label maps (N, D, H, W) uint8 on a lattice that fills the box.

    A look at `COARSE` nodes tells where tissue may be; only there is the lattice computed.
    """
    labels = np.zeros((len(shape), *lattice), np.uint8)
    for n, distances in enumerate(on_lattice(shape, COARSE).amin(1).numpy()):
        heart, near = shape[n : n + 1], np.argwhere(distances < MARGIN)
        if not len(near):
            continue
        coarse, fine = lattice_axes(COARSE), lattice_axes(lattice)
        box = tuple(
            slice(*np.searchsorted(axis, [look[a] - MARGIN, look[b] + MARGIN]))
            for axis, look, a, b in zip(fine, coarse, near.min(0), near.max(0), strict=True)
        )
        axes = (axis[part] for axis, part in zip(fine, box, strict=True))
        labels[n][box] = nearest_labels(_on_axes(heart, *axes))[0]
    return labels


def class_logits(distances: Tensor, width: float = 1.0) -> Tensor:
    """Signed distances (N, 4, ...) → class logits (N, 4, ...), soft over `width` mm.

    Background is what lies outside the heart.
    """
    heart, *tissues = distances.split(1, dim=1)
    return -torch.cat([-heart, *tissues], dim=1) / width


def nearest_labels(distances: Tensor) -> np.ndarray:
    """Signed distances (N, 4, ...) → labels (N, ...) uint8: the class of the greatest logit."""
    return likeliest(class_logits(distances).transpose(0, 1))

"""Scans whose truth is known: Eq. 1 on a heart of the HR grid, as files would have it."""

from typing import NamedTuple

import numpy as np
import torch
from nibabel.affines import from_matvec
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.frame import hr_affine
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw
from srheart_demo.scan.degradation import Motion, Stack, one_hot_field, simulate_stack
from srheart_demo.scan.long_axis import LONG_AXIS_VIEWS, Plane, long_axis_view, standard_view
from srheart_demo.scan.placement import Placement, rv_azimuth
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume, remark


class SimulatedScan(NamedTuple):
    """A scan of a heart."""

    stack: LabelVolume  # slices from apex to base
    motion: Motion  # what displaced them
    d: Tensor  # (1, K, 2) by how much, mm along rows and columns


def simulate(
    heart: LabelVolume,
    factor: float,
    seed: int,
    stack: Stack | None = None,
    noise: float = 0.0,
    noise_seed: int | None = None,
) -> SimulatedScan:
    """Scan a heart on the HR grid (`placement.on_hr_grid`), anywhere in the world, as Eq. 1 says.

    `factor` is on the amplitude of motion, such as one of `MOTION_LEVELS`. The slices are by
    default 13 of 10 mm, the paper's s = [5, 1, 1]. `noise` is ε, the probability that a voxel takes
    a neighbour's label; it may have a seed of its own.
    """
    stack = (stack or Stack.from_hr()).to(torch.float64)
    motion = Motion.draw(stack.K, seed)
    d = motion.displacement(factor)
    epsilon_seed = seed if noise_seed is None else noise_seed
    S_LR = simulate_stack(heart.labels, stack, d.double(), noise, epsilon_seed)
    return SimulatedScan(stack_volume(S_LR, stack, world_from_model(heart)), motion, d)


def where_it_is_known(stack: LabelVolume, *views: LabelVolume, world: np.ndarray) -> Scan:
    """A simulated scan, placed where its heart lies instead of as its labels say.

    `world` takes model mm to world RAS+ mm, (4, 4).
    """
    azimuth = rv_azimuth(stack, world[:3, :3])
    placement = Placement(world, azimuth, 0.0, False, True, (remark("simulated"),))
    return Scan.of(stack, *views, placement=placement)


def synthetic_heart(population: str, seed: int) -> LabelVolume:
    """A heart drawn from a population, on the HR grid, in a plausible pose in the scanner."""
    labels = phantom.label_maps(draw(1, seed, population).double())[0]
    return LabelVolume(labels, scanner_frame(seed) @ hr_affine(), f"{population} {seed}")


def world_from_model(heart: LabelVolume) -> NDArray[np.float64]:
    """Model mm → world RAS+ mm, (4, 4), where a heart on the HR grid fills the model's box."""
    return heart.affine @ np.linalg.inv(hr_affine())


def view_motion(seed: int) -> dict[str, Motion]:
    """What displaces each long-axis view of a heart: a breath-hold of its own, as a slice's is."""
    seeds = np.random.SeedSequence((seed, *b"views")).generate_state(len(LONG_AXIS_VIEWS))
    return {view: Motion.draw(1, int(s)) for view, s in zip(LONG_AXIS_VIEWS, seeds, strict=True)}


def long_axis_scan(
    heart: LabelVolume,
    view: str = "4ch",
    d: Tensor | None = None,
    size: int = 128,
    spacing: float = 1.25,
) -> LabelVolume:
    """A long-axis view, one of `LONG_AXIS_VIEWS`, of a heart on the HR grid, without ε.

    d (1, 2) is its displacement, mm along rows and columns, none by default; it has `size` rows and
    columns, `spacing` mm apart.
    """
    plane = standard_view(heart.labels, view, size, spacing)
    S_LA = long_axis_view(one_hot_field(heart.labels).double(), plane, d)
    return view_volume(S_LA, plane, world_from_model(heart))


def view_volume(S_LA: Tensor, plane: Plane, world: np.ndarray) -> LabelVolume:
    """A long-axis view of class logits (1, C, h, w); `world`: model mm → RAS+ mm, (4, 4)."""
    corner, down, right = (plane.points[i].double().numpy() for i in ((0, 0), (1, 0), (0, 1)))
    rows, columns = down - corner, right - corner
    normal = np.cross(rows, columns)
    steps = np.stack([8 * normal / np.linalg.norm(normal), rows, columns], axis=1)
    affine = from_matvec(steps, corner)
    return LabelVolume(S_LA.argmax(1).numpy().astype(np.uint8), world @ affine)


def stack_volume(labels: np.ndarray, stack: Stack, world: np.ndarray) -> LabelVolume:
    """The slices (K, h, w) of a stack of equal distances; `world`: model mm → RAS+ mm, (4, 4)."""
    corners = torch.cat([stack.z[:, None], stack.origin + stack.offsets], dim=1).numpy()
    in_plane = np.pad(torch.stack([stack.row_step, stack.column_step]), ((0, 0), (1, 0)))
    steps = np.stack([corners[1] - corners[0], *in_plane], axis=1)
    return LabelVolume(labels, world @ from_matvec(steps, corners[0]))


def scanner_frame(seed: int) -> NDArray[np.float64]:
    """A plausible pose of the heart in the scanner: model mm → world RAS+ mm, (4, 4).

    The long axis points from the apex to the right, back and up, give or take 15° or so.
    """
    rng = np.random.default_rng(seed)
    to_base = np.array([0.49, -0.62, 0.61]) + rng.normal(0, 0.12, 3)
    to_base /= np.linalg.norm(to_base)
    columns = np.array([-0.79, 0.0, 0.61]) + rng.normal(0, 0.12, 3)
    columns -= to_base * (columns @ to_base)
    columns /= np.linalg.norm(columns)
    axes = np.stack([to_base, np.cross(to_base, columns), columns], axis=1)
    return from_matvec(axes, np.array([-20.0, 20.0, 0.0]) + rng.normal(0, 15, 3)).round(6)

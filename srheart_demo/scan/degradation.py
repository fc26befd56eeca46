"""Eq. 1: how a heart becomes a scan, S_LR = M_d(↓_s S_HR) + ε.

The heart is a field of class logits on a lattice that fills the HR box (see `frame`). A scan
shows it at physical points, so every operator here is linear interpolation of that field:
``downsample`` along D at the slice positions, ``move`` within each displaced slice, and
``sample`` at any points at all. Trilinear interpolation separates, hence
``move(downsample(field))`` equals ``sample(field, stack.points(d))`` to rounding.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT, HR_SHAPE, HR_SPACING, N_CLASSES, lattice_axes
from srheart_demo.heart.generator import likeliest, planes_at

MOTION_LEVELS = {"none": 0.0, "normal": 1.0, "severe": 4.0}
"""The paper's three degradation patterns, as factors on the amplitude of motion."""
AMPLITUDE_MEAN, AMPLITUDE_SD = 2.3, 0.87
"""Gaussian of a slice's displacement, mm (paper, section 3.2, after Tarroni et al. 2018)."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Where the K parallel slices of a short-axis stack lie in the model's frame.

    >>> stack = sr.Stack.from_hr()  # the paper's: every fifth of 64 planes
    >>> stack.K, stack.shape, round(stack.gap, 2)
    (13, (128, 128), 10.0)

    Attributes:
        z: (K,) position of each slice along D, mm.
        origin: (2,) position (H, W) of pixel (0, 0), mm, but for the slice's `offset`.
        row_step: (2,) step (ΔH, ΔW) from one row to the next, mm.
        column_step: (2,) step (ΔH, ΔW) from one column to the next, mm.
        shape: rows and columns of a slice.
        offset: (K, 2) how far off `origin` each slice begins, mm along (H, W); None where every
            slice begins there, as of a stack at right angles to its slices.
    """

    z: Tensor
    origin: Tensor
    row_step: Tensor
    column_step: Tensor
    shape: tuple[int, int]
    offset: Tensor | None = None

    def __post_init__(self) -> None:
        if self.offset is not None and self.offset.shape != (self.K, 2):
            raise ValueError(f"{self.K} slices have offsets of {tuple(self.offset.shape)}")

    @classmethod
    def from_hr(cls, step: int = 5, first: int = 2, slices: int | None = None) -> "Stack":
        """Every `step`-th plane of the HR grid, the paper's s = [5, 1, 1]: 13 slices of 10 mm."""
        d, h, w = lattice_axes(HR_SHAPE)
        z = torch.tensor(d[first::step][:slices], dtype=torch.float32)
        return cls.upright(z, (h[0], w[0]), HR_SPACING[1:], HR_SHAPE[1:])

    @classmethod
    def upright(
        cls, z: Tensor, corner: Sequence[float], pixel: Sequence[float], shape: tuple[int, int]
    ) -> "Stack":
        """Slices at z (K,), mm, whose rows follow H and columns W: pixel (0, 0) lies at `corner`,
        one is `pixel` mm high and wide."""
        row_step, column_step = torch.tensor(pixel, dtype=z.dtype).diag()
        return cls(z, torch.tensor(corner, dtype=z.dtype), row_step, column_step, shape)

    @property
    def K(self) -> int:
        """Number of slices."""
        return len(self.z)

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, mm."""
        return float(self.row_step.norm()), float(self.column_step.norm())

    @property
    def gap(self) -> float:
        """Distance from one slice to the next, mm, the median where it varies; 0 of one slice."""
        return float(self.z.sort().values.diff().median()) if self.K > 1 else 0.0

    @property
    def offsets(self) -> Tensor:
        """(K, 2) `offset`, or zeros."""
        return self.origin.new_zeros(self.K, 2) if self.offset is None else self.offset

    def slices(self, which: Sequence[int] | Tensor | np.ndarray) -> "Stack":
        """The stack of these slices, by their indices or by a mask (K,)."""
        chosen = torch.as_tensor(which)
        offset = None if self.offset is None else self.offset[chosen]
        return replace(self, z=self.z[chosen], offset=offset)

    def crop(self, rows: slice, columns: slice) -> "Stack":
        """The same stack with only these rows and columns (steps of one)."""
        first_row, last_row, _ = rows.indices(self.shape[0])
        first_column, last_column, _ = columns.indices(self.shape[1])
        return replace(
            self,
            origin=self.origin + first_row * self.row_step + first_column * self.column_step,
            shape=(last_row - first_row, last_column - first_column),
        )

    def every(self, rows: int, columns: int) -> "Stack":
        """The same stack with every so many-th row and column only."""
        steps = {"row_step": rows * self.row_step, "column_step": columns * self.column_step}
        h, w = self.shape
        return replace(self, **steps, shape=(math.ceil(h / rows), math.ceil(w / columns)))

    def to(self, dtype: torch.dtype) -> "Stack":
        """The same stack with coordinates of another floating-point type."""
        own = ((field.name, getattr(self, field.name)) for field in fields(self))
        changed: dict[str, Any] = {k: x.to(dtype) for k, x in own if isinstance(x, Tensor)}
        return replace(self, **changed)

    def in_model_axes(self, d: Tensor) -> Tensor:
        """Displacements (..., 2) along rows and columns, mm → (..., 2) along H and W, mm."""
        return d @ self.directions.to(d.dtype)

    def in_slice_axes(self, moved: Tensor) -> Tensor:
        """Displacements (..., 2) along H and W, mm → (..., 2) along rows and columns, mm."""
        return moved @ torch.linalg.inv(self.directions).to(moved.dtype)

    @cached_property
    def directions(self) -> Tensor:
        """(2, 2) unit vectors (H, W) from one row to the next and from one column to the next."""
        return torch.stack(
            [self.row_step / self.row_step.norm(), self.column_step / self.column_step.norm()]
        )

    def shift(self, d: Tensor) -> Tensor:
        """How far what slices show under d (..., K, 2) lies from their `pixels`, to be subtracted:
        d itself, less the slices' offsets, along H and W, mm."""
        moved = self.in_model_axes(d)
        return moved if self.offset is None else moved - self.offset.to(d.dtype)

    def pixels(self) -> Tensor:
        """In-plane pixel positions (H, W) of a slice without offset: (h, w, 2), mm."""
        h, w = self.shape
        rows = torch.arange(h, dtype=self.origin.dtype)[:, None, None] * self.row_step
        columns = torch.arange(w, dtype=self.origin.dtype)[None, :, None] * self.column_step
        return self.origin + rows + columns

    @cached_property
    def normalised_pixels(self) -> Tensor:
        """`pixels` as `grid_sample` wants them: (W, H), the box's outer faces at ±1."""
        return (self.pixels() / torch.tensor(HALF_EXTENT[1:], dtype=self.origin.dtype)).flip(-1)

    def pixel_index(self, positions: Tensor) -> Tensor:
        """In-plane positions (..., 2) along (H, W), mm → fractional rows and columns (..., 2).

        Of a slice without offset; from positions in another one its offset is to be subtracted.
        """
        steps = torch.stack([self.row_step, self.column_step]).to(positions.dtype)
        return (positions - self.origin) @ torch.linalg.inv(steps)

    def nearest_pixel(self, positions: Tensor) -> Tensor:
        """The pixel (..., 2) whose area holds each position, −1 outside; else as `pixel_index`."""
        index = self.pixel_index(positions).round().long()
        inside = ((index >= 0) & (index < torch.tensor(self.shape))).all(-1, keepdim=True)
        return torch.where(inside, index, -1)

    def nearest_slice(self, z: Tensor) -> Tensor:
        """The slice nearest to each position along D, mm; −1 over half a gap beyond the stack."""
        beyond = torch.maximum(self.z.min() - z, z - self.z.max())
        nearest = (z[..., None] - self.z).abs().argmin(-1)
        return torch.where(beyond <= self.gap / 2 + 1e-6, nearest, -1)

    def extent(self, d: Tensor) -> Tensor:
        """Least and greatest (H, W) of what the pixels show under d (B, K, 2): (2, 2), mm."""
        h, w = self.shape
        rows, columns = (h - 1) * self.row_step, (w - 1) * self.column_step
        corners = self.origin + torch.stack([0 * rows, rows, columns, rows + columns])
        shown = (corners.to(d.dtype) - self.shift(d)[..., None, :]).flatten(0, -2)
        return torch.stack([shown.amin(0), shown.amax(0)])

    def points(self, d: Tensor | None = None) -> Tensor:
        """The points of the heart that the stack's voxels show, (K, h, w, 3).

        With d (B, K, 2), mm, (B, K, h, w, 3): a displaced slice shows at x what lies at x − d.
        """
        z = self.z[:, None, None, None].expand(self.K, *self.shape, 1)
        if d is None:
            return torch.cat([z, self.pixels() + self.offsets[:, None, None]], dim=-1)
        moved = self.pixels().to(d.dtype) - self.shift(d)[:, :, None, None, :]
        return torch.cat([z.to(d.dtype).expand(len(d), *z.shape), moved], dim=-1)


HR_GRID = Stack.from_hr(step=1, first=0)
"""The planes and pixels of the HR grid: a stack of 64 slices, 2 mm apart."""


def sample(field: Tensor, points: Tensor, each: bool = False) -> Tensor:
    """Trilinear interpolation of a field at physical points, clamped at the box's border.

    A field (B, C, D', H', W') on any lattice that fills the box, at points (..., 3), mm in the
    model's frame and the same for the whole batch, gives (B, C, ...). With `each`, points are
    (B, ..., 3), of each of the batch its own.
    """
    batch, channels = field.shape[:2]
    extent = torch.tensor(HALF_EXTENT, dtype=field.dtype)
    normalised = (points.to(field.dtype) / extent).flip(-1)
    own = normalised if each else normalised[None]
    grid = own.flatten(1, -2)[:, None, None].expand(batch, -1, -1, -1, -1)
    values = F.grid_sample(field, grid, padding_mode="border", align_corners=False)
    return values.reshape(batch, channels, *own.shape[1:-1])


def lattice_index(position: Tensor, axis: int, size: int) -> Tensor:
    """Position along an axis, mm → fractional index on a lattice of `size`, clamped."""
    half = HALF_EXTENT[axis]
    return ((position + half) * (size / (2 * half)) - 0.5).clamp(0, size - 1)


def hat(index: Tensor, size: int) -> Tensor:
    """Linear interpolation as a matrix: (...) fractional indices → (..., size) weights."""
    nodes = torch.arange(size, dtype=index.dtype)
    return (1 - (index[..., None] - nodes).abs()).clamp_min(0)


def downsample(field: Tensor, stack: Stack) -> Tensor:
    """↓_s of Eq. 1: the field (B, C, D', H', W') on the planes of the slices, (B, C, K, H', W').

    >>> sr.downsample(G.decode(step.z), sr.Stack.from_hr()).shape
    torch.Size([1, 4, 13, 64, 64])

    s = [5, 1, 1] thins out D alone, so in-plane the lattice stays as it is.
    """
    return planes_at(field, lattice_index(stack.z.to(field.dtype), 0, field.shape[2]))


def interpolator(stack: Stack, positions: Tensor) -> Callable[[Tensor], Tensor]:
    """Bilinear interpolation of pictures at in-plane positions, clamped at their border.

    Pictures (K, C, h, w) at the stack's pixels, at positions (h', w', 2) along (H, W), mm, or
    (K, h', w', 2) where each picture has its own, give (K, C, h', w').
    """
    if stack.offset is not None:
        positions = positions - stack.offset[:, None, None].to(positions.dtype)
    size = torch.tensor(stack.shape, dtype=positions.dtype)
    grid = ((2 * stack.pixel_index(positions) + 1) / size - 1).flip(-1)

    def read(images: Tensor) -> Tensor:
        at = grid.to(images.dtype).expand(len(images), -1, -1, -1)
        return F.grid_sample(images, at, padding_mode="border", align_corners=False)

    return read


def move(planes: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """M_d of Eq. 1: each slice displaced in its plane, read at the stack's pixels.

    >>> planes = sr.downsample(G.decode(step.z), problem.stack)
    >>> sr.move(planes, problem.stack, step.d).shape[:3]
    torch.Size([1, 4, 13])

    Planes (B, C, K, H', W') from `downsample` and displacements d (B, K, 2) along rows and columns,
    mm, give (B, C, K, h, w). Bilinear, never nearest: with nearest neighbours the gradient with
    respect to d is zero.
    """
    batch, channels, K, height, width = planes.shape
    extent = torch.tensor(HALF_EXTENT[1:], dtype=d.dtype)
    shift = (stack.shift(d) / extent).flip(-1)[:, :, None, None]
    grid = (stack.normalised_pixels.to(d.dtype) - shift).to(planes.dtype)
    grid = grid.expand(batch, -1, -1, -1, -1).flatten(0, 1)
    images = planes.transpose(1, 2).reshape(batch * K, channels, height, width)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return moved.reshape(batch, K, channels, *stack.shape).transpose(1, 2)


def move_at(planes: Tensor, stack: Stack, d: Tensor, k: Tensor, pixels: Tensor) -> Tensor:
    """`move`, but read at some pixels only, (B, C, N): at `pixels` (N, 2) of slices k (N,).

    These are positions (H, W) among `Stack.pixels`, mm.
    """
    batch, channels, K, height, width = planes.shape
    # Gathering has the quickest gradient of all ways to repeat each slice's shift.
    shift = stack.shift(d).gather(1, k[:, None].expand(batch, -1, 2))
    at = pixels.to(d.dtype) - shift
    row, column = (lattice_index(at[..., i], 1 + i, n) for i, n in enumerate((height, width)))
    # One picture of all planes, each below the one before.
    grid = torch.stack([(2 * column + 1) / width, (2 * (row + k * height) + 1) / (K * height)], -1)
    picture = planes.reshape(batch, channels, K * height, width)
    grid = (grid - 1).to(planes.dtype)[:, None]
    values = F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    return values[:, :, 0]


def degrade(field: Tensor, stack: Stack, d: Tensor) -> Tensor:
    """Eq. 1 without ε: M_d(↓_s field), class logits (B, C, K, h, w).

    >>> stack = sr.Stack.from_hr()
    >>> d = sr.Motion.draw(stack.K, seed=0).displacement(4)
    >>> sr.degrade(G.decode(step.z), stack, d).argmax(1)[0].shape
    torch.Size([13, 128, 128])
    """
    return move(downsample(field, stack), stack, d)


@dataclass(frozen=True, eq=False)
class Motion:
    """Slice-wise motion, drawn once and applied at any amplitude.

    >>> motion = sr.Motion.draw(13, seed=0)
    >>> motion.displacement(4).shape  # severe, mm
    torch.Size([1, 13, 2])

    Attributes:
        direction: (K,) direction of each slice's displacement, radians from rows to columns.
        amplitude: (K,) length of each slice's displacement at factor 1, mm.
    """

    direction: np.ndarray
    amplitude: np.ndarray

    @classmethod
    def draw(cls, K: int, seed: int) -> "Motion":
        """Independent slices: any direction, Gaussian amplitude of 2.3 ± 0.87 mm (paper, 3.2)."""
        rng = np.random.default_rng(seed)
        direction = rng.uniform(0, 2 * np.pi, K)
        return cls(direction, rng.normal(AMPLITUDE_MEAN, AMPLITUDE_SD, K))

    def displacement(self, factor: float) -> Tensor:
        """d: (1, K, 2), mm, with the amplitude multiplied by `factor` (severe motion is 4)."""
        unit = np.stack([np.cos(self.direction), np.sin(self.direction)], axis=-1)
        d = factor * self.amplitude[:, None] * unit
        return torch.tensor(d[None], dtype=torch.float32)


def one_hot_field(labels: np.ndarray) -> Tensor:
    """A label map (D, H, W) in the HR box as a field (1, 4, D, H, W) of class indicators."""
    # Not `F.one_hot`: that takes eight times the memory, and the time.
    values = torch.as_tensor(np.asarray(labels, np.uint8))[..., None]
    indicator = values == torch.arange(N_CLASSES, dtype=torch.uint8)
    return indicator.movedim(-1, 0)[None].float()


def label_noise(labels: np.ndarray, epsilon: float, seed: int) -> np.ndarray:
    """ε of Eq. 1: each voxel takes, with probability `epsilon`, an in-plane neighbour's label.

    Errors so fall where a segmentation errs, on the borders between tissues. Labels are (K, h, w).
    """
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon is a probability between 0 and 1, not {epsilon}")
    return noisy(torch.as_tensor(labels), epsilon, *noise_draws(labels.shape, seed)).numpy()


def noise_draws(shape: tuple[int, ...], seed: int) -> tuple[Tensor, Tensor]:
    """What chance decides of each voxel (K, h, w), whatever ε is: the neighbour whose label it may
    take, 0 to 3, and the number below ε with which it does."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 4, shape)), torch.from_numpy(rng.random(shape))


def noisy(labels: Tensor, epsilon: float | Tensor, which: Tensor, chance: Tensor) -> Tensor:
    """`label_noise` as `noise_draws` has it; at the border a voxel is a neighbour of itself."""
    rows = torch.cat([labels[:, :1], labels, labels[:, -1:]], 1)
    columns = torch.cat([labels[:, :, :1], labels, labels[:, :, -1:]], 2)
    around = rows[:, :-2], rows[:, 2:], columns[:, :, :-2], columns[:, :, 2:]
    copied = torch.stack(around).gather(0, which[None])[0]
    return torch.where(chance < epsilon, copied, labels)


def simulate_stack(
    S_HR: np.ndarray | Tensor, stack: Stack, d: Tensor, epsilon: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Eq. 1: the SA stack, labels (K, h, w), that a scan of a heart would show.

    The heart is its labels (D, H, W) in the HR box or their `one_hot_field`; d (1, K, 2) is mm
    along rows and columns; `epsilon` and `seed` are those of `label_noise`.
    """
    field = S_HR if isinstance(S_HR, Tensor) else one_hot_field(S_HR).to(d.dtype)
    S_LR = likeliest(degrade(field, stack, d)[0])
    return label_noise(S_LR, epsilon, seed) if epsilon else S_LR

"""Why a run goes as it goes: landscapes of L, the latent space, what data cannot tell; and
settings side by side.

Each function is given a `Watch`, which shows how far it is and can end it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.watch import Watch, WatchedGenerator
from srheart_demo.frame import LATTICE_SHAPE, TISSUES, lattice_axes, lattice_points
from srheart_demo.heart.generator import soft_volumes_ml
from srheart_demo.heart.population import VOLUME_RANGES
from srheart_demo.scan.degradation import degrade, downsample, sample
from srheart_demo.solver.algorithm import Step, latent_optimisation
from srheart_demo.solver.answer import answer
from srheart_demo.solver.losses import cross_entropy, long_axis_loss, short_axis_loss
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.search import shift_landscape
from srheart_demo.solver.settings import PRESETS, STEPS, Settings

DIRECTIONS = 8  # Principal directions of z that the views know
RANDOM_HEARTS = 48  # So many tell how much a trait varies

_Floats = NDArray[np.float32]


# -- the latent space ----------------------------------------------------------------------


def principal_directions(G: Generator, n: int) -> Tensor:
    """(n, M) unit directions of z that change hearts most, in order; rows.

    They are eigenvectors of the information that a look at a heart gives of z. Where it is not
    known, they are the first latents.
    """
    if not G.information.any():
        return torch.eye(G.latent_size)[:n]
    _, vectors = torch.linalg.eigh(G.information)
    directions = vectors.flip(1).T[:n]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign()


FEATURES = (
    "LV", "MYO", "RV", "length", "wall", "lean_rows", "lean_columns", "place_rows", "place_columns",
)  # fmt: skip
"""What a direction of z may change: volumes, the heart's length, myocardium beside LV, lean along
rows and columns, and the heart's place along them."""


@dataclass(frozen=True, eq=False)
class Direction:
    """A principal direction of z."""

    vector: Tensor  # (M,) of length 1
    changes: str  # the trait of `FEATURES` that it changes most, for how much they vary
    sign: int  # whether more of the direction is more (1) or less (-1) of the trait


@torch.no_grad()
def named_directions(G: Generator, vectors: Tensor, watch: Watch) -> list[Direction]:
    """Directions of z (n, M), each named by the trait that it changes most.

    A change is measured between −2 and 2 in units of what the trait varies over random hearts.
    """
    watched = WatchedGenerator(G, watch, RANDOM_HEARTS + 2 * len(vectors))
    zs = torch.randn(RANDOM_HEARTS, G.latent_size, generator=torch.Generator().manual_seed(0))
    varies = np.std([features(watched.decode(z[None])) for z in zs], axis=0) + 1e-9
    named = []
    for vector in vectors:
        less, more = (features(watched.decode(a * vector[None])) for a in (-2.0, 2.0))
        change = (more - less) / varies
        most = int(np.abs(change).argmax())
        named.append(Direction(vector, FEATURES[most], 1 if change[most] > 0 else -1))
    return named


def field_volumes_ml(field: Tensor) -> dict[str, float]:
    """Volumes of LV, MYO and RV of a field (1, 4, 32, 64, 64), in ml."""
    return dict(zip(TISSUES[1:], soft_volumes_ml(field)[0, 1:].tolist(), strict=True))


def features(field: Tensor) -> NDArray[np.float64]:
    """The `FEATURES` of a field (1, 4, 32, 64, 64): ml, mm, ratios, slopes, mm."""
    volumes = list(field_volumes_ml(field).values())
    D, H, W = (torch.tensor(axis, dtype=torch.float32) for axis in lattice_axes(LATTICE_SHAPE))
    labels = field[0].argmax(0)
    LV = (labels == 1).float()
    area = LV.sum((1, 2))
    seen = area > 8
    if int(seen.sum()) < 3:
        return np.array([*volumes, *[0.0] * (len(FEATURES) - len(volumes))])
    h = (LV.sum(2)[seen] @ H) / area[seen]
    w = (LV.sum(1)[seen] @ W) / area[seen]
    depth = D[seen] - D[seen].mean()
    slope = (depth @ torch.stack([h, w], 1)) / (depth @ depth)
    length = float((labels > 0).any(2).any(1).sum()) * float(D[1] - D[0])
    wall = volumes[1] / max(volumes[0], 1.0)
    return np.array([*volumes, length, wall, *slope.tolist(), float(h.mean()), float(w.mean())])


@dataclass(frozen=True, eq=False)
class Traversal:
    """Hearts along a direction of z."""

    amounts: _Floats  # (n,) steps along it, standard deviations of the prior
    volumes: dict[str, _Floats]  # tissue → (n,) ml

    def outside(self, amount: float) -> list[str]:
        """Tissues whose volume is outside its range there: that of all but 1 in 500 hearts that
        the prior learnt from."""
        return [t for t in self.volumes if self.beyond(t, np.array([amount])).any()]

    @property
    def share_outside(self) -> float:
        """Share of the way on which any volume is outside its range."""
        fine = np.linspace(self.amounts[0], self.amounts[-1], 601)
        return float(np.any([self.beyond(tissue, fine) for tissue in self.volumes], axis=0).mean())

    def beyond(self, tissue: str, amounts: NDArray[np.floating] | None = None) -> NDArray[np.bool_]:
        """Whether a volume is outside its range, at its own amounts or at others."""
        amounts = self.amounts if amounts is None else amounts
        low, high = VOLUME_RANGES[tissue]
        volumes = np.interp(amounts, self.amounts, self.volumes[tissue])
        return np.asarray((volumes < low) | (volumes > high))


@torch.no_grad()
def traverse(G: Generator, z: Tensor, vector: Tensor, watch: Watch) -> Traversal:
    """Volumes of hearts at z, its part along a direction replaced by −3 to 3."""
    amounts = np.linspace(-3, 3, 13, dtype=np.float32)
    hearts = (G.decode(along(z, vector, a)) for a in watch.each(amounts.tolist()))
    volumes = [field_volumes_ml(heart) for heart in hearts]
    along_it = {t: np.array([v[t] for v in volumes], np.float32) for t in volumes[0]}
    return Traversal(amounts, along_it)


def along(z: Tensor, vector: Tensor, amount: float) -> Tensor:
    """z (1, M) with its part along a unit direction replaced."""
    return z + (amount - z @ vector)[:, None] * vector


# -- landscapes ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LossMap:
    """L over two unknowns, the others as they are."""

    x: _Floats  # (n,) the unknowns
    y: _Floats  # (m,)
    L: _Floats  # (m, n) nats per voxel
    path: _Floats  # (steps, 2) where the run went, x and y
    truth: tuple[float, float]  # x and y of the truth, where it is known; NaN for an unknown one


@torch.no_grad()
def shift_map(
    p: Problem, steps: Sequence[Step], k: int, truth: Tensor | None, reach: float = 20.0
) -> LossMap:
    """L over slice k's displacement along columns (x) and rows (y) up to `reach` mm, by one FFT."""
    z = steps[-1].z
    likelihood = shift_landscape(p.decode(z).planes, p, reach)[k].numpy()
    row, column = p.stack.spacing
    m, n = likelihood.shape
    pixels = p.S_LR[k].numel()
    return LossMap(
        x=((np.arange(n) - n // 2) * column).astype(np.float32),
        y=((np.arange(m) - m // 2) * row).astype(np.float32),
        L=(-likelihood / pixels).astype(np.float32),
        path=np.array([step.d[0, k].flip(0).numpy() for step in steps], np.float32),
        truth=(np.nan, np.nan) if truth is None else (float(truth[0, k, 1]), float(truth[0, k, 0])),
    )


@torch.no_grad()
def valley(p: Problem, steps: Sequence[Step], vector: Tensor, k: int, watch: Watch) -> LossMap:
    """L over a direction of z (x) and slice k's displacement along columns (y).

    Everything else is as in the last step.
    """
    step = steps[-1]
    gamma = step.state.settings.gamma
    way = [(float(s.z[0] @ vector), float(s.d[0, k, 1])) for s in steps]
    path = np.array(way, np.float32)
    x = _around(path[:, 0], least=0.8, n=25)
    y = _around(path[:, 1], least=8.0, n=33)
    shifts = step.d[:, k].repeat(len(y), 1)
    shifts[:, 1] = torch.from_numpy(y)
    here, one, seen = p.stack.slices([k]), p.stack.slices([k] * len(y)), p.S_LR[k : k + 1]
    L = np.empty((len(y), len(x)), np.float32)
    for i, amount in enumerate(watch.each(x.tolist())):
        field = p.G.decode(along(step.z, vector, amount))
        whole = short_axis_loss(downsample(field, p.stack), step.d, p)
        moved = cross_entropy(degrade(field, one, shifts[None]).transpose(0, 2), seen)
        still = cross_entropy(degrade(field, here, step.d[:, k : k + 1]), seen)
        view = gamma * long_axis_loss(field, p, step.d_LA) if p.views else torch.zeros(1)
        L[:, i] = (whole + (moved - still) / p.stack.K + view).numpy()
    return LossMap(x, y, L, path, (np.nan, np.nan))


def _around(path: _Floats, least: float, n: int) -> _Floats:
    """`n` values that hold a path with room around it."""
    low, high = float(path.min()), float(path.max())
    reach = max(least, 0.75 * (high - low))
    middle = (low + high) / 2
    return np.linspace(middle - reach, middle + reach, n, dtype=np.float32)


# -- what data cannot tell -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GaugeCurve:
    """What happens to the losses when the heart moves one way and all slices the other."""

    amounts: _Floats  # (n,) mm; of a shear, at the ends of a heart of 100 mm
    loss_sa: _Floats  # (n,) nats per voxel
    loss_la: _Floats  # (n,) nats per voxel; NaN without an LA view


SHEARED_LENGTH = 100.0  # A shear's amount is how far its ends move apart over this length, mm


def gauge_shift(kind: str, amount: float, z: Tensor) -> Tensor:
    """(..., 2) displacement along H and W at positions z along D: of kind "translate" all alike, of
    "shear" growing with z."""
    if kind not in ("translate", "shear"):
        raise ValueError(f"unknown experiment {kind!r}; known: translate, shear")
    size = torch.full_like(z, amount) if kind == "translate" else amount * z / SHEARED_LENGTH
    return torch.stack([torch.zeros_like(size), size], dim=-1)


@torch.no_grad()
def gauge_heart(field: Tensor, kind: str, amount: float) -> Tensor:
    """The heart of a field (1, 4, 32, 64, 64), translated or sheared."""
    nodes = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=field.dtype)
    moved = nodes.clone()
    moved[..., 1:] -= gauge_shift(kind, amount, nodes[..., 0])
    return sample(field, moved)


@torch.no_grad()
def gauge_curve(
    p: Problem, field: Tensor, step: Step, kind: str, watch: Watch, n: int = 17
) -> GaugeCurve:
    """The losses of a heart moved by −30 to 30 mm, all slices' d moved against it.

    Long-axis views stay where the step has them, or of a step without views where their files say.
    """
    own = step.d_LA if step.d_LA.numel() else None
    amounts = np.linspace(-30, 30, n, dtype=np.float32)
    losses = []
    for amount in watch.each(amounts.tolist()):
        heart = gauge_heart(field, kind, amount)
        against = step.d - p.stack.in_slice_axes(gauge_shift(kind, amount, p.stack.z))
        la = long_axis_loss(heart, p, own).item() if p.views else np.nan
        losses.append((short_axis_loss(downsample(heart, p.stack), against, p).item(), la))
    return GaugeCurve(amounts, *np.array(losses, np.float32).T.copy())


# -- a race: all presets, or the steps from the paper's to ours, from one scan ---------------


_PRESETS = tuple(replace(preset, start="zero") for preset in PRESETS.values())
FIELDS = {"presets": _PRESETS, "steps": STEPS}
"""Who runs: the presets, all from z = d = 0, or REFERENCE and what each step adds to it."""


@dataclass(frozen=True, eq=False)
class Lane:
    """One runner of a race."""

    name: str  # of its settings
    seconds: _Floats  # (n,) solver time
    loss: _Floats  # (n,) L, nats per voxel
    motion_error: _Floats  # (n,) mm; NaN where the truth is not known
    stopped: str | None  # why it ended, or None
    # of the answer at the end, mean over tissues; NaN before that, and where the truth is not known
    dice: float = float("nan")

    @classmethod
    def of(cls, name: str, steps: Sequence[Step], scene: Scene) -> "Lane":
        """A run as far as it is."""
        table = [(step.seconds, step.loss, scene.motion_error(step.d)) for step in steps]
        seconds, loss, error = np.array(table, np.float32).T.copy()
        return cls(name, seconds, loss, error, steps[-1].stopped)


def race(
    scene: Scene,
    gamma: float,
    watch: Watch,
    show: Callable[[list[Lane]], None],
    field: Sequence[Settings] = _PRESETS,
    seconds: float = 8.0,
) -> list[Lane]:
    """All settings, each given the same solver time, `seconds` at most; `show` is called with what
    there is, now and then."""
    runs = [latent_optimisation(scene.problem, replace(each, gamma=gamma)) for each in field]
    steps, slot, lanes = [[next(run)] for run in runs], 0.0, list[Lane]()
    while slot < seconds and not all(done[-1].stopped for done in steps):
        slot += 0.1
        for run, done in zip(runs, steps, strict=True):
            while not done[-1].stopped and done[-1].seconds < slot:
                watch.tick(slot / seconds)
                done.append(next(run))
        lanes = [Lane.of(s.name, done, scene) for s, done in zip(field, steps, strict=True)]
        show(lanes)
    scored = []
    for lane, done in zip(lanes, steps, strict=True):
        dice = scene.dice(answer(done[-1], scene.problem), done[-1].d)
        scored.append(replace(lane, dice=float(np.mean([*dice.values()])) if dice else np.nan))
    return scored

"""Eq. 2: the generator G, from a latent code z ∈ R^M to a plausible heart.

G(z) is a smooth field of class logits on a coarse lattice over the HR box, not voxels: a
segmentation at any resolution, slice or plane is the field interpolated at physical points.
Neither network couples the samples of a batch nor changes between training and use.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from srheart_demo.files import as_shipped, fingerprint
from srheart_demo.frame import HALF_EXTENT, HR_SHAPE, LATTICE_SHAPE, N_CLASSES
from srheart_demo.heart.doubling import Doubling
from srheart_demo.machine import one_thread

WEIGHTS = Path(__file__).with_name("weights")
OURS = "traits"  # Name of the generator that is used where none is asked for
SEED_SHAPE = (4, 8, 8)  # The decoder's first lattice; three doublings lead to `LATTICE_SHAPE`
SEED_CELLS = math.prod(SEED_SHAPE)


@dataclass(frozen=True)
class Architecture:
    """Sizes of a generator: M, and the channels of its networks, three each."""

    latent_size: int = 64
    widths: tuple[int, ...] = (128, 48, 16)  # of the decoder from its first lattice outwards
    # of the encoder from its last lattice outwards; none where there is no encoder
    encoder_widths: tuple[int, ...] = (64, 48, 16)


class HeartGenerator(nn.Module):
    """What every generator is: a decoder, its sizes and a name."""

    information: Tensor  # (M, M) what a look at the whole lattice tells of z; see `curvature`
    coupling: Tensor  # (32, M + 2, 2) how displacements of its planes are told from z; see there
    weights: str = ""  # fingerprint of the file that it was read from
    reads_scans: bool = False  # whether its encoder was taught with scans, not whole hearts only

    def __init__(self, architecture: Architecture, name: str = OURS) -> None:
        super().__init__()
        self.architecture = architecture
        self.name = name
        c0, c1, c2 = architecture.widths
        self.decoder = nn.Sequential(
            nn.Linear(architecture.latent_size, c0 * SEED_CELLS),
            nn.SiLU(),
            nn.Unflatten(1, (c0, *SEED_SHAPE)),
            nn.ConvTranspose3d(c0, c1, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.ConvTranspose3d(c1, c2, 4, stride=2, padding=1),
            nn.SiLU(),
            Doubling(c2, N_CLASSES),
        )
        M = architecture.latent_size
        self.register_buffer("information", torch.zeros(M, M))
        self.register_buffer("coupling", torch.zeros(LATTICE_SHAPE[0], M + 2, 2))

    @property
    def latent_size(self) -> int:
        """M, the dimension of z."""
        return self.architecture.latent_size

    def decode(self, z: Tensor) -> Tensor:
        """G(z): codes (B, M) → class logits (B, 4, 32, 64, 64)."""
        field: Tensor = self.decoder(z)
        return field


def reader(widths: Sequence[int], activation: nn.Module, outputs: int) -> nn.Sequential:
    """The decoder's mirror image: class probabilities (B, 4, 32, 64, 64) → (B, outputs).

    `widths` are its channels from the last lattice outwards.
    """
    layers: list[nn.Module] = []
    for narrow, wide in pairwise((N_CLASSES, *reversed(widths))):
        layers += [nn.Conv3d(narrow, wide, 4, stride=2, padding=1), activation]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[0] * SEED_CELLS, outputs))


class EncodedGenerator(HeartGenerator):
    """A generator with an encoder, its decoder's mirror image (paper, section 2.3 and Fig. S1A).

    The networks of `betavae` and of `traits`, which differ in their training.
    """

    def __init__(self, architecture: Architecture, name: str = OURS) -> None:
        super().__init__(architecture, name)
        self.encoder = reader(architecture.encoder_widths, nn.SiLU(), 2 * self.latent_size)

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        """Class probabilities (B, 4, 32, 64, 64) → mean and log-variance of z, (B, M) each.

        Where a scan shows nothing the probabilities are zeros; see `evidence`.
        """
        mean, log_variance = self.encoder(probabilities).chunk(2, dim=1)
        return mean, log_variance


class DCGAN(HeartGenerator):
    """Generator of a DCGAN (Radford et al. 2016; paper, section 3.2); there is no encoder."""


_KINDS: dict[str, type[HeartGenerator]] = {
    "HeartGenerator": HeartGenerator,
    "EncodedGenerator": EncodedGenerator,
    "BetaVAE": EncodedGenerator,
    "DCGAN": DCGAN,
}
"""What a file of weights may hold; the first files of an encoder say BetaVAE, however trained."""


def to_labels(field: Tensor, shape: tuple[int, int, int] = HR_SHAPE) -> np.ndarray:
    """The segmentation that a field (1, 4, D', H', W') stands for, on a lattice of `shape`.

    >>> sr.to_labels(G.decode(step.z)).shape
    (64, 128, 128)
    """
    if len(field) != 1:
        raise ValueError(f"one field makes labels, not {len(field)} at once; give field[:1]")
    return likeliest(resampled(field, shape)[0])


def resampled(field: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """A field (B, C, D', H', W') on another lattice of the same box, trilinearly: first along D,
    then within the planes, in less than half of the time of both at once."""
    D, channels = field.shape[2], field.shape[1]
    index = (torch.arange(shape[0], dtype=field.dtype) + 0.5) * (D / shape[0]) - 0.5
    planes = planes_at(field, index.clamp(0, D - 1)).flatten(1, 2)
    return F.interpolate(planes, shape[1:], mode="bilinear").unflatten(1, (channels, -1))


def planes_at(field: Tensor, index: Tensor) -> Tensor:
    """Planes (B, C, K, H', W') of a field (B, C, D', H', W') at fractional indices (K,) along D."""
    last = field.shape[2] - 1
    below = index.floor().clamp(0, max(last - 1, 0)).long()
    share = (index - below)[:, None, None]
    low, high = field.index_select(2, below), field.index_select(2, (below + 1).clamp_max(last))
    return low + share * (high - low)  # not `lerp`, which has no form in ONNX


def likeliest(logits: Tensor) -> NDArray[np.uint8]:
    """The class of the greatest logit, (C, ...) → (...); the first, where several are.

    Ten times as fast as numpy's `argmax`, which looks at one voxel after the other.
    """
    greatest, *others = logits.detach().numpy()
    labels = np.zeros(greatest.shape, np.uint8)
    for label, of_class in enumerate(others, 1):
        np.maximum(labels, (of_class > greatest) * np.uint8(label), out=labels)
        greatest = np.maximum(greatest, of_class)
    return labels


def soft_volumes_ml(field: Tensor) -> Tensor:
    """Volume of each class, (B, C) ml, of class logits (B, C, D', H', W') over the HR box.

    Smooth in the field: a node belongs to the classes by their probabilities.
    """
    node = 8 * math.prod(HALF_EXTENT) / math.prod(field.shape[2:]) / 1000
    return (2 * field).softmax(1).sum((2, 3, 4)) * node


def save_weights(model: nn.Module, path: Path, card: dict[str, object]) -> None:
    """Write weights as fp16 safetensors with kind, architecture and a card in the header.

    Buffers, which are few and span many orders of magnitude, stay as they are.
    """
    tensors = {name: p.detach().half().contiguous() for name, p in model.named_parameters()}
    tensors |= {name: buffer.contiguous() for name, buffer in model.named_buffers()}
    sizes = asdict(cast(Any, model).architecture)
    header = {"architecture": json.dumps(sizes), "card": json.dumps(card)}
    save_file(tensors, path, {"kind": type(model).__name__, **header})


def read_weights(path: Path) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Kind, sizes, card and weights, in float32, of a file that `save_weights` wrote."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    sizes, card = (json.loads(header[name]) for name in ("architecture", "card"))
    return header.get("kind", ""), sizes, card, tensors


@one_thread()
def read_generator(path: Path, latent_size: int | None = None) -> HeartGenerator:
    """Read a generator that `save_weights` wrote, ready for use in float32 and frozen.

    With `latent_size`, so many leading latents are kept, the rest at zero. Those of `traits` are
    ordered by what they tell, so fewer make a coarser generator of its own. ValueError where the
    file has not so many.
    """
    kind, sizes, card, tensors = read_weights(path)
    M = sizes["latent_size"]
    if latent_size is not None and not 1 <= latent_size <= M:
        raise ValueError(f"{path.name} has {M} latents; choose 1 to {M}, not {latent_size}")
    kept = latent_size or M
    architecture = Architecture(kept, tuple(sizes["widths"]), tuple(sizes["encoder_widths"]))
    with torch.random.fork_rng(devices=()):  # Weights that are not kept are drawn.
        model = _KINDS[kind](architecture, name=path.stem)
    # Files of before there was a coupling.
    tensors.setdefault("coupling", torch.zeros(LATTICE_SHAPE[0], M + 2, 2))
    model.load_state_dict(tensors if kept == M else _leading(tensors, kept, M))
    model.weights = fingerprint(path)
    # Only the training of `traits` teaches an encoder on its own, with scans.
    model.reads_scans = "encoder_rate" in card.get("settings", {})
    model.eval().requires_grad_(False)
    # Latent by latent in memory: a product with one code is four times as fast.
    first = cast(nn.Linear, model.decoder[0])
    first.weight.data = first.weight.T.contiguous().T
    return model


def _leading(tensors: dict[str, Tensor], kept: int, M: int) -> dict[str, Tensor]:
    """Weights without the latents after the first `kept`."""
    first = {
        "decoder.0.weight": tensors["decoder.0.weight"][:, :kept],
        "information": tensors["information"][:kept, :kept],
        "coupling": tensors["coupling"][:, [*range(kept), M, M + 1]],
    }
    # The encoder's last layer gives M means, then M log-variances.
    for name in {"encoder.7.weight", "encoder.7.bias"} & tensors.keys():
        mean, log_variance = tensors[name].split(M)
        first[name] = torch.cat([mean[:kept], log_variance[:kept]])
    return tensors | first


def available() -> list[str]:
    """Names of the shipped generators."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def weights_file(name: str) -> Path:
    """Where the weights of a shipped generator lie, or else the file of this name."""
    is_other = name not in available() and Path(name).is_file()
    return Path(name) if is_other else WEIGHTS / f"{name}.safetensors"


def load_generator(name: str = OURS, latent_size: int | None = None) -> HeartGenerator:
    """A shipped generator, or one of a file of weights, frozen; see `read_generator`.

    >>> G = sr.load_generator()
    >>> G.name, G.latent_size
    ('traits', 128)

    KeyError tells of an unknown name the known ones; ValueError says that it has not so many
    latents, or that its file is damaged.
    """
    return _loaded(name, latent_size)


@cache
def _loaded(name: str, latent_size: int | None) -> HeartGenerator:
    file = weights_file(name)
    if not file.is_file():
        known = f"known: {', '.join(available())}, and files of weights (NAME.safetensors)"
        raise KeyError(f"unknown generator {name!r}; {known}")
    if name in available():
        as_shipped(file, WEIGHTS)
    return read_generator(file, latent_size)

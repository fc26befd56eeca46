"""Eq. 2: the generator G, from a latent code z ∈ R^M to a plausible heart.

G(z) is a smooth field of class logits on a coarse lattice over the HR box, not voxels: a
segmentation at any resolution, slice or plane is the field interpolated at physical points.
Neither network couples the samples of a batch nor changes between training and use.
"""

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from srheart_demo.doubling import Doubling
from srheart_demo.frame import HR_SHAPE, N_CLASSES

WEIGHTS = resources.files("srheart_demo") / "weights"
SEED_SHAPE = (4, 8, 8)
"""The decoder's first lattice; three doublings lead to `LATTICE_SHAPE`."""
SEED_CELLS = math.prod(SEED_SHAPE)


@dataclass(frozen=True)
class Architecture:
    """Sizes of a generator.

    Attributes:
        latent_size: M.
        widths: channels of the decoder from its first lattice outwards, three.
        encoder_widths: channels of the encoder from its last lattice outwards, three; none
            where there is no encoder.
    """

    latent_size: int = 64
    widths: tuple[int, ...] = (128, 48, 16)
    encoder_widths: tuple[int, ...] = (64, 48, 16)


class HeartGenerator(nn.Module):
    """What every generator is: a decoder, its sizes and a name."""

    def __init__(self, architecture: Architecture, name: str) -> None:
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

    @property
    def latent_size(self) -> int:
        """M, the dimension of z."""
        return self.architecture.latent_size

    def decode(self, z: Tensor) -> Tensor:
        """G(z): codes (B, M) → class logits (B, 4, 32, 64, 64)."""
        field: Tensor = self.decoder(z)
        return field


class BetaVAE(HeartGenerator):
    """β-VAE of hearts (Higgins et al. 2017; paper, section 2.3 and Fig. S1A)."""

    def __init__(self, architecture: Architecture | None = None, name: str = "betavae") -> None:
        super().__init__(architecture or Architecture(), name)
        e0, e1, e2 = self.architecture.encoder_widths
        self.encoder = nn.Sequential(
            nn.Conv3d(N_CLASSES, e2, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv3d(e2, e1, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv3d(e1, e0, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(e0 * SEED_CELLS, 2 * self.latent_size),
        )

    def encode(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        """Class probabilities (B, 4, 32, 64, 64) → mean and log-variance of z, (B, M) each.

        Where a scan shows nothing the probabilities are zeros; see `encoding`.
        """
        mean, log_variance = self.encoder(probabilities).chunk(2, dim=1)
        return mean, log_variance


class DCGAN(HeartGenerator):
    """Generator of a DCGAN (Radford et al. 2016; paper, section 3.2); there is no encoder."""

    def __init__(self, architecture: Architecture | None = None, name: str = "dcgan") -> None:
        super().__init__(architecture or Architecture(encoder_widths=()), name)


KINDS: dict[str, type[BetaVAE] | type[DCGAN]] = {kind.__name__: kind for kind in (BetaVAE, DCGAN)}
"""What a file of weights may hold."""


def to_labels(field: Tensor, shape: tuple[int, int, int] = HR_SHAPE) -> np.ndarray:
    """The segmentation that a field (1, 4, D', H', W') stands for, on a lattice of `shape`."""
    logits = F.interpolate(field, size=shape, mode="trilinear", align_corners=False)
    return logits[0].argmax(0).numpy().astype(np.uint8)


def save_generator(model: HeartGenerator, path: Path, card: dict[str, object]) -> None:
    """Write weights as fp16 safetensors with kind, architecture and a card in the header."""
    tensors = {name: p.detach().half().contiguous() for name, p in model.state_dict().items()}
    metadata = {
        "kind": type(model).__name__,
        "architecture": json.dumps(asdict(model.architecture)),
        "card": json.dumps(card),
    }
    save_file(tensors, path, metadata)


def read_generator(path: Path) -> HeartGenerator:
    """Read weights written by `save_generator`, ready for use in float32 and frozen."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    sizes = json.loads(metadata["architecture"])
    architecture = Architecture(
        sizes["latent_size"], tuple(sizes["widths"]), tuple(sizes["encoder_widths"])
    )
    model = KINDS[metadata["kind"]](architecture, name=path.stem)
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return model.eval().requires_grad_(False)


def available() -> list[str]:
    """Names of the shipped generators."""
    return sorted(
        p.name.removesuffix(".safetensors")
        for p in WEIGHTS.iterdir()
        if p.name.endswith(".safetensors")
    )


@cache
def load_generator(name: str = "betavae") -> HeartGenerator:
    """A shipped generator, frozen.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    if name not in available():
        raise KeyError(f"unknown generator {name!r}; known: {', '.join(available())}")
    with resources.as_file(WEIGHTS / f"{name}.safetensors") as path:
        return read_generator(path)

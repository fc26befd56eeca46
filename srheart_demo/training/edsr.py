"""The training of the baseline EDSR: scans and their hearts, at one level of motion."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.generator import save_weights
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, degrade, downsample
from srheart_demo.solver.baselines import edsr
from srheart_demo.training.betavae import dice_of, soft_cross_entropy
from srheart_demo.training.hearts import VALIDATION_SEED, StoredHearts, displacements, make_hearts
from srheart_demo.training.loop import Training, TrainingSettings

WINDOW = 96  # Rows and columns of the part of a scan that a step learns from, HR pixels: 120 mm
QUALITY_HEARTS = 30  # Held-out hearts that the card judges the network by
JITTER = 5.0  # Greatest shift of the slices along D, mm


@dataclass(frozen=True)
class EDSRSettings(TrainingSettings):
    """Training of one EDSR."""

    hearts: int = 4000
    steps: int = 2700
    batch: int = 2
    level: str = "none"  # of the motion, one of `degradation.MOTION_LEVELS`
    learning_rate: float = 1e-3  # Adam's peak
    clip: float = 1.0  # greatest norm of the gradient
    start: str | None = None  # file of weights to go on from, of the same sizes
    architecture: edsr.EDSRArchitecture = edsr.EDSRArchitecture()

    def training(self) -> "EDSRTraining":
        """The network's."""
        return EDSRTraining(self)


class EDSRTraining(Training[EDSRSettings]):
    """One Adam on cross-entropy."""

    def __init__(self, settings: EDSRSettings) -> None:
        super().__init__(settings)
        self.network = edsr.EDSR(settings.architecture)
        if settings.start is not None:
            self.network.load_state_dict(edsr.read_edsr(Path(settings.start)).state_dict())
        self.learns("network", self.network, settings.learning_rate)

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Scan, restore, descend."""
        scan, target = pairs(batch.probabilities(), self.settings.level, rng)
        rows, columns = (window(target.amax((0, 2, axis)), rng) for axis in (4, 3))
        scan = scan[..., rows, columns]
        target = target[..., halved(rows), halved(columns)]
        loss = soft_cross_entropy(self.compute(self.network, scan), target) / len(batch)
        return {"cross-entropy": self.descend("network", loss, self.settings.clip)}

    @torch.no_grad()
    def quality(self) -> dict[str, float]:
        """Dice of held-out hearts on the answer's lattice, at the level of the training."""
        held_out = make_hearts(QUALITY_HEARTS, VALIDATION_SEED)
        rng = torch.Generator().manual_seed(VALIDATION_SEED)
        answers = []
        for i in range(QUALITY_HEARTS):
            scan, target = pairs(held_out[i : i + 1].probabilities(), self.settings.level, rng)
            answers.append((self.network(scan).argmax(1), target.argmax(1)))
        return dice_of(answers)

    def write(self, folder: Path, card: dict[str, object]) -> Path:
        """The network, named by its level."""
        path = folder / f"{self.settings.level}.safetensors"
        save_weights(self.network, path, card)
        return path


def pairs(hearts: Tensor, level: str, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Scans of hearts (B, 4, 32, 64, 64) and what an EDSR should make of them.

    One-hot labels (B, 4, 13, 128, 128), of slices that lie and are displaced as `rng` has it, and
    class probabilities (B, 4, 65, 64, 64) at the nodes of the network's answer.
    """
    stack = Stack.from_hr()
    shift = JITTER * (2 * torch.rand((), generator=rng) - 1)
    stack = replace(stack, z=stack.z + shift)
    d = displacements(torch.full((len(hearts), 1), MOTION_LEVELS[level]), stack.K, rng)
    labels = degrade(hearts, stack, d).argmax(1)
    scan = F.one_hot(labels, N_CLASSES).movedim(-1, 1).to(hearts.dtype)
    between = torch.arange(edsr.UP) * (stack.z[1] - stack.z[0]) / edsr.UP
    return scan, downsample(hearts, replace(stack, z=(stack.z[:, None] + between).flatten()))


def window(classes: Tensor, rng: torch.Generator) -> slice:
    """Where to cut a scan along one axis, anywhere that keeps all tissue, if it can be kept.

    From the greatest probability of each class at each node along the axis, (4, n), come HR pixels,
    WINDOW long.
    """
    size = WINDOW // edsr.FOLD
    furthest = classes.shape[1] * edsr.OUT_FOLD // edsr.FOLD - size
    tissue = torch.nonzero(classes[1:].amax(0) > 0.5).flatten() * edsr.OUT_FOLD // edsr.FOLD
    low = min(max(int(tissue[-1]) - size + 1, 0), furthest)
    high = min(max(int(tissue[0]), low), furthest)
    first = low + int(torch.randint(high - low + 1, (), generator=rng))
    return slice(edsr.FOLD * first, edsr.FOLD * (first + size))


def halved(pixels: slice) -> slice:
    """The same part on the answer's lattice."""
    return slice(pixels.start // edsr.OUT_FOLD, pixels.stop // edsr.OUT_FOLD)

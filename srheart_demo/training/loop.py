"""What all trainings share: a schedule, exact resume, progress.

Each step draws its random numbers from its own seed, so a step depends on the weights before it
and on nothing else that a checkpoint would have to hold.
"""

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from srheart_demo.files import atomic_path, write_text
from srheart_demo.heart.generator import HeartGenerator, save_weights
from srheart_demo.solver.curvature import coupling, information
from srheart_demo.training.hearts import StoredHearts, Told, make_hearts

INFORMATION_CODES = 8  # Codes of hearts over which the information on the latents is averaged


@dataclass(frozen=True)
class TrainingSettings(ABC):
    """What every training needs to know.

    A cosine brings learning rates down to `final_rate` of their peaks by the last step; with 1 they
    are constant. Networks that compute in bfloat16 are twice as fast on processors that have it.
    """

    population: str = "everyone"  # whose hearts to learn; one of `population.POPULATIONS`
    hearts: int = 8000  # 0.4 MB of memory each
    steps: int = 12000
    batch: int = 8  # hearts in each step
    warmup: int = 200  # steps over which the learning rates rise to their peaks
    final_rate: float = 0.01
    bfloat16: bool = False
    seed: int = 0  # of hearts, initial weights, batches and noise

    @abstractmethod
    def training(self) -> "Training[Any]":
        """What these settings are the settings of, with fresh networks."""


S = TypeVar("S", bound=TrainingSettings)


class Training(ABC, Generic[S]):
    """A way to train a network; built with torch's seed set.

    Modules and optimisers, by their names, are all that a checkpoint must hold.
    """

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.modules: dict[str, nn.Module] = {}
        self.optimisers: dict[str, torch.optim.Optimizer] = {}  # made with their peak rates
        torch.manual_seed(settings.seed)

    def learns(self, name: str, network: nn.Module, rate: float, **adam: Any) -> None:
        """A network that an Adam of the same name and this peak rate is to train."""
        self.modules[name] = network
        self.optimisers[name] = torch.optim.Adam(network.parameters(), rate, **adam)

    def prepare(self, tell: Told) -> None:
        """What must be found before the first step."""

    def stage(self, i: int) -> tuple[int, int]:
        """Which step of how many it is on the schedule of the learning rates."""
        return i, self.settings.steps

    @abstractmethod
    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Update the networks once, step `i` from 0, with `rng` for all that is drawn.

        What it returns are losses to show, by name.
        """

    @abstractmethod
    def quality(self) -> dict[str, float]:
        """What the card says of the trained model."""

    @abstractmethod
    def write(self, folder: Path, card: dict[str, object]) -> Path:
        """Write the trained weights with their card; their path."""

    def compute(self, network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """What a network makes of x, in float32, though it may compute in bfloat16."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.bfloat16):
            return network(x).float()

    def descend(self, which: str, loss: Tensor, clip: float = math.inf) -> Tensor:
        """One update by an optimiser, the gradient's norm at most `clip`; the loss, to be shown."""
        optimiser = self.optimisers[which]
        optimiser.zero_grad()
        loss.backward()
        if clip < math.inf:
            torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], clip)
        optimiser.step()
        return loss.detach()


class GeneratorTraining(Training[S]):
    """A way to train a generator; the `model`, of its `modules`, is written at the end."""

    model: HeartGenerator

    def codes(self, n: int) -> Tensor:
        """Codes (n, M) of hearts: draws from N(0, I)."""
        rng = torch.Generator().manual_seed(self.settings.seed)
        return torch.randn(n, self.model.latent_size, generator=rng)

    def write(self, folder: Path, card: dict[str, object]) -> Path:
        """The generator, with what a heart tells of each latent, and of a displacement."""
        codes = self.codes(INFORMATION_CODES)
        self.model.information.copy_(information(self.model, codes))
        self.model.coupling.copy_(coupling(self.model, codes))
        path = folder / f"{self.model.name}.safetensors"
        save_weights(self.model, path, card)
        return path


Progress = Callable[[str, int, int, dict[str, float]], None]
"""Is told the phase of a training, how many steps of how many of it are done, and losses."""


def rate(step: int, steps: int, settings: TrainingSettings) -> float:
    """Learning rate as a share of the peak: linear warm-up, cosine down to `final_rate`."""
    warm = min(1.0, (step + 1) / settings.warmup)
    cosine = (1 + math.cos(math.pi * step / steps)) / 2
    return warm * (settings.final_rate + (1 - settings.final_rate) * cosine)


def train(
    settings: TrainingSettings,
    folder: Path,
    progress: Progress | None = None,
    checkpoint_every: int = 200,
) -> Path:
    """Train, or go on from the checkpoint in `folder`; a resumed run equals an uninterrupted one.

    Writes ``checkpoint.pt`` as it goes, then the model's weights, whose path it returns, and their
    card. ValueError where the checkpoint in `folder` belongs to other settings.
    """
    training, checkpoint = settings.training(), folder / "checkpoint.pt"
    show: Progress = progress or (lambda *_: None)
    folder.mkdir(parents=True, exist_ok=True)
    first, seconds = _resume(training, checkpoint)
    if first == 0:
        training.prepare(lambda done, total: show("preparing", done, total, {}))
    n, tell = settings.hearts, lambda done, total: show("hearts", done, total, {})
    hearts = make_hearts(n, settings.seed, settings.population, tell)
    start = time.perf_counter() - seconds
    for i in range(first, settings.steps):
        for optimiser in training.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = optimiser.defaults["lr"] * rate(*training.stage(i), settings)
        rng = torch.Generator().manual_seed(settings.seed * 10_000_000 + i)
        which = torch.randint(max(n, 1), (settings.batch,), generator=rng)
        batch = hearts[which] if n else hearts  # none where a training needs none
        losses = training.step(i, batch, rng)
        seconds = time.perf_counter() - start
        if (i + 1) % checkpoint_every == 0 or i + 1 == settings.steps:
            _save(training, checkpoint, i + 1, seconds)
        shown = {name: loss.item() for name, loss in losses.items()}
        show("training", i + 1, settings.steps, shown)
    card = {"settings": asdict(settings), "seconds": seconds, **training.quality()}
    path = training.write(folder, card)
    write_text(json.dumps(card, indent=2) + "\n", path.with_suffix(".json"))
    return path


def _save(training: Training[Any], path: Path, step: int, seconds: float) -> None:
    state = {
        "settings": asdict(training.settings),
        "modules": {name: module.state_dict() for name, module in training.modules.items()},
        "optimisers": {name: o.state_dict() for name, o in training.optimisers.items()},
        "step": step,
        "seconds": seconds,
    }
    with atomic_path(path) as draft:
        torch.save(state, draft)


def _resume(training: Training[Any], path: Path) -> tuple[int, float]:
    """Load a checkpoint if there is one: the step to go on from and the seconds spent."""
    if not path.exists():
        return 0, 0.0
    try:
        state = torch.load(path, weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError):
        raise ValueError(f"{path} is damaged, or no checkpoint") from None
    if state["settings"] != asdict(training.settings):
        raise ValueError(f"{path} belongs to other settings: {state['settings']}")
    for name, module in training.modules.items():
        module.load_state_dict(state["modules"][name])
    for name, optimiser in training.optimisers.items():
        optimiser.load_state_dict(state["optimisers"][name])
    return state["step"], state["seconds"]

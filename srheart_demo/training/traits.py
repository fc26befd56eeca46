"""The training of `traits`, the default generator: the population itself says what z means.

A β-VAE (Higgins et al. 2017) minimises, per heart and in nats,

    E_q [cross-entropy of G(z) with the heart] + β KL(q(z|x) ‖ N(0, I)).

Training hearts are made of known standard normals ε, so q need not be guessed from pictures. To
second order the best q is the tempered Gaussian posterior of ε itself: along a direction of
information λ its mean is √(1 − σ²) times the heart's own coordinate and its variance is
σ² = β / (β + λ); the M directions of most information are kept. Over the population these z are
N(0, I) exactly, whatever β: draws from the prior are what the decoder was trained on.

Once the decoder is done, the image encoder learns the same q from pictures alone, by maximum
likelihood of z (the sleep phase of Hinton et al. 1995): from whole hearts, and from simulated scans
of few, displaced, noisy slices. In `betavae`, the paper's training, both networks learn
together.

The information is the Fisher information E[g gᵀ] of one voxel-wise segmentation on ε, where g is
the gradient in ε of the log-probability of labels drawn from the heart's own class probabilities.
Its leading eigenvectors are the active subspace (Constantine 2015) in the metric of cross-entropy.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.generator import Architecture, EncodedGenerator
from srheart_demo.heart.population import TRAITS_SIZE, shapes
from srheart_demo.training.betavae import encode_decode, soft_cross_entropy
from srheart_demo.training.hearts import StoredHearts, Told, simulated_scans
from srheart_demo.training.loop import GeneratorTraining, TrainingSettings

LEAST_LOG_VARIANCE = -9.0
"""Of q as the encoder guesses it; the least SD, 0.011, is far below what it can tell."""


@dataclass(frozen=True)
class TraitsSettings(TrainingSettings):
    """Training of `traits`; rates are the peaks of two Adams.

    The decoder takes four sevenths of the steps, the encoder the rest.
    """

    hearts: int = 20000
    steps: int = 42000  # of the decoder and, after that, of the encoder
    learning_rate: float = 2e-3  # of the decoder
    encoder_rate: float = 5e-4
    encoder_clip: float = 100.0  # greatest norm of its gradient; rare hearts would throw it off
    beta: float = 1.0  # how much of each direction q blurs
    information_hearts: int = 1500  # that the information of the directions is averaged over
    architecture: Architecture = Architecture(128, (64, 32, 8), (32, 48, 16))

    @property
    def decoder_steps(self) -> int:
        """Of all steps those of the decoder."""
        return round(4 * self.steps / 7)

    def training(self) -> "TraitsTraining":
        """The default generator's."""
        return TraitsTraining(self)


class TraitsTraining(GeneratorTraining[TraitsSettings]):
    """First the decoder, then the image encoder."""

    def __init__(self, settings: TraitsSettings) -> None:
        super().__init__(settings)
        self.model: EncodedGenerator = EncodedGenerator(settings.architecture)
        self.posterior = CodePosterior(settings.architecture.latent_size)
        self.modules = {"model": self.model, "posterior": self.posterior}
        self.optimisers = {
            "decoder": torch.optim.Adam(self.model.decoder.parameters(), settings.learning_rate),
            "encoder": torch.optim.Adam(self.model.encoder.parameters(), settings.encoder_rate),
        }

    def prepare(self, tell: Told) -> None:
        """Find the directions that z stands for."""
        of = self.settings
        self.posterior.fit(of.beta, of.population, of.information_hearts, of.seed, tell)

    def stage(self, i: int) -> tuple[int, int]:
        """Each network has a schedule of its own."""
        first = self.settings.decoder_steps
        return (i, first) if i < first else (i - first, self.settings.steps - first)

    def step(self, i: int, batch: StoredHearts, rng: torch.Generator) -> dict[str, Tensor]:
        """Draw z of each heart; decode it, or guess it from a picture; descend."""
        z = self.posterior.draw(batch.epsilon, rng)
        target = batch.probabilities()
        if i < self.settings.decoder_steps:
            loss = soft_cross_entropy(self.compute(self.model.decode, z), target) / len(z)
            return {"cross-entropy": self.descend("decoder", loss, clip=1e4)}
        picture, what = (simulated_scans(target, rng), "stack") if i % 2 else (target, "heart")
        mean, log_variance = self.compute(self.model.encoder, picture).chunk(2, dim=1)
        loss = gaussian_loss(mean, log_variance, z)
        return {what: self.descend("encoder", loss, clip=self.settings.encoder_clip)}

    def quality(self) -> dict[str, float]:
        """`encode_decode`, and the KL term, the same for every heart on average."""
        return {"kl": self.posterior.kl, **encode_decode(self.model, self.settings.population)}


class CodePosterior(nn.Module):
    """q(z|ε) in closed form; see the head of this module."""

    means: Tensor
    sd: Tensor

    def __init__(self, M: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(M, TRAITS_SIZE))
        self.register_buffer("sd", torch.ones(M))

    def fit(self, beta: float, population: str, hearts: int, seed: int, tell: Told) -> None:
        """Directions and their SDs, from the information of `hearts` draws."""
        M = len(self.sd)
        directions, information = informative_directions(M, population, hearts, seed, tell)
        self.sd = torch.sqrt(beta / (beta + information))
        self.means = torch.sqrt(1 - self.sd**2)[:, None] * directions

    @property
    def kl(self) -> float:
        """Mean over the population of KL(q(z|ε) ‖ N(0, I)), nats."""
        return -float(self.sd.log().sum())

    def draw(self, epsilon: Tensor, rng: torch.Generator) -> Tensor:
        """One z (B, M) of each heart ε (B, T)."""
        mean = epsilon @ self.means.T
        return mean + self.sd * torch.randn(mean.shape, generator=rng)


def gaussian_loss(mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
    """−log N(z; mean, variance) less its constant, summed over M, averaged over B; nats."""
    log_variance = log_variance.clamp_min(LEAST_LOG_VARIANCE)
    squares = (z - mean) ** 2 * torch.exp(-log_variance)
    return 0.5 * (squares + log_variance).sum(1).mean()


def informative_directions(
    M: int, population: str, hearts: int, seed: int, progress: Told | None = None, chunk: int = 8
) -> tuple[Tensor, Tensor]:
    """The M orthonormal directions of ε that segmentations tell most of, (M, T), most informative
    first, and their information (M,), nats per heart, averaged over several times T `hearts`."""
    rng = torch.Generator().manual_seed(seed)
    information = torch.zeros(TRAITS_SIZE, TRAITS_SIZE)
    for first in range(0, hearts, chunk):
        epsilon = torch.randn(
            min(chunk, hearts - first), TRAITS_SIZE, generator=rng
        ).requires_grad_()
        distances = phantom.on_lattice(shapes(epsilon, population), LATTICE_SHAPE)
        log_p = phantom.class_logits(distances).log_softmax(1)
        classes = log_p.detach().exp().movedim(1, -1).flatten(0, -2)
        labels = torch.multinomial(classes, 1, generator=rng)
        log_p.movedim(1, -1).flatten(0, -2).gather(1, labels).sum().backward()
        assert epsilon.grad is not None
        information += epsilon.grad.T @ epsilon.grad / hearts
        if progress:
            progress(first + len(epsilon), hearts)
    values, vectors = torch.linalg.eigh(information)
    return vectors.T.flip(0)[:M].contiguous(), values.flip(0)[:M].clone()

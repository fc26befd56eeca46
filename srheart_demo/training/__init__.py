"""Training networks on synthetic hearts: resumable, seeded, no patient's data."""

from srheart_demo.training.betavae import BetaVAESettings
from srheart_demo.training.dcgan import DCGANSettings
from srheart_demo.training.edsr import EDSRSettings
from srheart_demo.training.hearts import VALIDATION_SEED, make_hearts
from srheart_demo.training.loop import Progress, TrainingSettings, train
from srheart_demo.training.traits import TraitsSettings

__all__ = [
    "VALIDATION_SEED",
    "BetaVAESettings",
    "DCGANSettings",
    "EDSRSettings",
    "Progress",
    "TrainingSettings",
    "TraitsSettings",
    "make_hearts",
    "train",
]

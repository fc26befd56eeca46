"""Training networks on synthetic hearts: resumable, seeded, no patient's data."""

from srheart_demo.training.betavae import BetaVAESettings as BetaVAESettings
from srheart_demo.training.dcgan import DCGANSettings as DCGANSettings
from srheart_demo.training.edsr import EDSRSettings as EDSRSettings
from srheart_demo.training.hearts import make_hearts as make_hearts
from srheart_demo.training.loop import TrainingSettings as TrainingSettings
from srheart_demo.training.loop import train as train
from srheart_demo.training.traits import TraitsSettings as TraitsSettings

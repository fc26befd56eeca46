"""``srheart evaluate generator``: what each generator can do, as an experiment."""

import argparse

from srheart_demo.cli import chosen
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.experiment import carry_out
from srheart_demo.experiments.generators import Generators, placed_heart
from srheart_demo.heart.generator import available
from srheart_demo.heart.population import POPULATIONS


def run(options: argparse.Namespace) -> None:
    """Refuse at once what cannot be used, then measure what the folder does not hold yet."""
    populations = tuple(options.population or POPULATIONS)
    chosen.check_populations(populations)
    names, files = tuple(options.generator or available()), tuple(options.files)
    for name in names:
        chosen.generator(name)
    for path in files:
        placed_heart(path)
    if len({path.name for path in files}) < len(files):
        raise BadInput.of("same names")
    counts = options.hearts, options.draws, options.seed
    carry_out(Generators(names, populations, files, *counts), options)

"""``srheart train``: a generator, or the baseline EDSR, from synthetic hearts."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from srheart_demo import training
from srheart_demo.cli.errors import BadInput, goes_on, refused, writable
from srheart_demo.cli.progress import ProgressLine

RECIPES: dict[str, Any] = {
    "traits": training.TraitsSettings(),
    "betavae": training.BetaVAESettings(),
    "dcgan": training.DCGANSettings(),
    "edsr": training.EDSRSettings(),
}
_ALIKE = "hearts", "steps", "beta", "bfloat16", "seed", "start", "latent_size"
SETTINGS = {name: name for name in _ALIKE} | {"motion": "level"}
"""Option → the setting that it is; of a network that has none of this name it is refused."""


def run(options: argparse.Namespace) -> None:
    """Train, or go on where a stopped run left off."""
    settings = _settings(options)
    again = refused("{error}; give the same options, or another folder.", ValueError)
    writing = writable(options.output, "the training cannot write")
    with goes_on(options.output), ProgressLine() as progress, again, writing:

        def show(phase: str, done: int, total: int, losses: dict[str, float]) -> None:
            detail = ", ".join(f"{name} {_short(loss)}" for name, loss in losses.items())
            progress.update(phase, done, total, detail)

        weights = training.train(settings, options.output, show)
    print(f"Wrote {weights} and its card.")


def _settings(options: argparse.Namespace) -> training.TrainingSettings:
    settings = RECIPES[options.generator]
    if options.start is not None and not Path(options.start).is_file():
        raise BadInput.of("no weights", path=options.start)
    for name, setting in SETTINGS.items():
        if (value := getattr(options, name)) in (None, False):
            continue
        if hasattr(settings, setting):
            settings = replace(settings, **{setting: value})
        elif hasattr(settings.architecture, setting):
            sizes = replace(settings.architecture, **{setting: value})
            settings = replace(settings, architecture=sizes)
        else:
            option = name.replace("_", "-")
            raise BadInput.of("no use", option=option, generator=options.generator)
    return settings


def _short(loss: float) -> str:
    return f"{loss:.0f}" if abs(loss) >= 100 else f"{loss:.2f}"

"""``srheart train``: a generator, or the baseline EDSR, from synthetic hearts."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from srheart_demo import training
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.progress import Progress

RECIPES: dict[
    tuple[str, str],
    training.BetaVAESettings
    | training.PlainSettings
    | training.DCGANSettings
    | training.EDSRSettings,
] = {
    ("betavae", "recommended"): training.BetaVAESettings(),
    ("betavae", "plain"): training.PlainSettings(),
    ("dcgan", "recommended"): training.DCGANSettings(),
    ("edsr", "recommended"): training.EDSRSettings(),
}

ONLY = {
    "beta": ("betavae",),
    "latent_size": ("betavae", "dcgan"),
    "motion": ("edsr",),
    "start": ("edsr",),
}
"""Options that not every network has."""
FIELDS = {"motion": "level"}
"""Options whose setting goes by another name."""


def run(options: argparse.Namespace) -> None:
    """Train, or go on where a stopped run left off."""
    settings = _settings(options)
    try:
        weights = _train(settings, options.output)
    except OSError as error:
        raise BadInput(
            f"{options.output}: the training cannot write here ({error.strerror or error}); choose "
            "a folder that you may write to."
        ) from error
    except ValueError as error:
        raise BadInput(f"{error}; give the same options, or another folder.") from error
    except KeyboardInterrupt:
        print(f"\nThe same command goes on from {options.output}.", file=sys.stderr)
        raise
    print(f"Wrote {weights} and its card.")


def _settings(options: argparse.Namespace) -> training.TrainingSettings:
    generator, recipe = options.generator, options.recipe
    if (generator, recipe) not in RECIPES:
        raise BadInput(f"--recipe {recipe}: {generator} has none of this name.")
    for option, owners in ONLY.items():
        if getattr(options, option) is not None and generator not in owners:
            name = option.replace("_", "-")
            raise BadInput(f"--{name}: {generator} has no use for it; leave it out.")
    if options.start is not None and not Path(options.start).is_file():
        raise BadInput(f"--start: there is no file {options.start}; give weights of an edsr.")
    chosen = {
        FIELDS.get(option, option): getattr(options, option)
        for option in ("hearts", "steps", "beta", "bfloat16", "seed", "motion", "start")
        if getattr(options, option) is not None
    }
    settings = replace(RECIPES[generator, recipe], **chosen)
    if options.latent_size is None or isinstance(settings, training.EDSRSettings):
        return settings
    return replace(
        settings, architecture=replace(settings.architecture, latent_size=options.latent_size)
    )


def _train(settings: training.TrainingSettings, folder: Path) -> Path:
    with Progress() as progress:

        def show(state: training.Progress) -> None:
            detail = ", ".join(f"{name} {_short(loss)}" for name, loss in state.losses.items())
            progress.update(state.phase, state.done, state.total, detail)

        return training.train(settings, folder, show)


def _short(loss: float) -> str:
    return f"{loss:.0f}" if abs(loss) >= 100 else f"{loss:.2f}"

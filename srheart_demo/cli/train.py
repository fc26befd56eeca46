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


def _settings(options: argparse.Namespace) -> training.Settings:
    recipe = (options.generator, options.recipe)
    if recipe not in RECIPES:
        raise BadInput(f"--recipe {options.recipe}: {options.generator} has none of this name.")
    chosen = {
        name: getattr(options, name)
        for name in ("hearts", "steps", "beta", "bfloat16", "seed")
        if getattr(options, name) is not None
    }
    if "beta" in chosen and options.generator != "betavae":
        raise BadInput(f"--beta: {options.generator} has no KL term; leave it out.")
    if options.motion is not None:
        if options.generator != "edsr":
            raise BadInput(f"--motion: {options.generator} learns from whole hearts; leave it out.")
        chosen["level"] = options.motion
    settings = replace(RECIPES[recipe], **chosen)
    if options.latent_size is None:
        return settings
    if isinstance(settings, training.EDSRSettings):
        raise BadInput("--latent-size: edsr has no latents; leave it out.")
    return replace(
        settings, architecture=replace(settings.architecture, latent_size=options.latent_size)
    )


def _train(settings: training.Settings, folder: Path) -> Path:
    with Progress() as progress:

        def show(state: training.Progress) -> None:
            detail = ", ".join(f"{name} {_short(loss)}" for name, loss in state.losses.items())
            progress.update(state.phase, state.done, state.total, detail)

        return training.train(settings, folder, show)


def _short(loss: float) -> str:
    return f"{loss:.0f}" if abs(loss) >= 100 else f"{loss:.2f}"

"""``srheart train``: the generator, from synthetic hearts."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from srheart_demo import training
from srheart_demo.cli.errors import BadInput
from srheart_demo.cli.progress import Progress


def run(options: argparse.Namespace) -> None:
    """Train, or go on where a stopped run left off."""
    chosen = {
        name: getattr(options, name)
        for name in ("hearts", "steps", "beta", "bfloat16", "seed")
        if getattr(options, name) is not None
    }
    settings = replace(training.TrainingSettings(), **chosen)
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


def _train(settings: training.TrainingSettings, folder: Path) -> Path:
    with Progress() as progress:

        def show(state: training.Progress) -> None:
            detail = ", ".join(f"{name} {loss:.0f}" for name, loss in state.losses.items())
            progress.update(state.phase, state.done, state.total, detail)

        return training.train(settings, folder, show)

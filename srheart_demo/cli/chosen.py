"""What the options of several commands choose; what is no choice is refused (`BadInput`)."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError

from srheart_demo.cli.errors import TEXTS, BadInput, refused
from srheart_demo.files import Unusable
from srheart_demo.frame import TISSUES
from srheart_demo.heart.generator import HeartGenerator, load_generator, weights_file
from srheart_demo.heart.population import POPULATIONS
from srheart_demo.scan.labels import Convention, parse_convention
from srheart_demo.scan.placement import AUTOMATIC, ByHand
from srheart_demo.scan.read import HowToRead, is_called
from srheart_demo.solver.settings import Settings, preset


def generator(name: str) -> HeartGenerator:
    """The generator of ``--generator``: shipped, or of a file of weights."""
    weights, damage = weights_file(name), (KeyError, TypeError, RuntimeError, SafetensorError)
    what = f"{weights}: this holds no generator ({{error}}); give weights of srheart train."
    with refused(what if weights.is_file() else "--generator: {error}.", *damage):
        return load_generator(name)


def settings_of_preset(options: argparse.Namespace) -> Settings:
    """The settings of ``--preset``."""
    with refused("--preset: {error}.", KeyError):
        return preset(options.preset)


def settings(options: argparse.Namespace) -> Settings:
    """The preset, with what the options beside it change in it."""
    settings = settings_of_preset(options)
    given = {name: getattr(options, name) for name in ("gamma", "start", "seed")}
    settings = replace(settings, **{name: x for name, x in given.items() if x is not None})
    if options.trust_views:
        settings = replace(settings, moving_views=False)
    if options.seed is not None and settings.start != "random":
        raise BadInput.of("no seed")
    return replace(settings, residual=False) if options.no_residual else settings


def reading(options: argparse.Namespace) -> HowToRead:
    """What the options say of how files are read; a cohort has fewer of them."""
    corrected = hasattr(options, "turn")
    return HowToRead(
        convention=convention(options),
        view_convention=convention(options, "view_labels"),
        frame=getattr(options, "frame", None),
        view_frame=getattr(options, "view_frame", None),
        view_lacks=tuple(_lacking(words) for words in options.view_lacks or ()),
        slice_axis=options.slice_axis,
        by_hand=ByHand(options.turn, options.flip, options.mirror) if corrected else AUTOMATIC,
        unlabelled=options.unlabelled,
        sure=options.trust_spacing,
    )


def _lacking(words: str) -> tuple[str, str]:
    """``RV`` → of all views, ``VIEW=RV`` → of those of that name: name or pattern, and tissue."""
    view, _, tissue = words.rpartition("=")
    if tissue not in TISSUES[1:]:
        raise BadInput.of("no tissue", tissue=tissue, known=", ".join(TISSUES[1:]))
    return view or "*", tissue


def check_view_names(how: HowToRead, views: Iterable[str | Path]) -> None:
    """Refuse a ``--view-lacks`` of a view that there is not."""
    names = {os.path.basename(view) for view in views}
    for pattern, _ in how.view_lacks:
        if pattern != "*" and not any(is_called(name, pattern) for name in names):
            there = ", ".join(sorted(names)) or "none"
            raise BadInput.of("no such view", pattern=pattern, there=there)


def check_populations(names: Iterable[str]) -> None:
    """Refuse names that no population has, and list the known ones."""
    if unknown := set(names) - set(POPULATIONS):
        found, known = ", ".join(sorted(unknown)), ", ".join(POPULATIONS)
        raise BadInput.of("unknown population", unknown=found, known=known)


def convention(options: argparse.Namespace, of: str = "labels") -> Convention | None:
    """What ``--labels`` says, or ``--view-labels``; None where it was not given."""
    words = getattr(options, of)
    with refused(f"--{of.replace('_', '-')}: {{error}}.", ValueError):
        return None if words is None else parse_convention(words, of == "view_labels")


def refusal(error: Unusable, options: argparse.Namespace) -> str:
    """Why a file cannot be used, with the option of this command that would help."""
    option = TEXTS["remedies"].get(error.remedy, "")
    known = option and hasattr(options, option.split()[0].removeprefix("--").replace("-", "_"))
    return f"{str(error).removesuffix('.')} ({option})." if known else str(error)

"""``srheart cohort``: every scan of a folder.

Exit status 1: some scan failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from srheart_demo.cli.errors import BadInput, check_installed
from srheart_demo.cli.output import writable
from srheart_demo.cli.progress import Progress
from srheart_demo.cli.scan import chosen_convention
from srheart_demo.cli.settings import chosen_settings
from srheart_demo.cohort import (
    SUMMARY,
    Execute,
    Recipe,
    Record,
    Subject,
    UnusableCohort,
    find_subjects,
    restore_all,
    summarise,
    unfinished,
)
from srheart_demo.workers import NoCluster, cores, in_cluster, in_processes

SOME_FAILED = 1


def run(options: argparse.Namespace) -> None:
    """Restore what is not done yet, and sum up."""
    # The workers of a cluster may run in other folders.
    folder, out = options.input.absolute(), options.output.absolute()
    recipe = Recipe(
        out, chosen_settings(options), not options.no_surface, chosen_convention(options)
    )
    execute = _executor(options)
    try:
        with writable(out):
            subjects = find_subjects(folder, out)
            out.mkdir(parents=True, exist_ok=True)
            records = _restore(recipe, subjects, execute)
    except (UnusableCohort, NoCluster) as error:
        raise BadInput(str(error)) from error
    failed = sum(record.status == "failed" for record in records)
    print(f"{len(records) - failed} of {len(records)} scans restored; see {out / SUMMARY}.")
    if failed:
        print(f"{failed} failed; the same command tries them again.", file=sys.stderr)
        sys.exit(SOME_FAILED)


def _executor(options: argparse.Namespace) -> Execute:
    if not options.scheduler:
        return partial(in_processes, processes=options.jobs or cores())
    check_installed("cohort", "--scheduler")
    return partial(in_cluster, scheduler=options.scheduler)


def _restore(recipe: Recipe, subjects: Sequence[Subject], execute: Execute) -> list[Record]:
    """The records of all subjects, of whom those are restored that were not."""
    with Progress() as progress:
        todo = unfinished(recipe, subjects, lambda n: progress.update("checking", n, len(subjects)))
        try:
            with closing(restore_all(recipe, todo, execute)) as ended:
                progress.update("restoring", 0, len(todo))
                for n, record in enumerate(ended, start=1):
                    if record.status == "failed":
                        progress.say(record.message)
                    progress.update("restoring", n, len(todo))
        except KeyboardInterrupt:
            progress.say(f"The same command goes on from {recipe.out}.")
            raise
        finally:
            records = summarise(recipe, subjects)
    return records

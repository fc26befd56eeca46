"""``srheart cohort``: every scan of a folder.

Exit status 1: some scan failed. A heart that is not to be trusted is no failure, as trying again
helps nothing: the last line counts those, and the summary names them.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from srheart_demo.cli import chosen
from srheart_demo.cli.errors import BadInput, check_installed, goes_on, refused, writable
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.enhancement.cohort import SUMMARY_FILE, Cohort, Execute, InWords, Record
from srheart_demo.enhancement.datasets import places
from srheart_demo.enhancement.folder import Found, find_subjects
from srheart_demo.enhancement.names import Choice, Pattern
from srheart_demo.scan.read import HowToRead
from srheart_demo.solver.workers import NoCluster, cores, in_cluster, in_processes

SOME_FAILED = 1


def run(options: argparse.Namespace) -> None:
    """Restore what is not done yet, and sum up; or only say what would be done."""
    if not (options.output or options.list):
        raise BadInput.of("no output")
    # The workers of a cluster may run in other folders.
    folder = options.input.absolute()
    out = options.output and options.output.absolute()
    settings, execute = chosen.settings(options), _executor(options)
    how = chosen.reading(options)
    chosen.generator(options.generator)
    choice = [tuple(map(Pattern, p)) for p in (options.match, options.views, options.exclude)]
    with ProgressLine() as progress:
        show = partial(progress.update, "looking")
        found = find_subjects(folder, out, Choice(*choice), how.view_convention, show)
    for option, pattern in found.idle:
        why = BadInput.of("idle pattern", option=option, pattern=pattern)
        if option != "exclude":
            raise why
        print(f"Note: {why}", file=sys.stderr)
    chosen.check_view_names(how, (view for subject in found.subjects for view in subject.views))
    if options.list:
        print(*_lines(found, how), sep="\n")
        return
    if not found.subjects and not found.passed_over:
        raise BadInput.of("empty folder", folder=folder)
    if not found.subjects:
        raise BadInput.of("no stack", folder=folder, rest=found.rest)
    surface, check = not options.no_surface, not options.no_check
    cohort = Cohort(out, settings, how, surface, check, options.generator)
    if options.layout:
        places(options.layout, (subject.name for subject in found.subjects))
    records = _restore(cohort, found, execute, partial(chosen.refusal, options=options))
    if options.layout:
        with writable(cohort.out):
            kept = cohort.write_as(options.layout, records)
        print(f"Hearts as {options.layout} keeps them: {kept}")
    print(f"{_ending(records, found)}; see {out / SUMMARY_FILE}.")
    if any(record.status == "failed" for record in records):
        print("What failed is tried again by the same command.", file=sys.stderr)
        sys.exit(SOME_FAILED)


def _lines(found: Found, how: HowToRead) -> list[str]:
    """What would become of each file."""
    lines = []
    for subject in found.subjects:
        frame = "" if subject.frame is None else f", frame {subject.frame}"
        view = f", with {subject.long_axis}" if subject.long_axis else ""
        of_view = "".join(f", frame {n}" for n in {*subject.view_frames} - {None})
        lines.append(f"restore: {subject.file}{frame}{view}{of_view}")
        lines += [f"         {note}" for note in subject.notes_on(how)]
    lines += [f"pass over: {file.file}: {file.kind}: {file.why}" for file in found.passed_over]
    return [*lines, _overview(found)]


def _overview(found: Found) -> str:
    views = sum(bool(subject.views) for subject in found.subjects)
    text = f"{len(found.subjects)} to restore, {views} with a long-axis view"
    return f"{text}; passed over: {found.rest or 'nothing'}."


def _ending(records: Sequence[Record], found: Found) -> str:
    """How many became what."""
    status = Counter(record.status for record in records)
    verdict = Counter(record.verdict for record in records if record.status == "done")
    odd = {"of them not to be trusted": verdict["distrust"], "unusual": verdict["unusual"]}
    parts = [", ".join([f"{status['done']} restored", *(f"{n} {w}" for w, n in odd.items() if n)])]
    if found.rest:
        parts.append(f"passed over: {found.rest}")
    parts += [f"{status[name]} {name}" for name in ("failed", "waiting") if status[name]]
    return "; ".join(parts)


def _executor(options: argparse.Namespace) -> Execute:
    if not options.scheduler:
        return partial(in_processes, processes=options.jobs or cores())
    check_installed("cohort", "--scheduler")
    return partial(in_cluster, scheduler=options.scheduler)


def _restore(cohort: Cohort, found: Found, execute: Execute, said: InWords) -> list[Record]:
    """The records of all files, of which those subjects are restored that were not."""
    subjects = found.subjects
    away = refused("{error}", NoCluster)
    with away, goes_on(cohort.out), ProgressLine() as progress, writable(cohort.out):
        cohort.out.mkdir(parents=True, exist_ok=True)
        progress.say(_overview(found))
        todo = cohort.unfinished(subjects, lambda n: progress.update("checking", n, len(subjects)))
        try:
            with closing(cohort.restore_all(todo, execute, said)) as ended:
                progress.update("restoring", 0, len(todo))
                for n, record in enumerate(ended, start=1):
                    if record.status == "failed":
                        progress.say(record.message)
                    progress.update("restoring", n, len(todo))
        finally:
            records = cohort.summarise(found)
    return records

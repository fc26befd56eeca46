"""A cohort: every scan of a folder, each with a result folder that is whole or not there at all.

A result folder's ``record.json`` says what was made of which input, and how. So a run that was
stopped or killed goes on where it was, and the summary can be made anew from the records.
"""

import errno
import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from srheart_demo.enhancement import datasets, sentence
from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import enhance
from srheart_demo.enhancement.folder import CohortScan, Found
from srheart_demo.files import Unusable, checksum, held, whole_folder, write_csv, write_json
from srheart_demo.heart.generator import OURS, available, load_generator, weights_file
from srheart_demo.heart.measures import lv_mass_g
from srheart_demo.scan.read import AS_FOUND, HowToRead
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume, or_refusal
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.workers import Ends, WorkerDied

RECORD, SUMMARY_FILE, STAGING = "record.json", "summary.csv", ".staging"
RESULT_FILES = {RECORD, "S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl"}


@dataclass(frozen=True)
class Record:
    """What became of a subject: its row of the summary, and what it was made with.

    Files and frames are as in `CohortScan`; there is no view where it could not be used. Volumes
    are those of S_SR. The message says why it failed or was passed over, or what a user should know
    of how the scan was read and placed.
    """

    subject: str  # name of the result folder; of a file that was passed over, its own
    file: str
    long_axis: str | None
    status: str  # done, failed, waiting or passed over
    frame: int | None = None
    message: str = ""
    verdict: str | None = None  # fine, unusual or distrust, as `Trust`; None where nobody asked
    reasons: str = ""  # of the verdict, in sentences
    LV_ml: float | None = None
    MYO_ml: float | None = None
    RV_ml: float | None = None
    LV_mass_g: float | None = None  # the myocardium's
    slices: int | None = None  # that show tissue
    mean_d_mm: float | None = None  # mean length of d over them, after removing their mean d
    seconds: float | None = None  # from reading to writing
    iterations: int | None = None
    L: float | None = None  # at the end of the run
    made_with: dict[str, Any] = field(default_factory=dict)  # settings, weights, checksums of files


Execute = Callable[[Callable[[CohortScan], Record], Sequence[CohortScan]], Ends[Record]]
"""`workers.in_processes` or `workers.in_cluster`, once how many or where is given."""
InWords = Callable[[Unusable], str]  # Words why a file is refused


VERSION = version("srheart-demo")


@cache
def _weights(generator: str) -> str:
    return checksum(weights_file(generator))


@dataclass(frozen=True)
class Cohort:
    """How results are made, and where they go."""

    out: Path  # folder of all result folders
    settings: Settings
    how: HowToRead = AS_FOUND  # but for frames
    surface: bool = True  # whether to write heart.stl
    check: bool = True  # whether to ask of each heart if it is to be trusted
    generator: str = OURS  # a shipped one's name, or a file of weights
    version: str = VERSION  # of this package
    weights: str = ""  # the generator's checksum

    def __post_init__(self) -> None:
        if self.generator not in available():  # The workers of a cluster may run elsewhere.
            object.__setattr__(self, "generator", str(Path(self.generator).absolute()))
        if not self.weights:
            object.__setattr__(self, "weights", _weights(self.generator))

    def record(self, subject: CohortScan) -> Record:
        """What became of a subject made in this very way; waiting if nothing yet."""
        waiting, kept = self._record(subject, "waiting"), self.kept(subject)
        return kept if kept and kept.made_with == waiting.made_with else waiting

    def kept(self, subject: CohortScan) -> Record | None:
        """What its result folder says of a subject, in whatever way it was made."""
        try:
            text = (self.out / subject.name / RECORD).read_text("utf-8")
            return Record(**json.loads(text))
        except (FileNotFoundError, NotADirectoryError, TypeError, ValueError):
            return None  # No record, or one of a version that kept others.

    def restore(self, subject: CohortScan) -> Record:
        """Restore a subject's heart on one torch thread, and write its result folder.

        `InvalidVolume` and `Diverged` as of `enhance`; RuntimeError where this process has another
        version than that which the command has.
        """
        if (self.version, self.weights) != (VERSION, _weights(self.generator)):
            raise RuntimeError(sentence("other worker", version=self.version))
        made = self.record(subject)
        if made.status == "done":  # By a worker that died before it could say so.
            return made
        began = time.perf_counter()
        e = enhance(self._read(subject), load_generator(self.generator), self.settings)
        if self.check:
            e = judged(e)
        with whole_folder(self.out / subject.name, self.out / STAGING) as folder:
            e.write(folder, self.surface)
            used = {Path(view.name) for view in e.scan.views}
            views = [view for view in subject.views if subject.folder / view in used]
            lengths = np.linalg.norm(e.d_mean_removed[e.scan.stack.labelled], axis=1)
            found: dict[str, Any] = {f"{t}_ml": round(ml, 1) for t, ml in e.volumes_ml.items()}
            found |= {
                "long_axis": "; ".join(views) or None,
                "message": " ".join(e.scan.notes),
                "verdict": e.trust.verdict if e.trust else None,
                "reasons": " ".join(e.trust.reasons) if e.trust else "",
                "LV_mass_g": round(lv_mass_g(e.S_SR.labels, e.S_SR.spacing), 1),
                "slices": len(lengths),
                "mean_d_mm": round(float(lengths.mean()), 2),
                "seconds": round(time.perf_counter() - began, 2),
                "iterations": e.last.iteration,
                "L": round(e.last.loss, 5),
            }
            made = replace(self._record(subject, "done"), **found)
            write_json(asdict(made), folder / RECORD)
        return made

    def _read(self, subject: CohortScan) -> Scan:
        """A subject's scan; without views that are unusable, and with a note why."""
        notes, scan = subject.notes_on(self.how), or_refusal(subject.read, self.how)
        if isinstance(scan, InvalidVolume):
            alone = [or_refusal(subject.only(v).read, self.how) for v in range(len(subject.views))]
            bad = {v: why for v, why in enumerate(alone) if isinstance(why, InvalidVolume)}
            scan = subject.only(*(v for v in range(len(alone)) if v not in bad)).read(self.how)
            left_out = (f"The view {subject.views[v]} was left out: {bad[v]}" for v in bad)
            notes = (*notes, *left_out)
        return replace(scan, notes=(*notes, *scan.notes))

    def fail(self, subject: CohortScan, error: Exception, said: InWords = str) -> Record:
        """Write why there are no results, in their place; `said` words why a file is refused."""
        match error:
            case Unusable():
                message = said(error)
            case WorkerDied():
                message = f"{subject.paths[0]}: {error}."
            case _:
                message = f"{subject.paths[0]}: {type(error).__name__}: {error}"
        record = self._record(subject, "failed", message)
        with whole_folder(self.out / subject.name, self.out / STAGING) as folder:
            write_json(asdict(record), folder / RECORD)
        return record

    def _record(self, subject: CohortScan, status: str, message: str = "") -> Record:
        made_with = asdict(self) | {
            "out": None,  # Results may move.
            "how": str(subject.how(self.how)),
            "checksums": subject.checksums,
            "notes": subject.notes,
        }
        file, view, frame = subject.file, subject.long_axis, subject.frame
        as_json = json.loads(json.dumps(made_with))
        return Record(subject.name, file, view, status, frame, message, made_with=as_json)

    def unfinished(
        self, subjects: Sequence[CohortScan], watch: Callable[[int], None] = lambda n: None
    ) -> list[CohortScan]:
        """Those that are not done in this way, failed ones among them. Tells `watch` how many.

        `Unusable` where a result folder would replace one that holds other files than
        results, or results of another generator.
        """
        todo = []
        for i, subject in enumerate(subjects, start=1):
            if self.record(subject).status != "done":
                self._check_replaceable(subject)
                todo.append(subject)
            watch(i)
        return todo

    def _check_replaceable(self, subject: CohortScan) -> None:
        folder, kept = self.out / subject.name, self.kept(subject)
        ours, theirs = self.generator, kept.made_with.get("generator") if kept else None
        if theirs not in (None, ours):
            raise Unusable(sentence("other generator", folder=folder, theirs=theirs, ours=ours))
        if others := {path.name for path in folder.glob("*")} - RESULT_FILES:
            raise Unusable(sentence("other files", folder=folder, other=min(others)))

    def restore_all(
        self, subjects: Sequence[CohortScan], execute: Execute, said: InWords = str
    ) -> Generator[Record, None, None]:
        """Restore subjects, whichever of them fail; yields the record of each as it ends.

        Leaving off early leaves whole result folders, and nothing besides. One run at a time may
        write to a folder. `execute` says on what, `said` words why a file is refused. OSError where
        a disk is full: no other results could be written either.
        """
        with self._staging(), closing(execute(self.restore, subjects)) as ends:
            for i, outcome in ends:
                match outcome:
                    case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
                        raise outcome
                    case Exception():
                        outcome = self.fail(subjects[i], outcome, said)
                yield outcome

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """The folder for what is not whole yet, at first without what a killed run left.

        `Unusable` where another run is writing there.
        """
        staging = self.out / STAGING
        self.out.mkdir(parents=True, exist_ok=True)
        with held(self.out) as ours:
            if not ours:
                raise Unusable(sentence("another run", folder=self.out))
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def summarise(self, found: Found) -> list[Record]:
        """Write the summary, a row for each subject and each other file; returns the records."""
        records = [self.record(subject) for subject in found.subjects]
        for other in found.passed_over:
            why = f"{other.kind}: {other.why}"
            records.append(Record(other.file, other.file, None, "passed over", message=why))
        columns = [column.name for column in fields(Record) if column.name != "made_with"]
        write_csv(map(vars, records), columns, self.out / SUMMARY_FILE)
        return records

    def write_as(self, layout: str, records: Sequence[Record]) -> Path:
        """Write the hearts that are done in a layout of `datasets.LAYOUTS` too; returns its folder,
        which replaces that of an earlier run."""
        folder = self.out / f"S_SR_{layout}"
        done = [record.subject for record in records if record.status == "done"]
        hearts = {name: self.out / name / "S_SR.nii.gz" for name in done}
        with self._staging() as staging, whole_folder(folder, staging) as draft:
            datasets.write_dataset(layout, hearts, self.version, draft)
        return folder

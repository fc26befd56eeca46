"""What the files of a folder are: label stacks, their long-axis views, or neither.

Names say what a file may be, its content what it is. Datasets lay pictures, cines, views and labels
beside each other; whatever is no stack is passed over, and it is said why.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from srheart_demo.enhancement import WORDING, names, sentence
from srheart_demo.enhancement.datasets import LAYOUTS, Legend, Legends
from srheart_demo.files import Unusable, checksum
from srheart_demo.scan.frames import MOST_VALUES
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.nifti import load
from srheart_demo.scan.placement import same_plane
from srheart_demo.scan.read import AS_FOUND, HowToRead, read_scan, survey, survey_view
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, or_refusal

SAMPLE = 2**16  # Voxels that tell a picture from labels
REASONS: dict[str, str] = WORDING["passed over"]
"""Why files are passed over: one of them, and several."""


@dataclass(frozen=True)
class CohortScan:
    """A scan in the folder of a cohort."""

    folder: Path
    file: str  # the short-axis stack, from there
    views: tuple[str, ...] = ()  # long-axis views of it, from there
    frame: int | None = None  # which of a stack with several
    view_frames: tuple[int | None, ...] = ()  # which of each view with several
    several: bool = False  # whether other frames of the stack are scans of the cohort too
    notes: tuple[str, ...] = ()  # what a user should know of how the view was found
    legend: Legend | None = None  # what its dataset says of labels

    @property
    def name(self) -> str:
        """That of the result folder: the file's without its ending, sub-folders included."""
        return names.stem(self.file) + (f"_frame_{self.frame:03d}" if self.several else "")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The stack, and its views."""
        return tuple(self.folder / file for file in (self.file, *self.views))

    @property
    def long_axis(self) -> str | None:
        """The views in one line."""
        return "; ".join(self.views) or None

    @property
    def meaning(self) -> Convention | None:
        """What its dataset says that values mean."""
        return self.legend and self.legend.convention

    def notes_on(self, how: HowToRead) -> tuple[str, ...]:
        """Its notes, where it is read so."""
        if self.legend is None or how.convention:
            return self.notes
        return (*self.legend.notes, *self.notes)

    def how(self, how: HowToRead = AS_FOUND) -> HowToRead:
        """The same with its frames, and with what its dataset says where nothing else is said."""
        return replace(
            how,
            frame=self.frame,
            view_frame=self.view_frames,
            convention=how.convention or self.meaning,
            view_convention=how.view_convention or self.meaning,
        )

    def read(self, how: HowToRead = AS_FOUND) -> Scan:
        """The scan; `InvalidVolume` as `read_scan`."""
        return read_scan(*self.paths, how=self.how(how))

    def only(self, *views: int) -> "CohortScan":
        """The same with some of its views, which are counted from 0."""
        files = tuple(self.views[v] for v in views)
        return replace(self, views=files, view_frames=tuple(self.view_frames[v] for v in views))

    @cached_property
    def checksums(self) -> list[str]:
        """Those of its files, taken once; reading says what is wrong with one that has none."""
        sums = []
        for path in self.paths:
            try:
                sums.append(checksum(path))
            except OSError:
                sums.append("unreadable")
        return sums


class PassedOver(NamedTuple):
    """A file that is no scan: where it lies, one of `REASONS`, and why in a sentence."""

    file: str
    kind: str
    why: str


@dataclass(frozen=True)
class Found:
    """What the files of a folder are."""

    subjects: list[CohortScan]
    passed_over: list[PassedOver]
    idle: tuple[tuple[str, str], ...] = ()  # patterns that no file has, as `Choice.idle`

    @property
    def rest(self) -> str:
        """How many files of which kinds were passed over; may be empty."""
        n = Counter(passed.kind for passed in self.passed_over)
        counted = (f"{n[k]} {k if n[k] == 1 else more}" for k, more in REASONS.items() if n[k])
        return ", ".join(counted)


class Content(NamedTuple):
    """What a label map holds, at a glance."""

    frames: int = 1
    labelled: tuple[int, ...] = ()  # frames that hold labels
    is_plane: bool = False
    slices: int = 1  # across its shortest axis, that hold labels
    tissues: int = 0  # how many values it has besides 0, at most 3
    wrong: InvalidVolume | None = None  # why it cannot be used


def find_subjects(
    folder: Path,
    out: Path | None = None,
    choice: names.Choice = names.BY_ITSELF,
    view_convention: Convention | None = None,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Found:
    """What the files of a folder and of its sub-folders are, in order of their names.

    A NIfTI file of labels is a stack, or a view if it is one plane, or its name says so and it has
    labels in one slice, or three. Each frame with labels is a subject. So is what cannot be read,
    unless it is a view of a stack: trying it says what is wrong. Names that begin with a dot are
    passed over, and so is what lies in `out`, the folder of results.

    A view goes with the stack whose path has the same words, but those for short axis, long axis
    and labels; or with the only stack of its folder whose name has all words of its own, or no
    others. What the values of views mean is recognised one by one where `view_convention` does not
    say it. `watch` is told how many files of how many were looked at.

    `Unusable` where there is no such folder, or two scans would share a result folder.
    """
    root, results = folder.resolve(), out.resolve() if out else None
    if not root.exists():
        raise Unusable(sentence("no such folder", folder=folder))
    if not root.is_dir():
        raise Unusable(sentence("a file", folder=folder))
    if root == results:
        raise Unusable(sentence("among the scans", folder=out))
    files, closed = _files_in(root, results)
    sorting = _Sorting(folder, choice, view_convention, Legends(folder), passed_over=closed)
    for i, file in enumerate(files, start=1):
        sorting.take(file)
        watch(i, len(files))
    found = replace(sorting.found(), idle=tuple(choice.idle(files)))
    by_name: dict[str, str] = {}
    pairs = [(by_name.setdefault(scan.name, scan.file), scan.file) for scan in found.subjects]
    for scan in found.subjects:
        parents = map(str, PurePosixPath(scan.name).parents)
        pairs += [(by_name[parent], scan.file) for parent in parents if parent in by_name]
    for one, other in pairs:
        if one != other:
            raise Unusable(sentence("same results", folder=folder, one=one, other=other))
    return found


def _files_in(root: Path, results: Path | None) -> tuple[list[str], list[PassedOver]]:
    """Files that may be scans, in order of their names, and folders that cannot be read.

    A folder that a link leads to is entered as well, each once; `results` is not.
    """
    files: list[Path] = []
    closed: list[PassedOver] = []
    known = {root, results}

    def is_new(folder: Path) -> bool:
        real = folder.resolve()
        hidden = any(part.startswith(".") for part in real.parts[len(root.parts) :])
        its_own = folder.is_symlink() and real.is_relative_to(root) and not hidden  # found anyway
        if folder.name.startswith(".") or real in known or its_own:
            return False
        known.add(real)
        return True

    def close(error: OSError) -> None:
        place = Path(error.filename).relative_to(root).as_posix()
        closed.append(PassedOver(place, "folder that cannot be read", str(error.strerror)))

    for at, folders, held in os.walk(root, onerror=close, followlinks=True):
        folders[:] = [name for name in sorted(folders) if is_new(Path(at, name))]
        files += [Path(at, name).relative_to(root) for name in held if names.may_be_scan(name)]
    return [path.as_posix() for path in sorted(files)], closed


@dataclass
class _Sorting:
    """The files of a folder, on their way to subjects."""

    folder: Path
    choice: names.Choice
    view_convention: Convention | None
    legends: Legends
    stacks: dict[str, Content] = field(default_factory=dict)
    views: dict[str, Content] = field(default_factory=dict)
    passed_over: list[PassedOver] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """View → why it was not taken."""

    def take(self, file: str) -> None:
        """Put a file where it belongs."""
        if passed := self._by_name(file):
            self.passed_over.append(PassedOver(file, *passed))
            return
        path = self.folder / file
        content = or_refusal(_content, path)
        if isinstance(content, InvalidVolume):
            labels = names.LABEL_WORDS.search(path.name.lower())
            if content.kind and not (content.kind == "picture" and labels):
                said = self._said(content, file)
                self.passed_over.append(PassedOver(file, content.kind, said))
                return
            content = Content(wrong=content)
        if content.is_plane and self.choice.views and not self.choice.is_view(file):
            why = "no pattern of views names this plane"
            self.passed_over.append(PassedOver(file, "file left out by a pattern", why))
        elif content.is_plane or not self.choice.is_stack(file, content.slices):
            self.views[file] = content
        else:
            self.stacks[file] = content

    def _by_name(self, file: str) -> tuple[str, str] | None:
        """Kind and reason, where its name alone says that it is to be passed over."""
        path = self.folder / file
        if any(pattern.covers(file) for pattern in self.choice.exclude):
            return "file left out by a pattern", "as was asked for"
        if names.OTHER_FORMATS.search(file):
            return "file in another format", "save it as NIfTI"
        ours = names.RESULT.fullmatch(path.name) and path.with_name("d.json").exists()
        if ours or any(f"S_SR_{layout}" in file.split("/") for layout in LAYOUTS):
            return "result", "a heart that was restored, not a scan"
        if not (self.choice.is_view(file) or self.choice.is_stack(file)):
            return "file left out by a pattern", "no pattern names it"
        return None

    def _said(self, error: InvalidVolume, file: str) -> str:
        return str(error).removeprefix(f"{self.folder / file}: ").rstrip(".")

    def found(self) -> Found:
        """A subject for each frame of each stack, and the rest."""
        going = self._pairs()
        stacks = sorted(self.stacks, key=PurePosixPath)
        scans = (scan for stack in stacks for scan in self._frames(stack))
        subjects = [self._with_view(scan, going[scan.file]) for scan in scans]
        for view in self.views.keys() - {view for scan in subjects for view in scan.views}:
            why = self.left_out.get(view)
            kind = "view that was not taken" if why else "view without a stack"
            why = why or "no stack's name goes with its own"
            self.passed_over.append(PassedOver(view, kind, why))
        return Found(subjects, sorted(self.passed_over))

    def _frames(self, stack: str) -> Iterator[CohortScan]:
        content = self.stacks[stack]
        scan = CohortScan(self.folder, stack, legend=self.legends.of(stack))
        if content.wrong:
            yield replace(scan, notes=(f"It cannot be used: {self._said(content.wrong, stack)}.",))
        elif content.frames == 1:
            yield scan
        else:
            for frame in content.labelled:
                yield replace(scan, frame=frame, several=len(content.labelled) > 1)

    def _pairs(self) -> Mapping[str, list[str]]:
        """Each stack's views, the best first. One that cannot be used and has none is a stack."""
        by_key, by_folder = defaultdict(list), defaultdict(list)
        for stack in self.stacks:
            by_key[self.choice.key(stack, False)].append(stack)
            by_folder[PurePosixPath(stack).parent].append(stack)
        going = defaultdict[str, list[str]](list)
        for view in [*self.views]:
            stacks = by_key[self.choice.key(view, True)]
            if not (stacks or self.choice.views) and self.choice.is_view(view):
                beside = by_folder[PurePosixPath(view).parent]
                alike = [stack for stack in beside if names.akin(view, stack)]
                stacks = alike if len(alike) == 1 else []
            if self.views[view].wrong and not stacks:
                self.stacks[view] = self.views.pop(view)
            for stack in stacks:
                going[stack].append(view)
        for stack, views in going.items():
            views.sort(key=lambda view: self._rank(view, stack))
        return going

    def _rank(self, view: str, stack: str) -> tuple[bool, bool, int, int, str]:
        """The lower, the better: the same words, labels alike, more tissues, more chambers."""
        return (
            self.choice.key(view, True) != self.choice.key(stack, False),
            names.making_of(view) != names.making_of(stack),
            -self.views[view].tissues,
            names.chambers_rank(view),
            view,
        )

    def _with_view(self, scan: CohortScan, views: list[str]) -> CohortScan:
        """With all its views that can be used; why each of the others is not is kept.

        Of two label maps of the same plane the better is taken.
        """
        notes, taken, frames = [*scan.notes], dict[str, LabelVolume](), []
        for view in views:
            try:
                frame = self._view_frame(scan, view)
                meaning = self.view_convention or self._view_meaning(scan, view)
                volume = survey_view(self.folder / view, meaning, frame).volume
                for other, known in taken.items():
                    if same_plane(volume, known):
                        raise InvalidVolume(sentence("same plane", other=other))
            except InvalidVolume as error:
                self.left_out[view] = self._said(error, view)
                notes.append(f"The view {view} was left out: {self.left_out[view]}.")
                continue
            taken[view] = volume
            frames.append(frame)
        return replace(scan, views=tuple(taken), view_frames=tuple(frames), notes=tuple(notes))

    def _view_meaning(self, scan: CohortScan, view: str) -> Convention | None:
        """What a view's legend says; `InvalidVolume` if its stack's says another thing."""
        legend = self.legends.of(view)
        meaning = legend and legend.convention
        if (meaning and meaning.tissues) != (scan.meaning and scan.meaning.tissues):
            raise InvalidVolume(sentence("other meaning"))
        return meaning

    def _view_frame(self, scan: CohortScan, view: str) -> int | None:
        """The frame of a view that shows what the scan does; None of a view of one.

        It is `InvalidVolume` where none does, or there is no telling which.
        """
        frames, labelled, *_, wrong = self.views[view]
        if wrong:
            raise wrong
        if frames == self.stacks[scan.file].frames > 1:
            if scan.frame in labelled:
                return scan.frame
            raise InvalidVolume(sentence("empty frame", frame=scan.frame))
        if len(labelled) > 1:
            raise InvalidVolume(sentence("which frame", n=len(labelled)))
        if scan.several:
            raise InvalidVolume(sentence("which frame of the stack"))
        return None if frames == 1 else labelled[0]


def _content(path: Path) -> Content:
    """What a file holds, unpacked no farther than needed to tell."""
    labelled: list[int] = []
    values, slices = set[int](), set[int]()
    image = load(path)
    others = tuple({0, 1, 2} - {image.shape.index(min(image.shape))})
    for t, stored in image.each():
        whole = image.whole(t, stored)
        some = whole.reshape(-1)[:: max(1, whole.size // SAMPLE)]
        values |= set(np.unique(some).tolist())
        if len(values) > MOST_VALUES:
            raise InvalidVolume.of(image.name, "many values", n=MOST_VALUES)
        if here := np.flatnonzero(whole.any(axis=others)).tolist():
            labelled.append(t)
            slices |= {*here}
    if not labelled:
        raise InvalidVolume.of(image.name, "only zeros")
    is_plane, frames = 1 in image.shape, image.frames
    if len(labelled) > 1:
        seen = or_refusal(survey_view if is_plane else survey, image)
        if not isinstance(seen, InvalidVolume) or seen.kind != "several frames":
            frames, labelled = 1, [0]  # The fourth axis is not time.
    tissues = min(3, len(values - {0}))
    return Content(frames, tuple(labelled), is_plane, len(slices), tissues)

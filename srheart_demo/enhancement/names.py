"""What names of files say: of which format they are, whether they are views, and of what."""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from srheart_demo.scan.read import VIEW_SLICES

NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
OTHER_FORMATS = re.compile(
    r"\.(nrrd|nhdr|mha|mhd|img|img\.gz|mgz|mgh|mnc|gipl|dcm|ima)$", re.IGNORECASE
)
"""Endings of what may be a scan, but is not read."""
RESULT = re.compile(r"S_(SR|stack|within)\.nii\.gz", re.IGNORECASE)
"""What `Enhancement.write` calls hearts."""
CHAMBERS = r"(?:lax?|a)?[-_ ]?([234]|two|three|four)[-_ ]?(?:ch|chambers?)"
CHAMBER_VIEW, SHORT_AXIS_WORDS, LONG_AXIS_WORDS, LABEL_WORDS = (
    re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])")
    for words in (
        CHAMBERS,
        "sax?|shax|short[-_ ]?axis",
        f"{CHAMBERS}|lax?|hla|vla|long[-_ ]?axis",
        r"gt|d?seg\d*|segmentations?|labels?|masks?|pred(?:iction)?s?",
    )
)
"""Words in small letters, told apart by anything but letters and digits."""
PREFERENCE = ("4", "four", "", "3", "three", "2", "two")
"""Of views, by their chambers: four of them show most of both ventricles."""


@dataclass(frozen=True)
class Pattern:
    """A pattern of names, without regard to case; it need not have their ending.

    ``*`` and ``?`` are those of a shell, ``**`` is any number of folders, and ``{}`` what the names
    of a view and of its stack have in common. A pattern without ``/`` is of the file's name, one
    with ``/`` of its path, from any folder on.
    """

    text: str

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{}": "([^/]+?)"}
        parts = re.split(r"(\*\*/|\*\*|\*|\?|\{\})", self.text.lower())
        return re.compile("(?:.*/)?" + "".join(meaning.get(p, re.escape(p)) for p in parts))

    def shared(self, file: str) -> tuple[str, ...] | None:
        """What ``{}`` stands for in a path that has the pattern; None if it has not."""
        path = file.lower()
        found = self._expression.fullmatch(path) or self._expression.fullmatch(stem(path))
        return found and found.groups()

    def covers(self, file: str) -> bool:
        """Whether a path, or a folder on its way, has the pattern."""
        path = PurePosixPath(file)
        return any(self.shared(str(part)) is not None for part in (path, *path.parents[:-1]))


@dataclass(frozen=True)
class Choice:
    """Which files are what, where names and content do not say it."""

    match: tuple[Pattern, ...] = ()  # of stacks; by default, all but views are stacks
    views: tuple[Pattern, ...] = ()  # by default, names say which they are and whose
    exclude: tuple[Pattern, ...] = ()  # of files and folders that are neither

    def is_view(self, file: str) -> bool:
        """Whether a file's name is that of a long-axis view."""
        name = PurePosixPath(file).name.lower()
        if self.views:
            return any(pattern.shared(file) is not None for pattern in self.views)
        return bool(LONG_AXIS_WORDS.search(name) and not SHORT_AXIS_WORDS.search(name))

    def is_stack(self, file: str, slices: int = 1) -> bool:
        """Whether a file is a short-axis stack by its name, or by its `slices` with labels."""
        if self.match:
            return any(pattern.shared(file) is not None for pattern in self.match)
        return not self.is_view(file) or (not self.views and slices not in VIEW_SLICES)

    def idle(self, files: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Which of its patterns no file has: what they choose, as its attribute, and their text."""
        for name in ("match", "views", "exclude"):
            for pattern in getattr(self, name):
                found = (
                    pattern.covers(f) if name == "exclude" else pattern.shared(f) is not None
                    for f in files
                )
                if not any(found):
                    yield name, pattern.text

    def key(self, file: str, of_view: bool) -> Hashable:
        """What a view and its stack have in common."""
        path = PurePosixPath(stem(file.lower()))
        if not any("{}" in pattern.text for pattern in self.views):
            return tuple(words for part in path.parts if (words := words_of(part)))
        patterns = self.views if of_view else self.match
        found = (pattern.shared(file) for pattern in patterns if "{}" in pattern.text)
        shared = next((found for found in found if found), (path.name,))
        by_path = any("/" in pattern.text for pattern in (*self.views, *self.match))
        return shared if by_path else (*shared, path.parent)


BY_ITSELF = Choice()


def may_be_scan(name: str) -> bool:
    """Whether a file's name has the ending of a scan's, and does not begin with a dot."""
    ends_so = NIFTI.search(name) or OTHER_FORMATS.search(name)
    return bool(ends_so) and not name.startswith(".")


def words_of(name: str) -> tuple[str, ...]:
    """Those of a name but for short axis, long axis and labels."""
    for words in (SHORT_AXIS_WORDS, LONG_AXIS_WORDS, LABEL_WORDS):
        name = words.sub(" ", name)
    return tuple(re.findall(r"[^\W_]+", name))


def making_of(file: str) -> set[str]:
    """Words for how the labels of a file were made, such as gt or seg."""
    words = LABEL_WORDS.findall(PurePosixPath(file).name.lower())
    return {word.rstrip("0123456789") for word in words}


def chambers_rank(view: str) -> int:
    """The lower, the more of both ventricles a view of this name shows."""
    chambers = CHAMBER_VIEW.search(PurePosixPath(view).name.lower())
    return PREFERENCE.index(chambers[1] if chambers else "")


def akin(view: str, stack: str) -> bool:
    """Whether one of two names has all words of the other."""
    one, other = (set(words_of(PurePosixPath(stem(file.lower())).name)) for file in (view, stack))
    return one <= other or other <= one


def stem(file: str) -> str:
    """A path without the ending of NIfTI files."""
    return NIFTI.sub("", file)

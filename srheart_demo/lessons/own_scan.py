"""Lesson 9: its scan, which is stored as a stranger might store it, its checks and pictures."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from matplotlib.figure import Figure
from nibabel.affines import from_matvec
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from srheart_demo.dashboard.theme import MUTED
from srheart_demo.enhancement import check as check
from srheart_demo.enhancement import cycle as cycle
from srheart_demo.lessons import pictures as pictures
from srheart_demo.lessons.pictures import Labels, finish, grid, lengthwise, show_labels
from srheart_demo.lessons.truth import nearest as nearest
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.volume import LabelVolume

Affine = NDArray[np.float64]
Stored = NDArray[np.integer]

_FOLDERS: list[TemporaryDirectory[str]] = []
ACDC = np.array([0, 3, 2, 1], np.uint8)  # Our label → ACDC's: 3 LV, 2 MYO, 1 RV
AXES = np.array([[1, -1], [2, 1], [0, -1]])
"""Where D, H and W go, and which run backwards, as `nibabel.orientations` has it."""


def disguised(frames: Sequence[LabelVolume], path: Path, affine: Affine | None = None) -> Path:
    """Store a stack with its axes in another order and ACDC's labels, voxels where they were.

    Several stacks, of one shape and place, become a fourth axis. `affine` replaces their own, for a
    file that says something wrong.
    """
    labels = np.stack([ACDC[stack.labels] for stack in frames], axis=-1)
    true = frames[0].affine if affine is None else affine
    stored = labels[..., 0] if len(frames) == 1 else labels
    image = nibabel.Nifti1Image(stored, true).as_reoriented(AXES)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def temporary_folder() -> Path:
    """A new folder that is gone when Python ends."""
    _FOLDERS.append(TemporaryDirectory())
    return Path(_FOLDERS[-1].name)


def srheart(arguments: str, folder: Path) -> None:
    """Run a command in a folder, and print what it says."""
    command = [sys.executable, "-m", "srheart_demo.cli", *arguments.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    print(done.stderr + done.stdout)


def shrunk(stack: LabelVolume, factor: float) -> LabelVolume:
    """A stack whose heart is smaller within each slice, about the middle of its tissue."""
    tissue = np.argwhere(stack.labels)[:, 1:]
    middle = (tissue.min(0) + tissue.max(0)) / 2
    rows, columns = (
        np.rint((np.arange(n) - m) / factor + m).astype(int).clip(0, n - 1)
        for n, m in zip(stack.shape[1:], middle, strict=True)
    )
    return LabelVolume(stack.labels[:, rows][:, :, columns], stack.affine)


def mirrored(affine: Affine, columns: int) -> Affine:
    """An affine that runs the columns (axis 2) the other way over the same place: a common slip."""
    wrong = affine.copy()
    wrong[:3, 3] += (columns - 1) * affine[:3, 2]
    wrong[:3, 2] *= -1
    return wrong


def _turned(spacing: tuple[float, float, float], degrees: float, axes: list[int]) -> Affine:
    """Index to RAS+ mm: oblique, with the axes in this order and the second running backwards."""
    turn = Rotation.from_euler("xz", [degrees, degrees], degrees=True).as_matrix()
    return from_matvec(turn[:, axes] * [1, -1, 1] * spacing, [40.0, -90.0, 120.0])


def _same_letters(found: Any, right: str) -> bool:
    word = "".join(map(str, found)) if isinstance(found, tuple | list) else str(found)
    return word.upper() == right


@exercise(
    lambda: {
        "an oblique stack": (_turned((10.0, 1.5, 1.5), 25.0, [2, 0, 1]),),
        "another": (_turned((1.2, 1.2, 8.0), 20.0, [0, 1, 2]),),
        "a third": (_turned((9, 1, 1), 10.0, [1, 2, 0]),),
    },
    same=_same_letters,
)
def orientation(affine: Affine, *, positive: str = "RAS", negative: str = "LPI") -> str:
    """Exercise 1: which way each axis of an array runs, by the greatest component of a column."""
    greatest = np.abs(affine[:3, :3]).argmax(axis=0)
    return "".join(negative[i] if affine[i, j] < 0 else positive[i] for j, i in enumerate(greatest))


def _stored() -> Cases:
    stored = np.random.default_rng(0).integers(0, 6, (3, 8, 8)).astype(np.uint8)
    large = np.array([[[0, 200, 500, 600, 420]]], np.int32)
    return {
        "values 1 to 5": (stored, {3: 1, 2: 2, 1: 3}),
        "values 200, 500 and 600": (large, {500: 1, 200: 2, 600: 3}),
        "two values for one tissue": (stored[:2], {1: 2, 4: 1, 5: 1}),
    }


@exercise(_stored)
def relabelled(stored: Stored, meaning: Mapping[int, int], *, in_turn: bool = False) -> Stored:
    """Exercise 2: label values by a dictionary; what it does not name is background."""
    labels = stored.copy() if in_turn else np.zeros(stored.shape, np.uint8)
    seen = labels if in_turn else stored
    for value, label in meaning.items():
        labels[seen == value] = label
    return labels


def _stacks() -> Cases:
    labels = np.random.default_rng(0).integers(0, 4, (6, 24, 20)).astype(np.uint8)
    sheared = _turned((8.0, 2.0, 1.25), 40.0, [0, 1, 2])
    sheared[:3, 0] += 0.5 * sheared[:3, 1]
    return {
        "a mirrored, oblique stack": (labels, 1, _turned((10.0, 1.5, 1.25), 25.0, [2, 0, 1])),
        "another label of another stack": (labels, 3, _turned((8.0, 2.0, 1.0), 40.0, [0, 1, 2])),
        "a sheared stack": (labels[:4], 2, sheared),
    }


@exercise(_stacks)
def volume_ml(labels: Labels, label: int, affine: Affine) -> float:
    """Exercise 3: voxels of one label times |det| of the affine's linear part."""
    return float((labels == label).sum()) * abs(np.linalg.det(affine[:3, :3])) / 1000


def picture_array(array: NDArray[Any], affine: Affine) -> Figure:
    """The three planes through the middle of an array's labels, as it is stored, in our colours.

    `affine`, index to RAS+ mm, tells the letters of directions and the spacing.
    """
    labelled = np.argwhere(array)
    middle = (labelled.mean(0) if len(labelled) else np.array(array.shape) / 2).astype(int)
    letters = nibabel.aff2axcodes(affine)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.1))
    for through, axis in enumerate(axes):
        down, right = (i for i in range(3) if i != through)
        plane = array.take(middle[through], through)
        show_labels(axis, plane, aspect=spacing[down] / spacing[right])
        index = ", ".join(str(middle[i]) if i == through else ":" for i in range(3))
        axis.set_title(f"array[{index}]", fontsize=10)
        axis.set_ylabel(f"axis {down}, towards {letters[down]}", fontsize=9)
        axis.set_xlabel(f"axis {right}, towards {letters[right]}", fontsize=9)
        axis.set_anchor("N")
    return finish(figure)


def picture_placement(hearts: Mapping[str, Labels]) -> Figure:
    """Hearts (D, H, W) on the HR grid in the model's frame: the middle slice, and a long cut."""
    shown = [
        view
        for labels in hearts.values()
        for view in (labels[len(labels) // 2], lengthwise(labels, labels.shape[1] // 2))
    ]
    figure, axes = grid({"": shown}, 2.4, [word for title in hearts for word in (title, "")])
    for axis, up_or_down in zip(axes[0], ("← H", "D →") * len(hearts), strict=True):
        axis.set_xlabel("W →", fontsize=9, color=MUTED)
        axis.set_ylabel(up_or_down, fontsize=9, color=MUTED)
    return finish(figure)

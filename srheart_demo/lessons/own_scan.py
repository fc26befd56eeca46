"""Checks of lesson 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from srheart_demo.lessons.verdict import Cases, exercise

Labels = NDArray[np.uint8]
Affine = NDArray[np.float64]
Stored = NDArray[np.integer]


def _turned(spacing: tuple[float, float, float], degrees: float, axes: list[int]) -> Affine:
    """Index to RAS+ mm: oblique, with the axes in this order and the second running backwards."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = (about_z @ about_x)[:, axes] * [1, -1, 1] * spacing
    affine[:3, 3] = 40.0, -90.0, 120.0
    return affine


def _affines() -> Cases:
    return {
        "an oblique stack": (_turned((10.0, 1.5, 1.5), 25.0, [2, 0, 1]),),
        "another": (_turned((1.2, 1.2, 8.0), 20.0, [0, 1, 2]),),
        "a third": (_turned((9, 1, 1), 10.0, [1, 2, 0]),),
    }


def _letters(matrix: Affine, positive: str = "RAS", negative: str = "LPI") -> str:
    """A letter for each column, by its greatest component."""
    greatest = np.abs(matrix[:3, :3]).argmax(axis=0)
    return "".join(negative[i] if matrix[i, j] < 0 else positive[i] for j, i in enumerate(greatest))


def _diagonal(affine: Affine) -> str:
    return "".join("LPI"[i] if affine[i, i] < 0 else "RAS"[i] for i in range(3))


def _same_letters(found: Any, right: str) -> bool:
    word = "".join(map(str, found)) if isinstance(found, tuple | list) else str(found)
    return word.upper() == right


@exercise(
    _affines,
    "nibabel.aff2axcodes says the same of all three tests.",
    same=_same_letters,
    otherwise=lambda found, right, affine: (
        f"the axes of the test run {right}, and you find {found}; that is wrong for one affine"
        if found is not None
        else ""
    ),
)
def orientation(affine: Affine) -> str:
    """Exercise 1: which way each axis of an array runs, of an affine."""
    return "".join(nibabel.aff2axcodes(affine))


def _stored() -> Cases:
    stored = np.random.default_rng(0).integers(0, 6, (3, 8, 8)).astype(np.uint8)
    large = np.array([[[0, 200, 500, 600, 420]]], np.int32)
    return {
        "values 1 to 5": (stored, {3: 1, 2: 2, 1: 3}),
        "values 200, 500 and 600": (large, {500: 1, 200: 2, 600: 3}),
        "two values for one tissue": (stored[:2], {1: 2, 4: 1, 5: 1}),
    }


def _by(stored: Stored, meaning: Mapping[int, int], rest: Callable[[int], int]) -> Stored:
    """Labels by a dictionary; what it does not name by `rest`."""
    found: Labels = np.vectorize(lambda value: meaning.get(value, rest(value)), otypes=[np.uint8])(
        stored
    )
    return found


def _in_turn(stored: Stored, meaning: Mapping[int, int]) -> Stored:
    labels = stored.copy()
    for value, label in meaning.items():
        labels[labels == value] = label
    return labels


@exercise(
    _stored,
    "every value by the dictionary, and 0 for all that it does not name.",
    shape="the result is as large as the array",
)
def relabelled(stored: Stored, meaning: Mapping[int, int]) -> Labels:
    """Exercise 2: label values by a dictionary; what it does not name is background."""
    labels = np.zeros(stored.shape, np.uint8)
    for value, label in meaning.items():
        labels[stored == value] = label
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


def _ml(labels: Labels, label: int, voxel: float) -> float:
    return float((labels == label).sum()) * voxel / 1000


@exercise(
    _stacks,
    "however the scan lies, a voxel has |det A| mm³.",
)
def volume_ml(labels: Labels, label: int, affine: Affine) -> float:
    """Exercise 3: voxels of one label times |det| of the affine's linear part."""
    return _ml(labels, label, abs(np.linalg.det(affine[:3, :3])))

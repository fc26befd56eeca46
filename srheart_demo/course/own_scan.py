"""Checks of lesson 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import nibabel
import numpy as np
from numpy.typing import NDArray

from srheart_demo.course.verdict import NotYet, check, written

Labels = NDArray[np.uint8]
Affine = NDArray[np.float64]

OPPOSITE = str.maketrans("RLAPSI", "LRPAIS")


def _turned(spacing: tuple[float, float, float], degrees: float, axes: list[int]) -> Affine:
    """Index to RAS+ mm: oblique, with the axes in this order and the second running backwards."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = (about_z @ about_x)[:, axes] * [1, -1, 1] * spacing
    affine[:3, 3] = 40.0, -90.0, 120.0
    return affine


@check
def orientation(letters: Callable[[Affine], str]) -> str:
    """Exercise 1: which way each axis of an array runs, of an affine."""
    affine = _turned((10.0, 1.5, 1.5), 25.0, [2, 0, 1])
    answer: object = written(letters(affine), "the orientation")
    if not isinstance(answer, str):
        answer = "".join(map(str, answer)) if isinstance(answer, tuple | list) else repr(answer)
    found, right = str(answer).upper(), _letters(affine)
    mistakes = {
        right.translate(OPPOSITE): "all letters are the opposite ones: a positive number leads "
        "towards right, anterior, superior (RAS+).",
        right.translate(str.maketrans("LPI", "RAS")): "the axes are right, the signs are lost: an "
        "axis whose greatest component is negative runs left, posterior or inferior.",
        _by_rows(
            affine
        ): "you read the affine by rows; column j says where axis j of the array leads.",
        _by_diagonal(affine): "the diagonal says how an axis lies only if the axes come in the "
        "order x, y, z; look for the greatest component of each column.",
    }
    if found != right:
        default = f"the axes of the test run {right}, and you find {found}."
        raise NotYet(mistakes.get(found, default))
    for other in (_turned((1.2, 1.2, 8.0), 20.0, [0, 1, 2]), _turned((9, 1, 1), 10.0, [1, 2, 0])):
        if "".join(letters(other)).upper() != _letters(other):
            raise NotYet(f"right for one affine; for {_letters(other)} you find {letters(other)}.")
    return f"{right} for the first test; nibabel.aff2axcodes says the same."


def _letters(affine: Affine) -> str:
    return "".join(nibabel.aff2axcodes(affine))


def _by_rows(affine: Affine) -> str:
    greatest = np.abs(affine[:3, :3]).argmax(axis=1)
    return "".join("LPI"[j] if affine[i, j] < 0 else "RAS"[j] for i, j in enumerate(greatest))


def _by_diagonal(affine: Affine) -> str:
    return "".join("LPI"[i] if affine[i, i] < 0 else "RAS"[i] for i in range(3))


@check
def relabelled(relabel: Callable[[NDArray[np.integer], Mapping[int, int]], Labels]) -> str:
    """Exercise 2: label values by a dictionary; what it does not name is background."""
    meaning = {3: 1, 2: 2, 1: 3}
    stored = np.random.default_rng(0).integers(0, 6, (3, 8, 8)).astype(np.uint8)
    before = stored.copy()
    found = np.asarray(written(relabel(stored, meaning), "the result"))
    if not np.array_equal(stored, before):
        raise NotYet("the stranger's array was changed too; write into a new one.")
    right = _relabelled(stored, meaning)
    if found.shape != right.shape:
        raise NotYet(f"the array is {stored.shape}, and your result is {found.shape}.")
    in_turn = stored.copy()
    for value, label in meaning.items():
        in_turn[in_turn == value] = label
    if np.array_equal(found, in_turn) or np.array_equal(found, np.where(stored > 3, 0, in_turn)):
        raise NotYet(
            "one and the same tissue twice: after 3 → 1 the new ones are changed by 1 → 3. Compare "
            "with the values as they were stored."
        )
    kept = np.where(stored > 3, stored, right)
    if np.array_equal(found, kept):
        raise NotYet("values 4 and 5 are still there; what is not named is background, 0.")
    if not np.array_equal(found, right):
        raise NotYet(f"{np.mean(found != right):.0%} of the voxels of a test have another label.")
    uneven = {500: 1, 200: 2, 600: 3}
    large = np.array([[[0, 200, 500, 600, 420]]], np.int32)
    other = np.asarray(relabel(large, uneven))
    if not other.any():
        raise NotYet("the dictionary is read backwards: it leads from stored values to labels.")
    if not np.array_equal(other, _relabelled(large, uneven)):
        raise NotYet("right for values 1 to 3, and wrong for 200, 500 and 600.")
    return "every value by the dictionary, and 0 for all that it does not name."


def _relabelled(stored: NDArray[np.integer], meaning: Mapping[int, int]) -> Labels:
    labels = np.zeros(stored.shape, np.uint8)
    for value, label in meaning.items():
        labels[stored == value] = label
    return labels


@check
def volume_ml(volume: Callable[[Labels, int, Affine], float]) -> str:
    """Exercise 3: voxels of one label times |det| of the affine's linear part."""
    affine = _turned((10.0, 1.5, 1.25), 25.0, [2, 0, 1])
    labels = np.random.default_rng(0).integers(0, 4, (6, 24, 20)).astype(np.uint8)
    voxels, linear = int((labels == 1).sum()), affine[:3, :3]
    found = float(written(volume(labels, 1, affine), "the volume"))
    right = voxels * abs(np.linalg.det(linear)) / 1000
    mistakes = {
        -right: "a volume is never negative: an affine that mirrors has a negative determinant.",
        1000 * right: "that is in mm³; 1 ml has 1000 of them.",
        -1000 * right: "that is in mm³, and negative: an affine that mirrors has a negative "
        "determinant.",
        float(voxels): "that counts voxels; multiply by the volume of one.",
        voxels * float(np.prod(np.linalg.norm(linear, axis=1))) / 1000: "you took the lengths of "
        "rows; the spacing along axis j is the length of column j.",
    }
    diagonal = voxels * float(np.prod(np.diag(linear))) / 1000
    for of_diagonal in (diagonal, abs(diagonal)):
        mistakes[of_diagonal] = (
            "the diagonal holds the spacing only if the axes lie along the scanner's; this stack "
            "is oblique."
        )
    for wrong, sentence in mistakes.items():
        if np.isclose(found, wrong):
            raise NotYet(sentence)
    if np.isclose(found, (labels > 0).sum() / voxels * right):
        raise NotYet("that counts all tissues; compare the labels with `label`.")
    if not np.isclose(found, right):
        raise NotYet(f"the test holds {right:.2f} ml, and you find {found:.2f}.")
    other = _turned((8.0, 2.0, 1.0), 40.0, [0, 1, 2])
    if not np.isclose(volume(labels, 3, other), (labels == 3).sum() * 16 / 1000):
        raise NotYet("right for one stack, and wrong for another label of another stack.")
    return "however the scan lies, a voxel has |det A| mm³."

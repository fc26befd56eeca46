"""Scans as people bring them: all orientations and protocols, gaps, frames, back in place."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from simple_heart import heart_labels, scanner_from_model, short_axis_stack

from srheart_demo.cli import chosen, main
from srheart_demo.enhancement.cycle import PHASES
from srheart_demo.enhancement.enhance import enhance
from srheart_demo.frame import HR_SHAPE, LATTICE_SHAPE, hr_affine, lattice_points
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.degradation import one_hot_field
from srheart_demo.scan.read import read_scan
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE

TRUTH = scanner_from_model()
STACK = short_axis_stack(TRUTH)
ORDERS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


class OneHeart:
    """G(z) = the analytic heart, whatever z."""

    latent_size = 2
    information = torch.zeros(2, 2)
    field = 8.0 * one_hot_field(heart_labels(lattice_points(LATTICE_SHAPE)))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.field + 0.0 * z.sum()


def stored(volume: LabelVolume, axes: tuple[int, ...], signs: tuple[int, ...], path: Path) -> Path:
    """The same voxels at the same places, with the axes in this order and direction."""
    labels, affine = volume.labels, volume.affine.copy()
    for axis in (axis for axis, sign in enumerate(signs) if sign < 0):
        labels = np.flip(labels, axis)
        affine[:3, 3] += (volume.shape[axis] - 1) * affine[:3, axis]
        affine[:3, axis] *= -1
    image = nibabel.Nifti1Image(labels.transpose(axes).copy(), affine[:, [*axes, 3]])
    nibabel.save(image, path)
    return path


def dice_in_the_world(heart: LabelVolume, truth_from_world: NDArray[np.float64]) -> float:
    """Of every fourth voxel of a heart against the analytic one, where its affine puts them."""
    coarse = LabelVolume(heart.labels[::4, ::4, ::4], heart.affine @ np.diag([4, 4, 4, 1]))
    points = coarse.points() @ truth_from_world[:3, :3].T + truth_from_world[:3, 3]
    return mean_dice(coarse.labels, heart_labels(points))


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_the_result_lies_where_the_scan_lies(
    axes: tuple[int, ...], signs: tuple[int, ...], tmp_path: Path
) -> None:
    """However the file orders and directs its axes, the heart is in the scan's own world."""
    path = stored(STACK, axes, signs, tmp_path / "s.nii")
    settings = replace(INTERACTIVE, start="zero", iterations=1, search_at=(), residual=False)
    heart = enhance(read_scan(path), OneHeart(), settings).S_SR
    assert heart.shape == HR_SHAPE
    assert dice_in_the_world(heart, np.linalg.inv(TRUTH)) > 0.9
    mirrored = heart.affine @ np.diag([1.0, 1.0, -1.0, 1.0])
    assert dice_in_the_world(replace(heart, affine=mirrored), np.linalg.inv(TRUTH)) < 0.8


PROTOCOLS = {
    "four slices": (4, (20.0, 1.5, 1.5), 80),
    "thirty slices": (30, (4.0, 1.5, 1.5), 80),
    "15 mm apart": (8, (15.0, 1.5, 1.5), 80),
    "fine pixels": (10, (10.0, 0.5, 0.5), 240),
    "coarse pixels": (10, (10.0, 3.0, 3.0), 44),
    "pixels that are not square": (10, (8.0, 1.0, 2.0), 110),
}


def at(volume: LabelVolume, points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Labels of the nearest voxels to world points (..., 3); background beyond the volume."""
    index = (points - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    index = np.rint(index).astype(int)
    inside = ((index >= 0) & (index < volume.shape)).all(axis=-1)
    labels = volume.labels[tuple(np.moveaxis(np.where(inside[..., None], index, 0), -1, 0))]
    return labels * inside


@pytest.mark.parametrize("name", PROTOCOLS)
def test_any_protocol_finds_the_heart(name: str) -> None:
    truth = load_sample(SAMPLES[0]).S_HR
    slices, spacing, size = PROTOCOLS[name]
    grid = short_axis_stack(truth.affine @ np.linalg.inv(hr_affine()), slices, spacing, size)
    stack = replace(grid, labels=at(truth, grid.points()))
    heart = enhance(Scan.of(stack), load_generator(), INTERACTIVE).S_SR
    coarse = LabelVolume(heart.labels[::2, ::2, ::2], heart.affine @ np.diag([2, 2, 2, 1]))
    assert mean_dice(coarse.labels, at(truth, coarse.points())) > 0.85


def test_a_gap_is_not_taken_for_the_absence_of_a_heart() -> None:
    """Without labels in between, the answer is as if those slices had not been taken."""
    labels = STACK.labels.copy()
    labels[[4, 5]] = 0
    stack = replace(STACK, labels=labels)
    problem = Problem.of(Scan.of(stack), OneHeart())
    assert problem.stack.K == 8
    restored = enhance(Scan.of(stack), load_generator())
    whole = enhance(Scan.of(STACK), load_generator())
    assert restored.d.shape == whole.d.shape == (10, 2)
    assert not restored.d[[4, 5]].any()
    there = nearest_labels(restored.S_SR, whole.S_SR)  # each has a grid of its own
    assert mean_dice(there, whole.S_SR.labels) > 0.95


@pytest.fixture(scope="module")
def cine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heart that shrinks over three frames; one frame is empty, one has no LV."""
    sample = load_sample(SAMPLES[0])
    stack = sample.stacks["none"]
    closer = np.rint((np.arange(128) - 63.5) / 0.85 + 63.5).astype(int).clip(0, 127)
    small = stack.labels[:, closer][:, :, closer]
    no_LV = np.where(stack.labels == 1, 0, stack.labels)
    frames = [stack.labels, small, np.zeros_like(small), stack.labels, no_LV]
    path = tmp_path_factory.mktemp("cine") / "cine.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.stack(frames, axis=-1), stack.affine), path)
    return path


@pytest.mark.usefixtures("few_draws")
def test_all_frames_are_restored_in_one_place(
    cine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = load_generator(latent_size=16)  # of which a posterior is soon found
    monkeypatch.setattr(chosen, "generator", lambda name: small)
    out = tmp_path / "out"
    arguments = ["--frames", "all", "--preset", "interactive", "-o", str(out)]
    assert main(["enhance", str(cine), *arguments]) == 0
    said, progress = capsys.readouterr()
    assert all(name in said for name in ("LV 1", "RV 1", "ejection fraction", "LV mass"))
    assert "3 frames of 4, 1 left out" in said
    assert "What was left out (1) may be the largest or the smallest" in said
    assert re.search("Left out: .*cine.nii.gz: frame 4: ", progress)
    alone, together = PHASES
    order = f"{alone} 0/3 · iteration 0, L = .*{together} 0/3 · iteration 0, .*{together} 3/3 · "
    assert re.search(order, progress, re.S)
    with (out / "volumes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == ["0", "1", "3"]
    full, small, again = (float(row["LV_ml"]) for row in rows)
    assert small < 0.85 * full
    assert again == pytest.approx(full, rel=0.03)
    assert all(0 < float(row["LV_ml_sd"]) < 10 for row in rows)
    assert float(rows[1]["LV_ejected"]) == pytest.approx(1 - small / max(full, again), abs=1e-3)
    (fullest,) = (row for row in rows if float(row["LV_ml"]) == max(full, again))
    assert (fullest["LV_ejected"], fullest["LV_ejected_sd"]) == ("0.0", "0.0")
    assert float(rows[0]["LV_mass_g"]) == pytest.approx(1.05 * float(rows[0]["MYO_ml"]), abs=0.1)
    frames = [json.loads((out / f"frame_{i:03d}" / "d.json").read_text()) for i in (0, 1, 3)]
    for name in ("placement", "d_mm"):
        assert frames[0][name] == frames[1][name] == frames[2][name]


@pytest.mark.parametrize("degrees", [0.4, 8.0])
def test_slices_that_the_affine_shifts_give_the_same_heart_and_displacements(
    degrees: float, tmp_path: Path
) -> None:
    """The field of view moved as the stack went up; where each slice lies is known."""
    sample, G = load_sample("healthy_1"), load_generator()
    upright = sample.stacks["none"]
    affine = upright.affine.copy()
    columns = affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    affine[:3, 0] += columns * 10 * np.tan(np.radians(degrees))
    stack = replace(upright, affine=affine)
    stack = replace(stack, labels=nearest_labels(sample.S_HR, stack))
    image = nibabel.Nifti1Image(stack.labels, affine)
    nibabel.save(image, tmp_path / "sheared.nii.gz")
    found = enhance(read_scan(tmp_path / "sheared.nii.gz"), G)
    straight = enhance(Scan.of(upright), G)
    dice, without = (
        mean_dice(nearest_labels(heart.S_SR, sample.S_HR), sample.S_HR.labels)
        for heart in (found, straight)
    )
    assert dice > without - 0.01
    seen = stack.labelled & upright.labelled
    assert np.abs(found.d[seen] - straight.d[seen]).max() < 0.6


def nearest_labels(heart: LabelVolume, where: LabelVolume) -> NDArray[np.uint8]:
    """A heart's labels at another volume's voxels."""
    index_from_world = np.linalg.inv(heart.affine)
    index = where.points() @ index_from_world[:3, :3].T + index_from_world[:3, 3]
    index = np.rint(index).astype(int)
    inside = ((index >= 0) & (index < heart.shape)).all(axis=-1)
    return heart.labels[tuple(np.moveaxis(index * inside[..., None], -1, 0))] * inside

"""Surfaces against solids whose size is known, and their files against what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from simple_heart import scanner_from_model, short_axis_stack, volume_ml
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, TISSUE_COLOURS, TISSUES, lattice_points, rgb
from srheart_demo.heart.surface import (
    EMPTY,
    STRUCTURES,
    Mesh,
    field_surface,
    heart_surfaces,
    label_surface,
    write_surfaces,
)

LV_RADIUS, EPICARDIAL_RADIUS, RV_RADIUS = 20.0, 28.0, 18.0
RV_CENTRE = np.array([-4.0, 5.0, -50.0])


def ball_ml(radius: float) -> float:
    return 4 / 3 * np.pi * radius**3 / 1000


VOLUMES_ML = {
    "LV": ball_ml(LV_RADIUS),
    "MYO": ball_ml(EPICARDIAL_RADIUS) - ball_ml(LV_RADIUS),
    "epicardium": ball_ml(EPICARDIAL_RADIUS),
    "RV": ball_ml(RV_RADIUS),
}


@pytest.fixture(scope="module")
def field() -> Tensor:
    """Signed distances as logits: a ball in a shell, and a ball beside them."""
    points = lattice_points(LATTICE_SHAPE)
    radius = np.linalg.norm(points, axis=-1)
    rv = RV_RADIUS - np.linalg.norm(points - RV_CENTRE, axis=-1)
    myocardium = np.minimum(radius - LV_RADIUS, EPICARDIAL_RADIUS - radius)
    background = np.minimum(radius - EPICARDIAL_RADIUS, -rv)
    logits = np.stack([background, LV_RADIUS - radius, myocardium, rv])
    return torch.tensor(logits[None], dtype=torch.float32)


def is_closed(mesh: Mesh) -> bool:
    """Whether each edge is shared by two faces that run along it in opposite directions."""
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    forward = {tuple(edge) for edge in edges.tolist()}
    return len(forward) == len(edges) and all((b, a) in forward for a, b in forward)


@pytest.mark.parametrize("refine", [1, 2])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_volume_of_known_solids(field: Tensor, structure: str, refine: int) -> None:
    mesh = field_surface(field, structure, refine)
    assert volume_ml(mesh) == pytest.approx(VOLUMES_ML[structure], rel=0.03)
    assert is_closed(mesh)


def test_vertices_lie_on_the_surface_between_voxels(field: Tensor) -> None:
    """The lattice steps 2.5 to 4 mm; vertices are 20 times nearer than that to the ball."""
    for structure, radius in (("LV", LV_RADIUS), ("epicardium", EPICARDIAL_RADIUS)):
        distance = np.linalg.norm(field_surface(field, structure).vertices, axis=1) - radius
        assert np.abs(distance).max() < 0.15
    rv = field_surface(field, "RV").vertices - RV_CENTRE
    assert np.abs(np.linalg.norm(rv, axis=1) - RV_RADIUS).max() < 0.25


def test_step_limits_triangles(field: Tensor) -> None:
    fine, coarse = (field_surface(field, "LV", step=step) for step in (1, 2))
    assert len(coarse.faces) < len(fine.faces) / 3
    assert volume_ml(coarse) == pytest.approx(volume_ml(fine), rel=0.05)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("shape", [(8, 9, 10), (7, 8, 11)])
def test_tissue_at_the_border_is_closed(shape: tuple[int, int, int], step: int) -> None:
    logits = torch.zeros(4, *shape)
    logits[1] = 1.0
    mesh = field_surface(logits, "LV", step=step)
    assert is_closed(mesh)
    assert volume_ml(mesh) > 0


def test_a_reflection_keeps_normals_outward(field: Tensor) -> None:
    mesh = field_surface(field, "LV")
    reflected = mesh.transform(scanner_from_model())
    assert volume_ml(reflected) == pytest.approx(volume_ml(mesh), rel=1e-4)
    assert is_closed(reflected)


def test_absent_tissue_is_empty(field: Tensor) -> None:
    without_rv = field.clone()
    without_rv[:, 3] = -1e3
    meshes = heart_surfaces(without_rv)
    assert meshes["RV"] is EMPTY or len(meshes["RV"].faces) == 0
    assert volume_ml(meshes["RV"]) == 0.0


@pytest.mark.parametrize(("value", "tissue"), list(enumerate(TISSUES[1:], start=1)))
def test_label_surfaces_keep_volume_and_place(value: int, tissue: str) -> None:
    stack = short_axis_stack(scanner_from_model(), slices=60, spacing=(2.0, 1.25, 1.25), size=96)
    mesh = label_surface(stack.labels, stack.affine, tissue)
    voxels = stack.labels == value
    assert volume_ml(mesh) == pytest.approx(voxels.sum() * np.prod(stack.spacing) / 1000, rel=0.05)
    assert is_closed(mesh)
    points = stack.points()[voxels]
    assert (mesh.vertices.min(axis=0) > points.min(axis=0) - 2.0).all()
    assert (mesh.vertices.max(axis=0) < points.max(axis=0) + 2.0).all()


def test_unknown_structures_are_named_with_the_known_ones(field: Tensor) -> None:
    with pytest.raises(ValueError, match="'aorta'; known: LV, MYO"):
        field_surface(field, "aorta")


def test_stl_holds_all_bodies(field: Tensor, tmp_path: Path) -> None:
    meshes = heart_surfaces(field)
    write_surfaces(meshes, tmp_path / "heart.stl")
    read = trimesh.load(tmp_path / "heart.stl")
    assert len(read.faces) == sum(len(mesh.faces) for mesh in meshes.values())
    expected = sum(volume_ml(mesh) for mesh in meshes.values())
    assert read.volume / 1000 == pytest.approx(expected, rel=1e-4)
    header = (tmp_path / "heart.stl").read_bytes()[:80]
    assert b"SPACE=RAS" in header
    assert not header.startswith(b"solid")  # Which is text.


def test_glb_names_and_colours_the_tissues(field: Tensor, tmp_path: Path) -> None:
    write_surfaces(heart_surfaces(field), tmp_path / "heart.glb")
    scene = trimesh.load(tmp_path / "heart.glb")
    assert set(scene.geometry) == set(TISSUE_COLOURS)
    for name, mesh in scene.geometry.items():
        assert tuple(mesh.visual.material.baseColorFactor[:3]) == rgb(TISSUE_COLOURS[name])


@pytest.mark.parametrize("ending", ["stl", "glb"])
def test_nothing_is_half_written(ending, field: Tensor, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / f"heart.{ending}"
    path.write_bytes(b"before")

    def refuse(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trimesh.Trimesh, "export", refuse)
    monkeypatch.setattr(trimesh.Scene, "export", refuse)
    with pytest.raises(OSError, match="No space"):
        write_surfaces(heart_surfaces(field), path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]

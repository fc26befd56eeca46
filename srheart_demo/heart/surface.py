"""Triangle meshes of the heart, from a field of class logits or from a label map.

The border of a tissue set T is where its largest logit equals the largest of the others. The
margin between the two is linear across the border, so marching cubes (Lorensen and Cline, 1987)
places vertices between voxels and the mesh is as smooth as the field.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from srheart_demo.files import atomic_path
from srheart_demo.frame import HALF_EXTENT, TISSUE_COLOURS, TISSUES, rgb
from srheart_demo.heart.generator import resampled

STRUCTURES: dict[str, tuple[int, ...]] = {"LV": (1,), "MYO": (2,), "epicardium": (1, 2), "RV": (3,)}
"""Surfaces of a heart and the labels that each encloses."""
STRUCTURE_COLOURS = {**TISSUE_COLOURS, "epicardium": TISSUE_COLOURS["MYO"]}


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed triangle mesh with outward normals."""

    vertices: NDArray[np.float32]  # float32 (N, 3), mm
    # int32 (M, 3), indices of vertices, counter-clockwise seen from outside in right-handed
    # coordinates
    faces: NDArray[np.int32]

    def transform(self, affine: NDArray[np.float64]) -> "Mesh":
        """Vertices mapped by a 4 × 4 affine; a reflection turns the faces, so normals stay out."""
        vertices = (self.vertices @ affine[:3, :3].T + affine[:3, 3]).astype(np.float32)
        reflected = np.linalg.det(affine[:3, :3]) < 0
        return Mesh(vertices, self.faces[:, ::-1].copy() if reflected else self.faces)


EMPTY = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


def margin(field: Tensor, labels: tuple[int, ...]) -> Tensor:
    """Largest logit over `labels` less the largest over the others: (4, D', H', W') → (D', H', W').

    Positive inside the tissue set.
    """
    others = [value for value in range(len(TISSUES)) if value not in labels]
    return field[list(labels)].amax(0) - field[others].amax(0)


def field_surface(field: Tensor, structure: str, refine: int = 1, step: int = 1) -> Mesh:
    """Mesh of one of `STRUCTURES` of a field (1, 4, D', H', W'), in the model's frame.

    The lattice, which fills the box, is up-sampled by `refine`; 2 brings the generator's to HR.
    Marching by a `step` of several voxels is coarser and gives fewer triangles.
    """
    field = field.detach().reshape(field.shape[-4:])
    if refine > 1:
        D, H, W = (refine * n for n in field.shape[1:])
        field = resampled(field[None], (D, H, W))[0]
    inside = margin(field, _labels_of(structure)).numpy()
    spacing = np.array([2 * half / n for half, n in zip(HALF_EXTENT, inside.shape, strict=True)])
    mesh = _march(inside, step)
    centred = mesh.vertices - (np.array(inside.shape) - 1) / 2
    return replace(mesh, vertices=(centred * spacing).astype(np.float32))


def label_surface(
    labels: NDArray[np.uint8], affine: NDArray[np.float64], structure: str, step: int = 1
) -> Mesh:
    """Mesh of one structure of a label map (D, H, W), mapped by its affine.

    The tissue's indicator is blurred by 0.7 voxels, which rounds off the voxels' steps and keeps
    the volume.
    """
    indicator = np.pad(np.isin(labels, _labels_of(structure)), 2).astype(np.float32)
    mesh = _march(gaussian_filter(indicator, sigma=0.7) - 0.5, step)
    return replace(mesh, vertices=mesh.vertices - 2).transform(affine)


def heart_surfaces(
    field: Tensor, structures: tuple[str, ...] = ("LV", "MYO", "RV"), refine: int = 1, step: int = 1
) -> dict[str, Mesh]:
    """`field_surface` of several structures; those that the field does not show are empty."""
    return {name: field_surface(field, name, refine, step) for name in structures}


def write_surfaces(meshes: Mapping[str, Mesh], path: str | os.PathLike[str]) -> None:
    """Write all meshes into one file, complete or not at all, in the format of its ending.

    ``.stl`` is closed bodies, neighbours sharing the surface at which they touch; ``.glb`` (binary
    glTF) has their names and colours too. Vertices are as they are, of the library RAS+ mm; an STL
    says so, as 3D Slicer takes one that does not for LPS.
    """
    import trimesh

    scene = trimesh.Scene()
    for name, mesh in meshes.items():
        solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        solid.visual = trimesh.visual.TextureVisuals(
            material=trimesh.visual.material.PBRMaterial(
                name=name, baseColorFactor=[*rgb(STRUCTURE_COLOURS[name]), 255], roughnessFactor=0.7
            )
        )
        scene.add_geometry(solid, node_name=name, geom_name=name)
    with atomic_path(path) as draft:
        scene.export(draft)
        if draft.suffix == ".stl":
            with draft.open("r+b") as file:
                file.write(b"srheart-demo, mm, SPACE=RAS")  # in its header of 80 bytes


def _labels_of(structure: str) -> tuple[int, ...]:
    if structure not in STRUCTURES:
        raise ValueError(f"unknown structure {structure!r}; known: {', '.join(STRUCTURES)}")
    return STRUCTURES[structure]


def _march(inside: NDArray[np.float32], step: int) -> Mesh:
    """Zero surface of a margin, closed at the array's border, in voxel indices."""
    from skimage.measure import marching_cubes

    if not (inside > 0).any():
        return EMPTY
    # A step may leave up to step − 1 voxels over at the far end.
    closed = np.pad(inside, (step, 2 * step), constant_values=-np.abs(inside).max())
    vertices, faces, _, _ = marching_cubes(closed, 0.0, step_size=step, gradient_direction="ascent")
    return Mesh((vertices - step).astype(np.float32), faces.astype(np.int32))

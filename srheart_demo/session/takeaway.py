"""What a session hands out as files: the heart, its surfaces, and where the slices lay."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.frame import hr_affine
from srheart_demo.generator import to_labels
from srheart_demo.surface import heart_surfaces, write_glb, write_stl
from srheart_demo.volume import LabelVolume, write_volume

if TYPE_CHECKING:
    from srheart_demo.session.run import Session


def heart(session: Session) -> bytes:
    """S_SR as gzipped NIfTI, in the world of the scan."""
    affine = session.scene.subject.world_from_model @ hr_affine()
    volume = LabelVolume(to_labels(session.field()), affine)
    return _written("S_SR.nii.gz", lambda path: write_volume(volume, path))


def stl(session: Session) -> bytes:
    """Surfaces of LV, MYO and RV, world mm."""
    return _surfaces(session, "heart.stl")


def glb(session: Session) -> bytes:
    """The same in the tissues' colours."""
    return _surfaces(session, "heart.glb")


def displacements(session: Session) -> bytes:
    """d of every slice with the losses and what they were found with, JSON."""
    step, scene, shifts = session.step, session.scene, session.now.shifts()
    truth = None if scene.d is None else _rounded(scene.d[0].numpy())
    record = {
        "what": "Displacement of each slice, mm along rows and columns: slice k shows the heart"
        " moved by d[k]. A shift common to all slices and the heart cannot be told.",
        "slices": shifts.slices.tolist(),
        "slice_has_tissue": shifts.tissue.tolist(),
        "d_mm": _rounded(step.d[0].numpy()),
        "d_true_mm": truth,
        "z": _rounded(step.z[0].numpy(), 5),
        "iteration": step.iteration,
        "stopped": step.stopped,
        "L": step.loss,
        "L_SA": step.loss_sa,
        "L_LA": step.loss_la if scene.has_view else None,
        "scan": asdict(scene.scan),
        "settings": asdict(step.state.settings),
    }
    return (json.dumps(record, indent=1) + "\n").encode()


FILES: dict[str, tuple[str, Callable[[Session], bytes]]] = {
    "S_SR": ("S_SR.nii.gz", heart),
    "d": ("d.json", displacements),
    "stl": ("heart.stl", stl),
    "glb": ("heart.glb", glb),
}
"""Kind → file name and how to make it."""


def _surfaces(session: Session, name: str) -> bytes:
    meshes = heart_surfaces(session.field(), refine=2)
    world = session.scene.subject.world_from_model
    moved = {tissue: mesh.transform(world) for tissue, mesh in meshes.items()}
    write = write_stl if name.endswith("stl") else write_glb
    return _written(name, lambda path: write(moved, path))


def _written(name: str, write: Callable[[Path], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _rounded(numbers: np.ndarray, digits: int = 4) -> list:
    return (np.round(numbers.astype(np.float64), digits) + 0.0).tolist()

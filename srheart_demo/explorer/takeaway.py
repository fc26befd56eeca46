"""What a session hands out as files: those of ``srheart enhance``, and surfaces in colour."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import Enhancement
from srheart_demo.heart.surface import heart_surfaces, write_glb

if TYPE_CHECKING:
    from srheart_demo.explorer.run import Session


def enhancement(session: Session) -> Enhancement:
    """What is looked at, as the command would have it of the same files."""
    scene = session.scene
    scan = scene.subject.files(scene.scan, scene.acquired)
    return Enhancement(scan, session.problem, session.path())


def _of_command(session: Session, folder: Path, name: str) -> None:
    e = enhancement(session)
    if name == "d.json":
        e = judged(e.problem.G, e)
    e.write(folder, surface=name == "heart.stl")


def _in_colour(session: Session, folder: Path, name: str) -> None:
    e = enhancement(session)
    meshes = heart_surfaces(e.field, refine=2).items()
    write_glb({t: mesh.transform(e.world_from_field) for t, mesh in meshes}, folder / name)


FILES: dict[str, tuple[str, Callable[[Session, Path, str], None]]] = {
    "S_SR": ("S_SR.nii.gz", _of_command),
    "d": ("d.json", _of_command),
    "stl": ("heart.stl", _of_command),
    "glb": ("heart.glb", _in_colour),
}
"""Kind → file name and what writes it to a folder."""


def file(session: Session, kind: str) -> tuple[str, bytes]:
    """Name and bytes of a file of `FILES`."""
    name, write = FILES[kind]
    with tempfile.TemporaryDirectory() as folder:
        write(session, Path(folder), name)
        return name, (Path(folder) / name).read_bytes()

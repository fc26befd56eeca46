"""What a session hands out as files: those of ``srheart enhance``, and surfaces in colour."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import Enhancement
from srheart_demo.heart.surface import heart_surfaces, write_glb

if TYPE_CHECKING:
    from srheart_demo.explorer.session import Session

FILES = {"S_SR": "S_SR.nii.gz", "d": "d.json", "stl": "heart.stl", "glb": "heart.glb"}
"""Kind → name."""


def enhancement(session: Session) -> Enhancement:
    """What is looked at, as the command would have it of the same files."""
    scene = session.scene
    read = replace(scene.subject.filed(scene.scan), looked_at=scene.scan.looked_at)
    return Enhancement(read, session.problem, session.history.path)


def file(session: Session, kind: str) -> tuple[str, bytes]:
    """Name and bytes of a file of `FILES`."""
    name, e = FILES[kind], enhancement(session)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if kind == "glb":
            meshes = heart_surfaces(e.field, refine=2).items()
            write_glb({t: mesh.transform(e.world_from_field) for t, mesh in meshes}, path)
        else:
            e = judged(e) if kind == "d" else e
            e.write(path.parent, surface=kind == "stl")
        return name, path.read_bytes()

"""What a session hands out as files: those of ``srheart enhance``, and surfaces in colour."""

import tempfile
from dataclasses import replace
from pathlib import Path

from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import Enhancement, sure
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
        e = sure(judged(e)) if kind == "d" else e
        e.write(path.parent, surface=kind == "stl", scene=kind == "glb")
        return name, path.read_bytes()

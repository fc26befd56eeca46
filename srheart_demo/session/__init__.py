"""A run of latent optimisation with everything that there is to see of it, free of widgets."""

from srheart_demo.session.run import Session, use_one_thread
from srheart_demo.session.scene import Scan, Scene
from srheart_demo.session.show import (
    Curves,
    Frame,
    Heart,
    Look,
    Outlines,
    Pictures,
    Progress,
    Scores,
    Shifts,
)

__all__ = [
    "Curves",
    "Frame",
    "Heart",
    "Look",
    "Outlines",
    "Pictures",
    "Progress",
    "Scan",
    "Scene",
    "Scores",
    "Session",
    "Shifts",
    "use_one_thread",
]

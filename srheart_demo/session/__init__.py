"""A run of latent optimisation with everything that there is to see of it, free of widgets."""

from srheart_demo.session.run import Session, use_one_thread
from srheart_demo.session.scene import Scan, Scene, Subject
from srheart_demo.session.show import (
    Curves,
    Frame,
    Heart,
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
    "Outlines",
    "Pictures",
    "Progress",
    "Scan",
    "Scene",
    "Scores",
    "Session",
    "Shifts",
    "Subject",
    "use_one_thread",
]

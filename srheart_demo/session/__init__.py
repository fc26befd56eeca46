"""Runs of latent optimisation with everything that there is to see of them, free of widgets."""

from srheart_demo.session.explore import (
    Cancelled,
    Direction,
    GaugeCurve,
    Landscape,
    Lane,
    Traversal,
    Watch,
)
from srheart_demo.session.moment import Moment
from srheart_demo.session.own import OwnFile, OwnScan
from srheart_demo.session.run import Session
from srheart_demo.session.scene import Scene
from srheart_demo.session.show import (
    Curves,
    Cuts,
    Frame,
    Heart,
    Outlines,
    Paint,
    Pictures,
    Progress,
    Scores,
    Shifts,
    Side,
    Tiles,
)
from srheart_demo.session.subjects import Scan, load_subject

__all__ = [
    "Cancelled",
    "Curves",
    "Cuts",
    "Direction",
    "Frame",
    "GaugeCurve",
    "Heart",
    "Landscape",
    "Lane",
    "Moment",
    "Outlines",
    "OwnFile",
    "OwnScan",
    "Paint",
    "Pictures",
    "Progress",
    "Scan",
    "Scene",
    "Scores",
    "Session",
    "Shifts",
    "Side",
    "Tiles",
    "Traversal",
    "Watch",
    "load_subject",
]

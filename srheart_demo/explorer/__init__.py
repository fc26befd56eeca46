"""Runs of latent optimisation with everything that there is to see of them, free of widgets."""

from srheart_demo.explorer.moment import Moment
from srheart_demo.explorer.own import OwnFile, OwnScan
from srheart_demo.explorer.run import Session
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.show import (
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
from srheart_demo.explorer.subjects import Scan, load_subject
from srheart_demo.explorer.why import (
    Cancelled,
    Direction,
    GaugeCurve,
    Landscape,
    Lane,
    Traversal,
    Watch,
)

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

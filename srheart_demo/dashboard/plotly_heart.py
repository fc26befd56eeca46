"""The 3-D view as a Plotly figure, for those who want axes and numbers.

plotly.js comes from the installed package with the view itself, so it needs no network; packed, it
is 1.5 of 4.8 MB.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

import traitlets

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.chart import script
from srheart_demo.dashboard.heart3d import HeartView


class PlotlyHeart(HeartView):
    """Shows what a `HeartView` shows, with axes in mm and values where the pointer is.

    Attributes:
        library: plotly.js, packed by gzip.
    """

    _esm = script("scene", "plotly_heart")

    library = traitlets.Bytes().tag(sync=True)
    words = traitlets.Dict(texts.PLOTLY_WORDS).tag(sync=True)

    def __init__(self) -> None:
        super().__init__(library=plotly_js())


@cache
def plotly_js() -> bytes:
    """plotly.js of the installed package, packed by gzip."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes())

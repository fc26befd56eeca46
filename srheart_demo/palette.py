"""The project's colours: Okabe and Ito's palette, told apart under all common colour blindness.

Reference: M. Okabe, K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

TISSUE_COLOURS = {
    "LV": "#D55E00",
    "MYO": "#009E73",
    "RV": "#0072B2",
}


def rgb(colour: str) -> tuple[int, int, int]:
    """``"#RRGGBB"`` as three numbers of 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue

"""The model's frame: millimetres (D, H, W) with the origin at the centre of the HR box.

D runs from apex to base, H down the rows and W along the columns of a short-axis (SA) slice.
Every field covers the same box, whatever its resolution, so a physical point has the same
normalised coordinate in all of them.
"""

import numpy as np

TISSUES = ("background", "LV", "MYO", "RV")
N_CLASSES = len(TISSUES)
TISSUE_COLOURS = {"LV": "#D55E00", "MYO": "#009E73", "RV": "#0072B2"}
"""Of Okabe and Ito's palette, told apart under all common colour blindness (Color Universal
Design, 2008, https://jfly.uni-koeln.de/color/)."""

HR_SHAPE = (64, 128, 128)
HR_SPACING = (2.0, 1.25, 1.25)  # Voxel size of the paper's high-resolution cohort (section 3.1), mm

LATTICE_SHAPE = (32, 64, 64)
"""The generator's lattice. Half resolution costs no Dice; see ``docs/decisions.md``."""

HALF_EXTENT = tuple(n * s / 2 for n, s in zip(HR_SHAPE, HR_SPACING, strict=True))
"""Distance from the centre to the outer faces of the box, mm."""


def lattice_axes(shape: tuple[int, int, int] = HR_SHAPE) -> tuple[np.ndarray, ...]:
    """Voxel centres along D, H and W of a lattice of `shape` that fills the box, mm."""
    return tuple(
        (np.arange(n) - (n - 1) / 2) * (2 * half / n)
        for n, half in zip(shape, HALF_EXTENT, strict=True)
    )


def lattice_points(shape: tuple[int, int, int] = HR_SHAPE) -> np.ndarray:
    """Voxel centres of a lattice that fills the box: (D, H, W, 3) in mm."""
    return np.stack(np.meshgrid(*lattice_axes(shape), indexing="ij"), axis=-1)


def hr_affine() -> np.ndarray:
    """The 4 × 4 map from an HR voxel index (D, H, W) to the model's frame, mm."""
    affine = np.diag([*HR_SPACING, 1.0])
    affine[:3, 3] = [axis[0] for axis in lattice_axes(HR_SHAPE)]
    return affine


def rgb(colour: str) -> tuple[int, int, int]:
    """``"#RRGGBB"`` as three numbers of 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue

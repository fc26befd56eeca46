"""Pictures of lesson 9: a file as it is stored, a scan as it is placed, volumes over a cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srheart_demo.dashboard.theme import MUTED
from srheart_demo.enhancement.cycle import Beat
from srheart_demo.frame import HR_SPACING, TISSUE_COLOURS, TISSUES
from srheart_demo.lessons.pictures import Labels, finish, show_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture_array(array: NDArray[Any], affine: NDArray[np.float64]) -> Figure:
    """The three planes through the middle of the labels, as an array is stored.

    Args:
        array: values along three axes; 1, 2 and 3 are drawn in the colours that ours have.
        affine: index to RAS+ mm, for the letters of directions and the spacing.
    """
    import matplotlib.pyplot as plt
    import nibabel

    labelled = np.argwhere(array)
    middle = (labelled.mean(0) if len(labelled) else np.array(array.shape) / 2).astype(int).tolist()
    letters = nibabel.aff2axcodes(affine)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.1))
    for axis, through in zip(axes, range(3), strict=True):
        down, right = (i for i in range(3) if i != through)
        show_labels(
            axis, array.take(middle[through], through), aspect=spacing[down] / spacing[right]
        )
        axis.set_title(f"array{_index(through, middle[through])}", fontsize=10)
        axis.set_ylabel(f"axis {down}, towards {letters[down]}", fontsize=9)
        axis.set_xlabel(f"axis {right}, towards {letters[right]}", fontsize=9)
        axis.set_anchor("N")
    return finish(figure)


def _index(axis: int, i: int) -> str:
    return f"[{', '.join(str(i) if j == axis else ':' for j in range(3))}]"


def picture_placement(hearts: Mapping[str, Labels]) -> Figure:
    """Hearts (D, H, W) on the HR grid in the model's frame: the middle slice, and a long cut."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2 * len(hearts), figsize=(2.4 * 2 * len(hearts), 2.8))
    D, H, W = HR_SPACING
    for (slice_, cut), (title, labels) in zip(axes.reshape(-1, 2), hearts.items(), strict=True):
        show_labels(slice_, labels[labels.shape[0] // 2], aspect=H / W)
        _arrows(slice_, "W", "H")
        show_labels(cut, labels[:, labels.shape[1] // 2], aspect=D / W, origin="lower")
        _arrows(cut, "W", "D")
        slice_.set_title(title, fontsize=10, loc="left")
    return finish(figure)


def _arrows(axis: Axes, right: str, up_or_down: str) -> None:
    axis.set_xlabel(f"{right} →", fontsize=9, color=MUTED)
    arrow = "→" if axis.get_ylim()[0] < axis.get_ylim()[1] else "←"
    axis.set_ylabel(f"{up_or_down} →" if arrow == "→" else f"← {up_or_down}", fontsize=9)
    axis.yaxis.label.set_color(MUTED)


def picture_volumes(beats: Sequence[Beat]) -> Figure:
    """Volumes of the tissues over the frames of a cycle."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4.6, 2.8))
    frames = [beat.frame for beat in beats]
    for tissue, marker in zip(TISSUES[1:], "os^", strict=True):
        ml = [getattr(beat, f"{tissue}_ml") for beat in beats]
        axis.plot(frames, ml, marker=marker, color=TISSUE_COLOURS[tissue], label=tissue)
    axis.set(xlabel="frame", ylabel="volume, ml", ylim=(0, None), xticks=frames)
    axis.legend(frameon=False, ncols=3, loc="lower center")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    return finish(figure)

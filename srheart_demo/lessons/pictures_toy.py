"""Pictures of lesson 10: pods cut along their length, and their sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from srheart_demo.dashboard.theme import BACKGROUND, RUNS
from srheart_demo.lessons.pictures import Labels, finish, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture_pods(pods: Mapping[str, Labels]) -> Figure:
    """Pods (D, H, W) of 2 × 1.25 × 1.25 mm, cut along their length, seen along rows and columns."""
    import matplotlib.pyplot as plt

    cuts = {
        title: (labels[:, labels.shape[1] // 2], labels[:, :, labels.shape[2] // 2])
        for title, labels in pods.items()
    }
    figure, axes = plt.subplots(1, 2 * len(cuts), figsize=(1.6 * 2 * len(cuts), 2.7))
    for axis, cut in zip(axes, (cut for pair in cuts.values() for cut in pair), strict=True):
        _show(axis, cut[8:-8, 32:-32], aspect=1.6)
    for axis, title in zip(axes[::2], cuts, strict=True):
        axis.set_title(title, fontsize=10, loc="left")
    return finish(figure)


def picture_sections(rows: Mapping[str, Labels]) -> Figure:
    """Sections (K, h, w), in rows."""
    import matplotlib.pyplot as plt

    window, K = window_of(list(rows.values())), len(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows), K, figsize=(0.75 * K + 1.2, 0.95 * len(rows) + 0.3), squeeze=False
    )
    for line, (title, labels) in zip(axes, rows.items(), strict=True):
        for axis, picture in zip(line, labels, strict=True):
            _show(axis, picture[window])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
    return finish(figure)


def _show(axis: Axes, labels: Labels, aspect: float = 1.0) -> None:
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([BACKGROUND, RUNS[1], RUNS[0]])
    axis.imshow(labels, cmap=colours, vmin=0, vmax=2, interpolation="nearest", aspect=aspect)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)

"""How well the parametric family holds HR hearts: ``python -m benchmarks.fit S_HR.nii.gz ...``.

Prints Dice at each heart's own voxels after `fit`, about half a minute a heart.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.fitting import fit
from srheart_demo.experiments.generators import placed_heart
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import dice
from srheart_demo.scan.evidence import whole_heart


def score(file: Path) -> list[float]:
    """Dice of LV, MYO and RV of the fitted heart."""
    heart = placed_heart(file)
    points = torch.as_tensor(heart.points()).float()[None]
    found = fit(whole_heart(heart))
    distances = phantom.signed_distances(found.shape, *points.unbind(-1))
    return list(dice(phantom.nearest_labels(distances)[0], heart.labels).values())


def main() -> None:
    """One line a file, then the mean."""
    files = [Path(name) for name in sys.argv[1:]]
    if not files:
        raise SystemExit(__doc__)
    scores = np.array([score(file) for file in files])
    for name, row in [*zip((f.name for f in files), scores, strict=True), ("mean", scores.mean(0))]:
        print(name, *(f"{value:.3f}" for value in row))


if __name__ == "__main__":
    main()

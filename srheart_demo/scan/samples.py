"""The shipped sample subjects: synthetic hearts with scans of known motion.

``make_samples`` writes them, byte for byte the same each time; ``load_sample`` reads them.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import checksum, shipped
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion
from srheart_demo.scan.long_axis import LONG_AXIS_VIEWS
from srheart_demo.scan.read import read_long_axis, read_short_axis
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume, write_volume

FOLDER = Path(os.environ.get("SRHEART_DATA", shipped("data/sample")))

SUBJECTS = {
    "healthy_1": ("healthy", 2_000_001),
    "healthy_2": ("healthy", 2_000_002),
    "dilated": ("dilated", 2_000_003),
    "hypertrophic": ("hypertrophic", 2_000_013),
}
"""Population and seed of each subject; in the range `population.SEEDS` of samples."""
SAMPLES = tuple(SUBJECTS)


@dataclass(frozen=True, eq=False)
class Sample:
    """A synthetic subject with its truth; each file is read when it is first asked for."""

    name: str  # one of `SAMPLES`
    home: Path  # folder of its files
    record: Mapping[str, Any]  # of its motion

    @cached_property
    def S_HR(self) -> LabelVolume:
        """The true heart, 64 × 128 × 128 voxels of 2 × 1.25 × 1.25 mm."""
        return read_short_axis(self.home / "S_HR.nii.gz")

    @cached_property
    def stacks(self) -> Mapping[str, LabelVolume]:
        """Motion level → SA stack of 13 slices, 10 mm apart."""
        return {
            level: read_short_axis(self.home / f"S_LR_{level}.nii.gz") for level in MOTION_LEVELS
        }

    @cached_property
    def views(self) -> Mapping[tuple[str, str], LabelVolume]:
        """Long-axis view and motion level → its plane."""
        files = {of: view_file(*of) for of in product(LONG_AXIS_VIEWS, MOTION_LEVELS)}
        return {of: read_long_axis(self.home / file) for of, file in files.items()}

    @property
    def S_LA(self) -> LabelVolume:
        """Its four-chamber view, one plane, undisplaced."""
        return self.views["4ch", "none"]

    @property
    def motion(self) -> Motion:
        """What displaced the slices, for any amplitude."""
        return _motion(self.record)

    @property
    def view_motion(self) -> Mapping[str, Motion]:
        """And each view."""
        return {view: _motion(self.record["views"][view]) for view in LONG_AXIS_VIEWS}

    def d(self, level: str) -> NDArray[np.float32]:
        """True displacements (K, 2) of a motion level, mm along rows and columns."""
        return self.motion.displacement(MOTION_LEVELS[level])[0].numpy()

    def d_LA(self, level: str, views: Iterable[str] = LONG_AXIS_VIEWS) -> NDArray[np.float32]:
        """True displacements (V, 2) of long-axis views, as `d`."""
        factor = MOTION_LEVELS[level]
        return np.stack([self.view_motion[view].displacement(factor)[0, 0] for view in views])

    def scan(self, level: str, views: Collection[str] = (), displaced: str = "none") -> Scan:
        """The stack of a motion level, perhaps with long-axis views, where its heart is known to
        lie. `Scan.of` finds the place from the labels instead, as for a scan of one's own.

        `level` is one of `MOTION_LEVELS`, as is `displaced`, of the views' own motion; `views` are
        some of `LONG_AXIS_VIEWS`.
        """
        for said, known in (({level, displaced}, MOTION_LEVELS), ({*views}, LONG_AXIS_VIEWS)):
            if unknown := said - {*known}:
                raise KeyError(f"unknown {min(unknown)!r}; known: {', '.join(known)}")
        seen = (self.views[view, displaced] for view in views)
        world = simulate.world_from_model(self.S_HR)
        return simulate.where_it_is_known(self.stacks[level], *seen, world=world)


def load_sample(name: str, folder: Path = FOLDER) -> Sample:
    """A shipped subject.

    >>> sample = sr.load_sample("healthy_1")
    >>> sample.S_HR.shape, sample.d("severe").shape
    ((64, 128, 128), (13, 2))
    """
    if name not in SUBJECTS:
        raise KeyError(f"unknown sample {name!r}; known: {', '.join(SAMPLES)}")
    home = folder / name
    return Sample(name, home, json.loads((home / "motion.json").read_text()))


def view_file(view: str, level: str = "none") -> str:
    """Name of the file of a long-axis view at a level of its own motion."""
    chambers = "" if view == "4ch" and level == "none" else f"_{view}"
    return f"S_LA{chambers}{'' if level == 'none' else '_' + level}.nii.gz"


def _motion(record: Mapping[str, Any]) -> Motion:
    return Motion(np.array(record["direction_rad"]), np.array(record["amplitude_mm"]))


def make_samples(folder: Path = FOLDER) -> None:
    """Write all subjects and a card with the checksum of every file."""
    for name in SAMPLES:
        make_subject(*SUBJECTS[name], folder / name)
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".gz", ".json"))
    sums = [f"| `{path.relative_to(folder).as_posix()}` | `{checksum(path)}` |" for path in files]
    subjects = [f"| `{name}` | {group} | {seed} |" for name, (group, seed) in SUBJECTS.items()]
    card = Path(__file__).with_name("sample_card.md").read_text("utf-8")
    card = card.format(subjects="\n".join(subjects), files="\n".join(sums))
    (folder / "README.md").write_text(card)


def make_subject(population: str, seed: int, home: Path) -> None:
    """Draw a synthetic subject and write its truth, its scans and its motion to `home`."""
    home.mkdir(parents=True, exist_ok=True)
    heart = simulate.synthetic_heart(population, seed)
    levels = MOTION_LEVELS.items()
    scans = {level: simulate.simulate(heart, factor, seed) for level, factor in levels}
    write_volume(heart, home / "S_HR.nii.gz")
    of_views = simulate.view_motion(seed)
    for (view, moved), (level, factor) in product(of_views.items(), levels):
        d = moved.displacement(factor)[:, 0].double()
        write_volume(simulate.long_axis_scan(heart, view, d), home / view_file(view, level))
    for level, scan in scans.items():
        write_volume(scan.stack, home / f"S_LR_{level}.nii.gz")
    motion = scans["none"].motion
    record = {
        "population": population,
        "seed": seed,
        **_record(motion),
        "d_mm": {
            level: scan.d[0].double().numpy().round(6).tolist() for level, scan in scans.items()
        },
        "order": "slices from apex to base; displacement along rows, then columns",
        "views": {view: _record(moved) for view, moved in of_views.items()},
    }
    (home / "motion.json").write_text(json.dumps(record, indent=1) + "\n")


def _record(motion: Motion) -> dict[str, list[float]]:
    return {"direction_rad": motion.direction.tolist(), "amplitude_mm": motion.amplitude.tolist()}

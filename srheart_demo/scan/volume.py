"""Label maps in physical space: a uint8 array with the affine that puts it in the scanner.

Labels are 0 background, 1 LV blood pool, 2 LV myocardium, 3 RV blood pool. Arrays are
(D, H, W): slices, rows, columns. World coordinates are millimetres, RAS+ (right, anterior,
superior), as in NIfTI.
"""

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import Unusable, atomic_path, read_toml
from srheart_demo.frame import TISSUES

MEANING = ", ".join(f"{value} {tissue}" for value, tissue in enumerate(TISSUES))
SENTENCES = read_toml(__file__, "sentences.toml")
_Read = TypeVar("_Read")


def remark(key: str, **facts: object) -> str:
    """A sentence of `notes` in sentences.toml, with its facts."""
    return str(SENTENCES["notes"][key].format(**facts))


def holding(*found: tuple[object, str]) -> tuple[str, ...]:
    """The sentences whose condition holds."""
    return tuple(sentence for holds, sentence in found if holds)


class InvalidVolume(Unusable):
    """A file that cannot be used.

    Its `remedy` is frame, labels, slice_axis, spacing, or none. `kind` is what the file is instead:
    picture, file without labels, several frames, or not known.
    """

    kind = ""

    @classmethod
    def of(cls, name: str, key: str, **facts: object) -> Self:
        """A sentence of `refusals` in sentences.toml, with its facts, of the file of that name."""
        error = cls(f"{name}: {SENTENCES['refusals'][key].format(meaning=MEANING, **facts)}")
        error.remedy, error.kind = (SENTENCES[of].get(key, "") for of in ("remedies", "kinds"))
        return error


def or_refusal(read: Callable[..., _Read], *of: Any) -> _Read | InvalidVolume:
    """What a reader gives, or why it refuses."""
    try:
        return read(*of)
    except InvalidVolume as error:
        return error


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """A label map in physical space.

    >>> S_HR = sr.load_sample("healthy_1").S_HR
    >>> S_HR.shape, [round(mm, 2) for mm in S_HR.spacing]
    ((64, 128, 128), [2.0, 1.25, 1.25])

    Attributes:
        labels: uint8 (D, H, W), values 0 to 3.
        affine: float64 (4, 4), index (D, H, W) to world, RAS+ mm. Rows and columns are at right
            angles; the first axis need not be at right angles to them.
        name: where it came from, for messages.
        notes: what was taken for granted when it was read, in plain sentences.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        of = self.labels
        if not isinstance(of, np.ndarray) or of.ndim != 3 or of.dtype.kind not in "biu":
            raise ValueError(f"{self.name or 'a volume'}: labels must be whole numbers (D, H, W)")
        if of.size and not 0 <= of.min() <= of.max() < len(TISSUES):
            raise ValueError(f"{self.name or 'a volume'}: labels must be {MEANING}, and no others")
        affine = np.asarray(self.affine)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.linalg.det(affine):
            raise ValueError(f"{self.name or 'a volume'}: its affine must take (D, H, W) to mm")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along D, H, W."""
        depth, height, width = self.labels.shape
        return depth, height, width

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between the planes of two slices, and from pixel to pixel along H and W."""
        h, w = np.linalg.norm(self.affine[:3, 1:3], axis=0)
        return between_planes(self.affine), float(h), float(w)

    def points(self) -> NDArray[np.float64]:
        """World position of every voxel centre: (D, H, W, 3), RAS+ mm."""
        index = np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)
        return index @ self.affine[:3, :3].T + self.affine[:3, 3]

    def tissue_points(self, k: int) -> NDArray[np.float64]:
        """World position of the labelled voxels of a slice: (N, 3), RAS+ mm."""
        pixels = np.argwhere(self.labels[k])
        return pixels @ self.affine[:3, 1:3].T + self.affine[:3, 0] * k + self.affine[:3, 3]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(D,) which slices hold any label."""
        return np.asarray(self.labels.any(axis=(1, 2)))

    @property
    def lacks(self) -> tuple[int, ...]:
        """Labels of the tissues of which it has no voxel."""
        return tuple(n for n in range(1, len(TISSUES)) if not (self.labels == n).any())

    @property
    def gaps(self) -> NDArray[np.bool_]:
        """(D,) slices without a label between others that have some: nobody looked there."""
        inside = np.logical_or.accumulate(self.labelled)
        inside &= np.logical_or.accumulate(self.labelled[::-1])[::-1]
        return inside & ~self.labelled


def between_planes(affine: NDArray[np.float64]) -> float:
    """Distance of two neighbouring slices at right angles to them, mm; `affine` of (D, H, W)."""
    normal = np.cross(affine[:3, 1], affine[:3, 2])
    return float(abs(affine[:3, 0] @ normal) / np.linalg.norm(normal))


def write_volume(volume: LabelVolume, path: str | os.PathLike[str], what: str = "") -> None:
    """Write as NIfTI, axes in the order (D, H, W), complete or not at all.

    `what` it is, in at most 79 characters, is its header's description.
    Equal volumes give equal bytes: the gzip header carries neither time nor name.
    """
    import nibabel

    image = nibabel.Nifti1Image(volume.labels, volume.affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = what
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1)
    if not np.allclose(image.get_qform(), volume.affine, atol=1e-3):
        image.set_qform(None, code=0)  # It holds no shear, and a reader may prefer it.
    content = image.to_bytes()
    if os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    with atomic_path(path) as draft:
        draft.write_bytes(content)

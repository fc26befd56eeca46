"""NIfTI files, distrusted: every way in which one can be unusable becomes one clear sentence.

nibabel reads the header; the voxels are unpacked here, a frame at a time and no more of them than
the header claims and the limits allow, so that no small file becomes a large one.
"""

import gzip
import io
import math
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from nibabel import imageglobals
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from srheart_demo.scan.volume import InvalidVolume, NotLabels

MOST_VOXELS = 2**24
"""Of one frame: 512 × 512 × 64. No label map of a heart has nearly as many."""
MOST_BYTES = 2**28
"""Of a frame once unpacked, with what comes before the first."""
MOST_STREAMED = 2**31
"""Bytes of all frames together: they pass by, and one at a time is kept."""
MOST_UPLOAD = 2**26
"""Bytes of an upload, packed or not."""
BLOCK = 2**20
"""Voxels and bytes that are looked at together."""
LARGEST = 2**31 - 1
FARTHEST = 1e6
"""No voxel lies so far from a scanner's origin, in whatever unit."""
ROUNDED = 0.05
"""Values this near to whole numbers are labels: 8 bits keep labels up to 12 as exactly."""
AGREEMENT = 0.5
"""Millimetres that two affines of one file may lie apart unsaid."""
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
HEADERS = {348: Nifti1Header, 540: Nifti2Header}
"""By their size, with which each begins."""
FOREIGN = {
    "hdr img hdr.gz img.gz": "one half of a .hdr/.img pair",
    "nrrd nhdr": "an NRRD file",
    "mha mhd": "a MetaImage file",
    "dcm ima": "a DICOM file",
    "mgz mgh": "a FreeSurfer file",
    "npy npz mat h5 hdf5": "an array without a place in space",
    "png jpg jpeg tif tiff": "a picture without a place in space",
    "zip tar tgz tar.gz 7z rar": "an archive of files",
}
"""What other endings stand for."""
EXPORT_AGAIN = "export or download it again"


@dataclass(frozen=True)
class Upload:
    """A file that came from elsewhere and lies in memory.

    Attributes:
        name: for messages, and for its ending; no file of that name is opened or written.
        content: its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True, eq=False)
class NiftiLabels:
    """A file's header, and a way to its numbers: they are unpacked when asked for.

    Attributes:
        name: of the file.
        shape: voxels along the stored axes.
        frames: how many.
        affine: (4, 4) stored index to RAS+ mm.
        spacing: (3,) what the header states beside the affine, mm.
        units: of length as the header has them, ``mm`` where it says nothing.
        notes: what was taken for granted, in plain sentences.
        opened: opens the file.
        dtype: of the stored numbers.
        offset: bytes before the first of them.
        scale: slope and intercept that turn stored numbers into values, or None.
    """

    name: str
    shape: tuple[int, int, int]
    frames: int
    affine: NDArray[np.float64]
    spacing: NDArray[np.float64]
    units: str
    notes: tuple[str, ...]
    opened: Callable[[], BinaryIO]
    dtype: np.dtype[Any]
    offset: int
    scale: tuple[float, float] | None

    def labelled(self) -> list[int]:
        """The frames that hold anything but zeros; `each` says what it raises."""
        return [t for t, stored in self.each() if self.holds(stored)]

    def frame(self, t: int) -> NDArray[np.int32]:
        """The whole numbers of a frame, in the stored order of axes; see `each` and `whole`."""
        _, stored = next(self.each(first=t))
        return self.whole(t, stored)

    def each(self, first: int = 0) -> Iterator[tuple[int, NDArray[Any]]]:
        """Each frame's index and its numbers as they are stored, the first axis fastest.

        Raises:
            InvalidVolume: the file is damaged.
        """
        voxels = math.prod(self.shape)
        size = voxels * self.dtype.itemsize
        with _reported(self.name), self.opened() as file:
            stream = _unpacking(file)
            stream.seek(self.offset + first * size)
            for t in range(first, self.frames):
                yield t, np.frombuffer(_taken(stream, size), self.dtype, voxels)

    def holds(self, stored: NDArray[Any]) -> bool:
        """Whether some of a frame's stored numbers stand for more than zeros."""
        if stored.dtype.kind != "f" and not self.scale:
            return bool(stored.any())
        return any(not (np.abs(values) < 0.5).all() for _, values in self._blocks(stored))

    def whole(self, t: int, stored: NDArray[Any]) -> NDArray[np.int32]:
        """The whole numbers that a frame's stored ones stand for.

        Raises:
            InvalidVolume: some are no finite whole numbers.
        """
        whole = np.empty(len(stored), np.int32)
        for start, values in self._blocks(stored):
            whole[start : start + len(values)] = self._rounded(values, self.part(t))
        return whole.reshape(self.shape, order="F")

    def part(self, t: int) -> str:
        """The name of a frame, for messages."""
        return self.name if self.frames == 1 else f"{self.name}: frame {t}"

    def _blocks(self, stored: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
        for start in range(0, len(stored), BLOCK):
            values = stored[start : start + BLOCK]
            if self.scale:
                values = values * self.scale[0] + self.scale[1]
            yield start, values

    def _rounded(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise InvalidVolume(
                    f"{name}: some voxels are NaN or infinite; replace them by a label (0 is "
                    "background)."
                )
            quantum = abs(self.scale[0]) if self.scale else 0.0
            tolerance = max(ROUNDED, 0.501 * quantum if quantum < 1 else 0.0)
            whole = np.rint(values)
            if (odd := values[np.abs(values - whole) > tolerance]).size:
                coarse = f", or a scale of {quantum:g} is too coarse for them" * (quantum > 1)
                raise NotLabels(
                    f"{name}: some values are not whole numbers (such as {odd[0]:g}), so this is "
                    f"an image, holds probabilities or was interpolated{coarse}; give a label map, "
                    "resampled by nearest neighbour."
                )
            values = whole
        if values.max() > LARGEST or values.min() < -LARGEST:
            raise NotLabels(
                f"{name}: values as large as {float(values.max()):g} are no labels; give a label "
                "map."
            )
        return values


Source = str | os.PathLike[str] | Upload | NiftiLabels
"""A path, an upload, or what has been looked at already."""


def load(source: Source) -> NiftiLabels:
    """Look at one or more frames of real numbers and their affine (index to RAS+ mm).

    Axes of one voxel are dropped; of those after the third, one may have more. A file of one plane
    may be 2-D. Packed or not is told by the content itself.

    Raises:
        InvalidVolume: if the file is missing, damaged, too large, of more axes, not of real
            numbers, or if it leads nowhere in space.
    """
    if isinstance(source, NiftiLabels):
        return source
    if isinstance(source, Upload):
        if len(source.content) > MOST_UPLOAD:
            raise InvalidVolume(
                f"{source.name}: the file has {len(source.content) / 2**20:.0f} MB, more than any "
                "label map of a heart; crop it to the heart and pack it (.nii.gz)."
            )
        return _look(source.name, lambda: io.BytesIO(source.content))
    path = Path(source)
    if "\0" in str(path) or not path.exists():
        raise InvalidVolume(f"{path}: there is no such file; check the path.")
    if path.is_dir():
        raise InvalidVolume(f"{path}: this is a folder; name the NIfTI file inside it.")
    if not path.is_file():
        raise InvalidVolume(f"{path}: this is no ordinary file; name a NIfTI file.")
    return _look(str(path), lambda: path.open("rb"))


def _look(name: str, opened: Callable[[], BinaryIO]) -> NiftiLabels:
    if not name.lower().endswith((".nii", ".nii.gz")):
        is_what = "no file whose name ends in .nii or .nii.gz"
        for endings, kind in FOREIGN.items():
            if name.lower().endswith(tuple(f".{ending}" for ending in endings.split())):
                is_what = kind
        raise InvalidVolume(
            f"{name}: this is {is_what}; save it as one NIfTI file (.nii.gz) with its affine, as "
            "3D Slicer and ITK-SNAP do."
        )
    with _reported(name), opened() as file:
        start = _unpacking(file).read(max(HEADERS))
    with _silence():
        return _understood(start, name, opened)


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """What a stream may raise becomes a sentence."""
    try:
        yield
    except PermissionError:
        raise InvalidVolume(f"{name}: reading it is not permitted; change its mode.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidVolume(f"{name}: the file is truncated or damaged; {EXPORT_AGAIN}.") from error


@contextmanager
def _silence() -> Iterator[None]:
    """No log line and no warning about what is either harmless or reported in a sentence."""
    logger = imageglobals.logger
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _unpacking(file: BinaryIO) -> Any:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file


def _taken(stream: Any, size: int) -> bytearray:
    """The next `size` bytes; EOFError if there are fewer."""
    content = bytearray()
    while len(content) < size:
        more = stream.read(min(BLOCK, size - len(content)))
        if not more:
            raise EOFError
        content += more
    return content


def _understood(start: bytes, name: str, opened: Callable[[], BinaryIO]) -> NiftiLabels:
    try:
        raw, header = _headers(start)
        dtype, offset = header.get_data_dtype(), header.get_data_offset()
        shape = header.get_data_shape()
        scale = header.get_slope_inter()
        forms = _forms(header)
        units = header.get_xyzt_units()[0]
    except Exception as error:  # nibabel raises a dozen kinds on damaged headers
        raise InvalidVolume(
            f"{name}: this is not a readable NIfTI file (truncated, damaged or of another "
            f"format); {EXPORT_AGAIN}."
        ) from error
    space, frames = _axes(shape, name)
    if dtype.kind not in "uifb":
        raise NotLabels(
            f"{name}: the voxels are of type {dtype}, not whole numbers; give a label map, not a "
            "picture."
        )
    voxels = math.prod(space)
    one, all_ = (offset + n * voxels * dtype.itemsize for n in (1, frames))
    if offset < 0 or voxels > MOST_VOXELS or one > MOST_BYTES or all_ > MOST_STREAMED:
        raise InvalidVolume(
            f"{name}: the header claims {times(shape)} voxels, {all_ / 2**20:.0f} MB, so it is "
            f"damaged or no label map of a heart; {EXPORT_AGAIN}, cropped to the heart."
        )
    to_mm = MILLIMETRES.get(units, 1.0)
    for affine in forms.values():
        affine[:3] *= to_mm
    affine, notes = _chosen(forms, space)
    trivial = scale[0] is None or tuple(scale) == (1.0, 0.0)
    return NiftiLabels(
        name,
        space,
        frames,
        affine,
        np.asarray(raw["pixdim"][1:4], dtype=np.float64) * to_mm,
        "mm" if units == "unknown" else units,
        notes,
        opened,
        dtype,
        offset,
        None if trivial else (float(scale[0]), float(scale[1])),
    )


def _headers(start: bytes) -> tuple[Any, Any]:
    """The header as it stands, and as nibabel repairs it: zero and negative spacings."""
    sizes = {struct.unpack(f"{order}i", start[:4])[0] for order in "<>"}
    (header_class,) = (HEADERS[size] for size in sizes & HEADERS.keys())
    return (
        header_class.from_fileobj(io.BytesIO(start), check=False),
        header_class.from_fileobj(io.BytesIO(start), check=True),
    )


def _axes(shape: tuple[int, ...], name: str) -> tuple[tuple[int, int, int], int]:
    """Voxels along three axes, and the number of frames along whichever follows."""
    further = [n for n in shape[3:] if n != 1]
    if len(shape) < 2 or len(further) > 1 or min(shape) < 1:
        raise InvalidVolume(
            f"{name}: the array is {len(shape)}-D ({times(shape)}), and not 3-D, or 4-D with time "
            "last; give one label map."
        )
    x, y, z = (*shape, 1)[:3]
    return (x, y, z), (*further, 1)[0]


def _forms(header: Any) -> dict[str, NDArray[np.float64]]:
    """The affines that a header states, the one that NIfTI prefers first."""
    forms = {}
    for form, code in (("sform", "sform_code"), ("qform", "qform_code")):
        if header[code] > 0:
            try:
                forms[form] = np.asarray(getattr(header, f"get_{form}")(), dtype=np.float64)
            except Exception:  # no rotation at all; the other may do
                if form == "qform" and not forms:
                    raise
    return forms or {"spacing": np.asarray(header.get_base_affine(), dtype=np.float64)}


@np.errstate(all="ignore")
def _chosen(
    forms: dict[str, NDArray[np.float64]], shape: tuple[int, int, int]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The first affine that says how the scanner lay, or is one; and that another disagrees."""
    empty = {form: not abs(np.linalg.det(forms[form])) > 0 for form in forms}
    taken = min(forms, key=lambda form: (_spacing_only(forms[form]), empty[form]))
    corners = np.array(np.meshgrid(*((-0.5, n - 0.5) for n in shape), 1.0)).reshape(4, -1)
    notes = []
    for other in forms.keys() - {taken}:
        apart = (forms[other] - forms[taken]) @ corners
        farthest = float(np.linalg.norm(apart, axis=0).max())
        if not farthest <= AGREEMENT:
            notes.append(
                f"The file has two affines, which lie up to {farthest:.3g} mm apart: the {taken} "
                f"was taken, the {other} was not."
            )
    return forms[taken], tuple(notes)


@np.errstate(all="ignore")
def _spacing_only(affine: NDArray[np.float64]) -> bool:
    """Whether the axes of a (4, 4) affine run along the world's, as where orientation is lost."""
    axes = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    return not (axes.max(axis=0) < 1 - 1e-4).any()


def times(numbers: Any) -> str:
    """``3 x 4 x 5``."""
    return " x ".join(f"{number:g}" for number in numbers)

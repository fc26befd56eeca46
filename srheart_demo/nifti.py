"""NIfTI files, distrusted: every way in which one can be unusable becomes one clear sentence.

nibabel reads the header; the voxels are unpacked here, no more of them than the header claims and
the limits allow, so that no small file becomes a large one.
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

MOST_VOXELS = 2**24
"""Of one frame: 512 × 512 × 64. No short-axis stack has nearly as many."""
MOST_BYTES = 2**28
"""Of a file once unpacked, all its frames together."""
MOST_UPLOAD = 2**26
"""Bytes of an upload, packed or not."""
BLOCK = 2**20
"""Voxels and bytes that are looked at together."""
LARGEST = 2**31 - 1
FARTHEST = 1e6
"""No voxel lies so far from a scanner's origin, in whatever unit."""
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
HEADERS = {348: Nifti1Header, 540: Nifti2Header}
"""By their size, with which each begins."""
GZIP = b"\x1f\x8b"

AGAIN = "export or download it again"


class InvalidVolume(ValueError):
    """A file that cannot be used; the message names it, says what is wrong and what to do.

    Attributes:
        remedy: which choice of the caller would help: frame, labels, slice_axis, spacing, or none.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.remedy = remedy


class Picture(InvalidVolume):
    """An image, not labels."""


class NothingLabelled(InvalidVolume):
    """All voxels are background."""


class SinglePlane(InvalidVolume):
    """One plane where a stack was wanted; it may be a long-axis view."""


class SeveralFrames(InvalidVolume):
    """Labels in several frames, and none was chosen.

    Attributes:
        frames: those that hold labels.
    """

    def __init__(self, message: str, frames: tuple[int, ...]) -> None:
        """Say which."""
        super().__init__(message, "frame")
        self.frames = frames


@dataclass(frozen=True)
class Upload:
    """A file that came from elsewhere and lies in memory.

    Attributes:
        name: for messages, and for its ending; no file of that name is opened or written.
        content: its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class NiftiLabels:
    """A file's numbers, unpacked but not yet looked at.

    Attributes:
        name: of the file.
        shape: voxels along the stored axes.
        frames: how many.
        affine: (4, 4) stored index to RAS+ mm.
        units: of length as the header has them, ``mm`` where it says nothing.
        stored: (frames, voxels) as the file has them, the first axis fastest.
        scale: slope and intercept that turn stored numbers into values, or None.
    """

    name: str
    shape: tuple[int, int, int]
    frames: int
    affine: NDArray[np.float64]
    units: str
    stored: NDArray[Any]
    scale: tuple[float, float] | None

    def labelled(self) -> list[int]:
        """The frames that hold anything but zeros."""
        return [t for t in range(self.frames) if self._blocks_differ(t)]

    def frame(self, t: int) -> NDArray[np.int32]:
        """The whole numbers of a frame, in the stored order of axes.

        Raises:
            InvalidVolume: some are no finite whole numbers.
        """
        whole = np.empty(self.stored.shape[1], np.int32)
        for start, values in self._blocks(t):
            whole[start : start + len(values)] = self._whole(values)
        return whole.reshape(self.shape, order="F")

    def _blocks(self, t: int) -> Iterator[tuple[int, NDArray[Any]]]:
        for start in range(0, self.stored.shape[1], BLOCK):
            values = self.stored[t, start : start + BLOCK]
            if self.scale:
                values = values * self.scale[0] + self.scale[1]
            yield start, values

    def _blocks_differ(self, t: int) -> bool:
        return any(values.any() for _, values in self._blocks(t))

    def _whole(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise InvalidVolume(
                    f"{self.name}: some voxels are NaN or infinite; replace them by a label "
                    "(0 is background)."
                )
            whole = np.rint(values)
            if (odd := values[np.abs(values - whole) > 1e-3]).size:
                raise InvalidVolume(
                    f"{self.name}: some values are not whole numbers (such as {odd[0]:g}), so this "
                    "is an image or was interpolated; give a label map, resampled by nearest "
                    "neighbour."
                )
            values = whole
        if values.max() > LARGEST or values.min() < -LARGEST:
            raise InvalidVolume(
                f"{self.name}: values as large as {float(values.max()):g} are no labels; give a "
                "label map."
            )
        return values


Source = str | os.PathLike[str] | Upload | NiftiLabels
"""A path, an upload, or what has been read already."""


def load(source: Source) -> NiftiLabels:
    """Read one or more 3-D frames of real numbers and their affine (index to RAS+ mm).

    Axes of one voxel after the fourth are dropped. Packed or not is told by the content itself.

    Raises:
        InvalidVolume: if the file is missing, damaged, too large, not 3-D or 4-D, not of real
            numbers, or if its geometry is impossible.
    """
    if isinstance(source, NiftiLabels):
        return source
    if isinstance(source, Upload):
        if len(source.content) > MOST_UPLOAD:
            raise InvalidVolume(
                f"{source.name}: the file has {len(source.content) / 2**20:.0f} MB, more than any "
                "label map of a heart; crop it to the heart and pack it (.nii.gz)."
            )
        return _open(source.name, lambda: io.BytesIO(source.content))
    path = Path(source)
    if "\0" in str(path) or not path.exists():
        raise InvalidVolume(f"{path}: there is no such file; check the path.")
    if path.is_dir():
        raise InvalidVolume(f"{path}: this is a folder; name the NIfTI file inside it.")
    if not path.is_file():
        raise InvalidVolume(f"{path}: this is no ordinary file; name a NIfTI file.")
    return _open(str(path), lambda: path.open("rb"))


def _open(name: str, opened: Callable[[], BinaryIO]) -> NiftiLabels:
    if not name.endswith((".nii", ".nii.gz")):
        raise InvalidVolume(
            f"{name}: the name does not end in .nii or .nii.gz; convert it to a NIfTI file."
        )
    try:
        with opened() as file, _silence():
            packed = file.read(2) == GZIP
            file.seek(0)
            return _read(gzip.GzipFile(fileobj=file) if packed else file, name)
    except PermissionError:
        raise InvalidVolume(f"{name}: reading it is not permitted; change its mode.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidVolume(f"{name}: the file is truncated or damaged; {AGAIN}.") from error


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


def _read(stream: Any, name: str) -> NiftiLabels:
    try:
        start = stream.read(max(HEADERS))
        raw, header = _headers(start)
        dtype, offset = header.get_data_dtype(), header.get_data_offset()
        shape = header.get_data_shape()
        scale = header.get_slope_inter()
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
        units = header.get_xyzt_units()[0]
    except Exception as error:  # nibabel raises a dozen kinds on damaged headers
        raise InvalidVolume(
            f"{name}: this is not a readable NIfTI file (truncated, damaged or of another "
            f"format); {AGAIN}."
        ) from error
    *space, frames = _frames(shape, name)
    voxels = math.prod(space)
    if dtype.kind not in "uifb":
        raise InvalidVolume(
            f"{name}: the voxels are of type {dtype}, not whole numbers; give a label map, not a "
            "picture."
        )
    size = offset + frames * voxels * dtype.itemsize
    if offset < 0 or voxels > MOST_VOXELS or size > MOST_BYTES:
        raise InvalidVolume(
            f"{name}: the header claims {_times(shape)} voxels, {size / 2**20:.0f} MB, so it is "
            f"damaged or not a short-axis stack; {AGAIN}, cropped to the heart."
        )
    affine = _checked(affine, np.asarray(raw["pixdim"][1:4], dtype=np.float64), name)
    affine[:3] *= MILLIMETRES.get(units, 1.0)
    content = _unpacked(stream, start, size)
    stored = np.frombuffer(content, dtype, frames * voxels, offset).reshape(frames, voxels)
    trivial = scale[0] is None or tuple(scale) == (1.0, 0.0)
    return NiftiLabels(
        name,
        (space[0], space[1], space[2]),
        frames,
        affine,
        "mm" if units == "unknown" else units,
        stored,
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


def _frames(shape: tuple[int, ...], name: str) -> tuple[int, int, int, int]:
    """Voxels along three axes, and the number of frames."""
    used = len(shape)
    while used > 3 and shape[used - 1] == 1:
        used -= 1
    if used not in (3, 4) or min(shape) < 1:
        raise InvalidVolume(
            f"{name}: the array is {used}-D ({_times(shape)}), not 3-D; give one label map with "
            "all its slices, or one for each time frame along a fourth axis."
        )
    x, y, z, frames = (*shape[:used], 1)[:4]
    return x, y, z, frames


def _unpacked(stream: Any, start: bytes, size: int) -> bytearray:
    """The first `size` bytes of a stream of which `start` was read.

    Raises:
        EOFError: it has fewer.
    """
    content = bytearray(start[:size])
    while len(content) < size:
        more = stream.read(min(BLOCK, size - len(content)))
        if not more:
            raise EOFError
        content += more
    return content


def _checked(
    affine: NDArray[np.float64], spacing: NDArray[np.float64], name: str
) -> NDArray[np.float64]:
    """The affine, if it is that of a rectangular grid with the `spacing` that the file states."""
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise InvalidVolume(
            f"{name}: the voxel spacing in the header (pixdim) is {_times(spacing)}, but must be "
            "positive; write the true spacing in mm."
        )
    near = np.isfinite(affine).all() and np.abs(affine).max() < FARTHEST
    length = np.linalg.norm(affine[:3, :3], axis=0)
    if not (near and abs(np.linalg.det(affine[:3, :3])) > 1e-3 * length.prod()):
        raise InvalidVolume(
            f"{name}: the affine is singular, not finite or leads far away, so voxels have no "
            "place in space; write the true affine (sform)."
        )
    if not np.allclose(length, spacing, rtol=0.01):
        raise InvalidVolume(
            f"{name}: the affine gives voxels of {_times(length)} mm but pixdim {_times(spacing)}; "
            "make the two agree."
        )
    axes = affine[:3, :3] / length
    if not np.allclose(axes.T @ axes, np.eye(3), atol=0.005):
        raise InvalidVolume(
            f"{name}: the axes of the affine are not at right angles; resample the volume to a "
            "rectangular grid (nearest neighbour)."
        )
    return affine


def _times(numbers: Any) -> str:
    return " x ".join(f"{number:g}" for number in numbers)

"""NIfTI files, distrusted: every way in which one can be unusable becomes one clear sentence.

nibabel reads the header; the voxels are unpacked here, a frame at a time and no more of them than
the header claims and the limits allow, so that no small file becomes a large one.
"""

import gzip
import io
import logging
import math
import os
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from srheart_demo.scan.labels import Convention
from srheart_demo.scan.volume import SENTENCES, InvalidVolume, remark

MOST_VOXELS = 2**24  # Of one frame: 512 × 512 × 64. No label map of a heart has nearly as many.
MOST_BYTES = 2**28  # Of a frame once unpacked, with what comes before the first
MOST_STREAMED = 2**31  # Bytes of all frames together: they pass by, and one at a time is kept
MOST_UPLOAD = 2**26  # Bytes of an upload, packed or not
BLOCK = 2**20  # Voxels and bytes that are looked at together
LARGEST = 2**31 - 1
FARTHEST = 1e6  # No voxel lies so far from a scanner's origin, in whatever unit
ROUNDED = 0.05
"""Values this near to whole numbers are labels: 8 bits keep labels up to 12 as exactly."""
AGREEMENT = 0.5  # Millimetres that two affines of one file may lie apart unsaid
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
HEADERS = {348: Nifti1Header, 540: Nifti2Header}  # By their size, with which each begins
QUIET = logging.Logger("quiet", logging.CRITICAL + 1)
FOREIGN: dict[str, str] = SENTENCES["endings"]  # Some of a file's name → what it is


@dataclass(frozen=True)
class Upload:
    """A file that came from elsewhere and lies in memory."""

    name: str  # for messages, and for its ending; no file of that name is opened or written
    content: bytes  # its bytes


@dataclass(frozen=True, eq=False)
class NiftiLabels:
    """A file's header, and a way to its numbers: they are unpacked when asked for."""

    name: str  # of the file
    shape: tuple[int, int, int]  # voxels along the stored axes
    affine: NDArray[np.float64]  # (4, 4) stored index to RAS+ mm
    spacing: NDArray[np.float64]  # (3,) what the header states beside the affine, mm
    opened: Callable[[], BinaryIO]  # opens the file
    # dtype, offset: of the stored numbers, and bytes before the first of them
    dtype: np.dtype[Any]
    offset: int
    frames: int = 1  # how many
    units: str = "mm"  # of length as the header has them, ``mm`` where it says nothing
    notes: tuple[str, ...] = ()  # what was taken for granted, in plain sentences
    # slope and intercept that turn stored numbers into values, or None
    scale: tuple[float, float] | None = None
    convention: Convention | None = None  # what the file itself says that its values mean

    def labelled(self) -> list[int]:
        """The frames that hold anything but zeros."""
        return [t for t, stored in self.each() if self.holds(stored)]

    def frame(self, t: int) -> NDArray[np.int32]:
        """The whole numbers of a frame, in the stored order of axes."""
        _, stored = next(self.each(first=t))
        return self.whole(t, stored)

    def each(self, first: int = 0) -> Iterator[tuple[int, NDArray[Any]]]:
        """Each frame's index and its numbers as they are stored, the first axis fastest."""
        voxels = math.prod(self.shape)
        size = voxels * self.dtype.itemsize
        with _unpacked(self.name, self.opened) as stream:
            stream.seek(self.offset + first * size)
            for t in range(first, self.frames):
                content = bytearray()
                while len(content) < size:
                    if not (more := stream.read(min(BLOCK, size - len(content)))):
                        raise EOFError
                    content += more
                if t == self.frames - 1:
                    _read_on(stream)
                yield t, np.frombuffer(content, self.dtype, voxels)

    def holds(self, stored: NDArray[Any]) -> bool:
        """Whether some of a frame's stored numbers stand for more than zeros."""
        return not all(((v > -0.5) & (v < 0.5)).all() for _, v in self._blocks(stored))

    def whole(self, t: int, stored: NDArray[Any]) -> NDArray[np.int32]:
        """The whole numbers that a frame's stored ones stand for, if they stand for such."""
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
            yield start, values * self.scale[0] + self.scale[1] if self.scale else values

    def _rounded(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise InvalidVolume.of(name, "not finite")
            quantum = abs(self.scale[0]) if self.scale else 0.0
            tolerance = max(ROUNDED, 0.501 * quantum if quantum < 1 else 0.0)
            whole = np.rint(values)
            if (odd := values[np.abs(values - whole) > tolerance]).size:
                coarse = f", or a scale of {quantum:g} is too coarse for them" * (quantum > 1)
                raise InvalidVolume.of(name, "fractions", odd=odd[0], coarse=coarse)
            values = whole
        if values.max() > LARGEST or values.min() < -LARGEST:
            raise InvalidVolume.of(name, "large values", largest=float(values.max()))
        return values


Source = str | os.PathLike[str] | Upload | NiftiLabels
"""A path, an upload, or what has been looked at already."""


def load(source: Source) -> NiftiLabels:
    """Look at one or more frames of real numbers and their affine (index to RAS+ mm).

    Axes of one voxel are dropped; of those after the third, one may have more. A file of one plane
    may be 2-D. Packed or not is told by the content itself. A file that is missing, damaged, too
    large, of more axes or not of real numbers is refused as an `InvalidVolume`.
    """
    if isinstance(source, NiftiLabels):
        return source
    if isinstance(source, Upload):
        name, content = source.name, source.content
        if len(content) > MOST_UPLOAD:
            raise InvalidVolume.of(name, "large upload", mb=len(content) / 2**20)
        return _look(name, lambda: io.BytesIO(content))
    path = Path(source)
    if key := _no_file(path):
        raise InvalidVolume.of(str(path), key)
    return _look(str(path), lambda: path.open("rb"))


def _no_file(path: Path) -> str:
    """Which of the refusals a path deserves that leads to no ordinary file; empty if it does."""
    try:
        if path.is_file():
            return ""
        return "folder" if path.is_dir() else "no ordinary file" if path.exists() else "missing"
    except PermissionError:  # to enter its folder
        return "not permitted"
    except OSError:  # no file can have such a name
        return "missing"


@contextmanager
def _unpacked(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Any]:
    """A file's content as a stream; what this may raise becomes a sentence."""
    try:
        with opened() as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield gzip.GzipFile(fileobj=file) if packed else file
    except PermissionError:
        raise InvalidVolume.of(name, "not permitted") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidVolume.of(name, "damaged") from error


def _read_on(stream: BinaryIO) -> None:
    """To the end, where a packed file has the checksum of its content; but not endlessly."""
    for _ in range(0, MOST_BYTES, BLOCK):
        if not stream.read(BLOCK):
            return


def _look(name: str, opened: Callable[[], BinaryIO]) -> NiftiLabels:
    with _unpacked(name, opened) as stream:
        if is_dicom(stream):  # whatever it is called
            try:
                from srheart_demo.scan.dicom import look
            except ModuleNotFoundError:
                raise InvalidVolume.of(name, "no highdicom") from None
            stream.seek(0)
            return look(name, stream.read(MOST_BYTES + 1))
    if not name.lower().endswith((".nii", ".nii.gz")):
        ends = (tuple(f".{ending}" for ending in endings.split()) for endings in FOREIGN)
        kinds = zip(ends, FOREIGN.values(), strict=True)
        kind = next(kind for end, kind in kinds if not end or name.lower().endswith(end))
        raise InvalidVolume.of(name, "other format", kind=kind)
    with _unpacked(name, opened) as stream:
        start = stream.read(max(HEADERS))
    try:
        # No log line and no warning about what is either harmless or reported in a sentence.
        with warnings.catch_warnings(action="ignore"):
            sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")}
            (size,) = sizes & HEADERS.keys()
            raw, header = (HEADERS[size](start[:size], check=False) for _ in range(2))
            header.check_fix(QUIET)  # It repairs zero and negative spacings.
            # Voxels lie behind the header, though it may say 0.
            dtype = header.get_data_dtype()
            offset = max(header.get_data_offset(), header.single_vox_offset)
            shape = header.get_data_shape()
            slope, intercept = header.get_slope_inter()
            units = header.get_xyzt_units()[0]
            forms = _forms(header)
    except Exception as error:  # nibabel raises a dozen kinds on damaged headers
        raise InvalidVolume.of(name, "unreadable") from error
    further = [n for n in shape[3:] if n != 1]
    if len(shape) < 2 or len(further) > 1 or min(shape) < 1:
        raise InvalidVolume.of(name, "axes", n=len(shape), shape=times(shape))
    if dtype.kind not in "uifb":
        raise InvalidVolume.of(name, "type", dtype=dtype)
    (x, y, z), (frames, *_) = (*shape, 1)[:3], (*further, 1)
    one, all_ = (offset + n * x * y * z * dtype.itemsize for n in (1, frames))
    if offset < 0 or x * y * z > MOST_VOXELS or one > MOST_BYTES or all_ > MOST_STREAMED:
        raise InvalidVolume.of(name, "large", shape=times(shape), mb=all_ / 2**20)
    to_mm = MILLIMETRES.get(units, 1.0)
    for affine in forms.values():
        affine[:3] *= to_mm
    affine, notes = _chosen(forms, (x, y, z))
    trivial = slope is None or (slope, intercept) == (1, 0)
    return NiftiLabels(
        name=name,
        shape=(x, y, z),
        frames=frames,
        affine=affine,
        spacing=np.asarray(raw["pixdim"][1:4], dtype=np.float64) * to_mm,
        units="mm" if units == "unknown" else units,
        notes=tuple(notes),
        opened=opened,
        dtype=dtype,
        offset=offset,
        scale=None if trivial else (float(slope), float(intercept)),
    )


def is_dicom(file: BinaryIO) -> bool:
    """Whether a file is DICOM, as its first bytes say."""
    return file.read(132)[128:] == b"DICM"


def _forms(header: Any) -> dict[str, np.ndarray]:
    """The affines that a header states, the one that NIfTI prefers first."""
    forms = {}
    for form in ("sform", "qform"):
        if header[f"{form}_code"] > 0:
            try:
                forms[form] = np.asarray(getattr(header, f"get_{form}")(), dtype=np.float64)
            except Exception:  # no rotation at all; the other may do
                if form == "qform" and not forms:
                    raise
    return forms or {"spacing": np.asarray(header.get_base_affine(), dtype=np.float64)}


@np.errstate(all="ignore")
def _chosen(forms: dict[str, np.ndarray], shape: Sequence[int]) -> tuple[np.ndarray, list[str]]:
    """The first affine that says how the scanner lay, or is one; and that another disagrees."""

    def lacks(form: str) -> tuple[bool, bool]:
        linear = forms[form][:3, :3]
        axes = np.abs(linear / np.linalg.norm(linear, axis=0)).max(axis=0)
        # Axes along the world's are those of a file whose orientation is lost.
        return not (axes < 1 - 1e-4).any(), not abs(np.linalg.det(forms[form])) > 0

    taken = min(forms, key=lacks)
    corners = np.array(np.meshgrid(*((-0.5, n - 0.5) for n in shape), 1.0)).reshape(4, -1)
    notes = []
    for other in forms.keys() - {taken}:
        apart = (forms[other] - forms[taken]) @ corners
        farthest = float(np.linalg.norm(apart, axis=0).max())
        if not farthest <= AGREEMENT:
            notes.append(remark("two affines", farthest=farthest, taken=taken, other=other))
    return forms[taken], notes


def times(numbers: Iterable[float]) -> str:
    """``3 x 4 x 5``."""
    return " x ".join(f"{number:g}" for number in numbers)

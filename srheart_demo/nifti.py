"""NIfTI files, distrusted: every way in which one can be unusable becomes one clear sentence."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel import imageglobals
from nibabel.openers import ImageOpener
from numpy.typing import NDArray

MOST_VOXELS = 2**28
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}


class InvalidVolume(ValueError):
    """A file that cannot be used; the message names it, says what is wrong and what to do."""


def load(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Read a 3-D array of finite numbers and its affine (index to RAS+ mm).

    A trailing fourth axis of one voxel is dropped.

    Raises:
        InvalidVolume: if the file is missing, damaged, not 3-D, not of finite real numbers, or
            if its geometry is impossible.
    """
    if not path.exists():
        raise InvalidVolume(f"{path}: there is no such file; check the path.")
    if path.is_dir():
        raise InvalidVolume(f"{path}: this is a folder; name the NIfTI file inside it.")
    if not path.name.endswith((".nii", ".nii.gz")):
        raise InvalidVolume(
            f"{path}: the name does not end in .nii or .nii.gz; convert it to a NIfTI file."
        )
    with _silence():
        image = _open(path)
        values = _values(image, path)
        return values, _affine(image, path)


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


def _open(path: Path) -> nibabel.Nifti1Pair:
    try:
        image = nibabel.load(path)
    except PermissionError:
        raise InvalidVolume(f"{path}: reading it is not permitted; change its mode.") from None
    except Exception as error:  # nibabel raises a dozen kinds on damaged headers
        raise InvalidVolume(
            f"{path}: this is not a readable NIfTI file (truncated, damaged or of another "
            "format); export or download it again."
        ) from error
    if not isinstance(image, nibabel.Nifti1Pair):
        raise InvalidVolume(
            f"{path}: this is {type(image).__name__}, not NIfTI; convert it to a NIfTI file."
        )
    return image


def _values(image: nibabel.Nifti1Pair, path: Path) -> NDArray[Any]:
    shape = image.shape
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3 or 0 in shape:
        raise InvalidVolume(
            f"{path}: the array is {len(image.shape)}-D ({_times(image.shape)}), not 3-D; "
            "give one label map of one time frame with all its slices."
        )
    if np.prod(shape, dtype=float) > MOST_VOXELS:
        raise InvalidVolume(
            f"{path}: the header claims {_times(shape)} voxels, so it is damaged or not a heart; "
            "export it again, cropped to the heart."
        )
    if image.get_data_dtype().kind not in "uifb":
        raise InvalidVolume(
            f"{path}: the voxels are of type {image.get_data_dtype()}, not whole numbers; "
            "give a label map, not a picture."
        )
    try:
        values = np.asanyarray(image.dataobj).reshape(shape)
    except Exception as error:  # zlib, gzip, mmap and numpy each have their own
        raise InvalidVolume(
            f"{path}: the file is truncated or damaged; export or download it again."
        ) from error
    if not np.isfinite(values).all():
        raise InvalidVolume(
            f"{path}: some voxels are NaN or infinite; replace them by a label (0 is background)."
        )
    return values


def _affine(image: nibabel.Nifti1Pair, path: Path) -> NDArray[np.float64]:
    spacing = _stored_spacing(path)
    if not (np.isfinite(spacing) & (spacing > 0)).all():
        raise InvalidVolume(
            f"{path}: the voxel spacing in the header (pixdim) is {_times(spacing)}, but must be "
            "positive; write the true spacing in mm."
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    length = np.linalg.norm(affine[:3, :3], axis=0)
    determinant = abs(np.linalg.det(affine[:3, :3]))
    if not np.isfinite(affine).all() or determinant <= 1e-3 * length.prod():
        raise InvalidVolume(
            f"{path}: the affine is singular or not finite, so voxels have no place in space; "
            "write the true affine (sform)."
        )
    if not np.allclose(length, spacing, rtol=0.01):
        raise InvalidVolume(
            f"{path}: the affine gives voxels of {_times(length)} mm but pixdim {_times(spacing)}; "
            "make the two agree."
        )
    axes = affine[:3, :3] / length
    if not np.allclose(axes.T @ axes, np.eye(3), atol=0.005):
        raise InvalidVolume(
            f"{path}: the axes of the affine are not at right angles; resample the volume to a "
            "rectangular grid (nearest neighbour)."
        )
    affine[:3] *= MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    return affine


def _stored_spacing(path: Path) -> NDArray[np.float64]:
    """Spacing as written in the file: on loading, nibabel repairs zero and negative values."""
    for header_class in (nibabel.Nifti1Header, nibabel.Nifti2Header):
        with ImageOpener(str(path)) as file:
            header = header_class.from_fileobj(file, check=False)
        if header["sizeof_hdr"] == header_class.sizeof_hdr:
            return np.asarray(header["pixdim"][1:4], dtype=np.float64)
    raise InvalidVolume(f"{path}: the NIfTI header is damaged; export or download it again.")


def _times(numbers: Any) -> str:
    return " x ".join(f"{number:g}" for number in numbers)

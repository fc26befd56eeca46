"""DICOM SEG: segments of a file as labels, and a heart as segments.

Only this module needs highdicom: ``pip install highdicom``.
"""

import io
import math
import os
import warnings
from collections.abc import Callable
from importlib.metadata import version

import highdicom as hd
import numpy as np
import pydicom
from pydicom.sr.codedict import codes
from pydicom.valuerep import DA, TM

from srheart_demo.files import atomic_path
from srheart_demo.frame import TISSUE_COLOURS, TISSUES, rgb
from srheart_demo.scan.labels import meaning_of_names
from srheart_demo.scan.nifti import MOST_BYTES, MOST_VOXELS, NiftiLabels, times
from srheart_demo.scan.volume import InvalidVolume, LabelVolume

SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""SOP classes: Segmentation Storage, and Label Map Segmentation Storage, which is newer."""
PACKED_WHOLE = pydicom.uid.DeflatedExplicitVRLittleEndian.encode()
"""How a file may be stored whose size nobody knows before it is unpacked."""
REFERRED: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("PatientID", "PatientName", "StudyID", "AccessionNumber"), str),
    **dict.fromkeys(("PatientBirthDate", "StudyDate"), DA),
    "StudyTime": TM,
    "PatientSex": lambda sex: sex and hd.PatientSexValues(sex),
}
"""What a heart has of its patient and study, and what that must be; else it is left empty."""
OBLIQUE = 0.3  # 1 - cos of how far slices may lean, 45°
ASIDE, ROUNDED_OFF = 0.5, 0.05
"""Slices lie no farther than the first, mm, off where a steady shift has them; a shift of all
slices together that is less than the second is none."""
MEANINGS = {
    "LV": codes.SCT.LeftVentricle,
    "MYO": codes.SCT.LeftVentricleMyocardium,
    "RV": codes.SCT.RightVentricle,
}


def look(name: str, content: bytes) -> NiftiLabels:
    """Unpack the SEG of a file: values are numbers of segments, whose names say what they are.

    Where segments lie over each other the smallest counts. Empty slices at the ends are not there,
    as a SEG leaves them out. What is damaged, too large, no stack or no SEG is refused as an
    `InvalidVolume`.
    """
    if len(content) > MOST_BYTES or PACKED_WHOLE in content[:4096]:
        raise InvalidVolume.of(name, "large DICOM", mb=len(content) / 2**20)
    try:
        with warnings.catch_warnings(action="ignore"):
            file = pydicom.dcmread(io.BytesIO(content))
            if file.SOPClassUID not in SEG:
                raise InvalidVolume.of(name, "no SEG", modality=file.get("Modality", "?"))
            _check_packing(name, file)
            _name_missing(file)
            shared = file.SharedFunctionalGroupsSequence[0]
            for lies in shared.get("PlaneOrientationSequence", []):  # Rounded, if to few digits
                u, _, vt = np.linalg.svd(np.reshape(lies.ImageOrientationPatient, (2, 3)), False)
                lies.ImageOrientationPatient = (u @ vt).ravel().tolist()
            measures = shared.get("PixelMeasuresSequence", [{}])[0]
            # Where slices lie tells how far apart they are; what is stated may be their thickness.
            for stated in (measures.get("SpacingBetweenSlices"), None):
                if not stated:
                    measures.pop("SpacingBetweenSlices", None)
                seg = hd.seg.Segmentation.from_dataset(file, copy=False)
                place = seg.get_volume_geometry(perpendicular_tol=OBLIQUE)
                if place is not None:
                    break
            numbers = seg.segment_numbers
            if place is None:
                raise InvalidVolume.of(name, "no DICOM stack")
            affine = _affine(name, file, place)
            voxels = math.prod(place.spatial_shape)
            if voxels > MOST_VOXELS or voxels * len(numbers) > MOST_BYTES:
                shape, mb = times(place.spatial_shape), voxels * len(numbers) / 2**20
                raise InvalidVolume.of(name, "large", shape=shape, mb=mb)
            try:
                masks = seg.get_volume(perpendicular_tol=OBLIQUE).array > 0.5
            except RuntimeError as error:
                if "uniquely identify" not in str(error):
                    raise
                raise InvalidVolume.of(name, "several times") from error
            names = [(seg.get_segment_description(n).segment_label, (n,)) for n in numbers]
    except InvalidVolume:
        raise
    except Exception as error:  # highdicom and pydicom raise a dozen kinds on damaged files
        raise InvalidVolume.of(name, "damaged DICOM") from error
    labels = np.zeros(place.spatial_shape, "<i4")
    for i in np.argsort(-masks.sum(axis=(0, 1, 2)), kind="stable"):
        labels[masks[..., i]] = numbers[i]
    # A byte before them, so that they never look packed.
    raw = b"\0" + labels.tobytes(order="F")
    return NiftiLabels(
        name=name,
        shape=labels.shape,
        affine=affine,
        spacing=np.array(place.spacing),
        opened=lambda: io.BytesIO(raw),
        dtype=labels.dtype,
        offset=1,
        convention=meaning_of_names(names, "as its segments are named"),
    )


def _name_missing(file: pydicom.Dataset) -> None:
    """Give a file names that it lacks, as one that was made anonymous may."""
    for uid in ("FrameOfReferenceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not file.get(uid):
            setattr(file, uid, hd.UID())


def _check_packing(name: str, file: pydicom.Dataset) -> None:
    """Refuse pixels that nothing here can unpack; pydicom raises where it has no decoder."""
    how = file.file_meta.TransferSyntaxUID
    try:
        known = not how.is_compressed or pydicom.pixels.get_decoder(how).is_available
    except (NotImplementedError, ValueError):
        known = False
    if not known:
        raise InvalidVolume.of(name, "packed DICOM", how=how.name)


def _affine(name: str, file: pydicom.Dataset, place: hd.VolumeGeometry) -> np.ndarray:
    """Index to RAS+ mm. Slices may be shifted in their planes, each by as much against the last.

    highdicom lays them at right angles.
    """
    affine = place.affine.copy()
    across, origin = affine[:3, 0], affine[:3, 3]
    frames = file.get("PerFrameFunctionalGroupsSequence", [])
    places = [of.PlanePositionSequence[0] for of in frames if "PlanePositionSequence" in of]
    if places:
        apart = np.array([at.ImagePositionPatient for at in places], float) - origin
        k = np.rint(apart @ across / (across @ across))[:, None]
        off = apart - k * across
        shift = (k * off).sum(axis=0) / max(1.0, (k**2).sum())
        if np.linalg.norm(off - k * shift, axis=1).max() > ASIDE:
            raise InvalidVolume.of(name, "no DICOM stack")
        if np.linalg.norm(k * shift, axis=1).max() > ROUNDED_OFF:
            affine[:3, 0] += shift
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def write_segmentation(
    heart: LabelVolume, source: str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Write a heart as a SEG, complete or not at all.

    It belongs to the patient, study and frame of reference of `source`, the SEG that it was
    restored from, and refers to it and to the series that it refers to.
    """
    ours = version("srheart-demo")
    family = codes.cid7162.DeformableModels
    how = hd.AlgorithmIdentificationSequence("Latent optimisation", family, ours)
    segments = [
        hd.seg.SegmentDescription(
            *(number, tissue, codes.SCT.AnatomicalStructure, MEANINGS[tissue], "AUTOMATIC", how),
            display_color=hd.color.CIELabColor.from_rgb(*rgb(TISSUE_COLOURS[tissue])),
        )
        for number, tissue in enumerate(TISSUES[1:], start=1)
    ]
    with warnings.catch_warnings(action="ignore"):
        given = pydicom.dcmread(source)
        _name_missing(given)
        for name, kind in REFERRED.items():
            given.setdefault(name, "")
            try:
                kind(given[name].value or "")
            except ValueError:
                given[name].value = ""
        volume = hd.Volume(
            *(heart.labels, heart.affine, "PATIENT", given.FrameOfReferenceUID),
            from_reference_convention="RAH",
        )
        made = hd.seg.Segmentation(
            *([given], volume, "BINARY", segments),
            *(hd.UID(), 1, hd.UID(), 1),  # Series and instance, and their numbers
            *("srheart-demo", "srheart enhance", ours, "none"),  # Who made it, with what
            omit_empty_frames=False,
            series_description="Heart restored from a short-axis stack",
        )
        # highdicom takes those of the source, slices and all, where pixels are as large.
        (shared,) = made.SharedFunctionalGroupsSequence
        shared.PixelMeasuresSequence = volume.get_pixel_measures()
        made.ReferencedSeriesSequence.extend(given.get("ReferencedSeriesSequence", []))
        with atomic_path(path) as draft:
            made.save_as(draft)

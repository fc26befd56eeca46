"""DICOM SEG: segments of a file as labels, and a heart as segments.

Only this module needs highdicom: ``pip install highdicom``.
"""

import io
import math
import os
import warnings
from importlib.metadata import version
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from pydicom.sr.codedict import codes

from srheart_demo.files import atomic_path
from srheart_demo.frame import TISSUE_COLOURS, TISSUES, rgb
from srheart_demo.scan.labels import named
from srheart_demo.scan.nifti import MOST_BYTES, MOST_VOXELS, NiftiLabels, times
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, NotLabels

SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""SOP classes: Segmentation Storage, and Label Map Segmentation Storage, which is newer."""
PACKED_WHOLE = pydicom.uid.DeflatedExplicitVRLittleEndian.encode()
"""How a file may be stored whose size nobody knows before it is unpacked."""
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
    try:
        with warnings.catch_warnings(action="ignore"):
            if len(content) > MOST_BYTES or PACKED_WHOLE in content[:4096]:
                raise InvalidVolume.of(name, "large DICOM", mb=len(content) / 2**20)
            header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
            if header.SOPClassUID not in SEG:
                raise NotLabels.of(name, "no SEG", modality=header.get("Modality", "?"))
            frames = header.Rows * header.Columns * header.NumberOfFrames
            if frames > MOST_BYTES:
                raise InvalidVolume.of(name, "large", shape=frames, mb=frames / 2**20)
            stored = hd.seg.segread(io.BytesIO(content))
            geometry = stored.get_volume_geometry()
            if geometry is None:
                raise InvalidVolume.of(name, "no DICOM stack")
            voxels, segments = math.prod(geometry.spatial_shape), stored.number_of_segments
            if voxels > MOST_VOXELS or voxels * segments > MOST_BYTES:
                shape = times(geometry.spatial_shape)
                raise InvalidVolume.of(name, "large", shape=shape, mb=voxels * segments / 2**20)
            masks = stored.get_volume().array > 0.5
            labels = np.zeros(geometry.spatial_shape, "<i4")
            for i in np.argsort(-masks.sum(axis=(0, 1, 2)), kind="stable"):
                labels[masks[..., i]] = stored.segment_numbers[i]
            pairs = [
                (stored.get_segment_description(n).segment_label, (n,))
                for n in stored.segment_numbers
            ]
            affine = geometry.get_affine("RAH")
    except InvalidVolume:
        raise
    except Exception as error:  # highdicom and pydicom raise a dozen kinds on damaged files
        raise InvalidVolume.of(name, "damaged DICOM") from error
    # A byte before them, so that they never look packed.
    raw = b"\0" + labels.tobytes(order="F")
    return NiftiLabels(
        name=name,
        shape=labels.shape,
        frames=1,
        affine=affine,
        spacing=np.linalg.norm(affine[:3, :3], axis=0),
        units="mm",
        notes=(),
        opened=lambda: io.BytesIO(raw),
        dtype=labels.dtype,
        offset=1,
        scale=None,
        convention=named(pairs, "as its segments are named"),
    )


def write_segmentation(
    heart: LabelVolume, source: str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Write a heart as a SEG, complete or not at all.

    It belongs to the patient, study and frame of reference of `source`, the SEG that it was
    restored from, and refers to it and to the series that it refers to.
    """
    made_by: dict[str, Any] = {
        "manufacturer": "srheart-demo",
        "manufacturer_model_name": "srheart enhance",
        "software_versions": version("srheart-demo"),
        "device_serial_number": "none",
    }
    how = hd.AlgorithmIdentificationSequence(
        "Latent optimisation", codes.cid7162.DeformableModels, version("srheart-demo")
    )
    segments = [
        hd.seg.SegmentDescription(
            number,
            tissue,
            codes.SCT.AnatomicalStructure,
            MEANINGS[tissue],
            "AUTOMATIC",
            how,
            display_color=hd.color.CIELabColor.from_rgb(*rgb(TISSUE_COLOURS[tissue])),
        )
        for number, tissue in enumerate(TISSUES[1:], start=1)
    ]
    with warnings.catch_warnings(action="ignore"):
        given = pydicom.dcmread(source)
        place = {"frame_of_reference_uid": given.FrameOfReferenceUID}
        volume = hd.Volume(
            heart.labels, heart.affine, "PATIENT", from_reference_convention="RAH", **place
        )
        own = (hd.UID(), 1, hd.UID(), 1)  # series and instance, and their numbers
        made = hd.seg.Segmentation(
            [given], volume, "BINARY", segments, *own, **made_by, omit_empty_frames=False,
            series_description="Heart restored from a short-axis stack",
        )  # fmt: skip
        # highdicom takes those of the source, slices and all, where pixels are as large.
        (shared,) = made.SharedFunctionalGroupsSequence
        shared.PixelMeasuresSequence = volume.get_pixel_measures()
        made.ReferencedSeriesSequence.extend(given.get("ReferencedSeriesSequence", []))
        with atomic_path(path) as draft:
            made.save_as(draft)

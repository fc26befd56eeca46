"""Datasets of the field's tools: what nnU-Net and BIDS say of labels, and hearts as they keep them.

A legend, ``dataset.json`` or a ``dseg.tsv``, says which tissue a value stands for, by name.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from srheart_demo.files import Unusable, read_toml, write_json, write_text
from srheart_demo.scan.labels import Convention, meaning_of_names

LAYOUTS = ("nnunet", "bids")
NNUNET, DSEG = "dataset.json", "dseg.tsv"
_SAID = read_toml(__file__, "datasets.toml")


class Legend(NamedTuple):
    """What a file says of the labels of others; None where it does not name our tissues."""

    file: Path
    convention: Convention | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        why = f"{self.file.name} does not name LV and MYO; labels were recognised without it."
        return () if self.convention else (why,)


class Legends:
    """Those of a folder's files, each read once."""

    def __init__(self, root: Path) -> None:
        self._root, self._listed, self._read = root, cache(_legends_in), cache(_legend)

    def of(self, file: str) -> Legend | None:
        """The nearest that speaks of a label map, by its path from the root.

        It lies beside the file or in a folder above, not above the root unless that is nnU-Net's
        folder of labels.
        """
        folders = [self._root / part for part in PurePosixPath(file).parents]
        if self._root.name.lower().startswith("labels"):
            folders.append(self._root.parent)
        for folder in folders:
            for path in self._listed(folder):
                if path.name == NNUNET or _entities(path.name) <= _entities(file):
                    return self._read(path)
        return None


def _legends_in(folder: Path) -> list[Path]:
    """Those of the fewest files first."""
    found = [path for name in (NNUNET, DSEG, f"*_{DSEG}") for path in folder.glob(name)]
    return sorted(found, key=lambda path: -len(_entities(path.name)))


def _entities(name: str) -> set[str]:
    """What parts of a BIDS name say, such as ``sub-01``."""
    return {part for part in PurePosixPath(name).name.split("_") if "-" in part}


def _legend(path: Path) -> Legend:
    try:
        text = path.read_text("utf-8-sig")
        if path.name == NNUNET:
            pairs = _of_nnunet(json.loads(text))
        else:
            rows = csv.DictReader(text.splitlines(), delimiter="\t")
            pairs = [(row["name"], (int(row["index"]),)) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Legend(path, None)
    return Legend(path, meaning_of_names(pairs, f"as {path.name} says"))


def _of_nnunet(content: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and values; its first version had them the other way round."""
    pairs = []
    for one, other in content["labels"].items():
        name, values = (other, one) if isinstance(other, str) else (one, other)
        many = values if isinstance(values, list) else [values]
        pairs.append((name, tuple(map(int, many))))
    return pairs


def places(layout: str, results: Iterable[str]) -> dict[str, str]:
    """Result folder → where a layout of `LAYOUTS` keeps its heart; `Unusable` if two are there."""
    placed: dict[str, str] = {}
    for name in results:
        place = _bids_path(name) if layout == "bids" else name.replace("/", "_") + ".nii.gz"
        if place in placed.values():
            raise Unusable(f"{name}: as {place} there would be two hearts; rename one scan.")
        placed[name] = place
    return placed


def write_dataset(layout: str, hearts: Mapping[str, Path], version: str, folder: Path) -> None:
    """Write hearts, result folder → file, into an empty folder as a tool of the field keeps them;
    nnU-Net's layout is that of predictions. `version` is this package's."""
    for name, place in places(layout, hearts).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(hearts[name], folder / place)
    if layout == "nnunet":
        write_json(_SAID["nnunet"], folder / NNUNET)
        return
    write_text(_SAID["bids"]["dseg"], folder / DSEG)
    made = {"GeneratedBy": [{"Name": "srheart-demo", "Version": version}]}
    write_json(_SAID["bids"]["description"] | made, folder / "dataset_description.json")


def _bids_path(name: str) -> str:
    """Where the heart of a result folder lies: entities that its name has stay, but for desc.

    One that is not BIDS's own becomes a subject of the letters and digits of its path.
    """
    frame = re.search(r"_frame_(\d+)$", name)
    whole = name[: frame.start()] if frame else name
    last = whole.split("/")[-1].removesuffix("_dseg")
    desc = f"desc-srheart{f'Frame{frame[1]}' if frame else ''}"
    if not re.fullmatch(r"sub-[a-zA-Z0-9]+(_[a-z]+-[a-zA-Z0-9]+)*", last):
        last = "sub-" + re.sub(r"[^a-zA-Z0-9]", "", whole)
    kept = [part for part in last.split("_") if not part.startswith("desc-")]
    within = [part for part in kept if part.startswith(("sub-", "ses-"))]
    return "/".join([*within, "anat", "_".join([*kept, desc, "dseg.nii.gz"])])

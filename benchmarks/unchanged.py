"""What must not change while the house is rebuilt: outputs of commands, recorded and compared.

``python -m benchmarks.unchanged record FOLDER [STACK.nii.gz ...]`` writes what the commands below
write; ``python -m benchmarks.unchanged compare BEFORE AFTER`` names each number that differs, and
leaves with 1 if one does. Times are left out, the version and the paths too.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

SUBJECTS = ("healthy_1", "healthy_2", "dilated", "hypertrophic")
LEVELS = ("none", "normal", "severe")
TABLES = ("table1", "table-s1", "table2", "table3")
TIMED = re.compile(r"second|time|minute|version|machine|commit|path|file|made|date", re.IGNORECASE)
SRHEART = (sys.executable, "-m", "srheart_demo.cli")


def commands(stacks: list[Path]) -> Iterator[tuple[str, list[str]]]:
    """Name and arguments of each command; its last is the folder that it writes."""
    for seed in (0, 7):
        yield f"draw_{seed}", [*SRHEART, "sample", "--seed", str(seed), "-o"]
    for subject in SUBJECTS:
        folder = Path("data/sample") / subject
        for level in LEVELS:
            enhance = [*SRHEART, "enhance", str(folder / f"S_LR_{level}.nii.gz")]
            yield f"{subject}_{level}", [*enhance, "-o"]
            view = ["--long-axis", str(folder / "S_LA.nii.gz")]
            yield f"{subject}_{level}_view", [*enhance, *view, "-o"]
    for stack in stacks:
        yield f"own_{stack.name.split('.')[0]}", [*SRHEART, "enhance", str(stack), "-o"]
    experiment = [*SRHEART, "experiment"]
    for table in TABLES:
        yield table, [*experiment, table, "--hearts", "1", "-o"]
    if stacks:
        yield "real-stacks", [*experiment, "real-stacks", *map(str, stacks), "-o"]
    small = ["--hearts", "1", "--train-hearts", "8", "--train-steps", "4", "--draws", "4"]
    yield "latent-study", [*experiment, "latent-study", *small, "-o"]


def record(folder: Path, stacks: list[Path]) -> None:
    """Run every command that has not run yet; what they print is kept beside what they write."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    jobs = [(name, [*line, str(folder / name)]) for name, line in commands(stacks)]
    jobs.append(("samples", [sys.executable, "-m", "benchmarks.samples"]))
    for name, line in jobs:
        said = folder / f"{name}.md"
        if said.exists():
            continue
        print(name, flush=True)
        run = subprocess.run(line, capture_output=True, text=True, env=quiet)
        if run.returncode:
            sys.exit(f"{' '.join(line)}\n{run.stderr}")
        said.write_text(run.stdout if name == "samples" else "")


def contents(file: Path) -> Any:
    """What a file says, as numbers and words under names."""
    if file.name.endswith(".nii.gz"):
        image = nibabel.nifti1.load(file)
        return {"labels": np.asarray(image.dataobj), "affine": image.affine}
    if file.suffix == ".json":
        return json.loads(file.read_text())
    if file.suffix == ".csv":
        return list(csv.DictReader(file.open()))
    return file.read_text() if file.name == "samples.md" else None


def differences(before: Any, after: Any, where: str, within: float) -> Iterator[str]:
    """Where two contents differ by more than `within`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if not TIMED.search(str(key)):
                yield from differences(before.get(key), after.get(key), f"{where}/{key}", within)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{where}/{i}", within)
    elif isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        if before.shape != after.shape:
            yield f"{where}: shapes {before.shape} and {after.shape}"
        elif (off := np.abs(before.astype(float) - after)).max() > within:
            yield f"{where}: {np.count_nonzero(off > within)} values, by {off.max():.6g} at most"
    elif before != after:
        try:
            if abs(float(before) - float(after)) <= within:
                return
        except (TypeError, ValueError):
            pass
        yield f"{where}: {str(before)[:80]} and {str(after)[:80]}"


def compare(before: Path, after: Path, within: float) -> list[str]:
    """Every difference of two recorded folders."""
    found: list[str] = []
    names = {p.relative_to(f) for f in (before, after) for p in f.rglob("*") if p.is_file()}
    for name in sorted(names):
        if not ((before / name).exists() and (after / name).exists()):
            found.append(f"{name}: in one of the two only")
        elif (one := contents(before / name)) is not None:
            found += differences(one, contents(after / name), str(name), within)
    return found


def main() -> None:
    """Record or compare."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = arguments.add_subparsers(dest="what", required=True)
    recording = what.add_parser("record")
    recording.add_argument("folder", type=Path)
    recording.add_argument("stacks", nargs="*", type=Path)
    comparing = what.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--within", type=float, default=1e-6, help="largest difference")
    options = arguments.parse_args()
    if options.what == "record":
        record(options.folder, options.stacks)
        return
    found = compare(options.before, options.after, options.within)
    print("\n".join(found) or "No difference.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

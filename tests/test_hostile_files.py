"""Whatever bytes come: an answer or one sentence, soon, in little memory, and nothing half-written.

Mutations of valid files, by hypothesis and at fixed seeds, against the reader, the explorer's
upload and the command line. Each case may take 5 s of processor time, all together 1 GB of memory.
"""

from __future__ import annotations

import gzip
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.cli import chosen, main
from srheart_demo.enhancement import quantities
from srheart_demo.explorer.own import OwnFile, OwnScan, OwnView
from srheart_demo.scan.nifti import MOST_BYTES, MOST_UPLOAD, Upload, load
from srheart_demo.scan.read import read_frames, read_long_axis, survey
from srheart_demo.scan.volume import InvalidVolume
from srheart_demo.solver.settings import INTERACTIVE

SECONDS, GIGABYTE = 5.0, 2**30
SMALL = str(Path(__file__).parents[1] / "page" / "sketch.safetensors")
"""The page's generator, which is decoded in a fraction of the time."""
STACK = short_axis_stack(scanner_from_model(), slices=7, spacing=(14.0, 4.0, 4.0), size=28)
VIEW = long_axis_view(scanner_from_model(), size=60)


def cases(n: int) -> Callable:
    """So many, the same each time; function-scoped folders are cleared by each case itself."""
    allowed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=allowed,
    )


def valid(labels: np.ndarray, kind: type = nibabel.Nifti1Image, order: str = "<") -> bytes:
    header = kind.header_class(endianness=order)
    header.set_data_dtype(labels.dtype)
    return kind(labels, STACK.affine, header).to_bytes()


VALID = [
    valid(STACK.labels),
    valid(STACK.labels.transpose(2, 1, 0).copy()),
    valid(STACK.labels.astype(np.int16), order=">"),
    valid(STACK.labels.astype(np.float32)),
    valid(STACK.labels, nibabel.Nifti2Image),
    valid(np.stack([STACK.labels] * 2, axis=-1)),
]
WHICH = st.integers(0, len(VALID) - 1)
EDIT = st.tuples(st.integers(0, 560), st.binary(min_size=1, max_size=8))
PACKED_EDIT = st.tuples(st.integers(0, 1500), st.binary(min_size=1, max_size=4))
FAR_EDIT = st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=8))


@contextmanager
def soon() -> Iterator[None]:
    """Ends what takes longer, by the processor's clock, so that a busy machine changes nothing."""

    def late(*_: object) -> None:
        raise TimeoutError(f"over {SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.fixture(autouse=True, scope="module")
def little_memory() -> Iterator[None]:
    """What this process ever held grows by less than a gigabyte over the module."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < GIGABYTE


def edited(content: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    changed = bytearray(content)
    for at, new in edits:
        changed[at : at + len(new)] = new
    return bytes(changed)


def read_all(content: bytes) -> None:
    """By every way that reads; each gives a volume or a sentence."""
    source = Upload("scan.nii", content)
    for read in (survey, read_long_axis, lambda file: list(read_frames(file))):
        said = refusal(partial(read, source))
        assert not said or (said.startswith("scan.nii: ") and said.endswith("."))


def refusal(read: Callable[[], object]) -> str:
    """What is said of what cannot be used; nothing if it can."""
    try:
        with soon():
            read()
    except InvalidVolume as error:
        return str(error)
    return ""


@cases(700)
@given(WHICH, st.lists(EDIT, min_size=1, max_size=4))
def test_an_edited_header(which: int, edits: list[tuple[int, bytes]]) -> None:
    read_all(edited(VALID[which], edits))


@cases(300)
@given(WHICH, st.lists(FAR_EDIT, max_size=6), st.integers(0, 8000))
def test_edited_and_cut_off(which: int, edits: list[tuple[int, bytes]], end: int) -> None:
    read_all(edited(VALID[which], edits)[:end])


@cases(300)
@given(WHICH, st.lists(PACKED_EDIT, min_size=1))
def test_edited_when_packed(which: int, edits: list[tuple[int, bytes]]) -> None:
    read_all(edited(gzip.compress(VALID[which], mtime=0), edits))


FIELDS = {
    "dim": st.lists(st.integers(-(2**15), 2**15 - 1), min_size=8, max_size=8),
    "datatype": st.integers(-(2**15), 2**15 - 1) | st.sampled_from([1, 2, 4, 16, 64, 128, 1536]),
    "pixdim": st.lists(st.floats(width=32), min_size=8, max_size=8),
    "vox_offset": st.floats(width=32),
    "scl_slope": st.floats(width=32),
    "scl_inter": st.floats(width=32),
    "sform_code": st.integers(-3, 9),
    "qform_code": st.integers(-3, 9),
    "srow_x": st.lists(st.floats(width=32), min_size=4, max_size=4),
    "quatern_b": st.floats(width=32),
    "qoffset_x": st.floats(width=32),
    "xyzt_units": st.integers(0, 255),
}


@cases(400)
@given(
    st.fixed_dictionaries({}, optional=FIELDS),
    st.sampled_from([(), (28, 28, 28), (1, 1, 2**15 - 1), (2, 2, 2**14), (2**15 - 1, 2, 2)]),
)
def test_headers_of_any_numbers(fields: dict[str, object], shape: tuple[int, ...]) -> None:
    raw = nibabel.Nifti1Header(VALID[0][:348], check=False)
    if shape:
        fields = {"dim": [3, *shape, 1, 1, 1, 1]} | fields
    with np.errstate(all="ignore"):
        for name, value in fields.items():
            raw[name] = value
    read_all(raw.binaryblock + VALID[0][348:] + bytes(2**17))


def test_an_affine_that_is_no_number_is_refused() -> None:
    raw = nibabel.Nifti1Header(VALID[0][:348], check=False)
    raw["srow_x"] = [0, 0, np.nan, 0]
    with pytest.raises(InvalidVolume, match="affine"):
        survey(Upload("scan.nii", raw.binaryblock + VALID[0][348:]))


@cases(300)
@given(st.binary(max_size=2000), st.booleans())
def test_no_nifti_at_all(content: bytes, packed: bool) -> None:
    read_all(gzip.compress(content) if packed else content)


def test_voxels_lie_behind_the_header_whatever_it_says() -> None:
    at_zero = bytearray(VALID[0])
    at_zero[108:112] = struct.pack("<f", 0.0)
    given, odd = (load(Upload("scan.nii", bytes(of))).frame(0) for of in (VALID[0], at_zero))
    np.testing.assert_array_equal(odd, given)


@pytest.fixture(scope="module")
def zeros() -> bytes:
    """600 MB that pack to 600 kB; what is packed may be joined."""
    megabyte = gzip.compress(bytes(2**20), 9, mtime=0)
    return megabyte * 600


def header(**fields: object) -> bytes:
    raw = nibabel.Nifti1Header(VALID[0][:348], check=False)
    for name, value in fields.items():
        raw[name] = value
    return raw.binaryblock + bytes(4)


BOMBS = {
    "more data than the header says": VALID[0],
    "as many voxels as it holds": header(dim=[3, 2**14, 2**14, 4, 1, 1, 1, 1]),
    "data that begin far off": header(vox_offset=2.0**30),
    "a long extension": header(vox_offset=2.0**25)
    + bytes([1, 0, 0, 0])
    + struct.pack("<ii", 2**29, 6),
    "many frames": header(dim=[4, 28, 28, 28, 2**15 - 1, 1, 1, 1]),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_does_not_become_a_large_one(name: str, zeros: bytes) -> None:
    content = gzip.compress(BOMBS[name], mtime=0) + zeros
    assert len(content) < 2**20 < MOST_BYTES < 600 * 2**20
    read_all(content)


def test_an_upload_is_limited_before_it_is_looked_at() -> None:
    with pytest.raises(InvalidVolume, match="more than any label map"):
        survey(Upload("scan.nii", bytes(MOST_UPLOAD + 1)))


@cases(150)
@given(WHICH, st.lists(EDIT, max_size=2), st.text(max_size=30), st.booleans())
def test_what_a_browser_sends(
    which: int, edits: list[tuple[int, bytes]], name: str, view: bool
) -> None:
    content = edited(VALID[which], edits)
    own = partial(OwnScan, OwnFile(f"{name}.nii", content))
    if view:
        seen = OwnScan(OwnFile("stack.nii", VALID[0], (OwnView(f"{name}.nii", content),)))
        shown = "".join(why.partition(".nii")[0] for why in seen.refused.values())
    else:
        shown = refusal(own).partition(".nii")[0]
    assert not set(shown) & set("<>&\"'/\\\0\n")


@pytest.mark.parametrize(
    "name",
    ["../../etc/x.nii", "/tmp/x.nii", "C:\\x.nii", "<b>.nii", "a\0.nii", "x" * 9999 + ".nii"],
)
def test_a_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scan = OwnScan(OwnFile(name, VALID[0]))
    assert len(scan.name) <= 80
    assert not set(scan.name) & set("<>/\\\0")
    assert not list(tmp_path.iterdir())


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
OPTIONS = st.lists(
    st.sampled_from(["--flip", "--mirror", "--frame", "--turn", "--labels", "--long-axis", "LV=1"])
    | st.sampled_from(["MYO=2", "RV=3", "0", "-1", "1e9", "nan", "--frames", "all"])
    | WORDS,
    max_size=5,
)


def outcome(arguments: list[str]) -> int:
    """The exit status; whatever else ends a command is an error of ours."""
    try:
        with soon():
            return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@cases(250)
@given(which=WHICH, edits=st.lists(EDIT, max_size=3), options=OPTIONS, packed=st.booleans())
def test_check_from_the_command_line(
    which: int,
    edits: list[tuple[int, bytes]],
    options: list[str],
    packed: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "scan.nii.gz"
    changed = edited(VALID[which], edits)
    path.write_bytes(gzip.compress(changed, 1) if packed else changed)
    assert outcome(["check", "--no-solve", str(path), *options]) in (0, 2)
    assert "Traceback" not in capfd.readouterr().err
    assert os.listdir(tmp_path) == [path.name]


@pytest.fixture
def one_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solves, and those of the check, are of one iteration."""
    short = replace(INTERACTIVE, iterations=1, far_iterations=0)
    monkeypatch.setattr(chosen, "preset", lambda name: short)
    monkeypatch.setattr(quantities, "quick", lambda G: short)


@cases(40)
@given(which=WHICH, edits=st.lists(EDIT, min_size=1, max_size=3))
@pytest.mark.usefixtures("one_iteration", "few_draws")
def test_enhance_writes_all_or_nothing(
    which: int,
    edits: list[tuple[int, bytes]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path, out = tmp_path / "scan.nii", tmp_path / "out"
    path.write_bytes(edited(VALID[which], edits))
    asked = ["enhance", "--preset=interactive", f"--generator={SMALL}"]
    status = outcome([*asked, str(path), "-o", str(out)])
    assert "Traceback" not in capfd.readouterr().err
    whole = {"S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl"}
    assert (set(os.listdir(out)) if out.exists() else set()) == (whole if status == 0 else set())
    assert {p.name for p in tmp_path.iterdir()} == {path.name} | ({"out"} if status == 0 else set())
    for file in out.glob("*"):
        file.unlink()
    if out.exists():
        out.rmdir()

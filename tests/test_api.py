"""The public API: one import, every name with an example that runs, typed, and light."""

from __future__ import annotations

import ast
import doctest
import math
import pydoc
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import srheart_demo as sr
from srheart_demo.scan.samples import FOLDER, SAMPLES


def homes() -> dict[str, str]:
    """Name → module, as ``__init__.pyi`` has it."""
    stub = Path(sr.__file__).with_suffix(".pyi").read_text("utf-8")
    return {
        name.asname: str(node.module)
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.asname
    }


def test_type_checkers_are_told_of_the_same_names_in_the_same_places() -> None:
    assert homes() == {name: f"srheart_demo.{module}" for name, module in sr._HOME.items()}
    assert sorted([*homes(), "explore"]) == sorted(sr.__all__)


def test_no_name_of_the_api_is_a_room() -> None:
    package = Path(sr.__file__).parent
    assert not {path.stem for path in package.iterdir()} & set(sr.__all__)


@pytest.mark.parametrize("name", sr.__all__)
def test_every_name_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(sr, name).__doc__ or "")


def test_the_examples_run() -> None:
    """Each goes on from the program in ``help(sr)``, but for quicker settings."""
    G, scan = sr.load_generator(), sr.load_sample("healthy_1").scan("severe")
    problem = sr.Problem.of(scan, G)
    step = sr.solve(problem, sr.INTERACTIVE)
    program = {"sr": sr, "G": G, "scan": scan, "problem": problem, "step": step}
    runner = doctest.DocTestRunner()
    finder = doctest.DocTestFinder(recurse=False)
    shown = {id(thing): (name, thing) for name in sr.__all__ for thing in [getattr(sr, name)]}
    for name, thing in shown.values():
        thing = type(thing) if isinstance(thing, sr.Settings) else thing
        for example in finder.find(thing, name, globs=program):
            runner.run(example)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 50


def test_help_leads_to_every_equation_and_to_algorithm_1() -> None:
    head = (sr.__doc__ or "").splitlines()
    assert len(head) <= 40
    for what in ("Eq. 1", "Eq. 2", "Eq. 3", "Eq. 4", "Eq. 5", "Algorithm 1"):
        assert any(what in line for line in head)
    shown = pydoc.render_doc(sr, renderer=pydoc.plaintext)
    assert all(name in shown for name in sr.__all__)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        _ = sr.slove  # type: ignore[attr-defined]


STACK = sr.load_sample("healthy_1").stacks["none"]
MISUSE: dict[str, tuple[Callable[[], object], str]] = {
    "γ below 0": (lambda: replace(sr.PAPER, gamma=-1.0), "gamma is -1.0, but must be a number, 0"),
    "no γ": (lambda: replace(sr.PAPER, gamma=math.nan), "gamma is nan"),
    "half an iteration": (lambda: replace(sr.PAPER, iterations=2.5), "must be a whole number"),
    "no window": (lambda: replace(sr.PAPER, stop_window=0), "stop_window is 0"),
    "a tissue alone": (lambda: sr.HowToRead(view_lacks=("RV",)), "known: LV, MYO, RV"),
    "small letters": (lambda: sr.HowToRead(view_lacks=(("*", "rv"),)), "unknown tissue 'rv'"),
    "empty slices": (lambda: sr.HowToRead(unlabelled="maybe"), "known: auto, empty, unknown"),
    "no such motion": (lambda: sr.load_sample("healthy_1").scan("mild"), "known: none, normal"),
    "no such view": (lambda: sr.load_sample("healthy_1").scan("none", ["5ch"]), "known: 4ch"),
    "two fields": (lambda: sr.to_labels(torch.zeros(2, 4, 8, 8, 8)), "not 2 at once"),
    "pixels": (lambda: sr.volumes_ml(STACK.labels, STACK.spacing[1:]), "three axes, not 2"),
    "unlabelled slices": (lambda: sr.Scan.of(STACK, unlabelled="maybe"), "is one of ('auto',"),
    "a fourth label": (lambda: replace(STACK, labels=STACK.labels + 1), "and no others"),
    "a label below 0": (lambda: replace(STACK, labels=STACK.labels.astype(int) - 1), "no others"),
    "fractions": (lambda: replace(STACK, labels=STACK.labels / 3), "whole numbers (D, H, W)"),
    "a list": (lambda: replace(STACK, labels=STACK.labels.tolist()), "whole numbers (D, H, W)"),
    "a slice": (lambda: replace(STACK, labels=STACK.labels[3]), "whole numbers (D, H, W)"),
    "no affine": (lambda: replace(STACK, affine=0 * STACK.affine), "take (D, H, W) to mm"),
    "no place": (lambda: replace(STACK, affine=np.nan * STACK.affine), "take (D, H, W) to mm"),
    "no mm": (lambda: sr.Scan.of(replace(STACK, affine=np.eye(4))), "no heart is"),
    "prior of": (lambda: replace(sr.PAPER, prior_of="dz"), "not z, d or zd"),
    "frames of two views": (
        lambda: sr.read_scan(*[FOLDER / "healthy_1" / "S_LR_none.nii.gz"] * 2, how=NO_FRAMES),
        "view_frame tells of 0 views",
    ),
    "a view of planes": (lambda: sr.Scan.of(STACK, STACK), "a long-axis view is one plane"),
    "no labels": (lambda: sr.Scan.of(replace(STACK, labels=0 * STACK.labels)), "nothing is label"),
}


NO_FRAMES = sr.HowToRead(view_frame=[])


@pytest.mark.parametrize("case", MISUSE)
def test_what_can_mean_nothing_is_refused_where_it_is_said(case: str) -> None:
    misuse, complaint = MISUSE[case]
    with pytest.raises((ValueError, KeyError), match=re.escape(complaint)):
        misuse()


def test_a_stack_in_other_axes_or_orders_of_labels_is_doubted() -> None:
    axes = np.argsort([1, 2, 0])
    turned = sr.LabelVolume(STACK.labels.transpose(axes), STACK.affine[:, [*axes, 3]])
    swapped = sr.LabelVolume(np.array([0, 3, 2, 1], np.uint8)[STACK.labels], STACK.affine)
    for stack in (turned, swapped):
        scan = sr.Scan.of(stack)
        doubts = [said for said in scan.doubts if "hardly the labels of a heart's" in said]
        assert doubts
        assert set(doubts) <= set(scan.notes)
    for sample in SAMPLES:
        for stack in sr.load_sample(sample).stacks.values():
            assert not sr.Scan.of(stack).doubts


def test_frames_may_be_numbers_of_numpy() -> None:
    how = sr.HowToRead(frame=np.int64(0), view_frame=np.int64(0), slice_axis=np.int64(0))
    home = FOLDER / "healthy_1"
    scan = sr.read_scan(home / "S_LR_none.nii.gz", home / "S_LA.nii.gz", how=how)
    assert (scan.frame, len(scan.views)) == (0, 1)


def test_a_name_is_imported_when_it_is_used_and_not_before() -> None:
    code = (
        "import sys, srheart_demo as sr; before = set(sys.modules); dir(sr); "
        "assert 'torch' not in before and 'numpy' not in before; sr.Settings; "
        "assert 'torch' not in sys.modules; sr.degrade; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

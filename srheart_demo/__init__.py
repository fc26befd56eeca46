"""Displaced slices to one smooth heart: joint motion correction and super-resolution (Wang 2021).

The program, with one import:

    import srheart_demo as sr

    G = sr.load_generator()                           # Eq. 2
    scan = sr.load_sample("healthy_1").scan("severe")
    problem = sr.Problem.of(scan, G)                  # what Algorithm 1 sees
    step = sr.solve(problem, sr.RECOMMENDED)          # Algorithm 1: step.z, step.d
    S_SR = sr.to_labels(sr.answer(step, problem))     # the heart, labels (64, 128, 128)
    sr.enhance(scan).write("out/")                    # all of it, in files
    sr.explore()                                      # the dashboard

A scan of your own: ``sr.read_scan("STACK.nii.gz", "LA.nii.gz")``; the long-axis view is optional.
Every name's help has an example, which goes on from this program's G, scan, problem and step.

Where the paper is (S labels, z code, d displacements; `docs/notation.md` has all symbols):

    Eq. 1  S_LR = M_d(↓_s S_HR) + ε           degrade: move(downsample(field, stack), stack, d)
    Eq. 2  S_HR = G(z)                        load_generator().decode(z), then to_labels
    Eq. 3  L_SA = CE(M_d(↓_s G(z)), S_LR)     short_axis_loss
    Eq. 4  L_LA = CE(R⊙G(z), S_LA)            long_axis_loss, by long_axis_view
    Eq. 5  L = L_SA + γ L_LA                  multi_view_loss
    Algorithm 1                               algorithm_1 as printed; latent_optimisation yields
                                              each iteration and can be steered, solve runs it

Settings of Algorithm 1: PAPER as printed, REFERENCE as the authors' code, RECOMMENDED the best
that we know, INTERACTIVE within a fraction of a second. What the scan leaves open: laplace.
Scores and volumes: dice, volumes_ml.

Arrays are (D, H, W), lengths mm, labels 0 background, 1 LV, 2 MYO, 3 RV.
"""

import sys
from importlib import import_module

_NAMES = {
    "heart.generator": "load_generator to_labels",
    "heart.measures": "dice volumes_ml",
    "scan.degradation": "Motion Stack degrade downsample move",
    "scan.long_axis": "Plane long_axis_view",
    "scan.volume": "LabelVolume",
    "scan.scan": "Scan",
    "scan.read": "HowToRead read_scan",
    "scan.samples": "load_sample",
    "solver.problem": "Problem",
    "solver.losses": "cross_entropy long_axis_loss multi_view_loss short_axis_loss",
    "solver.settings": "INTERACTIVE PAPER RECOMMENDED REFERENCE Settings",
    "solver.step": "Change Step",
    "solver.algorithm": "algorithm_1 latent_optimisation solve",
    "solver.answer": "answer",
    "solver.uncertainty": "laplace",
    "enhancement.enhance": "enhance",
}
"""Module → the names of the public API that it defines; ``__init__.pyi`` tells type checkers."""
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = ["explore", *_HOME]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    """A name of the API, whose module is imported when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def explore() -> None:
    """Open the dashboard: in the notebook that calls this, else in the browser until Ctrl-C.

    >>> sr.explore()  # doctest: +SKIP
    """
    if "ipykernel" in sys.modules:
        from srheart_demo.dashboard import explore as show

        show()
    else:
        from srheart_demo.cli import main

        main(["explore"])

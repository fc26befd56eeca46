"""What every test shares: one thread per process, and the rule about browser tests."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

# Before torch is imported, and inherited by the kernels of notebooks and of Voilà: two
# spinning threads on busy cores slow an iteration twenty-fold.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
from hypothesis import HealthCheck, settings
from jupyter_client.provisioning import local_provisioner
from processes import WarmKernel, warm

from srheart_demo.machine import give_back
from srheart_demo.solver import workers

# An example takes as long as a busy machine lets it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ROOT = Path(__file__).resolve().parents[1]

# Set by .ci/run: a test that skips, for whatever reason, fails.
NO_SKIP = os.environ.get("SRHEART_REQUIRE_BROWSER", "") not in ("", "0")
NO_SKIP_RULE = "SRHEART_REQUIRE_BROWSER allows no skip, and this one skipped:"

LONGEST = ("lessons", "browser", "ui", "page", "session", "cli_experiment", "classroom",
           "course_exercises", "cohort", "own_scan", "cycle", "cli", "hostile_files", "scan",
           "evaluate", "hub", "wheel", "training", "tour", "checking", "course_optimisation",
           "assignments")  # fmt: skip
"""Files of many seconds: a worker that began one last would go on while the others have ended."""

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)


def find_chromium() -> str | None:
    """Path of a Chromium-like browser; SRHEART_CHROMIUM overrides the search."""
    named = os.environ.get("SRHEART_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def browser_lack() -> str | None:
    """Why browser tests cannot run and what cures it, or None if they can."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is missing; install it with: make env"
    if find_chromium() is None:
        return (
            "no Chromium found; install it with: sudo apt-get install chromium"
            " (elsewhere: install Chrome, or set SRHEART_CHROMIUM to a browser)"
        )
    return None


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser that the tests drive."""
    path = find_chromium()
    assert path is not None, browser_lack()
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What a test or its fixtures draw is the same, whatever ran before in the same process."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="module")
def tidy() -> Iterator[None]:
    """What a module's tests held is gone before the next begins."""
    yield
    gc.collect()
    give_back()


@pytest.fixture
def warm_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to work in processes of its own gets warm ones.

    As spawned ones they know nothing of what a test has patched. Those of test_workers, and of
    commands that run in a process of their own, begin cold.
    """
    if context := warm():
        monkeypatch.setattr(workers, "get_context", lambda _: context)


@pytest.fixture
def warm_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notebooks run in warm kernels."""
    if warm():
        monkeypatch.setattr(local_provisioner, "launch_kernel", WarmKernel)


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """`enhance` tells how sure it is by 2 hearts instead of 16, of which each takes as long."""
    monkeypatch.setattr("srheart_demo.enhancement.enhance.DRAWS", 2)


@pytest.fixture
def in_background() -> Iterator[None]:
    """SIGINT is ignored, as where a script's background job runs the tests."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: while one waits, say for a browser, another has something to do."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Have the workers of xdist take files in the order of the collection."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; and skip the browser tests where there is no browser."""
    turns = {f"test_{name}": turn for turn, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turns.get(item.path.stem, len(turns)))
    lack = browser_lack()
    if lack is None or NO_SKIP:
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=lack))


def pytest_collection_finish() -> None:
    """What all modules import stays to the end, and no search for garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line which tests were left out for want of a browser."""
    lack = browser_lack()
    skipped = terminalreporter.stats.get("skipped", [])
    if left_out := {
        report.location[0] for report in skipped if lack and lack in report.longrepr[2]
    }:
        names = ", ".join(sorted(Path(file).name for file in left_out))
        terminalreporter.write_line(f"Skipped {names}: {lack}", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where no skip is allowed, turn one into a failure that names the reason."""
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {NO_SKIP_RULE} {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for modules that skip themselves while they are collected."""
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: {NO_SKIP_RULE} {report.longrepr}"
    return report

"""``srheart doctor``: lesson 0's look at the installation and its times, and at the machine."""

import argparse
import platform
import sys
import webbrowser
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile

from srheart_demo.cli.errors import told
from srheart_demo.lessons.installation import Wrong, examine, timings
from srheart_demo.solver.workers import cores

NEEDS_CURE = 1
LEAST_GB = 1.0  # Twice what a process of the explorer or of a cohort takes


def run(options: argparse.Namespace) -> None:
    """Print what is found, first what needs a cure."""
    findings = examine(
        versions=versions, processor=processor, memory=memory, writing=writing, browser=browser
    )
    print(findings)
    if not options.quick:
        times = timings()
        print("", times.title, *times.markdown(), sep="\n")
    if any(finding.cure for finding in findings.rows):
        sys.exit(NEEDS_CURE)


def versions() -> str:
    """What a report of a fault should name."""
    here = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return f"srheart {version('srheart-demo')}, {here}"


def processor() -> str:
    """How much can be done at once."""
    return f"{cores()} cores, of which a solve takes one"


def memory(least_gb: float = LEAST_GB) -> str:
    """How much is free; `Wrong` if less than `least_gb` is."""
    try:
        import psutil  # Comes with the explorer.
    except ImportError:
        return "not looked at, as psutil is not installed"
    known = psutil.virtual_memory()
    found = f"{known.available / 1e9:.1f} of {known.total / 1e9:.1f} GB are free"
    if known.available < least_gb * 1e9:
        raise Wrong(f"{found}; {least_gb:g} are needed", "Close other programs.")
    return found


def writing() -> str:
    """Where results, and Jupyter's own files, usually go; `Wrong` if they cannot be written."""
    cures = {
        Path.home(): "Jupyter keeps its files there: set HOME to a folder that you may write to.",
        Path.cwd(): "Go to a folder that you may write to, or give one: -o OUT.",
    }
    for folder, cure in cures.items():
        try:
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise Wrong(f"{folder}: {error.strerror}", cure) from error
    return f"allowed in {' and in '.join(map(str, cures))}"


def browser() -> str:
    """Which one the explorer opens by itself; `Wrong` if none."""
    try:
        return f"{webbrowser.get().name} opens by itself"
    except webbrowser.Error as error:
        raise Wrong("none opens by itself", told("no browser")) from error

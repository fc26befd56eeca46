"""Many items at once: what fails or dies costs no other item anything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from srheart_demo.solver.workers import (
    CannotImport,
    WorkerDied,
    in_processes,
)


class Unsendable(Exception):
    """An exception that pickle cannot make anew."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} {where}")


def trouble(folder: Path, item: str) -> str:
    """Does what the item says; each try leaves a mark in the folder."""
    tries = len(list(folder.glob(f"{item}-*")))
    (folder / f"{item}-{tries}").touch()
    if item == "fails":
        raise ValueError("no good")
    if item == "fails oddly":
        raise Unsendable("nothing", "here")
    if item == "fails with what cannot be pickled":
        raise ValueError(lambda: None)
    if item == "dies" or (item == "dies once" and not tries):
        os._exit(1)
    return item.upper()


@pytest.mark.parametrize("processes", [1, 2, 20])
def test_each_item_has_its_own_end(processes: int, tmp_path: Path) -> None:
    items = ["good", "fails", "dies", "fails oddly", "dies once", "fine"]
    items.append("fails with what cannot be pickled")
    ends = list(in_processes(partial(trouble, tmp_path), items, processes))
    assert sorted(i for i, _ in ends) == list(range(len(items)))
    outcomes = {items[i]: outcome for i, outcome in ends}
    assert [outcomes[item] for item in ("good", "dies once", "fine")] == [
        "GOOD",
        "DIES ONCE",
        "FINE",
    ]
    assert isinstance(outcomes["fails"], ValueError)
    assert isinstance(outcomes["dies"], WorkerDied)
    assert isinstance(outcomes["fails oddly"], Exception)
    assert isinstance(outcomes["fails with what cannot be pickled"], Exception)
    tries = {item: len(list(tmp_path.glob(f"{item}-*"))) for item in items}
    assert tries == dict.fromkeys(items, 1) | {"dies": 2, "dies once": 2}


def test_a_process_that_dies_is_not_replaced_where_nothing_waits(tmp_path: Path) -> None:
    with closing(in_processes(partial(trouble, tmp_path), ["fine", "dies"], 2)) as ends:
        for i, outcome in ends:
            if i == 1:
                assert isinstance(outcome, WorkerDied)
                assert "memory" in str(outcome)
                assert len(active_children()) <= 1


def test_what_processes_cannot_import_is_no_want_of_memory(tmp_path: Path) -> None:
    """As a function of a notebook's cell: it is pickled by name, and only its maker has it."""
    (tmp_path / "script.py").write_text(
        "from srheart_demo.solver.workers import in_processes\n"
        "if __name__ == '__main__':\n"
        "    def mine(item): return item\n"
        "    list(in_processes(mine, [1, 2], 2))"
    )
    run = [sys.executable, str(tmp_path / "script.py")]
    said = subprocess.run(run, capture_output=True, text=True, timeout=300).stderr
    assert f"{CannotImport.__name__}: the processes cannot import" in said
    assert "'mine'" in said
    assert "memory" not in said


def test_a_script_that_starts_itself_anew_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from srheart_demo.solver.workers import in_processes\n"
        "for _, outcome in in_processes(str.upper, ['a'], 1):\n"
        "    print(outcome)"
    )
    run = [sys.executable, str(tmp_path / "script.py")]
    said = subprocess.run(run, capture_output=True, text=True, timeout=300).stdout
    assert "if __name__" in said


def test_leaving_off_early_ends_the_processes() -> None:
    with closing(in_processes(time.sleep, [0.0, 600.0, 600.0], 2)) as ends:
        assert next(ends) == (0, None)
        assert len(active_children()) == 2
    assert not active_children()


def test_processes_end_when_their_parent_is_killed() -> None:
    """Each holds the pipe that it inherited, so the pipe's end is the end of all."""
    code = (
        "import time\nfrom srheart_demo.solver.workers import in_processes\n"
        "if __name__ == '__main__':\n"
        "    for i, _ in in_processes(time.sleep, [0.0] + 20 * [0.5], 2):\n"
        "        print(i, flush=True)"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "0\n"
    run.kill()
    run.communicate(timeout=300)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.usefixtures("in_background")
def test_ctrl_c_is_not_for_the_processes_of_a_background_job() -> None:
    assert list(in_processes(signal.raise_signal, [signal.SIGINT], 1)) == [(0, None)]


@pytest.mark.parametrize("address", ["nowhere://127.0.0.1:1", "localhost"])
def test_without_a_scheduler_it_says_what_to_start_and_ends(address: str) -> None:
    """A process of its own, as a client that never was may hang when its process ends."""
    code = (
        "from srheart_demo.solver.workers import NoCluster, in_cluster\n"
        f"try: next(in_cluster(str.upper, ['a'], '{address}'))\n"
        "except NoCluster as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert re.search(f"{address} .*start one with `dask scheduler`", ran.stdout)
    assert not ran.stderr

"""Kernels that are forked from a process which has imported what they need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from processes import PATIENCE_S, wait_until
from traitlets.config import Config

from srheart_demo.cli import kernels

pytestmark = pytest.mark.skipif(not kernels.FORKS, reason="kernels are forked on Linux alone")


@pytest.fixture
def manager(root: Path) -> Iterator[KernelManager]:
    """A kernel's, as Voilà has it with the settings of voila.json."""
    KernelProvisionerFactory.clear_instance()
    KernelProvisionerFactory.instance(config=Config(json.loads((root / "voila.json").read_text())))
    manager = KernelManager()
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    KernelProvisionerFactory.clear_instance()


def answer(manager: KernelManager, expression: str) -> str:
    client: BlockingKernelClient = manager.client()
    client.start_channels()
    client.wait_for_ready(PATIENCE_S)
    reply = client.execute_interactive("", user_expressions={"it": expression}, timeout=PATIENCE_S)
    client.stop_channels()
    return str(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


def process_of(manager: KernelManager) -> psutil.Process:
    return psutil.Process(manager.provisioner.pid)


def test_a_kernel_has_its_imports_its_folder_and_its_environment(
    manager: KernelManager, tmp_path: Path
) -> None:
    environment = {**os.environ, "SRHEART_OF_THIS_TEST": "yes"}
    environment.pop("HOME", None)
    manager.start_kernel(cwd=str(tmp_path), env=environment)
    process = process_of(manager)
    assert process.name() == f"kernel-{manager.kernel_id}"[:15]
    assert process.parent().parent().pid == os.getpid()
    asked = (
        "__import__('os').getcwd(), 'torch' in __import__('sys').modules,"
        " __import__('os').environ.get('SRHEART_OF_THIS_TEST'),"
        " __import__('os').environ.get('HOME')"
    )
    assert literal_eval(answer(manager, asked)) == (str(tmp_path), True, "yes", None)
    manager.shutdown_kernel()
    assert not process.is_running()


def test_a_page_gets_its_widgets_from_a_forked_kernel_at_once(manager: KernelManager) -> None:
    """ipywidgets, imported before there was a kernel, did not register what a page asks first."""
    manager.start_kernel()
    shown = "__import__('srheart_demo.dashboard').dashboard.explore()"
    targets = "[*get_ipython().kernel.comm_manager.targets]"
    assert "jupyter.widget.control" in answer(manager, f"({shown}, {targets})[1]")


def test_a_kernel_is_interrupted_and_killed_as_any_other(manager: KernelManager) -> None:
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(PATIENCE_S)
    sleeping = client.execute("import time; time.sleep(600)")
    wait_until(lambda: client.get_iopub_msg(PATIENCE_S)["msg_type"] == "execute_input")
    manager.interrupt_kernel()
    reply = client.get_shell_msg(PATIENCE_S)
    assert reply["parent_header"]["msg_id"] == sleeping
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    client.stop_channels()
    process = process_of(manager)
    process.kill()
    wait_until(lambda: not manager.is_alive())
    assert not psutil.pid_exists(process.pid), "no process is left that has ended"


def test_a_kernel_starts_where_nothing_forks(
    manager: KernelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "FORKS", False)
    kernels.prepare()
    manager.start_kernel()
    assert process_of(manager).parent().pid == os.getpid()
    assert answer(manager, "6 * 7") == "42"


def test_a_kernel_starts_where_the_nursery_has_ended(
    manager: KernelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {*psutil.Process().children()}
    nursery = kernels.Nursery()
    (process,) = {*psutil.Process().children()} - before
    process.kill()
    process.wait(PATIENCE_S)
    monkeypatch.setattr(kernels, "_nursery", lambda: nursery)
    manager.start_kernel()
    assert answer(manager, "6 * 7") == "42"


def test_kernels_end_with_whoever_started_them(tmp_path: Path) -> None:
    code = (
        "import os, sys; from srheart_demo.cli import kernels;"
        "forked = kernels._fork({'argv': ['-f', sys.argv[1]], 'cwd': '.',"
        " 'env': dict(os.environ), 'name': '1'}); print(forked.pid, flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "kernel-1.json")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert starter.stdout is not None
    kernel = psutil.Process(int(starter.stdout.readline()))
    nursery = kernel.parent()
    starter.kill()
    starter.communicate()
    gone, alive = psutil.wait_procs([kernel, nursery], PATIENCE_S)
    assert not alive
    assert len(gone) == 2

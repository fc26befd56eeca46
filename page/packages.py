"""What comes from the npm registry: pinned in a folder's package.json and yarn.lock.

Node comes with Playwright and yarn with JupyterLab, so no Node.js has to be installed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import jupyter_builder
from playwright._impl._driver import compute_driver_executable

NODE = Path(compute_driver_executable()[0])
YARN = {
    "YARN_NODE_LINKER": "node-modules",
    "YARN_ENABLE_TELEMETRY": "0",
    # What is fetched lies outside the repository, of which git and a distribution take all.
    "YARN_ENABLE_GLOBAL_CACHE": "1",
    "YARN_INSTALL_STATE_PATH": "node_modules/.yarn-install-state.gz",
}


class NotFetched(Exception):
    """Packages could not be fetched; it says what yarn said."""


def fetched(folder: Path) -> Path:
    """The ``node_modules`` of a folder, fetched when they are missing."""
    modules = folder / "node_modules"
    if not (modules / ".yarn-install-state.gz").exists():
        yarn = Path(jupyter_builder.__file__).with_name("yarn.js")
        command = [str(NODE), str(yarn), "install", "--immutable"]
        environment = os.environ | YARN
        found = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if found.returncode:
            raise NotFetched(found.stdout)
    return modules

"""Format, style and types of the dashboard's JavaScript: ``python -m tests.javascript [--write]``.

Node comes with Playwright and yarn with JupyterLab, so no Node.js has to be installed. The tools
are pinned in package.json and yarn.lock, and fetched from the npm registry when they are missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jupyter_builder
from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent
NODE = Path(compute_driver_executable()[0])
SOURCES = sorted((HERE.parents[1] / "srheart_demo" / "dashboard").glob("*.js"))
TESTS = sorted(HERE.glob("*.test.js"))
YARN = {
    "YARN_NODE_LINKER": "node-modules",
    "YARN_ENABLE_TELEMETRY": "0",
    # What is fetched lies outside the repository, of which git and a distribution take all.
    "YARN_ENABLE_GLOBAL_CACHE": "1",
    "YARN_INSTALL_STATE_PATH": "node_modules/.yarn-install-state.gz",
}


def main() -> int:
    """Check all sources; with --write mend what can be mended."""
    tools = HERE / "node_modules" / ".bin"
    if not (tools / "tsc").exists():
        yarn = Path(jupyter_builder.__file__).with_name("yarn.js")
        found = subprocess.run(
            [NODE, yarn, "install", "--immutable"],
            cwd=HERE,
            env=os.environ | YARN,
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode:
            print(f"The JavaScript tools could not be fetched:\n{found.stdout}", file=sys.stderr)
            return found.returncode
    style = ["--indent-style=space", "--line-width=100", *sys.argv[1:]]
    commands = [
        [tools / "biome", "check", *style, *SOURCES, *TESTS],
        [NODE, tools / "tsc", "--project", HERE],
    ]
    return max(subprocess.run(command, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())

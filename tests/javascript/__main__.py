"""Format, style and types of all JavaScript: ``python -m tests.javascript [--write]``.

The tools are pinned in package.json and yarn.lock, and fetched from the npm registry when they are
missing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from page.packages import NODE, NotFetched, fetched

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDERS = ROOT / "srheart_demo" / "dashboard", ROOT / "page" / "site"
SOURCES = sorted(path for folder in FOLDERS for path in folder.glob("*.js"))
TESTS = sorted(HERE.glob("*.test.js"))


def main() -> int:
    """Check all sources; with --write mend what can be mended."""
    try:
        tools = fetched(HERE) / ".bin"
    except NotFetched as error:
        print(f"The JavaScript tools could not be fetched:\n{error}", file=sys.stderr)
        return 1
    style = ["--indent-style=space", "--line-width=100", *sys.argv[1:]]
    commands = [
        [tools / "biome", "check", *style, *SOURCES, *TESTS],
        [NODE, tools / "tsc", "--project", HERE],
    ]
    return max(subprocess.run(command, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())

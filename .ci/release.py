"""What a release needs, up to where its owner must act: archives and notes in dist/.

make release
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEXT = """
In dist/ lie the source distribution, the wheel and NOTES.md. What is left is the owner's:
  bash .ci/run                                  # if it has not passed on this commit
  git tag -a v{version} --cleanup=verbatim -F dist/NOTES.md
  git push ADDRESS v{version}                     # and a release of that name with dist/NOTES.md
  python -m twine upload dist/*.tar.gz dist/*.whl    # pip install twine; needs an account
Zenodo archives a release by itself where it is connected to the repository (.zenodo.json);
conda/meta.yaml is what a feedstock of conda-forge begins with."""


class Refused(Exception):
    """Why there is no release yet, and what to do."""


def notes(changelog: str, version: str) -> str:
    """The section of a version.

    Raises:
        Refused: there is none, or it has no date.
    """
    section = rf"^## {re.escape(version)} – ([^\n]+)\n+(.*?)(?=^## |\Z)"
    found = re.search(section, changelog, re.MULTILINE | re.DOTALL)
    if not found:
        raise Refused(f"CHANGELOG.md has no section ## {version}; write one.")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1].strip()):
        raise Refused(
            f"CHANGELOG.md says {version} – {found[1].strip()}; write the day, as in "
            f"## {version} – 2026-12-01, and commit it."
        )
    return f"srheart-demo {version}\n\n{found[2].strip()}\n"


def release(root: Path) -> str:
    """Write dist/, and say what is left to do.

    Raises:
        Refused: the tree has changes that no commit has, the version is released already, or
            `notes` refuses.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    text = notes((root / "CHANGELOG.md").read_text("utf-8"), version)
    if _git(root, "status", "--porcelain"):
        raise Refused("Some files are not committed; git status names them.")
    if _git(root, "tag", "--list", f"v{version}"):
        raise Refused(
            f"v{version} is there already; write the next version into pyproject.toml, where alone "
            "it stands."
        )
    dist = root / "dist"
    dist.mkdir(exist_ok=True)
    for old in (*dist.glob("*.whl"), *dist.glob("*.tar.gz")):
        old.unlink()
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", dist], cwd=root, check=True)
    (dist / "NOTES.md").write_text(text, "utf-8")
    return NEXT.format(version=version)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        print(release(ROOT))
    except Refused as why:
        sys.exit(f"No release yet. {why}")

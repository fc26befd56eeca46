"""The site: its recorded run moves by itself, and what is wrong with a built page is found.

The pages themselves are built and checked by `make site`, which CI runs.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

GOOD = {
    "index.html": '<a href="sub/page.html#part">in</a> <a href="https://elsewhere.org/">out</a>'
    '<link rel="stylesheet" href="a.css"><link rel="canonical" href="https://elsewhere.org/">'
    '<img src="data:image/png;base64,AAAA"><a href="sub/">folder</a>',
    "sub/page.html": '<h2 id="part">Part</h2><a href="../index.html">back</a><a href="#">up</a>',
    "sub/index.html": "<script>const known = 'https://elsewhere.org/';</script>",
    "a.css": "p { background: url(data:image/png;base64,AAAA) }",
}


@pytest.fixture(scope="module")
def faults(root: Path) -> Callable[[Path], Iterator[str]]:
    return runpy.run_path(str(root / "docs/site/check.py"))["faults"]


def written(folder: Path, pages: dict[str, str]) -> Path:
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_good_site_has_no_faults(faults: Any, tmp_path: Path) -> None:
    assert list(faults(written(tmp_path, GOOD))) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.html", '<script src="https://elsewhere.org/a.js"></script>'),
        ("x.html", '<script src="//elsewhere.org/a.js"></script>'),
        ("x.html", '<link rel="stylesheet" href="http://elsewhere.org/a.css">'),
        ("x.html", '<img srcset="HTTPS://elsewhere.org/a.png 2x">'),
        ("x.html", '<iframe src="https://elsewhere.org/"></iframe>'),
        ("x.html", '<svg><image href="https://elsewhere.org/a.png"/></svg>'),
        ("x.html", "<style>@import 'https://elsewhere.org/a.css';</style>"),
        ("x.html", '<p style="background: url(https://elsewhere.org/a.png)">'),
        ("x.html", '<script>import a from "https://elsewhere.org/a.js";</script>'),
        ("x.css", "@font-face { src: url('https://elsewhere.org/a.woff2') }"),
        ("x.js", "const a = await import('https://elsewhere.org/a.js')"),
    ],
)
def test_what_is_loaded_from_another_host_is_found(
    faults: Any, tmp_path: Path, name: str, text: str
) -> None:
    (fault,) = faults(written(tmp_path, {**GOOD, name: text}))
    assert fault.startswith(f"{name}: loads ")
    assert "elsewhere.org" in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<a href="missing.html">', "leads to no file"),
        ('<img src="missing.png">', "leads to no file"),
        ('<a href="sub/page.html#missing">', "leads to no part"),
        ('<a href="#missing">', "leads to no part"),
    ],
)
def test_links_to_nowhere_are_found(faults: Any, tmp_path: Path, text: str, said: str) -> None:
    (fault,) = faults(written(tmp_path, {**GOOD, "x.html": text}))
    assert said in fault


@pytest.mark.browser
def test_a_recorded_run_moves_without_a_kernel(root: Path, tmp_path: Path, chromium: str) -> None:
    """Each slider changes its pictures, nothing is asked of a host, and nothing goes wrong."""
    recorded = runpy.run_path(str(root / "docs/site/recorded.py"))
    recorded["write"](tmp_path, iterations=2)
    asked, wrong = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 736, "height": 400})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((tmp_path / "run.html").as_uri())
        page.wait_for_selector("#heart .gl-container canvas")

        pictures = "[...document.querySelectorAll('#pictures canvas')].map((c) => c.toDataURL())"

        def moves(slider: str, key: str, change: set[int], stay: set[int]) -> None:
            before = page.evaluate(pictures)
            page.press(f"#{slider}", key)
            others = "([before, change]) => change.every((n) => pictures[n] !== before[n])"
            page.wait_for_function(others.replace("pictures", pictures), arg=[before, [*change]])
            after = page.evaluate(pictures)
            assert {n for n in stay if before[n] == after[n]} == stay

        said = page.inner_text("#said")
        assert re.search(r"iteration (\d+) of \1\b", said)
        # Scan, prediction, difference, estimate and truth: of the slice, then of the cut.
        moves("slice", "ArrowLeft", {0, 1, 3, 4}, {5, 6, 7, 8, 9})
        moves("angle", "ArrowRight", {8, 9}, {0, 1, 2, 3, 4})
        moves("iteration", "ArrowLeft", {1, 3, 8}, {0, 4, 5, 9})
        assert page.inner_text("#said") != said
        assert not page.evaluate("document.documentElement.scrollHeight > innerHeight")
        browser.close()
    assert not wrong
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked


def test_lessons_open_elsewhere_once_the_readme_has_an_address(root: Path) -> None:
    addresses = runpy.run_path(str(root / "docs/site/online.py"))["addresses"]
    readme = (root / "README.md").read_text("utf-8")
    placeholder = "git clone ADDRESS-OF-THIS-REPOSITORY"
    assert readme.count(placeholder) == 1
    lessons = [path.relative_to(root).as_posix() for path in root.glob("notebooks/*.ipynb")]
    assert len(lessons) == 12
    for lesson in lessons:
        assert addresses(readme, lesson) == {}
        there = addresses(
            readme.replace(placeholder, "git clone https://github.com/me/my-heart.git"), lesson
        )
        assert there == {
            "Binder": f"https://mybinder.org/v2/gh/me/my-heart/HEAD?labpath={lesson}",
            "Colab": f"https://colab.research.google.com/github/me/my-heart/blob/main/{lesson}",
        }

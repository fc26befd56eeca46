"""The dashboard's scripts: their own tests, run by Node, and how they go to a browser."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from srheart_demo.dashboard import module as modules
from srheart_demo.dashboard.module import module

DASHBOARD = Path(modules.__file__).parent
TESTS = Path(__file__).with_name("javascript")
IMPORTED = re.compile(r'from "(.+?)"')
DATA = "data:text/javascript;base64,"


def test_the_scripts_pass_their_own_tests() -> None:
    node = compute_driver_executable()[0]
    command = [node, "--test", "--test-reporter=tap", *TESTS.glob("*.test.js")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert int(re.search(r"^# pass (\d+)", found.stdout, re.M)[1]) >= 12
    assert "# fail 0" in found.stdout


@pytest.mark.parametrize("script", sorted(path.stem for path in DASHBOARD.glob("*.js")))
def test_a_module_brings_all_that_it_imports(script: str) -> None:
    def follow(text: str) -> None:
        for url in IMPORTED.findall(text):
            assert url.startswith(DATA)
            follow(base64.b64decode(url.removeprefix(DATA)).decode())

    source = (DASHBOARD / f"{script}.js").read_text("utf-8")
    assert len(IMPORTED.findall(module(script))) == len(IMPORTED.findall(source))
    follow(module(script))


def test_what_two_views_import_is_the_same_module() -> None:
    urls = [IMPORTED.search(module(name)) for name in ("chart", "slices", "stack")]
    assert len({url[1] for url in urls if url}) == 1

"""The browser's modules, each as the one text that a widget takes."""

import re
from base64 import b64encode
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
IMPORT = re.compile(r'(?<= from )"\./(\w+)\.js"')


@cache
def module(name: str) -> str:
    """An ES module with those that it imports inside it, as data URLs.

    A browser takes the same URL for the same module: what several views import is there once.
    """
    text = (HERE / f"{name}.js").read_text("utf-8")
    return IMPORT.sub(lambda found: f'"{_url(found[1])}"', text)


def _url(name: str) -> str:
    return f"data:text/javascript;base64,{b64encode(module(name).encode()).decode()}"

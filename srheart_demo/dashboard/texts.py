"""The dashboard's words: those of `words.toml`; `sentences` makes sentences of numbers.

A translation is these two files.
"""

import tomllib
from pathlib import Path
from typing import Any

_WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _of_controls(what: str) -> dict[str, Any]:
    return {name: words[what] for name, words in _WORDS["control"].items() if what in words}


def __getattr__(name: str) -> Any:
    """Words and tables of words, by their name in `words.toml`."""
    if not name.isupper() or name not in _WORDS:
        raise AttributeError(f"no words {name!r} in words.toml")
    return _WORDS[name]


CONTROLS: dict[str, dict[str, Any]] = {
    name: {key: value for key, value in words.items() if key not in ("name", "tip", "terms")}
    for name, words in _WORDS["control"].items()
    if "widget" in words
}
"""CSS class of a control → its widget, its label, and what it is made with."""
LABELS: dict[str, str] = _of_controls("label")
TIPS: dict[str, str] = _of_controls("tip")
TERMS: dict[str, list[str]] = _of_controls("terms")
"""CSS class of a control or chart → what is said of it, and terms of the equation."""
NAMES: dict[str, str] = _of_controls("name") | {
    f"srh-take-{name}": title for name, (title, _) in _WORDS["TAKES"].items()
}
"""CSS class of a control or chart → its accessible name."""
ALL = {name for name in _WORDS if name.isupper()}
"""Names of all other words."""

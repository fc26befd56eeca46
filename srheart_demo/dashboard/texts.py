"""The dashboard's words, in one language at a time; `sentences` makes sentences of numbers.

`words.toml` holds the English ones and what each control is made of. Another language is a file of
its words alone beside it, as `words_de.toml`. What such a file lacks is said in English, and a test
says what that is.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

VARIABLE = "SRHEART_LANGUAGE"  # Of the environment: the language to begin with
ENGLISH = "en"
_FOUND = sorted(Path(__file__).parent.glob("words*.toml"))
FILES = {path.stem.partition("_")[2] or ENGLISH: path for path in _FOUND}
"""Code of a language → its file."""
_words: dict[str, Any] = {}


def catalogue(language: str) -> dict[str, Any]:
    """All that stands in a language's file; of an unknown one a KeyError with the known ones."""
    if language not in FILES:
        raise KeyError(f"unknown language {language!r}; known: {', '.join(FILES)}")
    return tomllib.loads(FILES[language].read_text("utf-8"))


def speak(language: str) -> None:
    """From now on all words are of a language."""
    global _words
    words = _over(catalogue(ENGLISH), catalogue(language))
    controls = words["control"]

    def of_controls(what: str) -> dict[str, Any]:
        return {name: told[what] for name, told in controls.items() if what in told}

    taken = {f"srh-take-{name}": title for name, (title, _) in words["TAKES"].items()}
    made = {
        name: {key: value for key, value in told.items() if key not in ("name", "tip", "terms")}
        for name, told in controls.items()
        if "widget" in told
    }
    _words = words | {
        "SPOKEN": language,
        "LANGUAGES": {code: catalogue(code)["LANGUAGE"] for code in FILES},
        "CONTROLS": made,  # CSS class of a control → its widget, and what it is made with
        "LABELS": of_controls("label"),  # CSS class → what is said of a control or chart
        "TIPS": of_controls("tip"),
        "TERMS": of_controls("terms"),  # CSS class → terms of the equation
        "NAMES": of_controls("name") | taken,  # CSS class → accessible name
    }


def _over(words: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Words, and in their place those of another language that there are."""
    laid = {k: _over(words.get(k, {}), v) if isinstance(v, dict) else v for k, v in others.items()}
    return words | laid


def __getattr__(name: str) -> Any:
    """Words and tables of words, by their name in `words.toml` or `speak`."""
    if not name.isupper() or name not in _words:
        raise AttributeError(f"no words {name!r} in words.toml")
    return _words[name]


speak(os.environ.get(VARIABLE) or ENGLISH)

"""The dashboard's words: whole in every language, none unused, none outside the catalogue."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_ui import closed, descendants, explorer_of, ready, serve, session_of, until

from srheart_demo.cli import main
from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.runner import Activity
from srheart_demo.explorer.session import Session
from srheart_demo.heart.generator import available
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.settings import RECOMMENDED, STEPS

__all__ = ["closed"]  # a fixture: no explorer outlives its test
PACKAGE = Path(texts.__file__).parents[1]
SYMBOLS = {"EQUATIONS", "LOSS", "LOSS_SA", "LOSS_LA", "SOLVERS", "DIRECTIONS"}
"""Alike in every language; other languages have them not."""
TRANSLATIONS = [code for code in texts.FILES if code != texts.ENGLISH]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What a test speaks is spoken in that test alone."""
    yield
    texts.speak(texts.ENGLISH)


def words(language: str) -> dict[str, Any]:
    """Key → words, of all that a language has to say."""
    found: dict[str, Any] = {}

    def walk(table: dict[str, Any], path: tuple[str, ...]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                walk(value, (*path, key))
            elif path[:1] != ("control",) or is_said(key, value):
                found[".".join((*path, key))] = value

    walk({k: v for k, v in texts.catalogue(language).items() if k not in SYMBOLS}, ())
    return found


def is_said(key: str, value: Any) -> bool:
    """Whether something of a control is words; its options may be those of a table."""
    return key in ("label", "name", "tip") or (key == "options" and isinstance(value[0], list))


def marks(said: Any) -> Any:
    """What must be alike in all languages: places for numbers and names, and markup."""
    if isinstance(said, list):
        return [marks(one) for one in said]  # and of what is chosen, the values
    return sorted(re.findall(r"%?\{.*?\}|</?\w+>", said)) if isinstance(said, str) else said


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_is_whole_and_has_the_same_places_for_numbers_and_names(language: str) -> None:
    english, other = words(texts.ENGLISH), words(language)
    assert len(english) > 300
    assert english.keys() - other.keys() == set(), "missing"
    assert other.keys() - english.keys() == set(), "unused"
    differ = [key for key in english if marks(english[key]) != marks(other[key])]
    assert differ == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_is_a_language_of_its_own(language: str) -> None:
    """A copy of the English words would be whole."""
    english, other = words(texts.ENGLISH), words(language)
    sentence = re.compile(r"\w+ \w+ \w+")
    said = [key for key, text in english.items() if sentence.search(str(text))]
    assert len(said) > 100
    assert [key for key in said if english[key] == other[key]] == []
    assert texts.catalogue(language)["LANGUAGE"] != texts.catalogue(texts.ENGLISH)["LANGUAGE"]


LOOKED_UP = ("TABS", "DIRECTIONS", "LINKED", "ALTERNATIVES", "GENERATORS")
"""Tables that are asked by names which stand nowhere in the code."""


def test_each_word_of_a_table_is_asked_for_somewhere() -> None:
    source = "".join(
        path.read_text("utf-8")
        for room in ("dashboard", "explorer", "solver", "scan", "heart")
        for path in (PACKAGE / room).glob("*.*")
        if path.suffix in (".py", ".js")
    )
    tables = {name: table for name, table in texts.catalogue("en").items() if name.isupper()}
    keys = {
        (name, key)
        for name, table in tables.items()
        if isinstance(table, dict) and name not in LOOKED_UP
        for key in table
        if key
    }
    asked = {
        (name, key)
        for name, key in keys
        if re.search(
            rf"[\"']{re.escape(key)}[\"']|\b{re.escape(key)}=|\.{re.escape(key)}\b", source
        )
    }
    composed = {("RUN_NAMES", key) for key in texts.RUN_NAMES} | {("SLICES_SHOWN", "outlined")}
    assert keys - asked - composed == set()
    for name in texts.RUN_NAMES:
        assert name in f"{[step.name for step in STEPS]}, changed on"
    assert {*texts.SAMPLE_NAMES} == {*SAMPLES}
    assert {*texts.GENERATORS} <= {*available()}
    saved = (PACKAGE / "explorer" / "saved.py").read_text("utf-8")
    session = (PACKAGE / "explorer" / "session.py").read_text("utf-8")
    assert set(re.findall(r'NoState\("(\w+)"', saved + session)) == {*texts.NO_STATE}
    assert set(re.findall(r'return "(\w+)", {"name"', saved)) == {*texts.OTHERWISE}


MARKUP = r"<[^>]*(>|$)|^[^<]*>|srh[\w-]*|\{.*?\}"
NO_WORDS = {"report.py", "theme.py"}
"""The page of an experiment, whose words come from there; names of fonts."""


UNSEEN = {"true slice", "move view", "no state that can be restored: "}
"""Names between parts of the program, and what a program is told in place of `NO_STATE`."""


def said_outside(path: Path) -> list[str]:
    """Words in a module that a reader of the page might see: texts of two words and more that
    are no docstrings, and not what an exception or the log says."""
    tree = ast.parse(path.read_text("utf-8"))
    unseen: set[int] = set()
    for node in ast.walk(tree):
        hidden = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        called = node.func if isinstance(node, ast.Call) else None
        logs = isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "log"
        if hidden or logs or isinstance(node, ast.Raise):
            unseen |= {id(part) for part in ast.walk(node)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unseen
        if re.search(r"[A-Za-z]{2,},? [a-z]{2,}", re.sub(MARKUP, "", node.value))
    ]


def test_no_word_of_the_page_stands_outside_the_catalogue(tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text('"""A docstring."""\nx = f"{1} slices with tissue"\nraise KeyError("not it")')
    assert said_outside(other) == [" slices with tissue"]
    found = {
        path.name: said - UNSEEN
        for room in ("dashboard", "explorer")
        for path in (PACKAGE / room).glob("*.py")
        if path.name not in NO_WORDS and (said := {*said_outside(path)}) - UNSEEN
    }
    assert found == {}


def test_what_a_language_lacks_is_said_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "words_xx.toml"
    file.write_text('LANGUAGE = "X"\n[ENDS]\nconverged = "y"\n[control.srh-gamma]\nlabel = "z"')
    monkeypatch.setitem(texts.FILES, "xx", file)
    english = texts.ENDS["diverged"], texts.TITLE
    texts.speak("xx")
    assert (texts.ENDS["diverged"], texts.TITLE) == english
    assert texts.ENDS["converged"] == "y"
    assert texts.CONTROLS["srh-gamma"]["label"] == texts.LABELS["srh-gamma"] == "z"
    assert texts.CONTROLS["srh-gamma"]["widget"] == "FloatSlider"
    assert texts.LANGUAGES["xx"] == "X"


def test_a_language_is_chosen_by_an_option(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from voila.app import Voila

    spoken: list[str] = []
    monkeypatch.delenv(texts.VARIABLE, raising=False)
    monkeypatch.setattr(
        Voila, "launch_instance", lambda _: spoken.append(os.environ[texts.VARIABLE])
    )
    assert main(["explore", "--no-browser", "--language", "de"]) == 0
    assert spoken == ["de"]
    assert main(["explore", "--no-browser", "--language", "tlh"]) == 2
    assert "unknown language 'tlh'; known: en, de" in capfd.readouterr().err
    assert spoken == ["de"]


def test_a_page_that_is_asked_to_speaks_german_and_loses_nothing() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=8)))

    async def play() -> None:
        await until(lambda: ready(explorer))
        page = explorer.page
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.scan.live.value = False
        explorer.heart.paint.value = "error"
        explorer.heart.slice.value = 4
        explorer.header.dark.value = True
        explorer.tabs.bar.value = "take"
        await until(lambda: '"iterations":8' in explorer.tabs.tab.state.value)
        step, old = session_of(explorer).step, explorer.header.box

        explorer.header.language.value = "de"
        assert explorer.page is page
        assert page.language == "de"
        assert page.tips["srh-gamma"] == texts.catalogue("de")["control"]["srh-gamma"]["tip"]
        assert old not in descendants(explorer.box)
        assert old.comm is None
        assert explorer.transport.run.description == "Start"
        assert not explorer.scan.live.value
        assert explorer.heart.paint.value == "error"
        assert explorer.heart.slice.value == 4
        assert explorer.header.dark.value
        assert page.dark
        assert explorer.tabs.shown == "take"
        await until(lambda: "Iteration 8 von 8" in explorer.transport.detail.value)
        await until(lambda: '"iterations":8' in explorer.tabs.tab.state.value)
        await until(lambda: session_of(explorer).paint == "error")
        assert torch.equal(session_of(explorer).step.z, step.z)
        assert explorer.runner.state is Activity.DONE

        explorer.transport.reset.click()  # and all is wired to what is seen now
        await until(lambda: session_of(explorer).history.at == 0)
        await until(lambda: sentences.texts.READY_NOTE in explorer.transport.detail.value)

    serve(explorer, play)

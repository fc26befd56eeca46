"""The widgets that cards are made of, each with its CSS class and its words."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any, TypeVar

import ipywidgets as w

from srheart_demo.dashboard import texts

W = TypeVar("W", bound=w.DOMWidget)


def named(widget: W, *names: str) -> W:
    """The widget, with CSS classes."""
    for name in names:
        widget.add_class(name)
    return widget


def html(markup: str, name: str = "") -> w.HTML:
    """An `HTML` widget with a CSS class."""
    return named(w.HTML(markup), name) if name else w.HTML(markup)


def note(text: str) -> w.HTML:
    """A short text beside a control."""
    return html(escape(text), "srh-hint")


def card(number: str, title: str, children: list[w.Widget], name: str, aside: str = "") -> w.VBox:
    """A titled card; `number` says its place in the reading order."""
    badge = f'<span class="srh-number">{number}</span>' if number else ""
    aside = f'<span class="srh-aside">{escape(aside)}</span>' if aside else ""
    heading = html(f"<h2>{badge}{escape(title)}{aside}</h2>", "srh-heading")
    return named(w.VBox([heading, *children]), "srh-card", name)


def plot(figure: w.Widget, name: str) -> w.GridBox:
    """A figure that fills its place; in a plain box Plotly would stay 700 pixels wide."""
    return named(w.GridBox([figure]), "srh-plot", name)


def row(*children: w.Widget) -> w.HBox:
    """Controls beside each other, above what they change."""
    return named(w.HBox([*children]), "srh-why-row")


def control(name: str, **values: Any) -> Any:
    """A control, as `words.toml` has it."""
    made = texts.CONTROLS[name] | values
    if isinstance(made.get("options"), str):
        made["options"] = choices(getattr(texts, made["options"]))
    kind, label = getattr(w, made.pop("widget")), made.pop("label", "")
    look = {"indent": False} if kind is w.Checkbox else {}
    return named(kind(description=label, **look, **made), name)


def choices(words: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """The options of a choice; `words` says each value."""
    return [(text, value) for value, text in words.items()]


def offer(widget: w.Dropdown, words: Mapping[Any, str], value: Any) -> None:
    """Give a choice its options, and choose one."""
    if [*widget.options] != choices(words):
        widget.options = choices(words)
    widget.value = value


def show(widget: w.Widget, shown: bool) -> None:
    """Show a widget, or take it off the page."""
    widget.layout.display = None if shown else "none"


def mark(widget: w.DOMWidget, name: str, marked: bool) -> None:
    """Give a widget a CSS class, or take it away."""
    (widget.add_class if marked else widget.remove_class)(name)


def bar(done: float) -> str:
    """A bar filled to `done` of 1, as markup."""
    return f'<div class="srh-bar"><i style="width:{100 * done:.1f}%"></i></div>'


class Hearing:
    """Tells the changes that a user makes from those that the page itself makes."""

    _quiet = False

    def on(self, widget: w.Widget, act: Callable[[Any], object]) -> None:
        """Act on a control's new value when the user, and not the page, changes it."""
        widget.observe(lambda change: None if self._quiet else act(change.new), "value")

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Change controls without acting on it."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


class News:
    """A word where one looks: what is computed, and how far; what is old, or still to come.

    The button `again` computes what was given up.
    """

    def __init__(self, text: str = "") -> None:
        self._words, self.again = html(""), control("srh-again")
        self.box = named(w.HBox([self._words, self.again]), "srh-news")
        self.say(text)

    def say(self, text: str, done: float | None = None, again: bool = False) -> None:
        """A sentence, or nothing, over a bar filled to `done` of 1."""
        self.text = text
        self._words.value = escape(text) + ("" if done is None else bar(done))
        show(self.again, again)
        show(self.box, bool(text))


def descendants(*widgets: w.Widget) -> Iterator[w.Widget]:
    """Widgets and all that stands in them."""
    for widget in widgets:
        yield widget
        yield from descendants(*getattr(widget, "children", ()))

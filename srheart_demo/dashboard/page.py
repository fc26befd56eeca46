"""The browser's side of the page: back-pressure, names, theme, downloads.

The browser queues every message it is sent. Unpaced, a live mesh was measured to lag by 7.6 s
and a slider by 12 s; when the next picture waits until the last is painted, by 0.2 s.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anywidget
import ipywidgets as w
import traitlets

from srheart_demo.dashboard.module import HERE, module

TIMEOUT = 1.0
"""Seconds after which an unanswered ping no longer holds pictures back: a notebook run without
a browser, or a tab in the background, must not stop the run."""
ABSENT = 10.0  # Seconds without an answer after which nobody is there to see a picture


class Page(anywidget.AnyWidget):
    """Talks to the browser; shows nothing but brings the page's style sheet."""

    _esm = module("page")
    _css = HERE / "page.css"

    ping = traitlets.Int(0).tag(sync=True)
    pong = traitlets.Int(0)
    visits = traitlets.Int(0).tag(sync=True)  # grows when a browser is ready to be drawn on
    calm = traitlets.Bool(False).tag(sync=True)  # the user's system asks for less motion
    dark = traitlets.Bool(False).tag(sync=True)  # at first what the user's system prefers
    language = traitlets.Unicode().tag(sync=True)  # of the words on it, as HTML names it
    # CSS class of a control or chart → its accessible name, the terms of the equation that it acts
    # on, and what is said when it is pointed at, as markup; of all else "srh".
    names = traitlets.Dict().tag(sync=True)
    terms = traitlets.Dict().tag(sync=True)
    tips = traitlets.Dict().tag(sync=True)

    _sent = 0.0
    _waiting_since = 0.0

    def __init__(self, **values: object) -> None:
        # Widget → what of it changed while a browser builds the page, and so may be missed there.
        self._unseen: dict[w.Widget, set[str]] = {}
        super().__init__(**values)
        # When a hand or a key first does anything but move through the run.
        self.on_touch: Callable[[], object] = lambda: None
        self.on_close: Callable[[], object] = lambda: None  # When the page is no more.
        # With what follows # in the address that a browser opens.
        self.on_link: Callable[[str], object] = lambda link: None
        # When the address leads to a state, and whether it could be copied.
        self.on_linked: Callable[[bool], object] = lambda copied: None
        self._news: list[tuple[str, Any, list[Any]]] | None = None
        self.on_msg(self.heard)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:
        """Its state, or some of it. Whoever asks for all of it is given that of others too."""
        if key is None:
            self._unseen.clear()
        return super().get_state(key, drop_defaults)

    @property
    def painted(self) -> bool:
        """Whether the browser has painted what it was last sent, or has been given up on."""
        return self.pong >= self.ping or time.monotonic() - self._sent > TIMEOUT

    @property
    def absent(self) -> bool:
        """Whether the browser has not answered for long: the page is closed, or out of sight."""
        return self.pong < self.ping and time.monotonic() - self._waiting_since > ABSENT

    def heard(self, _: object, message: dict[str, Any], __: object) -> None:
        """What the browser says."""
        # Not a synchronised value: after a lost connection those may never be sent again.
        if message.get("kind") == "painted":
            self.pong = int(message["ping"])
        elif message.get("kind") == "touched":
            self.on_touch()
        elif message.get("kind") == "link":
            self.on_link(str(message["link"]))
        elif message.get("kind") == "linked":
            self.on_linked(bool(message["copied"]))

    @traitlets.observe("pong", "visits")
    def _answered(self, _: object) -> None:
        self._waiting_since = time.monotonic()

    def sent(self) -> None:
        """Call after sending a picture: the browser answers when it has painted it."""
        self._sent = time.monotonic()
        if self.pong >= self.ping:
            self._waiting_since = self._sent
        self.ping += 1

    def carry(self, widget: w.Widget) -> None:
        """Have this widget's messages wait for one that holds them all, while `together` lasts.
        What changes of it while the page is being built is sent once more."""
        alone = widget._send

        def send(message: Any, buffers: Any = None) -> None:
            if self._news is None:
                alone(message, buffers)
            else:
                self._news.append((widget.model_id, message, buffers or []))

        widget._send = send
        widget.observe(self._remember)
        widget.layout.observe(self._remember)

    def _remember(self, change: Any) -> None:
        if not self.visits and change.name in change.owner.keys:
            self._unseen.setdefault(change.owner, set()).add(change.name)

    @traitlets.observe("visits")
    def _say_again(self, _: object) -> None:
        for widget, names in self._unseen.items():
            widget.send_state(names)
        self._unseen.clear()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send all that is drawn meanwhile in one message, if there is a page to take it: each one
        costs the browser, the server and the kernel half a millisecond, whatever is in it."""
        self._news = [] if self.visits else None
        try:
            yield
        finally:
            news, self._news = self._news, None
            if news:
                parts = [{"id": who, "data": data, "buffers": len(own)} for who, data, own in news]
                self.send({"kind": "together", "news": parts}, [b for *_, own in news for b in own])

    def close(self) -> None:
        """Nobody sees the page any more."""
        super().close()
        self.on_close()

    def lead_to(self, link: str) -> None:
        """Have the page's address lead to a state, and copy it where the browser allows that."""
        self.send({"kind": "link", "link": link})

    def download(self, name: str, data: bytes) -> None:
        """Hand the user a file."""
        self.send({"kind": "download", "name": name}, [data])

"""A button that takes a file of any size that is allowed, in parts."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.module import module

PART = 2**21  # Bytes of a file in one message; Jupyter's websockets end at one of more than 10 MB


class FilePicker(anywidget.AnyWidget):
    """Asks for a file, part by part, and hands it on when it is whole."""

    _esm = module("picker")

    text = traitlets.Unicode().tag(sync=True)  # on the button
    accept = traitlets.Unicode(".nii,.gz").tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)  # beside it: the file's name, or how far it is
    many = traitlets.Bool(False).tag(sync=True)  # whether several may be chosen; they come in turn

    def __init__(self, text: str, most: int) -> None:
        super().__init__(text=text)
        self.most = most  # bytes that a file may have; one of more is not even asked for
        self.on_file: Callable[[str, bytes], None] = lambda name, content: None
        # Called with a sentence where there is no file to be had.
        self.on_problem: Callable[[str], None] = lambda problem: None
        self._name, self._size, self._content = "", 0, bytearray()
        self.on_msg(self.heard)

    def heard(self, _: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """What the browser says."""
        kind = message.get("kind")
        if kind == "chosen":
            self._begin(str(message["name"]), int(message["size"]))
        elif kind == "part" and message.get("start") == len(self._content) < self._size:
            self._take(buffers[0])
        elif kind == "unreadable":
            self._give_up(texts.UNREADABLE.format(self._name))

    def _begin(self, name: str, size: int) -> None:
        self._name, self._size, self._content = name, size, bytearray()
        if size > self.most:
            self._give_up(texts.TOO_LARGE.format(name, size / 2**20, self.most / 2**20))
        elif size <= 0:
            self._give_up(texts.EMPTY.format(name))
        else:
            self._ask()

    def _take(self, part: memoryview) -> None:
        self._content += part[: self._size - len(self._content)]
        if not len(part) or len(self._content) == self._size:
            self.said, content = self._name, bytes(self._content)
            self._content, self._size = bytearray(), 0
            self.on_file(self._name, content)
            self.send({"kind": "next"})
        else:
            self._ask()

    def _ask(self) -> None:
        start = len(self._content)
        self.said = f"{100 * start // self._size} %"
        self.send({"kind": "give", "start": start, "stop": start + PART})

    def _give_up(self, problem: str) -> None:
        self.said, self._size, self._content = "", 0, bytearray()
        self.on_problem(problem)
        self.send({"kind": "next"})

"""The stack from the side: drag a slice to displace it, and see where d puts it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.module import module
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.pictures import Side


class StackView(anywidget.AnyWidget):
    """Two side views of the stack, as scanned and put back by d, base on top.

    Attributes:
        chosen: the slice that is looked at, from 0 at the apex.
        on_move: called with slice, mm along rows and mm along columns when one was dragged.
        on_toggle: called with a slice that is to be left out or taken again.
        on_undo: called when all that was done by hand is to be undone.
    """

    _esm = module("stack")

    scanned = traitlets.Bytes(b"").tag(sync=True)
    put_back = traitlets.Bytes(b"").tag(sync=True)
    slices: traitlets.List[int] = traitlets.List().tag(sync=True)
    of = traitlets.Int(0).tag(sync=True)
    pixel_mm = traitlets.Float(1.25).tag(sync=True)
    chosen = traitlets.Int(6).tag(sync=True)
    by_hand = traitlets.Bool(False).tag(sync=True)
    colours: traitlets.List[str] = traitlets.List().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    revision = traitlets.Int(0).tag(sync=True)

    def __init__(self) -> None:
        super().__init__(
            colours=list(TISSUE_COLOURS.values()),
            words=texts.STACK_WORDS | {"scanned": texts.SCANNED, "putBack": texts.PUT_BACK},
        )
        self.on_move: Callable[[int, float, float], None] = lambda k, rows, columns: None
        self.on_toggle: Callable[[int], None] = lambda k: None
        self.on_undo: Callable[[], None] = lambda: None
        self.on_msg(self.heard)

    def show(self, side: Side, by_hand: bool) -> None:
        """Draw the stack of a moment."""
        with self.hold_sync():
            self.scanned = np.ascontiguousarray(side.scanned).tobytes()
            self.put_back = np.ascontiguousarray(side.put_back).tobytes()
            self.slices = [int(number) - 1 for number in side.slices]
            self.of, self.pixel_mm, self.by_hand = side.of, side.pixel_mm, by_hand
            self.revision += 1

    def heard(self, _: Any, message: dict[str, Any], __: Any) -> None:
        """What the browser says."""
        kind = message.get("kind")
        if kind == "move":
            self.on_move(int(message["slice"]), float(message["rows"]), float(message["columns"]))
        elif kind == "toggle":
            self.on_toggle(int(message["slice"]))
        elif kind == "undo":
            self.on_undo()

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
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.overlay import Overlay


class StackView(anywidget.AnyWidget):
    """Two side views of the stack, as scanned and put back by d, base on top.

    Attributes:
        chosen: the slice that is looked at, from 0 at the apex.
        view: the long-axis view that is shown in place of the slices' sides, or -1.
        on_move: called with slice, mm along rows and mm along columns when one was dragged.
        on_move_view: the same of a view.
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
    view = traitlets.Int(-1).tag(sync=True)
    views: traitlets.List[str] = traitlets.List().tag(sync=True)
    views_move = traitlets.Bool(True).tag(sync=True)
    overlay = traitlets.Dict().tag(sync=True)
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
        self.on_move_view: Callable[[int, float, float], None] = lambda v, rows, columns: None
        self.on_toggle: Callable[[int], None] = lambda k: None
        self.on_undo: Callable[[], None] = lambda: None
        self.on_msg(self.heard)

    def show(self, now: Moment) -> None:
        """Draw the stack of a moment, or a long-axis view over it."""
        side, scene, scan = now.side, now.scene, now.scene.settings
        with self.hold_sync():
            self.scanned = np.ascontiguousarray(side.scanned).tobytes()
            self.put_back = np.ascontiguousarray(side.put_back).tobytes()
            self.slices = [int(number) - 1 for number in side.slices]
            self.of, self.pixel_mm = side.of, side.pixel_mm
            self.by_hand, self.views_move = scan != scan.by_itself, scene.views_may_move
            self.views = [*scene.view_names]
            if self.view >= len(self.views):
                self.view = -1
            self.overlay = {} if self.view < 0 else _message(now.overlay(self.view))
            self.revision += 1

    def heard(self, _: Any, message: dict[str, Any], __: Any) -> None:
        """What the browser says."""
        kind = message.get("kind")
        if kind == "move":
            self.on_move(int(message["slice"]), float(message["rows"]), float(message["columns"]))
        elif kind == "move view":
            down = -1 if self.overlay.get("turned") else 1
            rows, columns = float(message["down"]), float(message["across"])
            self.on_move_view(int(message["view"]), down * rows, columns)
        elif kind == "toggle":
            self.on_toggle(int(message["slice"]))
        elif kind == "undo":
            self.on_undo()


def _message(overlay: Overlay) -> dict[str, Any]:
    pictures = {
        "scanned": np.ascontiguousarray(overlay.scanned).tobytes(),
        "putBack": np.ascontiguousarray(overlay.put_back).tobytes(),
    }
    known = {"turned": overlay.turned, "spacing": overlay.spacing}
    return known | pictures | {"shape": overlay.scanned.shape[1:]}

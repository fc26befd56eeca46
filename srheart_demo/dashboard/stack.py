"""The stack from the side: drag a slice to displace it, and see where d puts it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.module import module
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.pictures import Overlay
    from srheart_demo.explorer.subjects import ScanSettings

    Change = Callable[[ScanSettings], ScanSettings]


class StackView(anywidget.AnyWidget):
    """Two side views of the stack, as scanned and put back by d, base on top."""

    _esm = module("stack")

    scanned = traitlets.Bytes(b"").tag(sync=True)
    put_back = traitlets.Bytes(b"").tag(sync=True)
    slices: traitlets.List[int] = traitlets.List().tag(sync=True)
    of = traitlets.Int(0).tag(sync=True)
    pixel_mm = traitlets.Float(1.25).tag(sync=True)
    chosen = traitlets.Int(6).tag(sync=True)  # the slice that is looked at, from 0 at the apex
    view = traitlets.Int(-1).tag(sync=True)  # the LA view shown in place of slices' sides, or -1
    views: traitlets.List[str] = traitlets.List().tag(sync=True)
    views_move = traitlets.Bool(True).tag(sync=True)
    overlay = traitlets.Dict().tag(sync=True)
    by_hand = traitlets.Bool(False).tag(sync=True)
    colours: traitlets.List[str] = traitlets.List().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    told = traitlets.Int(0).tag(sync=True)  # the browser's time of the last move in the picture
    revision = traitlets.Int(0).tag(sync=True)

    def __init__(self) -> None:
        words = texts.STACK_WORDS | {"scanned": texts.SCANNED, "put_back": texts.PUT_BACK}
        super().__init__(colours=[*TISSUE_COLOURS.values()], words=words)
        # Called with what a hand does to the scan.
        self.on_change: Callable[[Change], object] = lambda change: None
        self._told = 0  # the same of the last move that was heard of
        self.on_msg(self.heard)

    def show(self, now: Moment, behind: bool) -> None:
        """Draw the stack of a moment, or a long-axis view over it; unless a hand moved it since,
        and the moment is `behind`: another scan is wished for."""
        if behind and self.told != self._told:
            return
        side, scene, scan = now.side, now.scene, now.scene.settings
        with self.hold_sync():
            self.scanned, self.put_back = side.scanned.tobytes(), side.put_back.tobytes()
            self.slices, self.of = scene.slices.tolist(), scene.of
            self.pixel_mm = scene.stack.spacing[1]
            self.by_hand, self.views_move = scan != scan.by_itself, scene.views_may_move
            self.views = [*scene.view_names]
            if self.view >= len(self.views):
                self.view = -1
            self.overlay = {} if self.view < 0 else _message(now.overlay(self.view))
            self.told = self._told
            self.revision += 1

    def heard(self, _: Any, message: dict[str, Any], __: Any) -> None:
        """What the browser says."""
        self._told = int(message.get("at", self._told))
        match message:
            case {"kind": "move", "slice": k, "rows": rows, "columns": columns}:
                moved = int(k), float(rows), float(columns)
                self.on_change(lambda scan: scan.moved(*moved))
            case {"kind": "move view", "view": v, "down": down, "across": across}:
                rows = -float(down) if self.overlay.get("turned") else float(down)
                moved = int(v), rows, float(across)
                self.on_change(lambda scan: scan.moved(*moved, of="views_by_hand"))
            case {"kind": "toggle", "slice": k}:
                self.on_change(lambda scan: scan.toggled(int(k)))
            case {"kind": "undo"}:
                self.on_change(lambda scan: scan.by_itself)


def _message(overlay: Overlay) -> dict[str, Any]:
    pictures = {name: getattr(overlay, name).tobytes() for name in ("scanned", "put_back")}
    known = {"turned": overlay.turned, "spacing": overlay.spacing}
    return known | pictures | {"shape": overlay.scanned.shape[1:]}

"""Controls of the lessons: sliders beside a picture that also shows where nothing runs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, HBox, Image, Layout, VBox, interactive

from srheart_demo.dashboard.projector import scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110


class TryIt:
    """A picture and the controls that it is drawn for.

    It shows as widgets where a kernel runs, and as the first picture elsewhere.
    """

    def __init__(self, draw: Callable[..., Figure], controls: dict[str, Any]) -> None:
        self._draw = draw
        # Of ipywidgets' own only the sliders: a picture that is replaced in place does not flicker.
        self._controls = interactive(draw, {"manual": True}, **controls).kwargs_widgets
        self._picture = Image(
            format="png", layout=Layout(max_width="100%", align_self="flex-start")
        )
        self._message = HTML()
        for control in self._controls:
            if hasattr(control, "continuous_update"):
                control.continuous_update = False
            control.style.description_width = "initial"
            control.observe(lambda _: self._show(), "value")
        self.widget = VBox(
            [
                HBox(self._controls, layout=Layout(flex_flow="row wrap")),
                self._picture,
                self._message,
            ]
        )
        self._picture.value = self._png()

    def _png(self) -> bytes:
        values = {control.description: control.value for control in self._controls}
        figure = self._draw(**values)
        drawn = BytesIO()
        figure.savefig(drawn, format="png", dpi=DPI * scale())
        return drawn.getvalue()

    def _show(self) -> None:
        try:
            self._picture.value = self._png()
            self._message.value = ""
        except Exception as error:  # Of a learner's own function: to be read, not to end the page.
            self._message.value = f"<b>That did not work:</b> {type(error).__name__}: {error}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        live = self.widget._repr_mimebundle_()
        still = {
            "text/plain": "controls, and a picture",
            "image/png": b64encode(self._picture.value).decode(),
        }
        return {**live, **still}


def try_it(draw: Callable[..., Figure], **controls: Any) -> TryIt:
    """Sliders for the arguments of a drawing.

    Args:
        draw: returns a matplotlib figure.
        controls: argument → what it may be, as `ipywidgets.interactive` abbreviates it: (least,
            most, step), a list of choices, a bool.
    """
    return TryIt(draw, controls)

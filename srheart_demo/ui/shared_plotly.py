"""One copy of plotly.js for all figures of a page.

Every `plotly.graph_objects.FigureWidget` carries its own 5 MB of plotly.js to the browser; six
figures were measured at 30 MB and 19 s. Here one widget carries plotly's own bundle and
publishes it on ``globalThis``, and each figure's module of a few lines awaits it. This leans on
the bundle's last line, ``export{…,X as default}``; plotly is pinned and the browser test watches.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import plotly
import plotly.graph_objects as go

SHARED = """
const shared = (globalThis.srheartPlotly ??= (() => {
  const slot = {};
  slot.ready = new Promise((resolve) => { slot.publish = resolve; });
  return slot;
})());
"""

FIGURE_ESM = (
    SHARED
    + """
// What is on its way when a hand takes hold of a 3-D view must not be drawn: it would snap the
// camera back (plotly.js issue 6359). Python sends the view anew when the hand is gone.
const undisturbed = (model) => "scene" in model.get("_widget_layout") ? new Proxy(model, {
  get(target, key) {
    if (key !== "on") {
      return typeof target[key] === "function" ? target[key].bind(target) : target[key];
    }
    return (event, callback) => target.on(event, (...news) => {
      if (!(shared.handOnCanvas && event.startsWith("change:_py2js"))) callback(...news);
    });
  },
}) : model;

export default () => {
  let widget;
  const ready = shared.ready.then((make) => (widget = make()));
  return {
    async initialize(context) {
      await ready;
      await widget.initialize({ ...context, model: undisturbed(context.model) });
    },
    async render(context) { await ready; return widget.render(context); },
  };
};
"""
)


def bundle_as_publisher(bundle: str) -> str:
    """plotly's widget bundle with its default export published to the page's figures.

    Raises:
        RuntimeError: the bundle does not end in a default export; another plotly is installed.
    """
    # The last one: an earlier export belongs to a worker's source, held in a string.
    exports = re.finditer(r"export\s*\{[^}]*?([\w$]+) as default\s*\};?", bundle)
    export = next(reversed(list(exports)), None)
    if export is None:
        raise RuntimeError(
            f"plotly {plotly.__version__} has another widget bundle than the one this page was"
            " built on: install the version that pyproject.toml pins"
        )
    publish = f"{SHARED}shared.publish({export[1]});\nexport default {{ render() {{}} }};\n"
    return bundle[: export.start()] + publish + bundle[export.end() :]


class PlotlyLibrary(anywidget.AnyWidget):
    """Carries plotly.js to the page once. Shows nothing; it has to be part of the page."""

    def __init__(self) -> None:
        bundle = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
        self._esm = bundle_as_publisher(bundle.read_text(encoding="utf-8"))
        super().__init__()


class Figure(go.FigureWidget):
    """A `FigureWidget` that waits for the page's `PlotlyLibrary` instead of bringing its own."""

    _esm = FIGURE_ESM

    def __init__(self, data: list[Any], layout: dict[str, Any]) -> None:
        super().__init__(data=data, layout=layout)
        self._config = {"responsive": True, "displayModeBar": False}

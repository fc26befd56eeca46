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
import traitlets

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
const undisturbed = (model) => new Proxy(model, {
  get(target, key) {
    if (key !== "on") {
      return typeof target[key] === "function" ? target[key].bind(target) : target[key];
    }
    return (event, callback) => target.on(event, (...news) => {
      const held = shared.handOnCanvas && "scene" in model.get("_widget_layout");
      if (!(held && event.startsWith("change:_py2js"))) callback(...news);
    });
  },
});

// anywidget drops all messages to a widget that takes 2 s to initialize, and in JupyterLab none
// to another widget comes through meanwhile. So a figure starts without plotly.js, keeps what is
// said to it, and hears it again when plotly.js is there.
const NEWS = ["addTraces", "deleteTraces", "moveTraces", "restyle", "relayout", "update",
  "animate", "removeLayoutProps", "removeTraceProps"].map((name) => `_py2js_${name}`);

const record = (model) => {
  const missed = [];
  const listeners = NEWS.map((key) => {
    const listen = () => { if (model.get(key) !== null) missed.push([key, model.get(key)]); };
    model.on(`change:${key}`, listen);
    return [key, listen];
  });
  return () => {
    for (const [key, listen] of listeners) model.off(`change:${key}`, listen);
    for (const [key, value] of missed) {
      model.set(key, value);
      model.set(key, null);
    }
  };
};

// JupyterLab makes the widget before its content has come; `_config` comes last (see `Figure`).
const filled = (model) => new Promise((resolve) => {
  const look = () => { if ("responsive" in model.get("_config")) resolve(); };
  model.on("change:_config", look);
  look();
});

export default () => {
  let started;
  return {
    initialize(context) {
      const replay = record(context.model);
      started = shared.ready.then(async (make) => {
        await filled(context.model);
        const widget = make();
        await widget.initialize({ ...context, model: undisturbed(context.model) });
        replay();
        return widget;
      });
    },
    async render(context) { return (await started).render(context); },
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
    publish = f"{SHARED}shared.publish({export[1]});\n"
    return bundle[: export.start()] + publish + bundle[export.end() :]


LIBRARY_ESM = """
// anywidget gives up on a module that takes 2 s to come; on a busy machine 5 MB do. So the module
// is small, and brings the library in when it is there itself.
const bring = (model) => {
  if (globalThis.srheartPlotlyComes || !model.get("bundle")) return;
  globalThis.srheartPlotlyComes = true;
  import(URL.createObjectURL(new Blob([model.get("bundle")], { type: "text/javascript" })));
};

export default {
  initialize({ model }) {
    model.on("change:bundle", () => bring(model));
    bring(model);
  },
  render() {},
};
"""


class PlotlyLibrary(anywidget.AnyWidget):
    """Carries plotly.js to the page once. Shows nothing; it has to be part of the page."""

    _esm = LIBRARY_ESM

    bundle = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        source = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
        super().__init__(bundle=bundle_as_publisher(source.read_text(encoding="utf-8")))


class Figure(go.FigureWidget):
    """A `FigureWidget` that waits for the page's `PlotlyLibrary` instead of bringing its own."""

    _esm = FIGURE_ESM

    def __init__(self, data: list[Any], layout: dict[str, Any]) -> None:
        super().__init__(data=data, layout=layout)
        self._config = {"responsive": True, "displayModeBar": False}

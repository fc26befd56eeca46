"""The site: README, docs, the lessons as they were run, and the API (`make site`).

Sources are the repository's own files where they lie, so links work there and here. Nothing is
asked of another host: formulas are MathML, scripts and fonts lie beside the pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import latex2mathml.converter
from docutils import nodes
from mdit_py_plugins.anchors.index import slugify
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXTRA = ROOT / "build" / "recorded"
EXTRA.mkdir(parents=True, exist_ok=True)
sys.path[:0] = [str(ROOT), str(HERE)]

import online  # noqa: E402
import recorded  # noqa: E402

import srheart_demo  # noqa: E402

project = "srheart-demo"
author = copyright = "The srheart-demo authors"  # noqa: A001
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/site/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/results/*/*.md",
    "docs/site/*.md",
    "data/sample/*.md",
    "page/*.md",
    "notebooks/*.ipynb",
    "srheart_demo/heart/weights/*.md",
    "srheart_demo/lessons/*.md",
]
exclude_patterns = [".*", "build", "dist", "out", "runs"]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]
napoleon_google_docstring, napoleon_numpy_docstring = True, False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
default_role = "literal"
nitpicky = True
# What the page of the API names and does not explain.
nitpick_ignore = [("py:exc", "Diverged")]
nitpick_ignore_regex = [("py:class", r"(collections|numpy|pathlib|srheart_demo|torch)\..*")]

html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_copy_source = html_show_sourcelink = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_extra_path = [str(EXTRA)]


def mathml(self: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """A formula, which the browser lays out by itself."""
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    self.body.append(latex2mathml.converter.convert(node.astext(), display))
    raise nodes.SkipNode


def name_the_api(app: Sphinx, page: str, source: list[str]) -> None:
    """The page of the API has every public name, by the module that defines it."""
    if page != "docs/site/api":
        return
    for module, names in {"explore": "explore", **srheart_demo._NAMES}.items():
        heading = "The explorer" if module == "explore" else f"`srheart_demo.{module}`"
        entries = [f".. autodata:: srheart_demo.{module}.{n}\n   :no-value:" if n.isupper() else
                   f".. autoclass:: srheart_demo.{n}\n   :members:" if n[0].isupper() else
                   f".. autofunction:: srheart_demo.{n}" for n in names.split()]  # fmt: skip
        source[0] += f"\n## {heading}\n\n```{{eval-rst}}\n" + "\n\n".join(entries) + "\n```\n"


def links(app: Sphinx, page: nodes.document) -> None:
    """Headings of lessons are named as Jupyter names them; a link to a folder has nowhere to go."""
    here = (ROOT / app.env.docname).parent
    for node in list(page.findall(addnodes.pending_xref)):
        if node["reftype"] == "myst" and (here / node["reftarget"]).is_dir():
            node.replace_self(node.children)
        elif node.get("reftargetid") and node["reftarget"].startswith("notebooks/"):
            node["reftargetid"] = slugify(node["reftargetid"])


def opened_elsewhere(app: Sphinx, page: nodes.document) -> None:
    """Below the heading of a lesson, where it opens without installing."""
    if not app.env.docname.startswith("notebooks/"):
        return
    readme = (ROOT / "README.md").read_text("utf-8")
    line = nodes.paragraph("", "Open in ")
    for i, (name, url) in enumerate(online.addresses(readme, f"{app.env.docname}.ipynb").items()):
        line += [nodes.Text(", "[: 2 * (i > 0)]), nodes.reference("", name, refuri=url)]
    title = page.next_node(nodes.title)
    if len(line) > 1 and title is not None:
        title.parent.insert(title.parent.index(title) + 1, line)


_unsorted: dict[str, list[str]] = {}


def as_written(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Keep docstrings of values before Napoleon sorts them into types and descriptions."""
    _unsorted[name] = [*lines]


def plain_text(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Bars in docstrings are bars, as in |z|; the first words of a value's are not its type."""
    typed = any(line.startswith(":type:") for line in lines)
    if typed and what in ("attribute", "data", "property"):
        lines[:] = _unsorted.pop(name)
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = line.split("`")
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[i] = "`".join(parts)


def record(app: Sphinx) -> None:
    """Run what the front page shows."""
    recorded.write(EXTRA)
    forward = '<meta http-equiv="refresh" content="0; url=docs/site/index.html">'
    (EXTRA / "index.html").write_text(f"<!DOCTYPE html><title>{project}</title>{forward}", "utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the above."""
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.connect("builder-inited", record)
    app.connect("source-read", name_the_api)
    app.connect("doctree-read", links)
    app.connect("doctree-read", opened_elsewhere)
    app.connect("autodoc-process-docstring", as_written, priority=400)
    app.connect("autodoc-process-docstring", plain_text, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

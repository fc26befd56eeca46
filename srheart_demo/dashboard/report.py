"""An experiment's page: tables, plots and how they were made, in one file that needs no network."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from srheart_demo.dashboard import theme
from srheart_demo.experiments.tables import Table

STYLE = f"""
body {{ font: 15px/1.5 {theme.FONT}; color: {theme.INK}; background: #fff;
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .4rem; }}
p, td, th, dd, dt {{ font-variant-numeric: tabular-nums; }} p {{ color: {theme.MUTED}; }}
img {{ max-width: 100%; }} .wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .9rem; }}
th, td {{ padding: .3rem .7rem; border-bottom: 1px solid {theme.GRID}; text-align: left; }}
th {{ color: {theme.MUTED}; font-weight: 600; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }}
dt {{ color: {theme.MUTED}; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
"""


def report(
    title: str,
    tables: Sequence[Table],
    pictures: Mapping[str, bytes],
    facts: Mapping[str, Mapping[str, Any]],
) -> str:
    """The page as HTML. `pictures` are title → PNG; `facts` of how it was made heading → name →
    value."""
    shown = ((escape(table.title), table.html()) for table in tables)
    parts = [f'<h2>{heading}</h2>\n<div class="wide">{html}</div>' for heading, html in shown]
    parts[1:1] = [
        f'<h2>{escape(name)}</h2>\n<img alt="{escape(name)}; the figures are those of the tables"'
        f' src="data:image/png;base64,{b64encode(picture).decode()}">'
        for name, picture in pictures.items()
    ]
    parts += [_facts(heading, values) for heading, values in facts.items()]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title>\n<style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _facts(heading: str, values: Mapping[str, Any]) -> str:
    lines = []
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n")
    return f"<h2>{escape(heading.capitalize())}</h2>\n<dl>{''.join(lines)}</dl>"

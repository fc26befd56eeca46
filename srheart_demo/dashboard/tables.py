"""Tables of an experiment as HTML, for its page and for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from srheart_demo.experiments.summary import Cell, Table

if TYPE_CHECKING:
    from IPython.display import HTML


def table_html(table: Table) -> str:
    """A table and its note, without its title."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
    note = f"\n<p>{escape(table.note)}</p>" if table.note else ""
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>{note}"


def show_table(table: Table) -> HTML:
    """A table to be looked at in a notebook."""
    from IPython.display import HTML

    box = '<div style="overflow-x: auto">'
    return HTML(f"<b>{escape(table.title)}</b>\n{box}{table_html(table)}</div>")


def _cell(cell: str | Cell) -> str:
    text = escape(str(cell))
    bold = isinstance(cell, Cell) and cell.bold
    return f'<td style="white-space: nowrap">{f"<b>{text}</b>" if bold else text}</td>'

"""The dashboard: the only room that knows widgets and plots, and one without numerics."""

import asyncio
import os

from IPython.display import display
from ipywidgets import register_comm_target

from srheart_demo.dashboard.explorer import Explorer
from srheart_demo.machine import keep_little

__all__ = ["explore"]

LOOK_AGAIN = 0.05  # Seconds between two looks whether the page stands
_serving: set[asyncio.Task[None]] = set()  # The event loop itself holds its tasks weakly


def explore() -> None:
    """Show the dashboard, in a notebook or under Voilà; it is served as long as its page lives."""
    keep_little()
    register_comm_target()  # In a forked kernel ipywidgets was imported before there was one.
    explorer = Explorer()
    display(explorer.box)
    _serving.add(asyncio.get_running_loop().create_task(_serve(explorer)))


async def _serve(explorer: Explorer) -> None:
    """Serve when the page stands; at once in a kernel that Voilà starts before anybody comes.

    A kernel that is importing torch answers slowly while a browser fetches the page's widgets.
    """
    while not (explorer.page.visits or os.environ.get("VOILA_PREHEAT") == "True"):
        await asyncio.sleep(LOOK_AGAIN)
    await explorer.runner.serve()

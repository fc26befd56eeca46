"""The dashboard's Python side, without a browser."""

from __future__ import annotations

import asyncio
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly
import pytest

from srheart_demo.palette import TISSUE_COLOURS, rgb
from srheart_demo.presets import PRESETS, RECOMMENDED
from srheart_demo.session import Session
from srheart_demo.ui import page, texts
from srheart_demo.ui.explorer import Explorer
from srheart_demo.ui.png import OUTLINE_LABEL, PALETTE, label_png
from srheart_demo.ui.runner import Runner, State
from srheart_demo.ui.schedule import Schedule
from srheart_demo.ui.shared_plotly import Figure, bundle_as_publisher

PATIENCE = 60.0


def serve(explorer: Explorer, play: Callable[[], Awaitable[None]]) -> None:
    """Serve an explorer on an event loop of its own while `play` uses it."""

    async def both() -> None:
        server = asyncio.ensure_future(explorer.runner.serve())
        try:
            await asyncio.wait_for(play(), PATIENCE)
        finally:
            server.cancel()

    asyncio.run(both())


async def until(condition: Callable[[], bool]) -> None:
    """Give the event loop room until something holds."""
    while not condition():
        await asyncio.sleep(0.01)


def explorer_of(load: Callable[[], Session]) -> Explorer:
    explorer = Explorer()
    explorer.runner = Runner(load, explorer, explorer.page, (6, 90.0))
    return explorer


def short_session() -> Session:
    return Session(settings=replace(RECOMMENDED, iterations=8))


def test_importing_the_dashboard_does_not_import_torch() -> None:
    code = "import sys, srheart_demo.ui; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_picture_holds_the_labels_in_the_tissue_colours() -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    png = label_png(labels, zoom=2)
    width, height = struct.unpack(">II", png[16:24])
    assert (height, width) == (6, 8)
    body = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    rows = np.frombuffer(body, np.uint8).reshape(6, 9)
    np.testing.assert_array_equal(rows[::2, 1::2], labels)
    assert tuple(PALETTE[3:6]) == rgb(TISSUE_COLOURS["LV"])


def test_an_outline_is_drawn_where_labels_change() -> None:
    labels = np.zeros((2, 4), np.uint8)
    other = np.array([[0, 0, 1, 1]] * 2, np.uint8)
    png = label_png(labels, zoom=1, outline=other)
    body = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    first = np.frombuffer(body, np.uint8).reshape(2, 5)[0, 1:]
    assert first.tolist() == [0, OUTLINE_LABEL, OUTLINE_LABEL, 0]


def test_plotlys_bundle_is_published_and_figures_do_not_carry_it() -> None:
    bundle = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
    module = bundle_as_publisher(bundle.read_text(encoding="utf-8"))
    assert re.search(r"shared\.publish\([\w$]+\);", module)
    assert len(Figure._esm) < 4000


def test_another_bundle_is_refused_in_words() -> None:
    with pytest.raises(RuntimeError, match="pyproject"):
        bundle_as_publisher("export { something };")


def test_every_control_and_picture_has_a_name() -> None:
    explorer = Explorer()
    classes = {name for widget in descendants(explorer.box) for name in widget._dom_classes}
    assert set(texts.NAMES) <= classes


def descendants(widget: object) -> list:
    return [widget, *(d for child in getattr(widget, "children", ()) for d in descendants(child))]


def test_every_preset_and_every_end_of_a_run_has_words() -> None:
    assert set(texts.PRESET_NOTES) == set(PRESETS)
    assert set(texts.ENDS) == {"iterations", "converged", "diverged"}


def test_an_unanswered_ping_holds_pictures_back_only_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = page.Page()
    assert browser.painted
    browser.sent()
    assert not browser.painted
    browser.pong = browser.ping
    assert browser.painted
    browser.sent()
    monkeypatch.setattr(page, "TIMEOUT", 0.0)
    assert browser.painted


def test_a_dear_picture_is_renewed_less_often() -> None:
    schedule = Schedule()
    schedule.everything()
    schedule.renewed("frame", cost=1000.0)
    schedule.renewed("heart", cost=0.0)
    assert not schedule.due("frame", hurry=False)
    assert schedule.due("frame", hurry=True)
    assert not schedule.due("heart", hurry=False)


def test_the_dashboard_loads_runs_and_shows_without_a_browser() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state is State.READY)
        explorer.run.run.click()
        await until(lambda: explorer.runner.state is State.DONE)
        await until(lambda: "iteration 8 of 8" in explorer.run.detail.value)
        await until(lambda: np.size(explorer.convergence.data[0].y) == 9)

    serve(explorer, play)
    assert len(explorer.heart.data[0].x) > 100
    assert "mm" in explorer.score.table.value


def test_step_pause_reset_and_gamma_do_what_they_say() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=10_000)))
    runner = explorer.runner

    def session() -> Session:
        assert runner._session is not None
        return runner._session

    async def play() -> None:
        await until(lambda: runner.state is State.READY)
        explorer.run.step.click()
        await until(lambda: session().progress().iteration == 1)
        explorer.run.run.click()
        await until(lambda: session().progress().iteration > 3)
        explorer.run.gamma.value = 2.0
        await until(lambda: session().step.state.settings.gamma == 2.0)
        explorer.run.pause.click()
        assert runner.state is State.PAUSED
        explorer.run.reset.click()
        await until(lambda: session().progress().iteration == 0)
        explorer.scan.motion.value = 0.5
        await until(lambda: session().scene.scan.motion == 0.5)

    serve(explorer, play)


def test_a_failure_is_told_in_the_page_and_leaves_it_usable() -> None:
    attempts = iter([ValueError("The weights are missing."), None])

    def load() -> Session:
        problem = next(attempts)
        if problem is not None:
            raise problem
        return short_session()

    explorer = explorer_of(load)

    async def play() -> None:
        await until(lambda: explorer.runner.state is State.FAILED)
        assert "The weights are missing." in explorer.run.detail.value
        explorer.run.reset.click()
        await until(lambda: explorer.runner.state is State.READY)

    serve(explorer, play)

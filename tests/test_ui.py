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

from srheart_demo.palette import TISSUE_COLOURS
from srheart_demo.presets import PRESETS, RECOMMENDED
from srheart_demo.session import Session
from srheart_demo.session.explore import TRAITS
from srheart_demo.ui import page, texts, theme, why
from srheart_demo.ui.explorer import Explorer
from srheart_demo.ui.png import OUTLINE_LABEL, PALETTE, compared_png, label_png, rgba_png
from srheart_demo.ui.runner import Runner, State
from srheart_demo.ui.schedule import Schedule
from srheart_demo.ui.shared_plotly import Figure, bundle_as_publisher

PATIENCE = 200.0


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
    assert PALETTE[1] == TISSUE_COLOURS["LV"]


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


def test_pixels_of_pictures_come_through() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 4), dtype=np.uint8)
    png = rgba_png(picture)
    assert struct.unpack(">II", png[16:24]) == (7, 5)
    body = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    rows = np.frombuffer(body, np.uint8).reshape(5, 29)[:, 1:]
    np.testing.assert_array_equal(rows.reshape(picture.shape), picture)


def test_a_disagreement_tells_same_from_other_and_from_background() -> None:
    png = compared_png(np.array([[0, 1, 2, 0]]), np.array([[0, 1, 1, 3]]), zoom=1)
    body = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    assert list(body) == [0, 0, 1, 2, 2]


def test_every_control_and_picture_has_a_name() -> None:
    explorer = Explorer()
    for tab in texts.TABS:
        explorer.tabs.bar.value = tab
    classes = {name for widget in descendants(explorer.box) for name in widget._dom_classes}
    assert set(texts.NAMES) <= classes
    assert set(texts.LATER_NAMES) <= classes


def test_every_term_that_a_control_acts_on_is_in_the_equation() -> None:
    equations = " ".join(texts.EQUATIONS)
    for terms in texts.TERMS.values():
        assert all(f"srh-term-{term}" in equations for term in terms)
    assert set(texts.TERMS) <= set(texts.NAMES) | {"srh-stack"}


def test_text_and_lines_can_be_read_on_light_and_on_dark() -> None:
    css = (Path(page.__file__).parent / "page.css").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6});", block)) for block in css.split("}")[:2])
    for colours in (light, dark):
        for text in ("ink", "muted"):
            for ground in ("card", "page", "button", "field"):
                assert contrast(colours[text], colours[ground]) >= 4.5
        for line in (*theme.RUNS, theme.MIDDLE):
            assert contrast(line, colours["card"]) >= 3


def contrast(a: str, b: str) -> float:
    """Of two colours, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def descendants(widget: object) -> list:
    return [widget, *(d for child in getattr(widget, "children", ()) for d in descendants(child))]


def test_every_preset_and_every_end_of_a_run_has_words() -> None:
    assert set(texts.PRESET_NOTES) == set(PRESETS)
    assert set(texts.ENDS) == {"iterations", "converged", "diverged"}
    assert set(texts.TRAIT_NAMES) == set(TRAITS)


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


def test_a_browser_that_has_gone_is_told_from_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(page.time, "monotonic", lambda: now)
    browser = page.Page()
    assert not browser.absent
    for _ in range(4):
        browser.sent()
        now += 0.7 * page.ABSENT
        browser.pong = browser.ping - 1 if browser.ping > 1 else 0
    assert not browser.absent
    browser.sent()
    now += 2 * page.ABSENT
    assert browser.absent
    browser.pong = browser.ping
    assert not browser.absent


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
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is State.DONE)
        await until(lambda: "iteration 8 of 8" in explorer.transport.detail.value)
        await until(lambda: np.size(explorer.convergence.data[0].y) == 9)
        await until(lambda: "mm" in explorer.score.table.value)

    serve(explorer, play)
    assert len(explorer.heart.data[0].x) > 100
    assert len(explorer.scan.stack.scanned) == 2 * 13 * 112
    assert "8 iterations" in explorer.page.names["srh-fig-convergence"]


def ready(explorer: Explorer) -> bool:
    """Whether the first session is there and shown."""
    return explorer.runner.state is State.READY and explorer.session is not None


def session_of(explorer: Explorer) -> Session:
    assert explorer.session is not None
    return explorer.session


def test_step_pause_reset_and_gamma_do_what_they_say() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=10_000)))
    runner = explorer.runner

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.step.click()
        await until(lambda: session_of(explorer).progress().iteration == 1)
        explorer.transport.run.click()
        await until(lambda: session_of(explorer).progress().iteration > 3)
        explorer.solver.gamma.value = 2.0
        await until(lambda: session_of(explorer).step.state.settings.gamma == 2.0)
        explorer.transport.pause.click()
        assert runner.state is State.PAUSED
        explorer.transport.reset.click()
        await until(lambda: session_of(explorer).progress().iteration == 0)
        explorer.scan.live.value = False
        explorer.scan.motion.value = 0.5
        await until(lambda: session_of(explorer).scene.scan.motion == 0.5)
        assert session_of(explorer).progress().iteration == 0

    serve(explorer, play)


def test_looking_back_and_changing_something_forks() -> None:
    explorer = explorer_of(short_session)
    runner = explorer.runner

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: runner.state is State.DONE)
        await until(lambda: explorer.transport.iteration.value == 8)
        explorer.transport.iteration.value = 3
        await until(lambda: session_of(explorer).history.at == 3)
        await until(lambda: "iteration 3" in explorer.transport.detail.value)
        explorer.solver.gamma.value = 0.0
        explorer.transport.run.click()
        await until(lambda: runner.state is State.DONE and not runner._wishes)
        await until(lambda: np.size(explorer.convergence.data[1].x) == 9)

    serve(explorer, play)
    assert len(session_of(explorer).history.runs) == 2
    assert explorer.transport.runs[1].layout.display is None
    assert "3" in explorer.transport.runs[1].description


def test_live_solves_each_change_of_the_scan_at_once() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.scan.motion.value = 2.0
        await until(lambda: session_of(explorer).scene.scan.motion == 2.0)
        await until(lambda: explorer.runner.state is State.DONE)
        explorer.scan.stack._heard(None, {"kind": "move", "slice": 6, "rows": 0, "columns": 9}, [])
        await until(lambda: session_of(explorer).scene.scan.by_hand == ((6, 0.0, 9.0),))
        await until(lambda: explorer.runner.state is State.DONE)
        await until(lambda: explorer.scan.stack.by_hand)
        explorer.scan.stack._heard(None, {"kind": "undo"}, [])
        await until(lambda: not session_of(explorer).scene.scan.by_hand)

    serve(explorer, play)
    assert session_of(explorer).step.state.settings.name == "INTERACTIVE"


def test_the_first_visit_sees_a_solved_run_that_replays_until_it_is_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No browser answers here.
    monkeypatch.setattr(page, "ABSENT", 1e6)
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.page.visits += 1
        await until(lambda: explorer.runner.state is State.REPLAYING)
        last = session_of(explorer).history.last
        await until(lambda: session_of(explorer).history.at == 0)
        await until(lambda: session_of(explorer).history.at == 2)
        explorer.transport.pause.click()
        assert explorer.runner.state is State.PAUSED
        assert session_of(explorer).history.last == last > 4

    serve(explorer, play)


def test_a_replay_that_nobody_sees_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "ABSENT", 1.0)
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        # A browser that once came never answers.
        explorer.page.visits += 1
        await until(lambda: explorer.runner.state is State.REPLAYING)
        await until(lambda: explorer.runner.state in (State.DONE, State.PAUSED))

    serve(explorer, play)


@pytest.mark.parametrize("tab", ["landscape", "latent", "gauge", "take"])
def test_a_tab_shows_what_it_says_once_a_run_is_done(tab: str) -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.step.click()
        explorer.tabs.bar.value = tab
        await until(lambda: tab in explorer._why and shown(explorer._why[tab]))

    serve(explorer, play)


def shown(tab: why.WhyTab) -> bool:
    """Whether a tab has been filled."""
    if isinstance(tab, why.LandscapeTab):
        return tab.shift.data[0].z is not None and len(tab.valley.data[1].x) == 2
    if isinstance(tab, why.LatentTab):
        return len(tab.portrait.value) > 1000 and "ml" in tab.story.value
    if isinstance(tab, why.GaugeTab):
        return "long-axis view" in tab.verdict.value
    assert isinstance(tab, why.TakeTab)
    return '"iterations":1' in tab.state.value


def test_everything_can_be_taken_away_and_a_text_brought_back() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=3)))
    taken: dict[str, bytes] = {}
    explorer.page.download = taken.__setitem__  # type: ignore[method-assign]

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is State.DONE)
        explorer.tabs.bar.value = "take"
        tab = explorer._why["take"]
        assert isinstance(tab, why.TakeTab)
        await until(lambda: '"iterations":3' in tab.state.value)
        for kind in texts.TAKES:
            before = len(taken)
            tab.buttons[kind].click()
            await until(lambda before=before: len(taken) == before + 1)
        tab.state.value = tab.state.value.replace('"at":3', '"at":1')
        tab.restore.click()
        await until(lambda: session_of(explorer).history.at == 1)
        tab.state.value = "nonsense"
        tab.restore.click()
        await until(lambda: "no state" in explorer.transport.detail.value)

    serve(explorer, play)
    beginnings = {
        "S_SR.nii.gz": b"\x1f\x8b", "d.json": b"{", "heart.glb": b"glTF", "run.gif": b"GIF89a",
        "heart.png": b"\x89PNG", "heart.html": b"<!doctype html>",
    }  # fmt: skip
    assert set(taken) == {*beginnings, "heart.stl"}
    for name, beginning in beginnings.items():
        assert taken[name].startswith(beginning)
    assert 0 < len(taken["run.gif"]) < 3_000_000
    assert b"cdn" not in taken["heart.html"][:2000]


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
        assert "The weights are missing." in explorer.transport.detail.value
        explorer.transport.reset.click()
        await until(lambda: ready(explorer))

    serve(explorer, play)

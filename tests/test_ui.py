"""The dashboard's Python side, without a browser."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import ipywidgets as w
import numpy as np
import pytest
import torch
from PIL import Image
from plotly.offline import get_plotlyjs

from srheart_demo.dashboard import page, take, texts, theme, why
from srheart_demo.dashboard.chart import Axis, Chart, Map, Panel, Series, slice_shifts
from srheart_demo.dashboard.explorer import Explorer
from srheart_demo.dashboard.heart import HeartView, heart_traces
from srheart_demo.dashboard.heart_panel import pack
from srheart_demo.dashboard.own import PART, FilePicker, OwnTab
from srheart_demo.dashboard.painter import SOON, Schedule
from srheart_demo.dashboard.panels import OWN
from srheart_demo.dashboard.runner import Activity
from srheart_demo.dashboard.tabs import Tab
from srheart_demo.dashboard.take import TakeTab, as_png
from srheart_demo.enhancement.enhance import Enhancement
from srheart_demo.explorer import saved
from srheart_demo.explorer import why as explorer_why
from srheart_demo.explorer.history import generator_name
from srheart_demo.explorer.moment import Moment
from srheart_demo.explorer.own import OwnFile
from srheart_demo.explorer.pictures import Cuts
from srheart_demo.explorer.saved import link_of
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.explorer.why import FEATURES, FIELDS
from srheart_demo.frame import TISSUE_COLOURS, rgb
from srheart_demo.heart.generator import available
from srheart_demo.scan.labels import KNOWN
from srheart_demo.scan.samples import FOLDER, SAMPLES
from srheart_demo.solver.settings import PRESETS, RECOMMENDED, REFERENCE

PATIENCE = 200.0
OF_A_VIEW = {"srh-own-lacks", "srh-own-view-frame", "srh-own-remove"}
"""Controls that come with each view of one's own scan."""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No explorer outlives its test; ipywidgets keeps every widget, and so runs and pictures."""
    yield
    w.Widget.close_all()
    gc.collect()


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
    return Explorer(load)


def short_session() -> Session:
    return Session(settings=replace(RECOMMENDED, iterations=8))


def solved_session() -> Session:
    session = short_session()
    session.advance(float("inf"))
    return session


def test_importing_the_dashboard_does_not_import_torch() -> None:
    code = "import sys, srheart_demo.dashboard; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_numbers_go_to_the_browser_as_32_bits_and_nothing_else_is_lost() -> None:
    chart = Chart()
    line = Series([1, 2, 3], [0.5, np.nan, 0.25], "#000000", name="L", dash="dot")
    chart.show(Panel(Axis("iteration", (0, 3)), Axis("mm", (0.1, 1), log=True), (line,)))
    (panel,) = chart.drawing["panels"]
    (sent,) = panel["series"]
    np.testing.assert_array_equal(np.frombuffer(sent["y"], np.float32), [0.5, np.nan, 0.25])
    assert sent["dash"] == "dot"
    assert panel["y"]["log"]
    assert panel["x"]["title"] == "iteration"


def test_a_map_goes_to_the_browser_in_colours_of_which_dark_is_low() -> None:
    chart = Chart()
    values = np.array([[0.0, 1.0], [0.5, 9.0]])
    axis = Axis("mm", (0, 1))
    chart.show(Panel(axis, axis, (), Map([0, 1], [0, 1], values, (0.0, 1.0), "L")))
    (panel,) = chart.drawing["panels"]
    pixels = np.frombuffer(panel["map"]["pixels"], np.uint8).reshape(2, 2, 4)
    assert (pixels[..., 3] == 255).all()
    light, dark = rgb(theme.SEQUENTIAL[0][1]), rgb(theme.SEQUENTIAL[-1][1])
    # The first row of values stands at the bottom; beyond the range there is no other colour.
    np.testing.assert_array_equal(pixels[1, :, :3], [dark, light])
    np.testing.assert_array_equal(pixels[0, 1, :3], light)
    assert tuple(pixels[0, 0, :3]) not in (light, dark)


def test_labels_are_packed_four_in_a_byte() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (5, 7), dtype=np.uint8)
    packed = np.frombuffer(pack(labels), np.uint8)
    assert len(packed) == 9
    unpacked = np.stack([packed >> shift & 3 for shift in (0, 2, 4, 6)], 1).ravel()
    np.testing.assert_array_equal(unpacked[:35].reshape(5, 7), labels)


@pytest.mark.parametrize(("views", "spacing"), [(1, 10.0), (2, 10.0), (3, 10.0), (3, 4.0)])
def test_views_names_stand_apart_where_a_chart_has_least_room(views: int, spacing: float) -> None:
    scan = ScanSettings(SAMPLES[0], long_axis=views, spacing=spacing)
    axis = slice_shifts(Session(scan).now)[0].y
    pixels = 136 - 54  # of the plot, less title and scale
    high = pixels / (axis.range[1] - axis.range[0])
    places = [Session(scan).scene.of, *map(float, axis.names)]
    assert len(places) == views + 1
    assert np.diff(places).min() * high > 7  # as high as letters are


def arrays(trace: dict, names: str) -> np.ndarray:
    """Columns of a trace as it goes to the browser, as rows."""
    columns = [np.frombuffer(trace[n]["numbers"], trace[n]["kind"]) for n in names]
    return np.stack(columns, 1)


def test_the_heart_reaches_the_browser_as_columns_of_32_bits() -> None:
    heart, view = short_session().now.heart(6), HeartView()
    view.show(heart)
    left = view.traces[0]
    # The view is (W, H, D) of the model's (D, H, W).
    np.testing.assert_array_equal(arrays(left, "xyz")[:, ::-1], heart.meshes["LV"].vertices)
    np.testing.assert_array_equal(arrays(left, "ijk"), heart.meshes["LV"].faces)
    lines = [trace for trace in view.traces if trace["type"] == "scatter3d"]
    gaps = np.isnan(heart.outlines.structures["LV"]).all(1)
    np.testing.assert_array_equal(np.isnan(arrays(lines[0], "xyz")).all(1), gaps)
    assert left["hovertemplate"].startswith("<b>LV</b>")
    assert [axis["title"]["text"] for axis in axes(view)] == [*texts.HEART_AXES]
    assert all("mm" in title for title in texts.HEART_AXES)


def axes(view: HeartView) -> list[dict]:
    return [view.figure_layout["scene"][name] for name in ("xaxis", "yaxis", "zaxis")]


def test_a_painted_surface_tells_its_millimetres() -> None:
    session = solved_session()
    session.paint = "error"
    heart = session.now.heart(6)
    assert heart.paint is not None
    surfaces = [trace for trace in heart_traces(heart) if "intensity" in trace]
    assert len(surfaces) == 3
    for trace, values in zip(
        sorted(surfaces, key=lambda trace: trace["name"]),
        [heart.paint.values[name] for name in ("LV", "epicardium", "RV")],
        strict=True,
    ):
        np.testing.assert_allclose(trace["intensity"], values)
        assert trace["hovertemplate"].startswith("<b>%{customdata:.1f} mm</b>")
        assert trace["cmax"] == heart.paint.most
    assert [trace["showscale"] for trace in surfaces].count(True) == 1


def test_the_exported_page_has_the_same_traces_and_needs_no_network() -> None:
    session = solved_session()
    exported = take.heart_page(session).decode()
    own = exported.replace(get_plotlyjs(), "")
    assert len(exported) - len(own) > 4_000_000
    assert not re.search(r"https?:|//\w|@import|url\(|<script[^>]+src", own)
    for words in ("LV, as scanned", *texts.HEART_AXES[:2], texts.TITLE):
        assert words in own, words


def test_pixels_of_pictures_come_through() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 4), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(as_png(picture)))), picture)


def test_every_control_and_picture_has_a_name() -> None:
    explorer = Explorer()
    for tab in texts.TABS:
        explorer.tabs.bar.value = tab
    classes = {name for widget in descendants(explorer.box) for name in widget._dom_classes}
    assert set(texts.NAMES) | set(texts.LABELS) | set(texts.CONTROLS) <= classes | OF_A_VIEW


def test_every_term_that_a_control_acts_on_is_in_the_equation() -> None:
    equations = " ".join(texts.EQUATIONS)
    for terms in texts.TERMS.values():
        assert all(f"srh-term-{term}" in equations for term in terms)
    assert set(texts.TERMS) <= set(texts.NAMES) | {"srh-stack"}


def test_every_control_is_explained_and_its_explanation_is_on_the_page() -> None:
    explorer = Explorer()
    for tab in texts.TABS:
        explorer.tabs.bar.value = tab
    classes = {name for widget in descendants(explorer.box) for name in widget._dom_classes}
    assert set(texts.TIPS) <= classes | OF_A_VIEW | {"srh-stack", "srh-label-pictures"}
    in_tabs = {
        name
        for tab, made in explorer.tabs.made.items()
        if tab != "heart"
        for card in made.cards
        for widget in descendants(card)
        for name in widget._dom_classes
    }
    unexplained = set(texts.NAMES) - set(texts.TIPS) - in_tabs - OF_A_VIEW
    assert unexplained <= {"srh-theme", "srh-button-cancel", "srh-tour"}
    told = ("button", "lesson", "note", "coming")
    assert all(set(told) <= set(words) for tab, words in texts.TABS.items() if tab != "heart")


def test_no_number_is_parted_from_its_unit() -> None:
    folder = Path(texts.__file__).parent
    files = [*texts.FILES.values(), folder / "sentences.py"]
    source = "".join(file.read_text("utf-8") for file in files)
    assert re.findall(r"[0-9}] (?:%|mm|ml|SD|MB|min|ms|s)\b.*", source) == []


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
    assert set(available()) <= set(texts.GENERATORS)
    assert set(texts.RACES) == set(FIELDS)
    assert set(texts.ENDS) == {"iterations", "converged", "diverged"}
    assert set(texts.FEATURE_NAMES) == set(FEATURES)


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


def test_a_browser_that_comes_to_a_kernel_that_waited_is_not_taken_for_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(page.time, "monotonic", lambda: now)
    browser = page.Page()
    browser.sent()
    now += 10 * page.ABSENT
    assert browser.absent
    browser.visits += 1
    assert not browser.absent
    now += 2 * page.ABSENT
    assert browser.absent


def test_what_is_drawn_together_goes_in_one_message_where_there_is_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser, told, chart = page.Page(), w.HTML(), Chart()
    sent = []
    monkeypatch.setattr(browser, "send", lambda message, buffers: sent.append((message, buffers)))
    for widget in (told, chart):
        browser.carry(widget)
    with browser.together():
        told.value = "to nobody yet"
    assert not sent
    browser.visits += 1
    axis = Axis("", (0, 1))
    with browser.together():
        told.value = "a word"
        chart.show(Panel(axis, axis, (Series([0.0], [1.0], "#000000"),)))
    ((message, buffers),) = sent
    news = message["news"]
    assert [part["id"] for part in news] == [told.model_id, chart.model_id]
    assert [part["buffers"] for part in news] == [0, 2]
    assert news[0]["data"]["state"] == {"value": "a word"}
    assert [np.frombuffer(each, np.float32).item() for each in buffers] == [0.0, 1.0]
    told.value = "alone again"
    assert len(sent) == 1


def test_a_page_that_comes_is_sent_only_what_changed_while_it_was_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = explorer_of(solved_session)
    sent: list[tuple[w.Widget, set[str]]] = []
    early, late = explorer.transport.detail, explorer.score.table
    for each in early, late:
        monkeypatch.setattr(each, "send_state", lambda key, each=each: sent.append((each, key)))
    early.value = "a word"
    explorer.page.get_state()  # as whoever builds a page asks
    late.value = "another"
    sent.clear()
    explorer.page.visits += 1
    assert sent == [(late, {"value"})]


def test_a_dear_picture_is_renewed_less_often() -> None:
    schedule = Schedule()
    schedule.everything()
    schedule.renewed("frame", cost=1000.0)
    schedule.renewed("heart", cost=0.0)
    assert schedule.take(hurry=False) == ["cuts", "scores"]
    assert schedule.take(hurry=True) == ["frame", "heart"]
    assert schedule.take(hurry=True) == []


def test_a_picture_that_somebody_waits_for_comes_at_once_whatever_was_being_painted() -> None:
    schedule = Schedule()
    schedule.at_once("cuts")
    assert schedule.take(hurry=False) == ["cuts"]
    schedule.at_once("cuts")  # while the one before is painted, which is done only then
    schedule.renewed("cuts", cost=1000.0)
    assert schedule.take(hurry=False) == ["cuts"]
    schedule.everything()
    assert "cuts" not in schedule.take(hurry=False)


def test_a_run_that_is_soon_over_shows_its_first_and_its_last_picture_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    schedule = Schedule()
    schedule.everything()
    schedule.begun()
    shown = schedule.take(hurry=False)
    assert shown == ["frame", "cuts"]
    for part in shown:
        schedule.renewed(part, cost=0.001)
    now += 0.99 * SOON
    schedule.everything()
    assert schedule.take(hurry=False) == []
    now += 0.02 * SOON  # a run that lasts
    assert schedule.take(hurry=False) == ["frame", "cuts", "heart"]
    assert schedule.take(hurry=True) == ["scores"]  # its end


def test_the_dashboard_loads_runs_and_shows_without_a_browser() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is Activity.DONE)
        await until(lambda: "iteration 8 of 8" in explorer.transport.detail.value)
        await until(lambda: drawn(explorer.convergence, 0) == 9)
        assert not explorer.unknowns.path.drawing  # which nobody sees
        explorer.unknowns.mode.value = "path"
        assert drawn(explorer.unknowns.path, 0) == 9
        await until(lambda: "mm" in explorer.score.table.value)
        one = painted(explorer)
        explorer.heart.show_slices.value = "painted"
        await until(lambda: painted(explorer) > 4 * one)
        explorer.heart.show_slices.value = ""
        await until(lambda: painted(explorer) == 0)
        assert outlined(explorer) == 2
        cut = seen(explorer, theme.CUT)
        explorer.heart.angle.value = 30
        await until(lambda: seen(explorer, theme.CUT) not in (cut, b""))
        explorer.heart.show_cut.value = False
        await until(lambda: outlined(explorer) == 0)
        explorer.heart.show_truth.value = False
        assert not explorer.heart.view.shows_ghost

    serve(explorer, play)
    assert len(explorer.heart.view.traces[0]["x"]["numbers"]) > 400
    assert len(explorer.heart.view.ghost) == 2
    assert len(explorer.heart.pictures.pictures["sa"]["truth"]) == 112 * 112 / 4
    assert len(explorer.scan.stack.scanned) == 2 * 13 * 112
    assert "8 iterations" in explorer.page.names["srh-fig-convergence"]


def painted(explorer: Explorer) -> int:
    """Bytes of the slices painted in the 3-D view, beside those of the LA cut."""
    tiles = [t for t in explorer.heart.view.traces if "scanned" in t.get("name", "")]
    cut = len(TISSUE_COLOURS) if explorer.heart.show_cut.value else 0
    return sum(len(trace["i"]["numbers"]) for trace in tiles[: len(tiles) - cut])


def outlined(explorer: Explorer) -> int:
    """How many lines the 3-D view shows."""
    return sum(trace["type"] == "scatter3d" for trace in explorer.heart.view.traces)


def seen(explorer: Explorer, colour: str) -> bytes:
    """Where the first line of a colour lies in the 3-D view."""
    lines = [t for t in explorer.heart.view.traces if t.get("line", {}).get("color") == colour]
    return lines[0]["x"]["numbers"] if lines else b""


def drawn(chart: Chart, series: int) -> int:
    """How many numbers of a series a chart of one panel shows."""
    panels = chart.drawing.get("panels")
    return len(panels[0]["series"][series]["x"]) // 4 if panels else 0


def ready(explorer: Explorer) -> bool:
    """Whether the first session is there and shown."""
    return explorer.runner.state is Activity.READY and explorer.session is not None


def session_of(explorer: Explorer) -> Session:
    assert explorer.session is not None
    return explorer.session


def test_step_pause_reset_and_gamma_do_what_they_say() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=10_000)))
    runner = explorer.runner

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.step.click()
        await until(lambda: session_of(explorer).now.at == 1)
        explorer.transport.run.click()
        await until(lambda: session_of(explorer).now.at > 3)
        explorer.solver.gamma.value = 2.0
        await until(lambda: session_of(explorer).step.state.settings.gamma == 2.0)
        explorer.transport.pause.click()
        assert runner.state is Activity.PAUSED
        explorer.transport.reset.click()
        await until(lambda: session_of(explorer).now.at == 0)
        explorer.scan.live.value = False
        explorer.scan.motion.value = 0.5
        await until(lambda: session_of(explorer).scene.settings.motion == 0.5)
        assert session_of(explorer).now.at == 0

    serve(explorer, play)


def test_a_picture_that_takes_long_does_not_hold_up_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endless = replace(RECOMMENDED, iterations=10_000, stop_dice=0.0)
    explorer = explorer_of(lambda: Session(settings=endless))
    begun, may_end = threading.Event(), threading.Event()
    cuts = Moment.cuts

    def slow(now: Moment, k: int, angle: float) -> Cuts:
        if now.at:
            begun.set()
            assert may_end.wait(timeout=PATIENCE)
        return cuts(now, k, angle)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(begun.is_set)
        at = session_of(explorer).history.last
        await until(lambda: session_of(explorer).history.last > at + 2)
        may_end.set()
        explorer.transport.pause.click()
        await until(lambda: f"iteration {session_of(explorer).history.at} " in detail())
        await asyncio.sleep(0.3)
        # What the run has left behind does not come after what is looked at.
        assert f"iteration {session_of(explorer).history.at} " in detail()

    def detail() -> str:
        return explorer.transport.detail.value.replace("\u00a0", " ")

    monkeypatch.setattr(Moment, "cuts", slow)
    try:
        serve(explorer, play)
    finally:
        may_end.set()


def test_looking_back_and_changing_something_forks() -> None:
    explorer = explorer_of(short_session)
    runner = explorer.runner

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: runner.state is Activity.DONE)
        await until(lambda: explorer.transport.iteration.value == 8)
        explorer.transport.iteration.value = 3
        await until(lambda: session_of(explorer).history.at == 3)
        await until(lambda: "iteration 3" in explorer.transport.detail.value)
        explorer.solver.gamma.value = 0.0
        explorer.transport.run.click()
        await until(lambda: runner.state is Activity.DONE and not runner.wishing)
        await until(lambda: explorer.transport.runs[1].layout.display is None)
        await until(lambda: drawn(explorer.convergence, 1) == 9)

    serve(explorer, play)
    assert len(session_of(explorer).history.runs) == 2
    assert "3" in explorer.transport.runs[1].description


def test_live_solves_each_change_of_the_scan_at_once() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.scan.motion.value = 2.0
        await until(lambda: session_of(explorer).scene.settings.motion == 2.0)
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.scan.stack.heard(None, {"kind": "move", "slice": 6, "rows": 0, "columns": 9}, [])
        await until(lambda: session_of(explorer).scene.settings.by_hand == ((6, 0.0, 9.0),))
        await until(lambda: explorer.runner.state is Activity.DONE)
        await until(lambda: explorer.scan.stack.by_hand)
        explorer.scan.stack.heard(None, {"kind": "undo"}, [])
        await until(lambda: not session_of(explorer).scene.settings.by_hand)

    serve(explorer, play)
    assert session_of(explorer).step.state.settings.name == "INTERACTIVE"


def test_a_hand_that_is_ahead_of_the_scan_is_not_set_back() -> None:
    """A scan that is shown while keys are pressed took the slider back, and steps were lost."""
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        before = explorer.scan.motion.value
        explorer.scan.motion.value = before + 1
        explorer.show_scan(session_of(explorer))  # of the scan before, as it comes late
        assert explorer.scan.motion.value == before + 1
        await until(lambda: session_of(explorer).scene.settings.motion == before + 1)
        explorer.show_scan(session_of(explorer))
        assert explorer.scan.motion.value == before + 1

    serve(explorer, play)


def held(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[threading.Event, threading.Event]:
    """Have a session's method wait; whether it has begun, and whether it may go on."""
    method, begun, may_end = getattr(Session, name), threading.Event(), threading.Event()

    def slow(session: Session, *how: object) -> None:
        begun.set()
        assert may_end.wait(PATIENCE)
        method(session, *how)

    monkeypatch.setattr(Session, name, slow)
    return begun, may_end


def test_changes_of_the_scan_in_quick_succession_are_all_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the first is granted, while it is, and by other controls; an earlier one was lost."""
    explorer = explorer_of(short_session)
    stack = explorer.scan.stack

    async def play() -> None:
        await until(lambda: ready(explorer))
        begun, may_end = held(monkeypatch, "scan")
        stack.heard(None, {"kind": "toggle", "slice": 2}, [])
        stack.heard(None, {"kind": "move", "slice": 3, "rows": 0, "columns": 8}, [])
        await until(begun.is_set)
        stack.heard(None, {"kind": "toggle", "slice": 4}, [])
        explorer.scan.motion.value = 2.0
        may_end.set()
        await until(lambda: not explorer.runner.wishing)
        stack.heard(None, {"kind": "move", "slice": 3, "rows": 0, "columns": 1}, [])
        await until(lambda: not explorer.runner.wishing)

    serve(explorer, play)
    made = session_of(explorer).scene.settings
    assert (made.missing, made.by_hand, made.motion) == ((2, 4), ((3, 0.0, 9.0),), 2.0)


def test_what_is_chosen_before_another_preset_is_there_stays_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Controls went back to what the session had, which then took what was chosen."""
    explorer = explorer_of(short_session)
    solver, paint = explorer.solver, explorer.heart.paint

    async def play() -> None:
        await until(lambda: ready(explorer))
        begun, may_end = held(monkeypatch, "preset")
        solver.preset.value = "REFERENCE"
        await until(begun.is_set)
        solver.gamma.value, paint.value = 2.0, "error"
        may_end.set()
        await until(lambda: not explorer.runner.wishing)

    serve(explorer, play)
    session = session_of(explorer)
    assert session.settings == replace(REFERENCE, gamma=2.0)
    assert (solver.gamma.value, solver.lr_z.value) == (2.0, REFERENCE.lr_z)
    assert session.paint == paint.value == "error"


def test_another_language_before_another_scan_is_there_empties_no_control(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        begun, may_end = held(monkeypatch, "scan")
        explorer.scan.motion.value = 2.0
        await until(begun.is_set)
        explorer.header.language.value = "de"
        assert explorer.scan.name == SAMPLES[0]
        assert explorer.solver.generator.value == generator_name(session_of(explorer).generator)
        may_end.set()
        await until(lambda: explorer.scan.motion.value == 2.0)

    try:
        serve(explorer, play)
    finally:
        texts.speak("en")


def test_a_step_that_is_wished_for_before_another_scan_is_there_leaves_a_run_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was said to be ready, at iteration 1."""
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        begun, may_end = held(monkeypatch, "scan")
        explorer.scan.live.value = False
        explorer.scan.motion.value = 2.0
        await until(begun.is_set)
        explorer.transport.step.click()
        may_end.set()
        await until(lambda: not explorer.runner.wishing)

    serve(explorer, play)
    assert session_of(explorer).history.at == 1
    assert explorer.runner.state is Activity.PAUSED


def test_a_slice_that_is_taken_again_before_the_scan_without_it_is_not_left_out() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        for _ in range(2):
            explorer.scan.stack.heard(None, {"kind": "toggle", "slice": 2}, [])
        await until(lambda: not explorer.runner.wishing)

    serve(explorer, play)
    assert session_of(explorer).scene.settings.missing == ()


def test_the_chosen_slice_is_the_same_in_all_views_when_slices_are_left_out() -> None:
    explorer = explorer_of(short_session)
    stack, scrubber = explorer.scan.stack, explorer.heart.slice

    def note() -> str:
        return explorer.heart._notes[0].value.replace("\u00a0", " ")

    async def play() -> None:
        await until(lambda: ready(explorer))
        for k in (8, 9, 10):  # as quickly as keys are pressed
            stack.chosen = k
            stack.heard(None, {"kind": "toggle", "slice": k}, [])
        await until(lambda: not explorer.runner.wishing)
        await until(lambda: note() == "slice 8 of 13")
        assert (stack.chosen, scrubber.value, scrubber.max) == (10, 7, 9)
        stack.chosen = 11
        await until(lambda: note() == "slice 12 of 13")
        assert scrubber.value == 8
        scrubber.value = 7  # by hand
        assert stack.chosen == 7
        stack.chosen = 9
        stack.heard(None, {"kind": "toggle", "slice": 9}, [])  # which is used again
        await until(lambda: note() == "slice 10 of 13")
        assert (stack.chosen, scrubber.value) == (9, 8)
        explorer.scan.spacing.value = 16.0  # there are fewer now
        await until(lambda: stack.chosen == session_of(explorer).scene.of - 1 < 9)
        assert scrubber.value == scrubber.max

    serve(explorer, play)


def test_a_picture_of_the_stack_tells_which_moves_it_has() -> None:
    explorer = explorer_of(short_session)
    stack = explorer.scan.stack

    def drag(at: int) -> None:
        stack.heard(None, {"kind": "move", "slice": 6, "rows": 0, "columns": 20, "at": at}, [])

    async def play() -> None:
        await until(lambda: ready(explorer))
        drag(at=1)
        before = stack.revision
        explorer._show_frame(session_of(explorer).now)  # of the scan before, as it comes late
        assert (stack.revision, stack.told) == (before, 0)
        await until(lambda: stack.told == 1)
        assert session_of(explorer).scene.settings.by_hand == ((6, 0.0, 20.0),)
        assert stack.by_hand
        drag(at=2)
        await until(lambda: stack.told == 2)
        drag(at=3)  # in vain: it is no further than that
        await until(lambda: stack.told == 3)
        assert session_of(explorer).scene.settings.by_hand == ((6, 0.0, 30.0),)

    serve(explorer, play)


def test_the_last_choice_is_granted_last() -> None:
    """A wish in place of an earlier one kept its place, and what was chosen between undid it."""
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.runner.configure("lr_z", 0.2)
        explorer.runner.wish("preset", lambda session: session.preset("REFERENCE"))
        explorer.runner.configure("lr_z", 0.5)
        await until(lambda: not explorer.runner.wishing)

    serve(explorer, play)
    assert session_of(explorer).settings == replace(REFERENCE, lr_z=0.5)


def replaying(explorer: Explorer) -> bool:
    return explorer.runner.state is Activity.REPLAYING and session_of(explorer).history.at < 3


def test_the_first_visit_sees_a_solved_run_that_replays_once_and_then_rests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No browser answers here.
    monkeypatch.setattr(page, "ABSENT", 1e6)
    explorer = explorer_of(solved_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.page.visits += 1
        await until(lambda: replaying(explorer))
        await until(lambda: explorer.runner.state is Activity.DONE)
        history = session_of(explorer).history
        assert history.at == history.last
        explorer.page.visits += 1  # somebody else looks at the page, or the same once more
        await asyncio.sleep(0.3)
        assert explorer.runner.state is Activity.DONE

    serve(explorer, play)


def toggle(explorer: Explorer) -> None:
    explorer.heart.show_truth.value = False


def dark(explorer: Explorer) -> None:
    explorer.header.dark.value = True


def slice_(explorer: Explorer) -> None:
    explorer.heart.slice.value = 3


def heart(explorer: Explorer) -> None:
    explorer.page.heard(None, {"kind": "touched"}, [])


def tab(explorer: Explorer) -> None:
    explorer.tabs.bar.value = "gauge"


@pytest.mark.parametrize("touch", [toggle, dark, slice_, heart, tab])
def test_whoever_does_anything_ends_the_opening_replay(
    touch: Callable[[Explorer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ABSENT", 1e6)
    explorer = explorer_of(solved_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.page.visits += 1
        await until(lambda: replaying(explorer))
        touch(explorer)
        await until(lambda: explorer.runner.state is Activity.DONE)
        assert session_of(explorer).history.at == session_of(explorer).history.last

    serve(explorer, play)


def test_paused_it_stays_where_it_is() -> None:
    explorer = explorer_of(solved_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.page.visits += 1
        await until(lambda: replaying(explorer))
        explorer.transport.pause.click()
        assert explorer.runner.state is Activity.PAUSED
        at = session_of(explorer).history.at
        await asyncio.sleep(0.5)
        assert session_of(explorer).history.at <= at + 1 < session_of(explorer).history.last

    serve(explorer, play)


def test_a_replay_that_nobody_sees_rests_until_someone_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page, "ABSENT", 1.0)
    explorer = explorer_of(solved_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state is Activity.DONE)
        # A browser that once came does not answer.
        explorer.page.visits += 1
        await until(lambda: explorer.page.absent)
        await asyncio.sleep(0.3)
        sent = explorer.page.ping
        await asyncio.sleep(0.7)
        assert explorer.page.ping == sent
        explorer.page.pong = explorer.page.ping
        await until(lambda: explorer.page.ping > sent)
        assert explorer.runner.state is Activity.REPLAYING

    serve(explorer, play)


def given(picker: FilePicker, name: str, content: bytes, claimed: int | None = None) -> None:
    """A browser that hands over a file as it is asked to."""
    asked: list[dict] = []
    picker.send = lambda message, *_: asked.append(message)  # type: ignore[method-assign]
    size = len(content) if claimed is None else claimed
    picker.heard(picker, {"kind": "chosen", "name": name, "size": size}, [])
    while asked and (wanted := asked.pop())["kind"] == "give":
        part = content[wanted["start"] : wanted["stop"]]
        picker.heard(picker, {"kind": "part", "start": wanted["start"]}, [memoryview(part)])


def test_a_file_comes_in_parts_and_one_that_is_too_large_not_at_all() -> None:
    picker = FilePicker("Take", most=3 * PART)
    taken: list[tuple[str, bytes]] = []
    problems: list[str] = []
    picker.on_file, picker.on_problem = lambda *file: taken.append(file), problems.append
    content = bytes(range(256)) * (PART // 100)
    given(picker, "whole.nii", content)
    assert taken == [("whole.nii", content)]
    given(picker, "short.nii", b"12", claimed=5)
    assert taken[1:] == [("short.nii", b"12")]
    picker.heard(picker, {"kind": "part", "start": 0}, [memoryview(b"never asked for")])
    given(picker, "huge.nii", b"", claimed=3 * PART + 1)
    given(picker, "empty.nii", b"")
    assert len(taken) == 2
    assert "more than the 6\u00a0MB" in problems[0]
    assert "empty" in problems[1]


def test_ones_own_scan_is_read_anew_when_its_owner_corrects_how() -> None:
    explorer = explorer_of(short_session)
    scan, view = (
        (FOLDER / SAMPLES[0] / f"{name}.nii.gz").read_bytes() for name in ("S_LR_none", "S_LA")
    )

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.scan.subject.value = "own"
        assert explorer.tabs.shown == "own"
        tab = explorer.tabs.made["own"]
        assert isinstance(tab, OwnTab)
        given(tab.view, "view.nii.gz", view)
        assert "stack first" in explorer.transport.detail.value
        # One after the other at once: neither is lost.
        given(tab.stack, "mine.nii.gz", scan)
        given(tab.view, "view.nii.gz", view)
        await until(lambda: session_of(explorer).own == ("mine.nii.gz",))
        await until(lambda: session_of(explorer).scene.has_view)
        given(tab.view, "no_view.nii.gz", scan)
        await until(lambda: len(tab.views.children) == 2)
        row = {name for widget in descendants(tab.views) for name in widget._dom_classes}
        assert row >= OF_A_VIEW
        names = [row.children[0].value for row in tab.views.children]
        assert "view.nii.gz" in names[0]
        assert "no_view.nii.gz" in names[1]
        assert session_of(explorer).scene.subject.refused.keys() == {"no_view.nii.gz"}
        assert session_of(explorer).scene.has_view
        tab.views.children[1].children[-1].click()  # Remove
        await until(lambda: len(tab.views.children) == 1)
        tab.views.children[0].children[2].value = True  # RV not outlined
        await until(lambda: session_of(explorer).scene.scan.lacking == [["RV"]])
        await until(lambda: "were not taken" in tab.report.value)
        tab.views.children[0].children[2].value = False
        await until(lambda: session_of(explorer).scene.scan.lacking == [[]])
        await until(lambda: "inside what the prior knows" in tab.report.value)
        assert "Found in the file" in tab.report.value
        tab.mirror.value = True
        await until(lambda: "do not trust this" in tab.report.value)
        assert session_of(explorer).scene.has_view
        tab.labels.value = tab.labels.options[2]  # ACDC's order: the tissues change places
        await until(lambda: session_of(explorer).scene.subject.file.convention == KNOWN[2])
        tab.labels.value = "LV=1 MYO=2"
        assert "RV is missing" in explorer.transport.detail.value
        explorer.scan.subject.value = SAMPLES[1]
        explorer.scan.live.value = False
        await until(lambda: not tab.report.value)

    serve(explorer, play)


def test_an_answer_of_the_browser_lets_the_next_picture_out() -> None:
    browser = page.Page()
    browser.sent()
    assert not browser.painted
    browser.heard(browser, {"kind": "painted", "ping": browser.ping}, [])
    assert browser.painted


@pytest.mark.parametrize("moving", ["opening", "replay", "run"])
@pytest.mark.parametrize("tab", ["landscape", "latent", "gauge", "take"])
def test_a_tab_shows_what_it_says_whatever_goes_on_when_it_is_opened(
    tab: str, moving: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ABSENT", 1e6)
    monkeypatch.setattr("srheart_demo.explorer.session.DIRECTIONS", 3)
    explorer = explorer_of(short_session if moving == "run" else solved_session)

    async def play() -> None:
        await until(lambda: explorer.runner.state in (Activity.READY, Activity.DONE))
        if moving == "opening":
            explorer.page.visits += 1
        else:
            (explorer.transport.replay if moving == "replay" else explorer.transport.run).click()
        await until(lambda: explorer.session is not None and 0 < explorer.session.history.at < 7)
        explorer.tabs.bar.value = tab
        assert nothing_empty(explorer.tabs.made[tab])
        await until(
            lambda: nothing_empty(explorer.tabs.made[tab]) and explorer.tabs.made[tab].filled
        )
        assert shown(explorer.tabs.made[tab])
        assert explorer.tabs.made[tab].news.text == ""

    serve(explorer, play)


def nothing_empty(tab: Tab) -> bool:
    """Whether all pictures hold something, or are not there and something is said instead."""
    images = [widget for widget in descendants(tab.cards[0]) if isinstance(widget, w.Image)]
    hidden = [widget for widget in descendants(tab.cards[0]) if widget.layout.display == "none"]
    seen = [image for image in images if not any(image in descendants(box) for box in hidden)]
    assert all(image.value for image in seen)
    return bool(tab.news.text) or tab.filled


def test_what_is_computed_is_said_where_one_looks_and_can_be_given_up_and_asked_for_again() -> None:
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.tabs.bar.value = "latent"
        tab = explorer.tabs.made["latent"]
        await until(lambda: re.fullmatch(rf"{texts.JOBS['directions']}: [1-9]\d* %", tab.news.text))
        explorer.solver.gamma.value = 2.0  # which ends what is computed, and it begins again
        await until(lambda: re.fullmatch(rf"{texts.JOBS['directions']}: [1-9]\d* %", tab.news.text))
        explorer.transport.cancel.click()
        assert tab.news.text == texts.CANCELLED
        explorer.runner.redraw()
        await asyncio.sleep(0.5)
        assert tab.news.text == texts.CANCELLED
        assert not tab.filled
        again = next(x for x in descendants(tab.cards[0]) if "srh-again" in x._dom_classes)
        assert again.layout.display is None
        again.click()
        await until(lambda: tab.filled)
        assert again.layout.display == "none"
        explorer.transport.run.click()
        await until(lambda: tab.news.text == texts.OLD)
        await until(lambda: explorer.runner.state is Activity.DONE and not tab.news.text)

    serve(explorer, play)


def test_a_computation_that_fails_says_why_and_is_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = explorer_of(short_session)
    tried: list[int] = []

    def fail(*_: object) -> None:
        tried.append(1)
        raise ValueError  # without a word

    monkeypatch.setattr(explorer_why, "gauge_curve", fail)

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.tabs.bar.value = "gauge"
        await until(lambda: explorer.tabs.made["gauge"].news.text == "ValueError")
        explorer.runner.redraw()
        await asyncio.sleep(0.5)
        assert len(tried) == 1
        assert explorer.runner.state is not Activity.FAILED

    serve(explorer, play)


def test_a_race_of_another_scan_is_marked_and_one_that_was_cut_off_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = explorer_of(short_session)
    bar, explorer.scan.live.value = explorer.transport, False

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.tabs.bar.value = "race"
        race = explorer.tabs.made["race"]
        assert isinstance(race, why.RaceTab)
        assert race.news.text == texts.TABS["race"]["coming"]
        bar.run.click()
        for cut in (bar.cancel.click, bar.step.click, bar.run.click):
            race.start.click()
            await until(lambda: race.filled)
            assert "srh-old" not in race._pictures._dom_classes
            cut()
            await until(lambda: explorer.runner.computing != "race")
            await until(lambda: race.news.text == texts.RACE_CUT_OFF)
            await until(lambda: explorer.runner.state is not Activity.RUNNING)
            assert race.news.text == texts.RACE_CUT_OFF
            assert "srh-old" in race._pictures._dom_classes
        monkeypatch.setattr(explorer_why.race, "__defaults__", (FIELDS["presets"], 0.2))
        race.start.click()
        await until(lambda: race.filled and not race.news.text)
        explorer.scan.motion.value = 2.0
        await until(lambda: race.news.text == texts.OLD_RACE)

    serve(explorer, play)


def test_scores_are_those_of_the_picture_or_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A motion error that stood still while the slices moved is what a teacher saw."""
    explorer = explorer_of(lambda: Session(ScanSettings(SAMPLES[0], 4.0), REFERENCE))
    shown_: list[tuple[int, str, str]] = []
    moments: list[Moment] = []
    show_frame = explorer.score.show_frame

    def keep(now: Moment) -> None:
        show_frame(now)
        moments.append(now)
        table = explorer.score.table.value
        error = re.search(r"<b>([\d.]+) mm", table)
        if error:
            shown_.append((len(moments) - 1, error[1], table))

    explorer.score.show_frame = keep  # type: ignore[method-assign]

    def some_pictures() -> bool:
        explorer.page.pong = explorer.page.ping  # as a browser answers that has painted
        return len(shown_) > 4

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(some_pictures)
        explorer.transport.pause.click()
        await until(lambda: "srh-old" not in explorer.score.table.value)
        await asyncio.sleep(0.3)
        assert "srh-old" not in explorer.score.table.value
        explorer.transport.iteration.value = 2
        await until(lambda: session_of(explorer).history.at == 2)
        await until(lambda: "srh-old" not in explorer.score.table.value)

    serve(explorer, play)
    assert len(shown_) > 3
    for number, error, table in shown_:
        assert error == f"{moments[number].motion_error:.1f}"
        assert ("srh-old" in table) == ("Dice at iteration" in table)
    assert any("srh-old" in table for _, _, table in shown_)


def test_a_status_never_says_that_a_run_is_over_before_its_picture_does() -> None:
    explorer = explorer_of(lambda: Session(ScanSettings(SAMPLES[0], 4.0), live=True))
    told: list[tuple[str, str]] = []
    show_status = explorer.transport.show_status

    def keep(state: str, word: str, detail: str, done: float) -> None:
        told.append((word, detail.replace("\u00a0", " ")))
        show_status(state, word, detail, done)

    explorer.transport.show_status = keep  # type: ignore[method-assign]

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is Activity.DONE)
        for motion in (3.0, 2.0):
            explorer.scan.motion.value = motion
            await until(lambda m=motion: session_of(explorer).scene.settings.motion == m)
            await until(lambda: explorer.runner.state is Activity.DONE)
        await until(lambda: told[-1][0] == texts.DONE)
        explorer.transport.run.click()
        await until(lambda: session_of(explorer).step.state.settings == RECOMMENDED)
        explorer.transport.pause.click()
        await until(lambda: told[-1][0] == texts.PAUSED)
        await asyncio.sleep(0.3)

    serve(explorer, play)
    for word, detail in told:
        if word == texts.DONE:
            assert any(end in detail for end in texts.ENDS.values()), detail
        elif word == texts.RUNNING:
            assert not any(end in detail for end in texts.ENDS.values()), detail
            assert "left" not in detail or "INTERACTIVE" in detail
        elif word == texts.PAUSED:
            assert not any(end in detail for end in texts.ENDS.values()), detail
    ended = re.compile(r"INTERACTIVE · iteration (\d+) of \1\b")
    assert any(ended.search(detail) for _, detail in told)


def test_the_run_that_is_shown_is_named_beside_the_preset_that_is_chosen() -> None:
    explorer = explorer_of(lambda: Session(ScanSettings(SAMPLES[0], 4.0), live=True))

    async def play() -> None:
        await until(lambda: ready(explorer))
        await until(lambda: "INTERACTIVE" in explorer.solver.preset_note.value)
        await until(lambda: "Interactive" in names(explorer.convergence))
        explorer.solver.preset.value = "REFERENCE"
        await until(lambda: session_of(explorer).settings.name == "REFERENCE")
        await until(lambda: "Shown" not in explorer.solver.preset_note.value)

    def names(chart: Chart) -> str:
        panels = chart.drawing.get("panels")
        return str([series["name"] for series in panels[0]["series"]]) if panels else ""

    serve(explorer, play)


@pytest.mark.skipif("betavae" not in available(), reason="the paper's weights are not shipped")
def test_the_papers_own_system_is_one_choice() -> None:
    explorer = explorer_of(short_session)
    bar = explorer.transport

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.solver.preset.value = "paper"
        await until(lambda: generator_name(session_of(explorer).problem.G) == "betavae")
        assert session_of(explorer).history.active.settings == REFERENCE
        await until(lambda: explorer.solver.generator.value == "betavae")
        explorer.transport.step.click()
        await until(lambda: "REFERENCE on betavae" in explorer.transport.detail.value)
        explorer.solver.generator.value = "dcgan"
        await until(lambda: explorer.solver.preset.value == "REFERENCE")
        await until(lambda: "Reference on dcgan" in [run.description for run in bar.runs])

    serve(explorer, play)


def test_what_is_not_simulated_cannot_be_set_on_ones_own_scan() -> None:
    explorer = explorer_of(
        lambda: Session(ScanSettings(SAMPLES[0], 4.0), replace(RECOMMENDED, iterations=2))
    )
    scan = (FOLDER / SAMPLES[0] / "S_LR_none.nii.gz").read_bytes()
    view = (FOLDER / SAMPLES[0] / "S_LA.nii.gz").read_bytes()
    panel = explorer.scan
    simulated = (panel.motion, panel.spacing, panel.noise)

    async def play() -> None:
        await until(lambda: ready(explorer))
        panel.subject.value = OWN  # which leads to where a file is chosen, and no further
        assert explorer.tabs.shown == "own"
        assert panel.subject.value == session_of(explorer).scene.settings.subject == SAMPLES[0]
        own = explorer.tabs.made["own"]
        assert isinstance(own, OwnTab)
        assert own.news.text == texts.TABS["own"]["coming"]
        given(own.stack, "random_heart.nii.gz", scan)
        await until(lambda: session_of(explorer).own == ("random_heart.nii.gz",))
        await until(lambda: panel.subject.value == "random_heart.nii.gz")
        await until(lambda: panel.long_axis.disabled)
        assert all(control.layout.display == "none" for control in simulated)
        assert explorer.heart.show_truth.disabled
        assert explorer.solver.gamma.disabled
        assert texts.GAMMA_UNUSED in explorer.solver.gamma_note.value
        assert "error" not in [what for _, what in explorer.heart.paint.options]
        assert explorer.runner.state is not Activity.FAILED
        given(own.view, "view.nii.gz", view)
        await until(lambda: session_of(explorer).scene.has_view)
        await until(lambda: not panel.long_axis.disabled and not explorer.solver.gamma.disabled)
        panel.subject.value = SAMPLES[1]
        await until(lambda: session_of(explorer).scene.settings.subject == SAMPLES[1])
        await until(lambda: all(control.layout.display is None for control in simulated))
        assert not explorer.heart.show_truth.disabled
        assert session_of(explorer).scene.settings.motion == 4.0

    serve(explorer, play)


def test_every_word_is_shown_somewhere() -> None:
    ui = Path(texts.__file__).parent
    source = "".join(path.read_text() for path in ui.glob("*.py") if path.name != "texts.py")
    own = Path(texts.__file__).read_text()
    states = {activity.name for activity in Activity}
    options = [control.get("options") for control in texts.CONTROLS.values()]
    choices = {name for name in options if isinstance(name, str)}
    unused = [
        name
        for name in filter(str.isupper, texts.catalogue(texts.ENGLISH))
        if f"texts.{name}" not in source and name not in states | choices and f'"{name}"' not in own
    ]
    assert unused == []
    asked = {*re.findall(r"texts\.([A-Z_]+)", source)} | states
    assert [name for name in asked if not hasattr(texts, name)] == []
    scripts = "".join(path.read_text() for path in ui.glob("*.js"))
    assert all(f"words.{name}" in scripts for name in texts.STACK_WORDS)


def test_a_text_of_a_longer_run_is_restored_as_far_as_it_goes_and_said() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=3)))

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.tabs.bar.value = "take"
        tab = explorer.tabs.made["take"]
        assert isinstance(tab, TakeTab)
        await until(lambda: '"iterations":3,"parted"' in tab.state.value)
        tab.state.value = tab.state.value.replace(
            '"iterations":3,"parted"', '"iterations":7,"parted"'
        )
        tab.restore.click()
        await until(lambda: "ended after 3 iterations here, 7" in explorer.transport.detail.value)
        assert session_of(explorer).history.last == 3
        assert explorer.runner.state is Activity.DONE

    serve(explorer, play)


def heard(explorer: Explorer, **message: object) -> None:
    """A message of the browser."""
    explorer.page.heard(None, message, [])


def test_an_address_leads_to_its_state_before_anything_is_replayed() -> None:
    made = solved_session()
    made.history.look(2)
    explorer = explorer_of(solved_session)

    async def play() -> None:
        explorer.page.visits += 1
        heard(explorer, kind="link", link=made.link())  # while Python still reads the generator
        await until(lambda: explorer.session is not None and explorer.session.history.at == 2)
        assert torch.equal(session_of(explorer).step.z, made.step.z)
        await until(lambda: explorer.transport.iteration.value == 2)
        assert explorer.runner.state is Activity.PAUSED
        assert "iteration 2 of 8" in explorer.transport.detail.value

    serve(explorer, play)


@pytest.mark.parametrize(
    ("link", "said"),
    [("#state=eJw", "not the whole of one"), (link_of('{"srheart":9}'), "of version 9")],
)
def test_an_address_that_leads_nowhere_says_so_and_leaves_the_page_as_it_was(
    link: str, said: str
) -> None:
    explorer = explorer_of(solved_session)

    async def play() -> None:
        await until(lambda: explorer.session is not None)
        before, text = session_of(explorer).step, session_of(explorer).text()
        explorer.page.visits += 1  # a replay begins
        heard(explorer, kind="link", link=link)
        await until(lambda: said in explorer.transport.detail.value)
        assert "Nothing has changed here." in explorer.transport.detail.value
        assert session_of(explorer).step is before
        assert session_of(explorer).text() == text
        assert explorer.runner.state is Activity.DONE

    serve(explorer, play)


def test_an_address_of_another_result_says_so_and_brings_all_its_runs() -> None:
    made = solved_session()
    made.preset("RECOMMENDED")
    state = json.loads(made.text())
    state["runs"][0]["loss"] += 0.1
    explorer = explorer_of(short_session)

    async def play() -> None:
        await until(lambda: ready(explorer))
        heard(explorer, kind="link", link=link_of(json.dumps(state)))
        await until(lambda: "where the state was made" in explorer.transport.detail.value)
        assert texts.RESTORED in explorer.transport.status.value
        assert [len(run.steps) for run in session_of(explorer).history.runs] == [9, 1]

    serve(explorer, play)


def test_the_address_follows_on_request_and_says_what_it_does_not_carry() -> None:
    explorer = explorer_of(short_session)
    sent: list[str] = []
    explorer.page.lead_to = sent.append  # type: ignore[method-assign]
    mine = OwnFile("mine.nii.gz", (FOLDER / SAMPLES[0] / "S_LR_none.nii.gz").read_bytes())

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.tabs.bar.value = "take"
        tab = explorer.tabs.made["take"]
        assert isinstance(tab, TakeTab)
        explorer.transport.step.click()
        await until(lambda: '"iterations":1' in tab.state.value)
        assert sent == []
        tab.link.click()
        assert saved.read(sent[-1]) == saved.read(tab.state.value)
        heard(explorer, kind="linked", copied=True)
        assert texts.LINKED["True"] in tab.linked.value
        assert "mine" not in tab.linked.value
        explorer.runner.load(mine)
        await until(lambda: "mine.nii.gz" in tab.state.value)
        assert tab.linked.value == ""  # which was of another state
        tab.link.click()
        heard(explorer, kind="linked", copied=False)
        assert texts.LINKED["False"] in tab.linked.value
        assert texts.LINK_WITHOUT_FILE.format("mine.nii.gz") in tab.linked.value

    serve(explorer, play)


def shown(tab: Tab) -> bool:
    """Whether a tab has been filled."""
    if isinstance(tab, why.LandscapeTab):
        return drawn(tab.shift, 0) == drawn(tab.valley, 1) > 1
    if isinstance(tab, why.LatentTab):
        return len(tab.portrait.value) > 1000 and "ml" in tab.story.value
    if isinstance(tab, why.GaugeTab):
        return "long-axis view" in tab.verdict.value
    assert isinstance(tab, TakeTab)
    return '"iterations":8' in tab.state.value


@pytest.mark.usefixtures("few_draws")
def test_everything_can_be_taken_away_and_a_text_brought_back() -> None:
    explorer = explorer_of(lambda: Session(settings=replace(RECOMMENDED, iterations=3)))
    taken: dict[str, bytes] = {}
    explorer.page.download = taken.__setitem__  # type: ignore[method-assign]

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: explorer.runner.state is Activity.DONE)
        explorer.tabs.bar.value = "take"
        tab = explorer.tabs.made["take"]
        assert isinstance(tab, TakeTab)
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
        await until(lambda: texts.NO_STATE["text"] in explorer.transport.detail.value)

    serve(explorer, play)
    beginnings = {
        "S_SR.nii.gz": b"\x1f\x8b", "d.json": b"{", "heart.glb": b"glTF", "run.gif": b"GIF89a",
        "heart.png": b"\x89PNG", "heart.html": b"<!doctype html>",
    }  # fmt: skip
    assert set(taken) == {*beginnings, "heart.stl"}
    for name, beginning in beginnings.items():
        assert taken[name].startswith(beginning)
    assert 0 < len(taken["run.gif"]) < 3_000_000
    own = taken["heart.html"].decode().replace(get_plotlyjs(), "")
    assert "://" not in own


@pytest.mark.parametrize("how", ["all widgets", "its own"])
def test_a_dashboard_that_is_closed_leaves_no_thread_behind(how: str) -> None:
    explorer = explorer_of(lambda: Session(settings=replace(REFERENCE, iterations=10_000)))

    before = {*threading.enumerate()}

    def started() -> list[str]:
        names = [thread.name for thread in threading.enumerate() if thread not in before]
        return sorted(name for name in names if name.startswith(("solver", "painter")))

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: session_of(explorer).history.last > 2)
        assert started() == ["painter_0", "solver_0"]
        (explorer.close if how == "its own" else w.Widget.close_all)()
        await until(lambda: started() == [])

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
        await until(lambda: explorer.runner.state is Activity.FAILED)
        assert "The weights are missing." in explorer.transport.detail.value
        explorer.transport.reset.click()
        await until(lambda: ready(explorer))

    serve(explorer, play)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_spoils_a_file_and_not_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to /dev/full fails as on a full disk."""
    explorer = explorer_of(short_session)
    taken: list[str] = []
    explorer.page.download = lambda name, _: taken.append(name)  # type: ignore[method-assign]

    def on_full_disk(*_: object, **__: object) -> None:
        Path("/dev/full").write_bytes(b"heart")

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.step.click()
        explorer.tabs.bar.value = "take"
        with monkeypatch.context() as full:
            full.setattr(Enhancement, "write", on_full_disk)
            take = explorer.tabs.made["take"]
            assert isinstance(take, TakeTab)
            take.buttons["S_SR"].click()
            await until(lambda: "No space left" in explorer.transport.detail.value)
        assert explorer.runner.state is not Activity.FAILED
        take.buttons["S_SR"].click()
        await until(lambda: taken == ["S_SR.nii.gz"])

    serve(explorer, play)


def test_a_view_that_has_gone_hears_nothing_any_more() -> None:
    """Every listener on a model is taken off by the script that put it on."""
    for script in Path(texts.__file__).parent.glob("*.js"):
        on = re.findall(r"model\.on\((.+?), ", script.read_text())
        off = re.findall(r"model\.off\((.+?), ", script.read_text())
        assert sorted(on) == sorted(off), script.name


def test_the_page_that_waits_has_the_names_of_the_one_that_comes(root: Path) -> None:
    folder = root / "share" / "jupyter" / "voila" / "templates" / "srheart"
    waiting = (folder / "loading.html").read_text()
    titles = re.findall(r"<h[12]>(.+?)</h[12]>", waiting)
    assert titles[0] == texts.TITLE
    assert set(titles) <= {
        texts.TITLE, texts.SCAN, texts.RUN_CARD, texts.UNKNOWN, texts.CONVERGENCE, texts.QUALITY,
    }  # fmt: skip
    assert "loading.html" in (folder / "index.html.j2").read_text()

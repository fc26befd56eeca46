"""The dashboard as a visitor has it: Voilà, headless Chromium, and no network but localhost."""

from __future__ import annotations

import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import nibabel
import numpy as np
import pytest
from processes import PATIENCE_S

from srheart_demo.dashboard import texts
from srheart_demo.explorer import saved
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.settings import INTERACTIVE

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
]
PATIENCE_MS = 1000 * PATIENCE_S
LEGIBLE = Path(__file__).with_name("legible.js").read_text("utf-8")
"""What a reader cannot read: words cut off or on one another, axes without a scale, no pictures."""
SETTLED_S = 10
LINES = """[...document.querySelectorAll('.srh-tour-text p')].map((p) =>
    Math.round(p.offsetHeight / parseFloat(getComputedStyle(p).lineHeight)))"""
COVERED = """(() => {
  const bar = document.querySelector('.srh-transport');
  const cards = [...document.querySelectorAll('.srh-card:not(.srh-transport)')];
  const seen = cards.filter((card) => card.checkVisibility());
  const lowest = Math.max(...seen.map((card) => card.getBoundingClientRect().bottom));
  return lowest - bar.getBoundingClientRect().top;
})()"""
"""How far the transport bar lies over the cards above it, pixels."""
PADDING = 8
"""At the lower end of a card, where nothing is written, pixels."""
SIZES = ((1280, 800), (1920, 1080), (1024, 640), (1280, 720))
"""Of windows: a laptop, a large screen, the first at 125 % and the second at 150 %."""
LOCAL = ("localhost", "127.0.0.1")

STATUS = "document.querySelector('.srh-status').textContent"
DETAIL = "document.querySelector('.srh-detail').textContent"
ITERATION = f"Number({DETAIL}.match(/iteration (\\d+)/)?.[1] ?? -1)"
HEART = "document.querySelector('.srh-plotly')"
CAMERA = f"({HEART}._fullLayout.scene._scene.getCamera().eye)"
TURN = f"Math.atan2({CAMERA}.y, {CAMERA}.x)"
COUNT_HEARTS = (
    "globalThis.hearts = 0;"
    "document.querySelector('.srh-fig-heart').addEventListener('srh-drawn', () => { hearts += 1; })"
)
TWO_FRAMES = (
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame("
    "() => setTimeout(done, 50))))"
)
"""What a change of the window's size draws anew, is drawn."""
DRAWN = """(view) => {
  const canvas = document.querySelector(view);
  const copy = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
  const pen = copy.getContext('2d');
  pen.drawImage(canvas, 0, 0, 64, 64);
  return new Set(new Uint32Array(pen.getImageData(0, 0, 64, 64).data.buffer)).size;
}"""
"""How many colours a small copy of a canvas has."""
PLOTS = (
    "[...document.querySelectorAll('.srh-plot canvas')].filter((c) => c.clientWidth).length >= 4"
)
BROKEN = (
    "[...document.querySelectorAll('.srh img')].filter((e) => e.offsetParent && !e.naturalWidth)"
    ".map((e) => e.outerHTML)"
)
"""Pictures that are seen, and are none."""
FILLED = (
    "['landscape', 'latent', 'gauge'].map((name) => document.querySelector(`.srh-why-${name}`))"
    ".every((e) => !e?.offsetParent || e.querySelector('.srh-why-pictures').offsetParent)"
)
"""The open tab shows what it computes without being asked."""
LEFT_VENTRICLE = f"{HEART}.data[0].x.reduce((sum, x) => sum + x, 0)"
TRIANGLES = f"{HEART}.data.reduce((sum, {{i}}) => sum + (i?.length ?? 0), 0)"
CUT = f"{HEART}.data.filter((trace) => trace.line)[4].x.join()"
"""Where the border of the long-axis cut lies."""
ROWS_OF_PICTURES = (
    "['sa', 'la'].map((row) => new Set([...document.querySelectorAll(`canvas[class*=srh-${row}-]`)]"
    ".map((e) => Math.round(e.getBoundingClientRect().top))).size)"
)
"""On how many heights the pictures of each row stand."""
LAST_LOSSES = (
    "[1, 2, 3].map((i) => document.querySelector('.srh-fig-convergence canvas')"
    ".panels[0].series[i].y.at(-1))"
)


@pytest.fixture(scope="module")
def address(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Voilà server on the explorer, as `make explorer` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}/"
    log = tmp_path_factory.mktemp("voila") / "log.txt"
    command = [sys.executable, "-m", "srheart_demo.cli", "explore", "--no-browser"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, f"--port={port}"],
            cwd=root,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for_server(url, server, log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(PATIENCE_S)


def wait_for_server(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until something answers at `url`, which asks for no kernel."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}voila/static/nothing", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"Voilà did not answer:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visited(address: str, browser) -> Iterator[tuple]:
    """The page, once it is ready to use; with what it asked of other hosts, and its errors."""
    outside: list[str] = []
    errors: list[str] = []

    def gate(route) -> None:
        if urlparse(route.request.url).hostname in LOCAL:
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    page.route("http*://**/*", gate)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".srh-status")
    page.wait_for_function(f"['Replaying', 'Finished'].includes({STATUS}) && {PLOTS}")
    page.wait_for_function("document.querySelector('.srh-score') !== null")
    yield page, outside, errors
    page.close()


@pytest.fixture
def visit(address: str, browser) -> Iterator[tuple]:
    """A page for one test."""
    with visited(address, browser) as visit:
        yield visit


@pytest.fixture(scope="module")
def long_visit(address: str, browser) -> Iterator[tuple]:
    """A page for tests that follow each other; the first leaves it as it was."""
    with visited(address, browser) as visit:
        yield visit


def rest(page) -> None:
    """End the opening replay, as anything that is done does."""
    page.locator(".srh h1").click()
    page.wait_for_function(f"{STATUS} === 'Finished'")


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def opened(page, tab: dict[str, str], done: str) -> None:
    """A tab whose pictures, if they come without being asked for, are there."""
    press(page, tab["button"])
    page.wait_for_function(f"said => {STATUS} === said && {FILLED}", arg=done)


def illegible(page) -> list[str]:
    """What cannot be read, once the charts have been drawn for the size that they have now."""
    end = time.monotonic() + SETTLED_S
    while (found := page.evaluate(LEGIBLE)) and time.monotonic() < end:
        page.wait_for_timeout(100)
    return found


def assert_legible(page) -> None:
    """In windows of all sizes, with the equation and without."""
    equation = page.get_by_role("checkbox", name="Show the equation")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for shown in (False, True):
            equation.set_checked(shown)
            page.evaluate(TWO_FRAMES)
            assert illegible(page) == [], (width, height, shown)
            bar = page.locator(".srh-transport").bounding_box()
            assert bar["y"] + bar["height"] <= height, (width, height, shown)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_visitor_runs_turns_and_pauses(visit: tuple, tmp_path: Path) -> None:
    page, outside, errors = visit

    # It moves before any click, once, and then rests; what ran is named.
    page.wait_for_function(f"{STATUS} === 'Finished'")
    assert re.search(r"INTERACTIVE · iteration (\d+) of \1\b", page.evaluate(DETAIL))
    assert "INTERACTIVE" in page.text_content(".srh-run")
    page.wait_for_function(
        f"new Promise((done) => {{ const at = {ITERATION};"
        f" setTimeout(() => done(at === {ITERATION}), 2000); }})"
    )
    page.wait_for_function("document.querySelector('.srh-quality .srh-old') === null")

    # A slider by keyboard: another motion gives another stack, and it is solved at once.
    uncorrected = page.text_content(".srh-score-motion")
    page.get_by_role("slider", name="Motion").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('.srh-score-motion').textContent !== before",
        arg=uncorrected,
    )
    assert page.text_content(".srh-motion .widget-readout") == "3.9"
    page.wait_for_function(f"{STATUS} === 'Finished'")

    # Run, with the preset that has the most iterations; what was found stays beside it.
    page.get_by_role("combobox", name="Preset").select_option("REFERENCE")
    page.wait_for_function(f"{STATUS} === 'Ready'")
    press(page, "Run")
    page.wait_for_function(f"{STATUS} === 'Running' && {ITERATION} > 1")
    page.locator(".srh-chip-run:visible").nth(1).wait_for()

    # γ in mid-run: L = L_SA + γ L_LA with the new γ.
    page.get_by_role("slider", name="Gamma").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"(() => {{ const [L, SA, LA] = {LAST_LOSSES};"
        " return Math.abs((L - SA) / LA - 1.1) < 1e-3; })()"
    )

    # A turn of the 3-D view in mid-run: it goes on being drawn, and stays as the hand left it.
    page.evaluate(COUNT_HEARTS)
    start = page.evaluate(TURN)
    box = page.locator(".srh-fig-heart canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):  # as a hand does: a picture that is under way comes between
        page.mouse.move(x + 15 * step, y + 2 * step)
        page.wait_for_timeout(100)
    page.wait_for_function(f"start => Math.abs({TURN} - start) > 0.5", arg=start)
    page.wait_for_timeout(300)  # Plotly's camera follows a hand a little behind
    turned = page.evaluate(CAMERA)
    page.wait_for_timeout(1000)
    assert page.evaluate("hearts") <= 1  # but one that was under way
    assert page.evaluate(CAMERA) == turned
    page.mouse.up()
    held = page.evaluate("hearts")
    page.wait_for_function("held => hearts > held + 1", arg=held)
    left = page.evaluate(TURN)
    assert left == pytest.approx(math.atan2(turned["y"], turned["x"]), abs=0.05)
    page.locator(".srh-plotly").press("ArrowLeft")
    page.wait_for_function(f"left => Math.abs({TURN} - left - 0.1) < 1e-3", arg=left)
    page.wait_for_function("held => hearts > held + 3", arg=held)

    # Pause stops, Step goes on by one.
    press(page, "Pause")
    page.wait_for_function(f"{STATUS} === 'Paused'")
    page.wait_for_function(
        f"new Promise((done) => {{ const at = {ITERATION};"
        f" setTimeout(() => done(at === {ITERATION}), 2000); }})"
    )
    paused = page.evaluate(ITERATION)
    press(page, "Step")
    page.wait_for_function(f"paused => {ITERATION} === paused + 1", arg=paused)

    # Back to an earlier iteration by the scrubber, another γ, and the run forks there.
    page.get_by_role("slider", name="Iteration shown").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"{ITERATION} === 0")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{ITERATION} === 1")
    page.get_by_role("slider", name="Gamma").focus()
    page.keyboard.press("ArrowRight")
    press(page, "Step")
    page.wait_for_function(f"{ITERATION} === 2")
    page.locator(".srh-chip-run:visible").nth(2).wait_for()

    # Another generator begins another run, which carries its name.
    page.get_by_role("combobox", name="Generator").select_option(texts.GENERATORS["dcgan"])
    page.wait_for_function(f"{STATUS} === 'Ready'")
    press(page, "Step")
    page.wait_for_function(f"{DETAIL}.includes('REFERENCE on dcgan')")

    assert_legible(page)
    assert page.evaluate(TRIANGLES) > 1000
    for view in (".srh-fig-shifts", ".srh-fig-convergence", ".srh-fig-latent", ".srh-sa-estimate"):
        selector = view if "estimate" in view else f"{view} canvas"
        assert page.evaluate(DRAWN, selector) > 3, view
    page.screenshot(path=tmp_path / "explorer.png")
    assert (tmp_path / "explorer.png").stat().st_size > 50_000
    assert not outside
    assert not errors


def grave_faults(page) -> list[tuple[str, list[str]]]:
    """What seriously hinders those who cannot see or point, as axe finds it."""
    from axe_core_python.sync_playwright import Axe

    def found() -> list[tuple[str, list[str]]]:
        return [
            (rule["id"], [node["html"] for node in rule["nodes"]])
            for rule in Axe().run(page, ".srh")["violations"]
            if rule["impact"] in ("serious", "critical")
        ]

    end = time.monotonic() + SETTLED_S
    while (faults := found()) and time.monotonic() < end:
        page.wait_for_timeout(100)  # Scores older than the picture are faded until theirs come.
    return faults


def key_to(page, name: str, key: str = "Tab") -> None:
    """Press a key until what has the focus bears a name."""
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {name}")


def test_the_tour_is_walked_by_keyboard(visit: tuple) -> None:
    page, outside, errors = visit
    rest(page)
    key_to(page, "Tour")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent === 'Show me'")
    strip = page.get_by_role("region", name="Guided tour")
    text, said = strip.get_by_role("status").all()  # spoken when they change
    scored = "document.querySelector('.srh-score') !== null"
    for number, (name, words) in enumerate(texts.TOUR.items(), 1):
        page.wait_for_function(
            "place => document.querySelector('.srh-tour-text').textContent.startsWith(place)",
            arg=f"{number} of 6 · {words['title']}",
        )
        page.wait_for_function("!document.querySelector('.srh-tour-said').textContent")
        assert page.evaluate(LINES) == [1, 1]
        assert illegible(page) == []
        key_to(page, "Show me", "Tab" if number == 1 else "Shift+Tab")
        page.keyboard.press("Enter")
        if name in ("lean", "sure"):  # which are shown in two acts
            page.wait_for_function("document.activeElement.textContent === 'Show more'")
            assert page.evaluate(LINES) == [1, 1]
            page.wait_for_function(f"{ITERATION} > 1 && {STATUS} === 'Finished'")
            page.keyboard.press("Enter")
        if name == "guess":
            page.wait_for_selector(".srh-tour-tell:enabled")
            assert not page.evaluate(scored)
            assert page.get_by_role("checkbox", name="Hide the truth").is_checked()
            assert illegible(page) == []
            assert grave_faults(page) == []
            assert page.evaluate(ROWS_OF_PICTURES) == [1, 1]
            assert not page.locator(".srh-sa-truth").is_visible()
            key_to(page, "Guess", "Shift+Tab")
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("Control+A")
            page.keyboard.type("2.5")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        done = "done => document.querySelector('.srh-tour-said').textContent.includes(done)"
        page.wait_for_function(done, arg=words["done"])
        assert "status" in text.get_attribute("role")
        assert illegible(page) == []
        if name == "guess":
            assert "You said 2.5\u00a0mm" in said.text_content()
            page.wait_for_function(scored)
        if number < len(texts.TOUR):
            key_to(page, "Next")
            page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('.srh-tour-next').disabled")
    assert_legible(page)
    key_to(page, "Close")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent.trim() === 'Tour'")
    assert not strip.is_visible()
    assert page.locator(".srh-tip-line").is_visible()
    assert not outside
    assert not errors


def test_a_slice_is_dragged_and_the_solver_brings_it_back(visit: tuple) -> None:
    page, _, errors = visit
    rest(page)
    stack = page.locator(".srh-stack-scanned canvas")
    box = stack.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + 0.42 * box["height"]
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 12, middle[1])
    page.mouse.move(middle[0] + 20, middle[1])
    said = page.text_content(".srh-stack-said")
    page.mouse.move(middle[0] + 300, middle[1])
    assert illegible(page) == []
    page.mouse.move(middle[0] + 20, middle[1])
    page.mouse.up()
    assert re.fullmatch(r"slice \d+ \+\d+\.\d mm", said)
    page.wait_for_function("![...document.querySelectorAll('.srh-small')].at(-1).disabled")
    page.wait_for_function(f"{STATUS} === 'Finished'")

    # By keyboard: a slice is left out, and taken again.
    stack.focus()
    page.keyboard.press("Delete")
    page.wait_for_function("document.querySelector('.srh-stack-said').textContent.includes('not')")
    page.wait_for_function(f"{STATUS} === 'Finished'")
    press(page, "undo")
    page.wait_for_function("[...document.querySelectorAll('.srh-small')].at(-1).disabled")

    # By keyboard no further than by hand.
    said = page.evaluate(
        """(stack) => {
          const right = () => new KeyboardEvent('keydown', {key: 'ArrowRight'});
          for (let i = 0; i < 40; i += 1) stack.dispatchEvent(right());
          return document.querySelector('.srh-stack-said').textContent;
        }""",
        stack.element_handle(),
    )
    assert "+30.0 mm" in said
    assert not errors


def test_a_view_is_dragged_where_it_may_move(visit: tuple) -> None:
    page, outside, errors = visit
    rest(page)
    said = "document.querySelector('.srh-stack-said').textContent"
    stack = page.locator(".srh-stack-scanned canvas")

    # As the paper has it, it lies where its file says; that is said, and nothing moves.
    press(page, "4ch")
    page.wait_for_function(f"{said}.includes('views displaced')")
    assert page.evaluate(DRAWN, ".srh-stack-scanned canvas") > 3
    assert illegible(page) == []
    stack.press("ArrowLeft")
    assert "mm" not in page.evaluate(said)

    # By mouse, in both directions; it is solved at once, and the chart's true view has moved.
    page.get_by_role("checkbox", name="Views displaced").check()
    page.wait_for_function(f"!{said}.includes('views displaced') && {STATUS} === 'Finished'")
    true_view = (
        "[0, 1].map((i) => document.querySelector('.srh-fig-shifts canvas')"
        ".panels[i].series.find(({ kind }) => kind === 'rings').x.at(-1)).join()"
    )
    before = page.evaluate(true_view)
    box = stack.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y + 5)
    page.mouse.move(x + 20, y - 10)
    assert re.fullmatch(r"4ch view \+\d+\.\d \+\d+\.\d mm", page.evaluate(said))
    page.mouse.up()
    page.wait_for_function(f"before => {true_view} !== before", arg=before)
    page.wait_for_function(f"{STATUS} === 'Finished'")

    # By keyboard, and all is undone.
    by_mouse = page.evaluate(true_view)
    stack.press("ArrowDown")
    page.wait_for_function(f"before => {true_view} !== before", arg=by_mouse)
    press(page, "undo")
    page.wait_for_function(f"before => {true_view} === before", arg=before)
    press(page, "slices")
    page.wait_for_function(f"{said}.startsWith('slice')")
    assert illegible(page) == []
    assert not outside
    assert not errors


def test_the_heart_and_the_planes_in_it_follow_the_scrubbers(visit: tuple) -> None:
    page, outside, errors = visit
    rest(page)
    page.wait_for_function(f"{HEART}?.data?.length > 3")
    assert page.evaluate(f"{HEART}.layout.scene.zaxis.title.text").startswith("D, mm")
    page.locator(".srh-plotly canvas").first.wait_for()

    # Turned by keyboard; another iteration is another heart, seen from where the user looks.
    before, turn = page.evaluate(LEFT_VENTRICLE), page.evaluate(TURN)
    page.locator(".srh-plotly").press("ArrowLeft")
    page.get_by_role("slider", name="Iteration shown").press("Home")
    page.wait_for_function(f"before => {LEFT_VENTRICLE} !== before", arg=before)
    eye = page.evaluate(f"{HEART}.layout.scene.camera.eye")
    assert math.atan2(eye["y"], eye["x"]) == pytest.approx(turn + 0.1)

    # The long-axis scrubber turns the painted cut, the short-axis one moves the painted slice.
    cut = page.evaluate(CUT)
    page.get_by_role("slider", name="Angle of the long-axis cut").press("ArrowLeft")
    page.wait_for_function(f"cut => {CUT} !== cut", arg=cut)
    height = "document.querySelector('.srh-plotly').data[2].z.join()"
    slices = page.evaluate(height)
    page.get_by_role("slider", name="Short-axis slice").press("ArrowRight")
    page.wait_for_function(f"slices => {height} !== slices", arg=slices)

    # What the pointer is on is told, with its place in mm.
    box = page.locator(".srh-plotly").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 20)
    page.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2 - 20)
    page.wait_for_function(
        "document.querySelector('.srh-plotly .hovertext')?.textContent.includes('mm')"
    )
    assert not outside
    assert not errors


def test_runs_with_long_names_and_all_views_are_legible_in_every_window(visit: tuple) -> None:
    page, _, errors = visit
    rest(page)
    page.get_by_role("combobox", name="Long-axis views").select_option(index=3)
    page.wait_for_function(f"{STATUS} === 'Finished'")
    page.get_by_role("combobox", name="Generator G").select_option(texts.GENERATORS["betavae"])
    page.get_by_role("checkbox", name="Use priors").uncheck()
    for name in ("Step", "Step", texts.NAMES["srh-button-fork"]):
        press(page, name)
    page.wait_for_function("document.querySelectorAll('.srh-chip-run').length === 3")
    for width, height in (*SIZES, (900, 700), (520, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(TWO_FRAMES)
        assert illegible(page) == [], (width, height)
    assert not errors


def test_a_file_of_ones_own_is_taken_and_a_broken_one_refused(
    visit: tuple, root: Path, tmp_path: Path
) -> None:
    page, outside, errors = visit
    rest(page)
    scan = root / "data" / "sample" / SAMPLES[0] / "S_LR_normal.nii.gz"
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(scan.read_bytes()[:700])
    stack = nibabel.load(scan)
    frames = np.stack([np.asarray(stack.dataobj)] * 30, -1).astype(np.int16)
    large = tmp_path / "cine.nii"  # more than a message may have
    nibabel.save(nibabel.Nifti1Image(frames, stack.affine), large)
    subject = page.get_by_role("combobox", name="Subject")
    for file, said in (
        (broken, "broken.nii.gz: the file is truncated"),
        (large, texts.READY_NOTE),
    ):
        subject.select_option(texts.SUBJECT_OWN)
        with page.expect_file_chooser() as chooser:
            page.locator(".srh-own-stack").get_by_role("button").click()
        chooser.value.set_files(file)
        page.wait_for_function(f"said => {DETAIL}.includes(said)", arg=said)
    assert subject.locator("option:checked").text_content() == large.name
    page.wait_for_function("document.querySelector('.srh-judged')?.textContent.includes('prior')")
    press(page, "Run")
    page.wait_for_function(f"{STATUS} === 'Finished'")
    assert "Nobody knows this heart" in page.text_content(".srh-quality")
    assert not page.locator(".srh-quality .srh-aside").is_visible()  # how a motion error is scored
    assert not outside
    assert not errors


def test_a_link_opens_the_moment_that_it_was_made_at(address: str, browser) -> None:
    made = Session(ScanSettings("dilated", motion=2.0), INTERACTIVE)
    made.advance(float("inf"))
    made.history.look(3)
    clipboard = ["clipboard-read", "clipboard-write"]
    context = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=clipboard)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address + made.link(), wait_until="commit")
    page.wait_for_function(
        f"globalThis.document?.querySelector('.srh-detail') && {ITERATION} === 3"
    )
    assert page.text_content(".srh-motion .widget-readout") == "2.0"
    subject = page.get_by_role("combobox", name="Subject").locator("option:checked")
    assert subject.text_content() == "Dilated"

    # The address follows when somebody asks for a link, and not before.
    press(page, "Step")
    page.wait_for_function(f"{ITERATION} === 4")
    assert page.evaluate("location.hash") == made.link()
    press(page, texts.TABS["take"]["button"])
    press(page, texts.NAMES["srh-copy-link"])
    page.wait_for_function("before => location.hash !== before", arg=made.link())
    page.get_by_text(texts.LINKED["True"]).wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert saved.read(copied).at == 4

    # A link that is opened in the same page, too; one that is broken changes nothing.
    page.evaluate("location.hash = '#state=eJw'")
    page.wait_for_function(f"said => {DETAIL}.includes(said)", arg=texts.NO_STATE["text"])
    assert (
        page.get_by_role("slider", name="Iteration shown").get_attribute("aria-valuenow") == "4.0"
    )
    page.evaluate("link => { location.hash = link; }", made.link())
    page.wait_for_function(f"{ITERATION} === 3")
    context.close()


def test_the_page_turns_german_keeps_its_run_and_cuts_no_word(visit: tuple) -> None:
    page, outside, errors = visit
    rest(page)
    german, iterations = texts.catalogue("de"), page.evaluate(ITERATION)
    page.get_by_role("combobox", name="Language").select_option("Deutsch")
    page.locator(".srh[lang=de] h1").get_by_text(german["TITLE"]).wait_for()
    page.wait_for_function(f"said => {DETAIL}.includes(said)", arg=f"Iteration {iterations} von")
    page.wait_for_function(f"{HEART}?.data?.length > 3 && {PLOTS}")
    for tab in german["TABS"].values():
        opened(page, tab, german["DONE"])
        assert illegible(page) == [], tab["button"]
    assert page.locator("h1").count() == 1
    page.locator(".srh-gamma .widget-label").hover()
    page.locator(".srh-tip-line").get_by_text(german["control"]["srh-gamma"]["tip"]).wait_for()
    page.locator(".srh-tour-start").click()
    for number, words in enumerate(german["TOUR"].values(), 1):
        page.locator(".srh-tour-text").get_by_text(words["title"]).wait_for()
        more = german["TOUR_WORDS"]["more"]  # the longest that stands on its button
        page.locator(".srh-tour-show").evaluate("(button, said) => button.textContent = said", more)
        assert page.evaluate(LINES) == [1, 1], words["title"]
        assert illegible(page) == [], words["title"]
        assert page.evaluate(COVERED) <= PADDING, words["title"]
        if number < len(german["TOUR"]):
            press(page, german["control"]["srh-tour-next"]["label"])
    assert not outside
    assert not errors


def test_everything_essential_is_on_one_screen_and_has_a_name(long_visit: tuple) -> None:
    page, outside, errors = long_visit
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert (width, height) == (1280, 800)
    cards = page.locator(".srh-card:visible")
    for i in range(cards.count()):
        box = cards.nth(i).bounding_box()
        assert box["y"] + box["height"] <= 800
    nameless = page.evaluate(
        "Array.from(document.querySelectorAll("
        "'.srh [role=slider], .srh button, .srh select, .srh input, .srh img,"
        " .srh [role=application], .srh canvas:not([aria-hidden=true])'))"
        ".filter((e) => e.offsetParent && !(e.getAttribute('aria-label') || e.alt"
        " || e.textContent.trim())).map((e) => e.outerHTML)"
    )
    assert nameless == []

    # What is pointed at is explained, and its term of the equation lights up.
    begin = page.text_content(".srh-tip-line")
    page.locator(".srh-gamma .widget-label").hover()
    page.locator(".srh-term-gamma.srh-lit").wait_for()
    assert "γ" in page.text_content(".srh-tip-line") != begin
    assert "γ" in page.locator(".srh-gamma").get_attribute("title")
    page.locator(".srh-title").hover()
    assert page.text_content(".srh-tip-line") == begin

    # On a tablet the rest is further down, and the buttons stay.
    page.set_viewport_size({"width": 768, "height": 1024})
    page.mouse.move(500, 400)
    page.mouse.wheel(0, 5000)
    page.wait_for_function(
        "['.srh-quality', '.srh-transport'].every((card) =>"
        " document.querySelector(card).getBoundingClientRect().bottom <= 1024)"
    )
    # On a telephone no button lies under another.
    for narrow in (560, 360):
        page.set_viewport_size({"width": narrow, "height": 800})
        page.wait_for_function(
            "[...document.querySelectorAll('.srh-transport button')].every((button) => {"
            " const { x, y, width, height } = button.getBoundingClientRect();"
            " return [0.1, 0.9].every((part) => !width || button.contains("
            "document.elementFromPoint(x + part * width, y + height / 2))); })"
        )
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not outside
    assert not errors


def test_nothing_serious_hinders_those_who_cannot_see_or_point(long_visit: tuple) -> None:
    page, _, errors = long_visit
    rest(page)
    page.get_by_role("checkbox", name="Show the equation").check()
    for tab in texts.TABS.values():
        opened(page, tab, "Finished")
        assert page.evaluate(BROKEN) == []
        # Controls get their names in the frame after the one that they come in.
        page.wait_for_function("!document.querySelector('.srh .noUi-handle:not([aria-label])')")
        for dark in (False, True):
            page.get_by_role("checkbox", name="Dark colours").set_checked(dark)
            assert grave_faults(page) == []
        assert_legible(page)
    assert not errors

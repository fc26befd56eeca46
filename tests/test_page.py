"""The page without a server: its graphs, its solver and the page itself equal the library."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from torch import Tensor, nn

from page import build as pages
from page.export import (
    Product,
    SubPixel,
    averaged,
    chosen,
    cross_entropy,
    dotted,
    einsum,
    filled,
    gathered,
    interpolated,
    log_softmax,
    solved,
    summed,
)
from page.graphs import MOST_NOISE, SCORES, SETTINGS, SURFACES, Subject
from page.packages import NODE, NotFetched
from srheart_demo.dashboard import texts
from srheart_demo.dashboard.heart import plotly_js
from srheart_demo.explorer.subjects import ScanSettings, load_subject
from srheart_demo.explorer.tour import STOPS
from srheart_demo.files import Unusable
from srheart_demo.heart.measures import dice
from srheart_demo.heart.surface import STRUCTURES, margin
from srheart_demo.scan.degradation import HR_GRID, MOTION_LEVELS, degrade
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.solver.algorithm import latent_optimisation
from srheart_demo.solver.gauge import (
    common_translation,
    motion_error,
    unsheared_motion_error,
)
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import PAPERS_SYSTEM, REFERENCE
from srheart_demo.solver.solvers import Eye

SAMPLE = "healthy_1"
SPACINGS = 10, 14
NOISE = 8  # %
SOLVE = Path(__file__).with_name("page_solve.mjs")
SEVERE = MOTION_LEVELS["severe"]
ITERATIONS = 8
OPENING = pages.OWN_WORDS["en"]["OPENING"]
SAME_VOXELS = 4
"""Of 212992 labels, on a border to rounding, so many may differ between two runtimes."""


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of("ours", 10)


@cache
def subject_of(way: str, spacing: int) -> Subject:
    return Subject(load_sample(SAMPLE), pages.shipped()[way], spacing)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole but for one graph: here the paper's way is only solved at the usual spacing."""
    folder = tmp_path_factory.mktemp("page")
    unused, write = f"{SAMPLE}.{SPACINGS[1]}.paper.onnx", Subject.write_objective

    def write_used(subject: Subject, path: Path) -> None:
        if path.name != unused:
            write(subject, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subject, "write_objective", write_used)
        try:
            pages.build(folder, pages.shipped(), (SAMPLE,), SPACINGS)
        except NotFetched as error:
            pytest.skip(f"the npm registry is out of reach: {error}")
    return folder


def test_a_page_takes_the_place_of_an_earlier_one_and_of_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "page"
    for name in ("old.bin.gz", "new.bin.gz"):
        with pages.in_place_of(folder) as draft:
            for file in (name, "sw.js"):
                (draft / file).write_text("")
        assert {path.name for path in folder.iterdir()} == {name, "sw.js"}
    with pytest.raises(ZeroDivisionError), pages.in_place_of(folder) as draft:
        (draft / "half.bin.gz").write_text(str(1 / 0))
    assert (folder / "new.bin.gz").exists()
    (folder / "sw.js").unlink()
    with pytest.raises(Unusable, match="give another folder"), pages.in_place_of(folder):
        pass
    assert [path.name for path in tmp_path.glob("*/*")] == ["page"]


@pytest.fixture(scope="module")
def unpacked(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    for path in page.glob("*.gz"):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return folder


def run(graph: Path, **inputs: Tensor) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return dict(zip([output.name for output in session.get_outputs()], found, strict=True))


def gradients(value: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    weights = torch.linspace(-1, 1, value.numel()).view_as(value)
    return torch.autograd.grad((value * weights).sum(), of)


def test_a_doubling_is_a_convolution_of_its_corners() -> None:
    layer = nn.ConvTranspose3d(3, 2, 4, stride=2, padding=1).requires_grad_(False)
    x = torch.randn(1, 3, 2, 3, 4, requires_grad=True)
    ours, theirs = SubPixel(layer)(x), layer(x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, x), gradients(theirs, x))


def test_a_linear_layer_has_its_gradient() -> None:
    layer = nn.Linear(3, 40).requires_grad_(False)
    x = torch.randn(1, 3, requires_grad=True)
    ours, theirs = Product(layer)(x), layer(x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, x), gradients(theirs, x))


@pytest.mark.parametrize("sizes", [(5, 6), (3, 4, 5)])
def test_a_field_is_interpolated_as_by_torch(sizes: tuple[int, ...]) -> None:
    x = torch.randn(1, 2, *sizes, requires_grad=True)
    grid = (2.4 * torch.rand(1, *[4] * len(sizes), len(sizes)) - 1.2).requires_grad_()
    how = {"padding_mode": "border", "align_corners": False}
    ours, theirs = interpolated(x, grid, **how), F.grid_sample(x, grid, **how)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, x, grid), gradients(theirs, x, grid))


def test_other_replaced_operators_equal_torch() -> None:
    J, b, x = torch.randn(3, 4, 2), torch.randn(3, 2), torch.randn(1, 5, 2)
    A = J.mT @ J + torch.eye(2)  # as in a Gauss-Newton step: far from singular
    torch.testing.assert_close(solved(A, b), torch.linalg.solve(A, b))
    mask = torch.tensor([True, False, True, True, False])
    assert torch.equal(chosen(x, (slice(None), mask)), x[:, mask])
    assert torch.equal(chosen(x, (slice(None), [3, 0])), x[:, [3, 0]])
    assert torch.equal(chosen(x, (..., 1)), x[..., 1])
    assert torch.equal(chosen(x, (..., mask, slice(None))), x[..., mask, :])
    assert chosen(x, 0) is NotImplemented
    many = torch.randn(3, 512)
    torch.testing.assert_close(summed(many), many.sum())
    assert summed(many, 1) is NotImplemented
    weights = torch.randn(512)
    torch.testing.assert_close(averaged(many, 1), many.mean(1))
    torch.testing.assert_close(dotted(many, weights), many @ weights, atol=1e-5, rtol=1e-5)
    assert averaged(many, 0) is NotImplemented
    assert dotted(many, weights[:, None]) is NotImplemented
    index = torch.tensor([1, 3])
    assert torch.equal(filled(x, 1, index, -7.0), x.index_fill(1, index, -7.0))


def test_replaced_losses_equal_torch_with_their_gradients() -> None:
    logits = torch.randn(1, 5, 4, 3, requires_grad=True)
    labels = torch.randint(0, 4, (1, 5, 1, 3))
    ours = gathered(log_softmax(logits, 2), 2, labels)
    theirs = logits.log_softmax(2).gather(2, labels)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, logits), gradients(theirs, logits))
    flat, seen = logits.transpose(1, 2).flatten(2), labels[:, :, 0].flatten(1)
    theirs = F.cross_entropy(flat, seen, reduction="none")
    torch.testing.assert_close(cross_entropy(flat, seen, reduction="none"), theirs)
    d, k = torch.randn(1, 5, 2, requires_grad=True), torch.tensor([2, 0, 2, 4])
    index = k[:, None].expand(1, -1, 2)
    ours, theirs = gathered(d, 1, index), d.gather(1, index)
    torch.testing.assert_close(gradients(ours, d), gradients(theirs, d))
    weights, field = torch.randn(6, 3), torch.randn(1, 2, 3, 4, 5)
    down = "kd,bcdhw->bckhw"
    torch.testing.assert_close(einsum(down, weights, field), torch.einsum(down, weights, field))
    assert einsum("kd,bd->bk", weights, field) is NotImplemented


@pytest.mark.parametrize(
    ("way", "spacing", "views", "prior"),
    [
        *product(["ours"], [10], [(), (0,), (0, 2)], [0, 1]),
        ("ours", 14, (0,), 1),
        ("paper", 10, (1,), 0),
    ],
)
def test_the_objective_and_its_gradients_are_the_librarys(
    unpacked: Path, way: str, spacing: int, views: tuple[int, ...], prior: int
) -> None:
    subject = subject_of(way, spacing)
    rng = torch.Generator().manual_seed(len(views))
    d = SEVERE * torch.randn(1, subject.stack.K, 2, generator=rng)
    z = 0.7 * torch.randn(1, subject.G.latent_size, generator=rng)
    near = (d + torch.randn(d.shape, generator=rng)) * subject.problem.tissue[:, None]
    p = subject.scanned(d, NOISE)
    p = replace(p, views=tuple(p.views[i] for i in views))
    settings = replace(SETTINGS, prior=bool(prior), gamma=0.7)
    there = torch.cat([near, torch.zeros(1, len(views), 2)], dim=1)
    expected = Eye(p).look(settings, z, there)
    gamma = torch.zeros(3)
    gamma[list(views)] = 0.7
    inputs = {"z": z, "d": near, "gamma": gamma, "prior": torch.tensor([float(prior)])}
    inputs |= {"truth": d, "planes": subject.corners, **subject.filled(p.voxels)}
    found = run(unpacked / f"{SAMPLE}.{spacing}.{way}.onnx", **inputs)
    scores = dict(zip(SCORES, found["scores"], strict=True))
    np.testing.assert_allclose(scores["objective"], expected.objective, rtol=2e-5)
    L, L_SA, L_LA = expected.losses
    for name, loss in (("L", L), ("L_SA", L_SA), ("L_LA", L_LA if views else 0)):
        np.testing.assert_allclose(scores[name], loss, rtol=2e-5)
    for name, slopes in (("z", expected.gradient_z), ("d", expected.gradient_d[:, : p.stack.K])):
        largest = float(slopes.abs().max())
        np.testing.assert_allclose(found[f"gradient_{name}"], slopes, atol=1e-5 * largest, rtol=0)
    error = motion_error(near, d, p.tissue)
    rest = unsheared_motion_error(near, d, p.stack.z, p.tissue)
    lean = (error**2 - rest**2) ** 0.5
    assert lean > 0.1
    np.testing.assert_allclose(found["common"], common_translation(near, d, p.tissue), rtol=1e-4)
    np.testing.assert_allclose((scores["error"], scores["lean"]), (error, lean), rtol=1e-4)


def test_surfaces_are_closed_and_where_the_margins_are(subject: Subject, unpacked: Path) -> None:
    z = torch.full((1, subject.G.latent_size), 0.5)
    inside = run(unpacked / "ours.surfaces.onnx", z=z)["inside"]
    within = slice(1, -1), slice(1, -1), slice(1, -1)
    field = subject.G.decode(z)[0]
    for found, name in zip(inside, SURFACES, strict=True):
        expected = margin(field, STRUCTURES[name])
        np.testing.assert_allclose(found[within], expected, atol=1e-4)
        found[within] = -1
        assert (found < 0).all()


def rows(k: np.ndarray, pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Voxels as a set: where each lies, and its label."""
    return np.unique(np.column_stack([k, pixels, labels]).astype(np.float32), axis=0).view("V16")


@pytest.mark.parametrize(
    ("spacing", "factor", "noise"),
    [(10, 0, 0), (10, 1.3, MOST_NOISE), (10, SEVERE, 0), (14, SEVERE, NOISE)],
)
def test_the_scan_is_the_librarys(unpacked: Path, spacing: int, factor: float, noise: int) -> None:
    subject = subject_of("ours", spacing)
    told = json.loads((unpacked / f"{SAMPLE}.{spacing}.json").read_text())
    seen = ScanSettings(SAMPLE, motion=factor, spacing=spacing)
    _, d, _ = load_subject(SAMPLE).take(seen)
    np.testing.assert_allclose(factor * np.array([told["motion"]]), d, atol=1e-4)
    noisy = {"d": d, "noise": torch.tensor([float(noise)])}
    found = run(unpacked / f"{SAMPLE}.{spacing}.onnx", **noisy)
    p = subject.scanned(d, noise)
    assert (found["S_LR"] != p.S_LR.numpy()).sum() <= SAME_VOXELS
    if noise:
        assert (found["S_LR"] != subject.scanned(d).S_LR.numpy()).sum() > 100
    v, kept = p.voxels, found["weights"] > 0
    ours = rows(*(found[name][kept] for name in ("k", "pixels", "labels")))
    theirs = rows(v.k.numpy(), v.pixels.numpy(), v.labels.numpy())
    assert len(np.setxor1d(ours, theirs)) <= 2 * 121 * SAME_VOXELS
    assert kept.sum() == found["near"] <= subject.room
    np.testing.assert_allclose(found["weights"].sum(), 1, rtol=1e-5)
    for label in range(4):
        share = float(v.weights[v.labels == label].sum())
        held = found["weights"][found["labels"] == label].sum()
        np.testing.assert_allclose(held, share, atol=1e-3)


def test_the_page_lists_the_spacings_and_most_noise_of_the_explorer() -> None:
    spacing, noise = (texts.CONTROLS[f"srh-{name}"] for name in ("spacing", "noise"))
    assert pytest.approx(100 * noise["max"]) == MOST_NOISE
    for mm in pages.SPACINGS:
        assert spacing["min"] <= mm <= spacing["max"]
        assert (mm - spacing["min"]) % spacing["step"] == 0
    assert pages.SPACINGS[0] == spacing["value"]


def test_more_voxels_than_a_graph_takes_are_refused(subject: Subject) -> None:
    noisy = torch.randint(0, 4, subject.problem.S_LR.shape)
    with pytest.raises(ValueError, match="are more than the graph's"):
        subject.filled(replace(subject.problem, S_LR=noisy).voxels)


def solved_in_node(
    page: Path, labels: Path, way: str, views: int, spacing: int = 10, noise: int = 0
) -> dict[str, Any]:
    gamma = ",".join(["1"] * views + ["0"] * (3 - views))
    how = SAMPLE, spacing, way, SEVERE, noise, ITERATIONS, gamma
    command = [NODE, SOLVE, page, *map(str, how), labels]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.mark.parametrize(
    ("way", "views", "spacing", "noise"),
    [("ours", 1, 10, 0), ("paper", 0, 10, 0), ("ours", 1, 14, NOISE)],
)
def test_a_solve_in_javascript_equals_one_in_python(
    page: Path, way: str, views: int, spacing: int, noise: int, tmp_path: Path
) -> None:
    subject = subject_of(way, spacing)
    found = solved_in_node(page, tmp_path / "labels", way, views, spacing, noise)
    _, d, _ = load_subject(SAMPLE).take(ScanSettings(SAMPLE, motion=SEVERE, spacing=spacing))
    seen = np.fromfile(tmp_path / "labels", np.uint8).reshape(subject.problem.S_LR.shape)
    assert (seen != subject.scanned(d, noise).S_LR.numpy()).sum() <= SAME_VOXELS
    S_LR = torch.from_numpy(seen.astype(np.int64))
    p = Problem(subject.G, subject.stack, S_LR, subject.problem.views[:views])
    settings = SETTINGS if way == "ours" else replace(REFERENCE, thinned=True)
    steps = [*latent_optimisation(p, replace(settings, iterations=ITERATIONS))]
    moments, last = found["moments"], steps[-1]
    L, objective = ([moment[name] for moment in moments] for name in ("L", "objective"))
    np.testing.assert_allclose(L, [step.loss for step in steps], atol=1e-4, rtol=0)
    expected = [step.objective for step in steps]
    np.testing.assert_allclose(objective, expected, atol=1e-4, rtol=0)
    assert expected[-1] < 0.7 * expected[0]
    np.testing.assert_allclose(np.reshape(moments[-1]["d"], (-1, 2)), last.d[0], atol=0.1, rtol=0)
    error = motion_error(last.d, d, p.tissue)
    np.testing.assert_allclose(moments[-1]["error"], error, atol=0.1, rtol=0)
    shift = common_translation(last.d, d, p.tissue)
    field = degrade(subject.G.decode(last.z), HR_GRID, shift.expand(1, HR_GRID.K, 2))
    scores = dice(field[0].numpy().argmax(0).astype(np.uint8), subject.sample.S_HR.labels)
    np.testing.assert_allclose(found["dice"], [*scores.values()], atol=0.005, rtol=0)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def address(page: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=page))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def grave_faults(tab: Any) -> list[str]:
    """What seriously hinders those who cannot see or point, as axe finds it."""
    violations = Axe().run(tab, "body")["violations"]
    return [
        f"{rule['id']}: {node['html']}"
        for rule in violations
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


SHOWN = "globalThis.srhShown?.iteration === {}"


@pytest.mark.browser
def test_the_page_solves_in_a_browser_and_without_a_network(
    page: Path, address: str, chromium: str, tmp_path: Path
) -> None:
    expected = solved_in_node(page, tmp_path / "labels", "ours", 2)["moments"]
    asked, wrong = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 390, "height": 844})
        context.on("request", lambda request: asked.append(request.url))
        tab = context.new_page()
        tab.set_default_timeout(300_000)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(f"{address}#subject={SAMPLE}&motion=4&views=2&gamma=2")
        # What is chosen while a scan is opened is not lost.
        tab.wait_for_function("location.hash.includes('way=ours')")
        tab.evaluate("gamma.value = 1; gamma.dispatchEvent(new Event('input'))")
        for i in range(3):
            if i:
                tab.click("#step")
            tab.wait_for_function(SHOWN.format(i))
            found = tab.evaluate("srhShown")
            for name in ("L", "objective", "z", "d"):
                np.testing.assert_allclose(found[name], expected[i][name], atol=1e-5, rtol=0)
        assert f"L = {expected[2]['L']:.4f}"[:-1] in tab.inner_text("#state")
        assert tab.inner_text("#dice")
        tab.wait_for_selector("#heart .gl-container canvas")
        assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not grave_faults(tab)
        tab.click("#theme")
        assert not grave_faults(tab)
        # Rewound to the start.
        tab.focus("#iteration")
        tab.keyboard.press("Home")
        tab.wait_for_function(SHOWN.format(0))
        # However fast one presses, each iteration comes once, after the one before it.
        # In one go, for the second of two clicks of a mouse may find the first one's done.
        tab.evaluate("step.click(); step.click()")
        tab.wait_for_function(SHOWN.format(1))
        tab.evaluate("for (let i = 0; i < 3; i += 1) run.click()")
        tab.wait_for_function("Number(iteration.max) > 3")
        tab.click("#run")
        tab.wait_for_function(SHOWN.format("Number(iteration.max)"))
        curve = "const { x, y } = document.querySelector('#loss canvas').panels[0].series[0];"
        numbers, L = tab.evaluate(f"() => {{ {curve} return [[...x], [...y]]; }}")
        assert numbers == [*range(len(numbers))]
        known = [moment["L"] for moment in expected[: len(L)]]  # a quick run has gone on beyond
        assert L[: len(known)] == pytest.approx(known, abs=1e-4)
        tab.evaluate("reset.click(); run.click()")  # there is nothing yet to run
        tab.wait_for_function(SHOWN.format(0))
        assert tab.inner_text("#said") == texts.READY
        # A slice that is displaced by hand is scanned anew, and the address says so.
        tab.focus("#stack canvas")
        before = tab.inner_text("#state")
        for _ in range(4):
            tab.keyboard.press("ArrowRight")
        tab.wait_for_function("decodeURIComponent(location.hash).includes('by_hand_6=0,5')")
        tab.wait_for_function(f"{SHOWN.format(0)} && state.textContent !== {json.dumps(before)}")
        # What is kept opens without the server.
        tab.wait_for_function("navigator.serviceWorker.controller || navigator.serviceWorker.ready")
        displaced = tab.inner_text("#state")
        context.set_offline(True)
        tab.reload()
        tab.wait_for_function(SHOWN.format(0))
        assert tab.inner_text("#state") == displaced
        browser.close()
    assert not wrong
    assert all(url.startswith((address, "blob:", "data:")) for url in asked), asked


def test_plotly_is_of_the_explorers_version() -> None:
    pinned = json.loads((Path(pages.HERE) / "package.json").read_text())["dependencies"]
    header = gzip.decompress(plotly_js())[:200].decode()
    assert f"plotly.js v{pinned[pages.PLOTLY.parts[0]]}" in header


def test_what_the_page_alone_says_is_whole_in_every_language() -> None:
    own = pages.OWN_WORDS
    assert own.keys() == texts.FILES.keys()
    for words in own.values():
        assert words.keys() == own["en"].keys()
        assert words["TOUR"].keys() == own["en"]["TOUR"].keys()
        assert set(words["TOUR"]) <= set(texts.TOUR)
        assert len(words["LEFT_OUT"]) == len(own["en"]["LEFT_OUT"])
    copied = [name for name in own["en"] if own["en"][name] == own["de"][name]]
    assert not copied


def test_the_page_shows_what_the_tour_shows_or_says_that_it_does_not() -> None:
    told = pages._tour(SAMPLES)
    for stop, tour_stop in zip(told["stops"], STOPS, strict=True):
        here = pages.OWN_WORDS[texts.SPOKEN]["TOUR"].get(tour_stop.name, "")
        assert here in stop["text"]
        assert (texts.TOUR_WORDS["task"] in stop["text"]) == bool(stop["acts"])
        assert stop["acts"] or here
        for act, shown in zip(stop["acts"], tour_stop.acts, strict=bool(stop["acts"])):
            scan, choice = shown.scan, act["choice"]
            assert scan is not None
            assert (choice["subject"], choice["motion"]) == (scan.subject, scan.motion)
            assert choice["views"] == scan.long_axis
            assert (act["runs"], act["hides"]) == (shown.runs, shown.hidden)
            assert (choice["spacing"], choice["noise"]) == (scan.spacing, 100 * scan.noise)
            assert scan.spacing in pages.SPACINGS
            chosen = {n: getattr(scan, n) for n in ("motion", "long_axis", "spacing", "noise")}
            possible = replace(ScanSettings(scan.subject), by_hand=scan.by_hand, **chosen)
            assert possible == scan  # the page has no other choices
            assert (choice["way"] == "paper") == (shown.system == PAPERS_SYSTEM)


@pytest.mark.browser
def test_the_tour_by_keyboard_in_german(page: Path, address: str, chromium: str) -> None:
    told = json.loads(gzip.decompress((page / "page.de.json.gz").read_bytes()))
    told["solvers"]["ours"]["iterations"] = 2
    brief = gzip.compress(json.dumps(told).encode())
    words = texts.catalogue("de")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(service_workers="block")
        tab = context.new_page()
        tab.set_default_timeout(300_000)
        tab.route("**/page.de.json.gz", lambda route: route.fulfill(body=brief))
        tab.goto(f"{address}?lang=de#subject={SAMPLE}&motion=1")
        tab.wait_for_function(SHOWN.format(0))
        assert tab.inner_text("#scan-heading").endswith(words["SCAN"])
        assert tab.evaluate("document.documentElement.lang") == "de"

        def press(control: str, key: str = "Enter") -> None:
            tab.focus(control)
            tab.keyboard.press(key)

        def said(*parts: str) -> None:
            written = json.dumps(" ".join(["✓", *parts]))
            tab.wait_for_function(f"document.getElementById('tour-said').textContent === {written}")

        press("#tour-start")
        stops = words["TOUR"]
        for i, (name, stop) in enumerate(stops.items()):
            shown = tab.inner_html("#tour-text")
            assert f"{i + 1} von {len(stops)} · {stop['title']}</b> {stop['sentence']}" in shown
            assert pages.OWN_WORDS["de"]["TOUR"].get(name, "") in shown
            assert not grave_faults(tab)
            if i < len(stops) - 1:
                press("#tour-next")
        for _ in stops:
            if tab.is_enabled("#tour-back"):
                press("#tour-back")
        assert not tab.inner_text("#tour-said")  # slices hardly jump
        press("#tour-show")
        said(stops["look"]["done"], "")
        still = "({ series }) => series.at(-1).x.every((mm) => mm === 0)"
        assert tab.evaluate(f"document.querySelector('#d canvas').panels.every({still})")
        for _ in range(3):
            press("#tour-next")
        # Where the truth is hidden, nothing tells it.
        press("#hidden", "Space")
        press("#run")
        tab.wait_for_function(SHOWN.format(2))
        assert tab.inner_text("#error") == words["HIDDEN_NOTE"]
        assert not tab.inner_text("#dice")
        assert tab.is_disabled("#truth")
        names = "document.querySelector('#d canvas').panels[0].series.map(({ name }) => name)"
        assert tab.evaluate(names) == [words["ESTIMATED_SHIFT"]]
        assert not tab.inner_text("#tour-said")
        press("#tour-guess", "ArrowUp")
        press("#tour-tell")
        tab.wait_for_function(SHOWN.format(2))
        error = tab.evaluate("srhShown.error")
        said(stops["guess"]["done"], stops["guess"]["figures"].format(3.5, error))
        assert tab.evaluate(names) == [words["TRUE_SHIFT"], words["ESTIMATED_SHIFT"]]
        assert f"{error:.2f}\u00a0mm" in tab.inner_text("#error").replace(" mm", "\u00a0mm")
        browser.close()


def test_the_page_explains_its_symbols_and_colours() -> None:
    words = pages._page(pages.shipped(), (SAMPLE,))["words"]
    written = pages._written(words, (SAMPLE,), SPACINGS)
    for symbol in ("gamma", "fig-shifts", "fig-latent", "fig-convergence"):
        assert texts.TIPS[f"srh-{symbol}"] in written
    for tissue, name in texts.TISSUE_NAMES.items():
        assert f"<b>{tissue}</b> {name}" in written


@pytest.mark.browser
def test_what_a_browser_lacks_is_said(address: str, chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.add_init_script("delete globalThis.WebAssembly")
        tab.goto(address)
        tab.wait_for_function("message.textContent.includes('WebAssembly')")
        without = browser.new_page()
        without.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        without.goto(address)
        without.wait_for_function("heart.textContent.includes('no WebGL')")
        # Until there is something to run, a small window says so without being scrolled.
        phone = browser.new_page(viewport={"width": 390, "height": 700})
        phone.route("**/*.S_HR.gz", lambda route: None)  # it never comes
        phone.goto(address)
        phone.wait_for_function(f"said.textContent === {json.dumps(OPENING)}")
        place = phone.locator("#said").bounding_box()
        assert place["y"] + place["height"] < 700
        assert phone.evaluate("scrollY") == 0
        browser.close()

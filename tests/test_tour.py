"""The guided tour and the hidden truth, without a browser."""

from __future__ import annotations

import math
from dataclasses import replace

import ipywidgets as w
import numpy as np
import pytest
from test_ui import closed, ready, serve, session_of, until  # noqa: F401

from srheart_demo.dashboard import take, texts
from srheart_demo.dashboard.explorer import Explorer
from srheart_demo.dashboard.painter import INTERVALS
from srheart_demo.dashboard.runner import Activity
from srheart_demo.explorer import tour as stops
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.explorer.tour import STOPS, Tour
from srheart_demo.explorer.watch import Watch
from srheart_demo.explorer.why import FIELDS, race
from srheart_demo.solver.settings import RECOMMENDED

FAST = replace(RECOMMENDED, iterations=3)


def to_the_end(session: Session, iterations: int = 3) -> None:
    """Run what a stop has begun, in few iterations."""
    if not session.finished:
        session.configure(iterations=iterations)
        session.advance(math.inf)


def at(name: str) -> Tour:
    tour = Tour()
    tour.go([stop.name for stop in STOPS].index(name))
    return tour


def shown(tour: Tour, session: Session, iterations: int = 3) -> bool:
    """Do the next act of a stop; whether its task is done then."""
    act = tour.act()
    act.do(session)
    if act.runs:
        to_the_end(session, iterations)
    tour.look(session.now)
    return tour.stop.name in tour.done


@pytest.fixture(scope="module")
def session() -> Session:
    """A severe scan, solved; each stop makes of it what it needs."""
    session = Session(ScanSettings("healthy_1", motion=4.0), FAST)
    session.advance(math.inf)
    return session


def test_each_stop_has_its_words_and_the_words_their_stop() -> None:
    assert [*texts.TOUR] == [stop.name for stop in STOPS]
    for words in texts.TOUR.values():
        assert set(words) - {"figures"} == {"title", "sentence", "task", "done"}


def test_looking_is_done_where_slices_lie_as_scanned_and_jump(session: Session) -> None:
    tour = at("look")
    tour.look(session.now)
    assert not tour.done
    assert shown(tour, session)
    assert not session.step.d.any()
    still = at("look")
    still.look(Session(ScanSettings("healthy_1", motion=1.0), FAST).now)
    assert not still.done


def test_walking_is_done_after_iterations_of_the_papers_system_alone(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tour = at("walk")
    tour.act().do(session)
    assert (session.settings.name, session.now.name) == ("REFERENCE", "REFERENCE on betavae")
    errors = [session.now.motion_error]
    while session.history.at < stops.WATCHED:
        tour.look(session.now)
        assert not tour.done
        session.advance()
        errors.append(session.now.motion_error)
    tour.look(session.now)
    assert tour.done == {"walk"}
    assert errors[-1] < 0.2 * errors[0]
    assert errors[3] > 0.4 * errors[0]  # it walks: others are there in one step
    of_ours = at("walk")
    session.preset("REFERENCE", "traits")
    monkeypatch.setattr(stops, "WATCHED", 2)
    while session.history.at < 3:
        session.advance()
    of_ours.look(session.now)
    assert not of_ours.done


def test_dragging_is_done_when_a_slice_lies_far_off_and_the_solver_has_ended(
    session: Session,
) -> None:
    tour = at("drag")
    assert shown(tour, session)
    assert session.scene.settings.by_hand == ((6, 0.0, 20.0),)
    shifts = session.now.shifts
    assert abs(shifts.estimate[6] - shifts.truth[6]).max() < 2.0  # d has followed
    near = at("drag")
    session.scan(ScanSettings("healthy_1", motion=4.0).moved(6, 0.0, 5.0))
    session.advance(math.inf)
    near.look(session.now)
    assert not near.done


def test_a_guess_counts_only_while_the_truth_is_hidden_and_tells_the_true_error(
    session: Session,
) -> None:
    tour = at("guess")
    tour.bet(2.0, session.now)
    assert tour.guess is None  # whoever sees the error does not guess
    assert not shown(tour, session)
    assert session.scene.truth_hidden
    assert tour.may_guess(session.now)
    tour.bet(2.0, session.now)
    tour.look(session.now)
    assert not tour.done
    session.show_truth(True)
    tour.look(session.now)
    assert tour.done == {"guess"}
    assert (tour.guess, tour.error) == (2.0, session.now.motion_error)
    kept = tour.error
    session.scan(ScanSettings("healthy_1"))
    tour.look(session.now)
    assert tour.error == kept


def test_a_lean_is_seen_without_a_view_and_with_one(session: Session) -> None:
    tour = at("lean")
    assert not shown(tour, session, 30)
    assert session.scene.settings.long_axis == 0
    assert shown(tour, session, 30)
    assert tour.leans[1] < 0.7 * tour.leans[0]
    session.scan(ScanSettings("dilated", motion=4.0))  # another heart begins anew
    session.advance(math.inf)
    tour.look(session.now)
    assert [*tour.leans] == [1]


def test_how_sure_it_is_is_done_when_the_uncertainty_is_painted(session: Session) -> None:
    tour = at("sure")
    assert not shown(tour, session)
    assert session.scene.slices.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 11, 12]
    assert not shown(tour, session)  # it is wanted, but not found yet
    session.spread("uncertainty", Watch())
    tour.look(session.now)
    assert tour.done == {"sure"}
    session.paint = ""


def test_an_act_of_the_tour_does_not_keep_the_same_run_twice(session: Session) -> None:
    tour = at("walk")
    for _ in range(3):
        tour.act().do(session)
        session.advance()
    assert [run.settings.name for run in session.history.runs].count("REFERENCE") == 1


# -- the hidden truth --------------------------------------------------------------------------


def test_where_the_truth_is_hidden_nothing_that_is_drawn_knows_it() -> None:
    session = Session(ScanSettings("healthy_1", motion=4.0, long_axis=2), FAST)
    session.paint = "error"
    session.advance(math.inf)
    seen, before = session.now, session.scene
    known = seen.dice, seen.nearest, seen.motion_error, seen.lean
    assert all(known)
    session.show_truth(False)
    now, scene = session.now, session.scene
    assert scene.truth_hidden
    assert scene.simulated
    assert (now.dice, now.nearest) == ({}, {})
    assert all(map(math.isnan, (now.motion_error, now.lean, now.motion_uncorrected)))
    assert np.isnan(now.shifts.truth).all()
    assert not np.isnan(now.shifts.estimate).any()
    cuts = now.cuts(6, 30.0)
    assert (cuts.short_axis.truth, cuts.long_axis.truth) == (None, None)
    assert now.heart(6).paint is None
    subject = scene.subject
    assert (subject.S_HR, subject.field, subject.ghost, subject.distances) == (None, None, {}, {})
    assert not scene.gauge(session.step.d).any()  # which lays the heart over the truth
    assert scene.views_may_move == before.views_may_move
    (lane,) = race(scene, 1.0, Watch(), lambda _: None, FIELDS["presets"][3:], 0.01)
    assert math.isnan(lane.dice)
    assert np.isnan(lane.motion_error).all()
    assert "truth" not in take.heart_page(session).decode().split("</script>")[-2]
    # Other scans, and restored ones, hide theirs too.
    text = session.text()
    session.scan(replace(scene.settings, noise=0.01))
    assert session.scene.truth_hidden
    session.restore(text)
    assert session.scene.truth_hidden
    session.show_truth(True)
    again = session.now
    assert (again.dice, again.nearest, again.motion_error, again.lean) == known
    assert again.heart(6).paint is not None


def test_a_hidden_truth_does_not_touch_the_run() -> None:
    session = Session(ScanSettings("healthy_2", motion=2.0), FAST)
    session.advance()
    step, runs = session.step, session.history.runs
    session.show_truth(False)
    assert session.step is step
    assert session.history.runs is runs
    session.explain_with("betavae")
    session.show_truth(True)
    assert session.scene.problem.G is session.generator


def displayed(widget: w.Widget) -> list[w.Widget]:
    """It and all in it, but for what is taken off the page."""
    if widget.layout.display == "none" and "srh-tab" not in widget._dom_classes:
        return []
    return [widget, *(d for child in getattr(widget, "children", ()) for d in displayed(child))]


def places_of_truth(explorer: Explorer) -> set[str]:
    """Where on the page something is seen that nobody can know without the truth."""
    heart, tabs = explorer.heart, explorer.tabs.made
    rings = [
        np.frombuffer(series["x"], np.float32)
        for panel in explorer.unknowns.shifts.drawing["panels"]
        for series in panel["series"]
        if series["kind"] == "rings"
    ]
    crosses = [
        np.frombuffer(series["x"], np.float32)
        for chart in (tabs["landscape"].shift, tabs["landscape"].valley)
        for series in chart.drawing["panels"][0]["series"]
        if series["kind"] == "crosses"
    ]
    words = [each.value for each in displayed(explorer.box) if isinstance(each, w.HTML)]
    told = " ".join([*words, *explorer.page.names.values()])
    found = {
        "3-D": bool(heart.view.ghost),
        "its switch": not heart.show_truth.disabled,
        "paint": any("intensity" in trace for trace in heart.view.traces),
        "its choice": "error" in dict(map(reversed, heart.paint.options)),
        "slices": any("truth" in row for row in heart.pictures.pictures.values()),
        "d": any(np.isfinite(each).any() for each in rings),
        "landscape": any(np.isfinite(each).any() for each in crosses),
        "race": tabs["race"].filled,
        "Dice": "Dice" in told,
        "motion error": texts.MOTION_ERROR in told,
        "lean": "of it lean" in told,
        "spoken": any(
            "true" in told for name, told in explorer.page.names.items() if "fig" in name
        ),
    }
    return {place for place, seen in found.items() if seen}


def test_no_place_of_the_page_shows_a_hidden_truth_and_each_shows_it_again() -> None:
    def load() -> Session:
        session = Session(ScanSettings("healthy_1", motion=4.0), FAST)
        session.advance(math.inf)
        return session

    explorer = Explorer(load)
    switch = explorer.header.hide_truth

    async def settled(*open_tabs: str) -> None:
        await until(lambda: not explorer.runner.wishing and not explorer.runner.computing)
        await until(lambda: not explorer.runner.painter.schedule.stale)
        for name in open_tabs:
            await until(lambda name=name: explorer.tabs.made[name].filled)

    async def play() -> None:
        await until(lambda: explorer.session is not None)
        explorer.tabs.bar.value = "race"
        race_tab = explorer.tabs.made["race"]
        race_tab._asked = race_tab.about(session_of(explorer))  # in place of ten seconds of racing
        lanes = race(
            session_of(explorer).scene, 1.0, Watch(), lambda _: None, FIELDS["presets"][3:], 0.01
        )
        race_tab._found(lanes)
        assert race_tab.against_truth in displayed(race_tab.cards[0])
        explorer.heart.paint.value = "error"
        explorer.tabs.bar.value = "landscape"
        await settled("landscape")
        everywhere = places_of_truth(explorer)
        assert len(everywhere) == 12
        switch.value = True
        await until(lambda: session_of(explorer).scene.truth_hidden and not race_tab.filled)
        await settled("landscape")
        race_tab.draw([replace(lane, motion_error=np.full(1, np.nan)) for lane in lanes])
        assert race_tab.against_truth not in displayed(race_tab.cards[0])
        assert texts.HIDDEN_NOTE in explorer.score.table.value
        await until(lambda: places_of_truth(explorer) == set())
        explorer.scan.noise.value = 0.1  # another scan hides it too
        await until(lambda: session_of(explorer).scene.settings.noise == 0.1)
        await until(lambda: explorer.runner.state is Activity.DONE)
        await settled("landscape")
        assert switch.value
        await until(lambda: places_of_truth(explorer) == set())
        assert not explorer.scan.motion.disabled
        assert explorer.scan.motion.layout.display is None
        switch.value = False
        await until(lambda: not session_of(explorer).scene.truth_hidden)
        await settled("landscape")
        await until(lambda: places_of_truth(explorer) == everywhere - {"race"})

    serve(explorer, play)


def test_a_truth_that_is_hidden_in_mid_run_goes_at_once() -> None:
    explorer = Explorer(lambda: Session(settings=replace(RECOMMENDED, iterations=10_000)))

    async def play() -> None:
        await until(lambda: ready(explorer))
        explorer.transport.run.click()
        await until(lambda: "Dice" in explorer.score.table.value)
        for part in INTERVALS:  # as where a picture is dear
            explorer.runner.painter.schedule.renewed(part, 1000.0)
        explorer.header.hide_truth.value = True
        await until(lambda: texts.HIDDEN_NOTE in explorer.score.table.value)
        await until(lambda: "truth" not in explorer.heart.pictures.pictures["sa"])
        await until(lambda: "furthest" not in " ".join(explorer.page.names.values()))
        assert explorer.runner.state is Activity.RUNNING
        assert session_of(explorer).history.last > 0

    serve(explorer, play)


def test_the_strip_leads_through_the_tour_and_leaves_all_as_it_is() -> None:
    explorer = Explorer(lambda: Session(ScanSettings("healthy_2", motion=1.0), FAST))
    header = explorer.header
    strip = header.tour

    def told() -> str:
        return strip._text.value

    async def play() -> None:
        await until(lambda: ready(explorer))
        assert strip.tour is None
        header.to_tour.click()
        assert "srh-touring" in header._told._dom_classes
        assert not header.equation.value
        assert "1 of 6" in told()
        assert strip._back.disabled
        before = session_of(explorer).scene
        for number in range(2, 7):
            strip._next.click()
            assert f"{number} of 6" in told()
        assert strip._next.disabled
        assert session_of(explorer).scene is before  # going on touches nothing
        for _ in range(5):
            strip._back.click()
        strip._show_me.click()
        await until(lambda: session_of(explorer).scene.settings.motion == 4.0)
        await until(lambda: texts.TOUR["look"]["done"] in strip._said.value)
        assert explorer.runner.state is Activity.READY
        assert explorer.solver.preset.value == "RECOMMENDED"
        strip._next.click()
        assert strip._said.value == ""
        at, run = session_of(explorer).scene, session_of(explorer).history.active
        strip.leave.click()
        assert "srh-touring" not in header._told._dom_classes
        assert header.equation.value
        assert (session_of(explorer).scene, session_of(explorer).history.active) == (at, run)
        header.to_tour.click()  # where one was
        assert "2 of 6" in told()
        strip._back.click()
        assert texts.TOUR["look"]["done"] in strip._said.value

    serve(explorer, play)

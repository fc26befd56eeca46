from dataclasses import replace

import pytest
import torch

from srheart_demo import training
from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.generator import Architecture, read_generator
from srheart_demo.training import TrainingSettings, learning_rate, make_hearts, targets, train

TINY = TrainingSettings(
    hearts=6,
    steps=6,
    batch=2,
    warmup=2,
    free_steps=2,
    architecture=Architecture(4, (4, 3, 2), (4, 3, 2)),
)


class Interrupted(Exception):
    pass


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "evaluate", lambda model: {})
    straight = train(TINY, tmp_path / "straight", checkpoint_every=3)

    def interrupt(progress):
        if progress.phase == "training" and progress.done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(TINY, tmp_path / "broken", interrupt, checkpoint_every=3)
    resumed = train(TINY, tmp_path / "broken", checkpoint_every=3)
    a, b = (read_generator(path).state_dict() for path in (straight, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "evaluate", lambda model: {})
    train(TINY, tmp_path)
    with pytest.raises(ValueError, match="other settings"):
        train(replace(TINY, beta=3.0), tmp_path)


def test_training_lowers_the_loss_and_reports_it(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "evaluate", lambda model: {})
    seen = []
    train(replace(TINY, steps=25, learning_rate=1e-2), tmp_path, seen.append)
    steps = [p for p in seen if p.phase == "training"]
    assert [p.done for p in steps] == list(range(1, 26))
    assert steps[-1].losses["reconstruction"] < 0.7 * steps[0].losses["reconstruction"]
    assert steps[-1].eta == 0.0


def test_hearts_are_drawn_alike_and_targets_are_probabilities():
    hearts = make_hearts(5, seed=3)
    assert hearts.shape == (5, 3, *LATTICE_SHAPE)
    assert torch.equal(hearts, make_hearts(5, seed=3))
    probabilities = targets(hearts)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(5, *LATTICE_SHAPE))


def test_the_learning_rate_rises_then_falls():
    settings = TrainingSettings(steps=1000, warmup=100, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(1000)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert rates[-1] == pytest.approx(0.01, abs=0.001)

import numpy as np
import pytest

from srheart_demo.metrics import dice, mean_dice, volumes_ml


def test_dice_by_hand():
    a = np.array([1, 1, 1, 2, 0, 0])
    b = np.array([1, 1, 0, 0, 2, 0])
    assert dice(a, b) == {"LV": pytest.approx(0.8), "MYO": 0.0, "RV": 1.0}
    assert dice(a, a) == {"LV": 1.0, "MYO": 1.0, "RV": 1.0}
    assert mean_dice(a, b) == pytest.approx(0.6)


def test_dice_needs_equal_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        dice(np.zeros(3), np.zeros(4))


def test_volumes_in_ml():
    labels = np.repeat([0, 1, 2, 3], [10, 1000, 500, 0])
    assert volumes_ml(labels, (1.0, 2.0, 0.5)) == {"LV": 1.0, "MYO": 0.5, "RV": 0.0}

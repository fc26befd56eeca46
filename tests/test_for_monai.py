"""Eq. 1 as a transform, by MONAI itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Orientationd

from srheart_demo.scan.for_monai import Degraded
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.samples import FOLDER
from srheart_demo.scan.simulate import simulate
from srheart_demo.scan.volume import InvalidVolume

HEART = FOLDER / "healthy_1" / "S_HR.nii.gz"


def chain(*more: object) -> Compose:
    return Compose([LoadImaged("S"), EnsureChannelFirstd("S"), *more]).set_random_state(3)


def test_equals_the_simulation_of_what_was_drawn() -> None:
    data = chain(Degraded("S", (1.0, 4.0), noise=0.1))({"S": HEART, "name": "healthy"})
    assert data["name"] == "healthy"
    assert 1 <= data["S_drawn"]["factor"] <= 4
    expected = simulate(read_short_axis(HEART), **data["S_drawn"])
    np.testing.assert_array_equal(data["S"][0].numpy(), expected.stack.labels)
    np.testing.assert_allclose(data["S"].affine, expected.stack.affine, atol=1e-6)
    torch.testing.assert_close(data["S_d"], expected.d[0])


def test_is_drawn_by_the_seed_of_the_chain_and_replayed_by_what_was_drawn() -> None:
    heart = chain()({"S": HEART})
    one, other = chain(Degraded("S")), chain(Degraded("S"))
    first, second = one({"S": HEART}), one({"S": HEART})
    assert first["S_drawn"] == other({"S": HEART})["S_drawn"] != second["S_drawn"]
    replayed = pickle.loads(pickle.dumps(Degraded("S"))).apply(heart, **second["S_drawn"])
    assert torch.equal(replayed["S"], second["S"])
    assert not torch.equal(first["S"], second["S"])
    assert heart["S"].shape == (1, 64, 128, 128), "apply leaves its input alone"


def test_the_order_of_axes_does_not_matter() -> None:
    """A heart in another order of axes shows the same tissue at the same place in the world."""
    drawn = {"factor": 0.0, "seed": 0}
    here = Degraded("S").apply(chain()({"S": HEART}), **drawn)["S"]
    there = Degraded("S").apply(chain(Orientationd("S", "RAS"))({"S": HEART}), **drawn)["S"]
    for label in (1, 2, 3):
        one, two = (
            (np.argwhere(x[0].numpy() == label).mean(0), np.count_nonzero(x[0].numpy() == label))
            for x in (here, there)
        )
        at = [x.affine[:3, :3].numpy() @ c[0] + x.affine[:3, 3].numpy() for x, c in
              zip((here, there), (one, two), strict=True)]  # fmt: skip
        np.testing.assert_allclose(*at, atol=2.0)
        assert one[1] == pytest.approx(two[1], rel=0.05)


def test_refuses_what_has_no_place_and_what_is_no_heart() -> None:
    with pytest.raises(TypeError, match="no affine"):
        Degraded("S").apply({"S": torch.zeros(1, 64, 128, 128)}, factor=1, seed=0)
    heart = chain()({"S": HEART})
    with pytest.raises(InvalidVolume, match=r"S\.nii: "):
        Degraded("S").apply({"S": heart["S"] * 0}, factor=1, seed=0)
    with pytest.raises(KeyError):
        Degraded("other").apply(heart, factor=1, seed=0)

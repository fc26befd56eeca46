"""Cards of weights and samples carry the header that model hubs read, and it says what they say."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml


@pytest.fixture(scope="module")
def cards(root: Path) -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(root / "docs/site/cards.py")))


def header(path: Path) -> dict:
    return yaml.safe_load(path.read_text("utf-8").split("---\n")[1])


def test_headers_are_made_of_their_cards(cards: SimpleNamespace) -> None:
    weights = {path.name.split(".")[0] for path in cards.WEIGHTS.glob("*.safetensors")}
    assert weights | {"README"} == {path.stem for path in cards.MODELS}
    for path in (*cards.MODELS, cards.SAMPLES):
        assert path.read_text("utf-8") == cards.with_header(path), "python docs/site/cards.py"


def test_a_header_has_the_figures_of_its_card(cards: SimpleNamespace, root: Path) -> None:
    (about,) = header(cards.WEIGHTS / "traits.md")["model-index"]
    assert about["name"] == "traits"
    first, *_, last = about["results"]
    assert (first["task"]["name"], first["dataset"]["name"]) == ("best code", "healthy, 16")
    assert [metric["value"] for metric in first["metrics"]] == [0.992, 0.974, 0.984]
    assert (last["task"]["name"], last["dataset"]["name"]) == (
        "encode and decode",
        "real HR hearts, 6",
    )
    (of_edsr,) = header(cards.WEIGHTS / "edsr" / "README.md")["model-index"]
    assert [result["task"]["name"].split()[-1] for result in of_edsr["results"]] == [
        "none", "normal", "severe"
    ]  # fmt: skip
    (of_betavae,) = header(cards.WEIGHTS / "betavae.md")["model-index"]
    assert len(of_betavae["results"]) == 6, "the weights of others are not its own"
    samples = header(root / "data/sample/README.md")
    assert samples["license"] == header(cards.WEIGHTS / "dcgan.md")["license"] == "mit"
    assert samples["task_categories"] == ["image-segmentation"]

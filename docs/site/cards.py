"""Headers that model hubs read, on the cards of weights and of the samples.

python docs/site/cards.py

What a header says is taken from pyproject.toml and from the tables of the card below it, so that a
figure stands in one place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "srheart_demo" / "heart" / "weights"
MODELS = (*sorted(WEIGHTS.glob("*.md")), WEIGHTS / "edsr" / "README.md")
SAMPLES = ROOT / "srheart_demo" / "scan" / "sample_card.md"
TISSUES = ("LV", "MYO", "RV")
HEADER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
TRIPLE = re.compile(r"(0\.\d+) ?/ ?(0\.\d+) ?/ ?(0\.\d+)")


def without(card: str) -> str:
    """A card less its header."""
    return HEADER.sub("", card)


def with_header(path: Path) -> str:
    """What a card should be."""
    body = without(path.read_text("utf-8"))
    facts = of_samples() if path == SAMPLES else of_model(path, body)
    said = yaml.safe_dump(facts, sort_keys=False, width=110, default_flow_style=None)
    return f"---\n{said}---\n\n{body}"


def common() -> dict[str, Any]:
    """What all cards share."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {"license": project["license"].lower(), "tags": [*project["keywords"], "synthetic data"]}


def of_model(path: Path, body: str) -> dict[str, Any]:
    """The header of weights, with the Dice of each row or column of the tables under Measured."""
    name = path.parent.name if path.name == "README.md" else path.stem
    results = [
        {
            "task": {"type": "image-segmentation", "name": task},
            "dataset": {"type": "label-maps-of-hearts", "name": hearts},
            "metrics": [
                {"type": "dice", "name": f"Dice {tissue}", "value": float(dice)}
                for tissue, dice in zip(TISSUES, figures, strict=True)
            ],
        }
        for task, hearts, figures in measured(body)
    ]
    return {
        **common(),
        "library_name": "srheart_demo",
        "pipeline_tag": "image-segmentation",
        "metrics": ["dice"],
        "model-index": [{"name": name, "results": results}],
    }


def measured(body: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Of each cell with the Dice of these weights: what was done, on which hearts, the three."""
    heads: list[str] = []
    for line in body.split("## Measured")[1].splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        found = [TRIPLE.match(cell) for cell in row]
        if not any(found):
            heads = heads if row[0].startswith("---") else row
        elif not row[0].startswith("the same"):  # By the weights of others
            for head, cell in zip(heads, found, strict=True):
                if cell and found[0]:  # A column for each network of EDSR
                    yield f"super-resolution, motion {head}", "everyone, 30", cell.groups()
                elif cell:
                    yield head, row[0], cell.groups()


def of_samples() -> dict[str, Any]:
    """The header of the samples."""
    return {
        **common(),
        "pretty_name": "Synthetic cardiac short-axis stacks with truth",
        "task_categories": ["image-segmentation"],
        "annotations_creators": ["machine-generated"],
        "size_categories": ["n<1K"],
    }


if __name__ == "__main__":
    for card in (*MODELS, SAMPLES):
        card.write_text(with_header(card), "utf-8")

"""Values that hold arrays or tensors are compared by identity."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import srheart_demo


def dataclasses_of_the_package() -> Iterator[type]:
    for found in pkgutil.walk_packages(srheart_demo.__path__, "srheart_demo."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if is_dataclass(cls) and cls.__module__ == found.name:
                yield cls


@cache
def holds_arrays(kind: Any) -> bool:
    """Whether a type is an array's, or may hold one that its own == would compare."""
    if isinstance(kind, type) and issubclass(kind, np.ndarray | torch.Tensor):
        return True
    if is_dataclass(kind) and isinstance(kind, type):
        return compares(kind) and any(holds_arrays(hint) for hint in hints(kind))
    if typing.get_origin(kind) is Callable:
        return False
    parts = (typing.get_origin(kind), *typing.get_args(kind))
    return any(holds_arrays(part) for part in parts if part is not None and part != kind)


def hints(cls: type) -> Iterator[Any]:
    """Types of a dataclass's fields; Any for those that are imported for type checking only."""
    for field in fields(cls):
        module = vars(inspect.getmodule(cls))
        hint = field.type
        try:
            yield eval(hint, module, {"Any": Any}) if isinstance(hint, str) else hint
        except NameError:
            yield Any


def compares(cls: type) -> bool:
    """Whether == looks at the fields."""
    return cls.__eq__ is not object.__eq__


def test_what_holds_arrays_has_no_equality_that_raises() -> None:
    wrong = [
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in dataclasses_of_the_package()
        if holds_arrays(cls)
    ]
    assert not wrong, "give these eq=False: " + ", ".join(wrong)


@pytest.mark.parametrize("inside", [np.ndarray, torch.Tensor, "list[torch.Tensor] | None"])
def test_arrays_are_found_wherever_they_are(inside: Any) -> None:
    kind = eval(inside) if isinstance(inside, str) else inside
    assert holds_arrays(kind)
    assert holds_arrays(tuple[int, kind])
    assert holds_arrays(dict[str, kind])
    assert not holds_arrays(tuple[int, str])

"""Results of exercises beside the right ones: whether they are the same, and how they differ."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from torch import Tensor


class NotYet(Exception):
    """An exercise is not solved yet; the message tells the learner why."""


def same(a: Any, b: Any, absolute: float = 0.0) -> bool:
    """Whether two results have the same shape and, to rounding, the same values.

    They may differ by `absolute`; by default in proportion to the largest of b, or by 1e-6 if that
    is 0.
    """
    if isinstance(b, tuple):
        several = _several(a)
        if several is None or len(several) != len(b):
            return False
        return all(same(x, y, absolute) for x, y in zip(several, b, strict=True))
    if isinstance(b, str | bool) or isinstance(a, str | bool):
        pair = _plain(a), _plain(b)
        return not any(isinstance(x, Tensor | np.ndarray) for x in pair) and pair[0] == pair[1]
    x, y = _numbers(a), _numbers(b)
    if x is None or y is None or not x.size:
        return False
    if x.shape != y.shape and not x.size == y.size == 1:
        return False
    far = absolute or 1e-4 * float(np.nan_to_num(np.abs(y)).max()) or 1e-6
    relative = 0.0 if absolute else 1e-4
    return bool(np.allclose(x.reshape(y.shape), y, rtol=relative, atol=far, equal_nan=True))


_KINDS: dict[Any, str] = {
    bool | np.bool_: "True or False",
    Tensor: "a tensor",
    np.ndarray: "a numpy array",
    int | float | complex | np.number: "a number",
    str: "a string",
    dict: "a dictionary",
    type(None): "None",
}


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    name = next((name for kind, name in _KINDS.items() if isinstance(value, kind)), "")
    if name:
        return name
    if isinstance(value, tuple | list):
        comma = isinstance(value, tuple) and len(value) == 1
        said = " (is there a comma too many?)" if comma else ""
        return f"a {type(value).__name__} of {len(value)}{said}"
    if callable(value):
        return "a function (is a pair of brackets missing?)"
    return f"a {type(value).__name__}"


def _numbers(value: Any) -> np.ndarray | None:
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    with suppress(Exception):
        array = np.asarray(value)
        return array if array.dtype.kind in "biufc" else None
    return None


def _several(value: Any) -> Sequence[Any] | None:
    """The results that a tuple, a list or one axis of an array holds."""
    if isinstance(value, Tensor | np.ndarray):
        return list(value) if value.ndim == 1 else None
    return value if isinstance(value, tuple | list) else None


def _plain(value: Any) -> Any:
    """Tensors and arrays of one value as that value."""
    numbers = _numbers(value)
    return value if numbers is None or numbers.size != 1 else numbers.item()


def check_kind(a: Any, b: Any, shape: str) -> None:
    """Whether a result is of the kind of the right one; `NotYet` says what is wanted."""
    wanted = kind_of(b)
    x, y = _numbers(a), _numbers(b)
    if isinstance(b, tuple):
        several = _several(a)
        if several is None or len(several) != len(b):
            said = "" if several is None or a is several else f" of {len(several)}"
            asked = shape or f"{len(b)} results are wanted"
            raise NotYet(f"{asked}; you return {kind_of(a)}{said}.")
        for one, other in zip(several, b, strict=True):
            check_kind(one, other, "")
        return
    single = y is not None and y.size == 1 and not isinstance(b, Tensor | np.ndarray)
    if single and isinstance(a, tuple | list):
        raise NotYet(f"{wanted} is wanted, and you return {kind_of(a)}.")
    if single and x is not None and x.size == 1:
        if isinstance(b, bool) != (x.dtype.kind == "b"):
            raise NotYet(f"{wanted} is wanted, and you return {kind_of(_plain(a))}.")
    elif single and x is not None and x.ndim:
        raise NotYet(f"one result is wanted, {wanted}, and you return {kind_of(a)} of {x.size}.")
    elif kind_of(a) != wanted and not (isinstance(b, str) and _several(a) is not None):
        raise NotYet(f"{wanted} is wanted, and you return {kind_of(a)}.")
    if x is None or y is None:
        return
    if x.dtype.kind == "c" and y.dtype.kind != "c":
        raise NotYet("your result is complex, and real numbers are wanted (.real, irfft2).")
    if x.shape != y.shape and not x.size == y.size == 1:
        turned = sorted(x.shape) == sorted(y.shape)
        said = "the same axes in another order:" if turned else "yours is"
        raise NotYet(f"{shape or 'the shape is wrong'}: {y.shape} here, and {said} {x.shape}.")
    if y.dtype.kind == "b" and x.dtype.kind != "b" and y.ndim:
        raise NotYet("True and False are wanted (bool), and yours are numbers.")
    if y.dtype.kind in "iu" and x.dtype.kind in "fb" and y.ndim:
        raise NotYet(f"labels are whole numbers, and yours are {getattr(a, 'dtype', x.dtype)}.")
    if np.isnan(x).any() and not np.isnan(y).any():
        why = "a logarithm or root of a negative number, or 0/0"
        raise NotYet(f"there are NaNs in your result: {why}.")


def relation(found: Sequence[Any], right: Sequence[Any]) -> str:
    """How all results stand to the right ones, if that is simple."""
    xs = [n for n in map(_numbers, found) if n is not None and n.dtype.kind in "iuf"]
    ys = [n for n in map(_numbers, right) if n is not None and n.dtype.kind in "iuf"]
    if not len(xs) == len(ys) == len(found):
        return ""
    x, y = (np.concatenate([n.ravel() for n in ns]).astype(float) for ns in (xs, ys))
    if x.size < 2 or x.size != y.size:
        return ""
    if same(x, -y):
        return "the sign is wrong: all is right but for a minus"
    factor, offset = float(x @ y) / float(y @ y or 1.0), float((x - y).mean())
    if same(x, factor * y) and factor and f"{factor:.4g}" != "1":
        return f"your result is {factor:.4g} times what it should be"
    if same(x - y, np.full_like(y, offset)):
        return f"your result is off by {offset:+.4g} everywhere"
    axes = range(xs[0].ndim)
    turns = [(f"axis {i} runs the other way", partial(np.flip, axis=i)) for i in axes] + [
        (f"axes {i} and {j} have changed places", partial(np.swapaxes, axis1=i, axis2=j))
        for i, j in combinations(axes, 2)
    ]
    pairs = list(zip(xs, ys, strict=True))
    return next((said for said, turn in turns if all(same(a, turn(b)) for a, b in pairs)), "")


def farthest(a: Any, b: Any) -> tuple[int, ...] | None:
    """The entry in which a result is farthest from the right one; None where there are none."""
    x, y = _numbers(a), _numbers(b)
    if x is None or y is None or x.size != y.size:
        return None
    far = np.abs(x.astype(float) - y.astype(float).reshape(x.shape))
    return tuple(map(int, np.unravel_index(int(far.argmax()), far.shape)))


def difference(a: Any, b: Any) -> str:
    """Where a result is farthest from the right one, with as many digits as tell them apart."""
    if isinstance(b, tuple):
        i = [same(x, y) for x, y in zip(a, b, strict=True)].index(False)
        return f"number {i + 1}: {difference(a[i], b[i])}"
    x, y, at = _numbers(a), _numbers(b), farthest(a, b)
    if x is None or y is None or at is None:
        return f"it should be {b}, and you find {_plain(a)}"
    y = y.reshape(x.shape)
    pair = x[at].item(), y[at].item()
    whole = x.dtype.kind in "biu" and y.dtype.kind in "biu"
    digits = (n for n in range(2, 17) if f"{pair[0]:.{n}f}" != f"{pair[1]:.{n}f}")
    n = 17 if whole else next(digits, 17)
    mine, wanted = (str(value) if whole else f"{value:.{n}f}" for value in pair)
    if x.size == 1:
        return f"it should be {wanted}, and you find {mine}"
    share = f"{int((x != y).sum())} of {x.size} labels differ; " if y.dtype.kind in "iu" else ""
    return f"{share}entry [{', '.join(map(str, at))}] should be {wanted} and is {mine}"


def has_changed(a: Any, b: Any) -> bool:
    """Whether an argument is no longer what it was."""
    if isinstance(a, Tensor | np.ndarray):
        return a.shape != b.shape or bool((a != b).any())
    if isinstance(a, dict):
        return a.keys() != b.keys() or any(has_changed(a[key], b[key]) for key in a)
    if isinstance(a, tuple | list):
        return len(a) != len(b) or any(map(has_changed, a, b))
    if is_dataclass(a):
        return any(has_changed(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return isinstance(a, str | int | float) and a != b

"""What a check says: right or not yet, and why. A learner's mistake never becomes a traceback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class NotYet(Exception):
    """An exercise is not solved yet; the message tells the learner why."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer."""

    right: bool
    sentence: str

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}: {self.sentence}"

    def _repr_html_(self) -> str:
        mark, word = ("✓", "Right") if self.right else ("○", "Not yet")
        return f"<p><b>{mark} {word}:</b> {escape(self.sentence)}</p>"


def check(judge: Callable[Concatenate[Any, P], str]) -> Callable[Concatenate[Any, P], Verdict]:
    """Of a judge make a check.

    Args:
        judge: takes the answer; returns a sentence of praise, or raises `NotYet`.

    Returns:
        A function of the same arguments that returns a `Verdict`, whatever the answer does.
    """

    @wraps(judge)
    def checked(answer: Any, *args: P.args, **options: P.kwargs) -> Verdict:
        try:
            return Verdict(True, judge(written(answer, "the answer"), *args, **options))
        except NotYet as reason:
            return Verdict(False, str(reason))
        except Exception as error:
            kind = type(error).__name__
            return Verdict(False, f"your code stopped with {kind}: {str(error).rstrip('.')}.")

    return checked


def written(value: T | None, name: str) -> T:
    """The value, if there is one.

    Raises:
        NotYet: it is None or `...`.
    """
    if value is None or value is ...:
        raise NotYet(f"{name} is still empty; replace the three dots by your code.")
    return value

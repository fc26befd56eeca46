"""What a check says: right or not yet, and why. A learner's mistake never becomes a traceback.

An exercise is its solution and some cases to try it on. What is said of answers is in mistakes.md
beside this module: praise, a hint, and wrong solutions, each with the sentence that names it. What
is common to all exercises (a forgotten return, a wrong type or shape, an exception, a number in
place of an argument, a sign) is found here.
"""

import ast
import dis
import inspect
import linecache
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, partial
from html import escape
from itertools import combinations
from pathlib import Path
from traceback import walk_tb
from types import CodeType, FrameType
from typing import Any

import torch

from srheart_demo.lessons import results
from srheart_demo.lessons.results import NotYet, difference, kind_of, relation

Solution = Callable[..., Any]
Cases = Mapping[str, tuple[Any, ...]]
PAGE = Path(__file__).with_name("mistakes.md")
_EMPTY = "is still empty; replace the three dots by your code."


@dataclass(frozen=True)
class Mark:
    """What a check says of an answer."""

    right: bool
    sentence: str

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}: {self.sentence}"

    def _repr_html_(self) -> str:
        mark, word = ("✓", "Right") if self.right else ("○", "Not yet")
        return f"<p><b>{mark} {word}:</b> {escape(self.sentence)}</p>"


def marked(judge: Callable[[Any], str], answer: Any) -> Mark:
    """What a judge, who praises or raises `NotYet`, says of an answer, whatever that does."""
    try:
        if answer is None or answer is ...:
            raise NotYet(f"the answer {_EMPTY}")
        return Mark(True, judge(answer))
    except NotYet as reason:
        return Mark(False, str(reason))
    except Exception as error:
        return Mark(False, f"your code stopped with {_explained(error)}.")


@dataclass(frozen=True)
class Exercise:
    """An exercise; called with a learner's function it gives the `Mark`.

    `cases` makes the arguments to try it on, anew at each call, by a name ("a lattice of 16
    planes"). They differ from the numbers of the text.
    """

    right: Solution
    cases: Callable[[], Cases]
    same: Callable[[Any, Any], bool] = results.same  # compares two results
    gradient: tuple[str, ...] = ()  # arguments that a gradient of the result must reach

    @cached_property
    def names(self) -> list[str]:
        """The arguments of the solution; those by keyword alone are its room for mistakes."""
        parameters = inspect.signature(self.right).parameters.values()
        return [p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]

    @cached_property
    def said(self) -> Mapping[str, str]:
        """What its section of mistakes.md says of which answers."""
        lesson = self.right.__module__.rpartition(".")[2]
        return sections()[f"{lesson}.{self.right.__name__}({', '.join(self.names)})"]

    @cached_property
    def mistakes(self) -> list[tuple[Solution, str]]:
        """Wrong solutions, each with its sentence; `right` in them is the solution."""
        scope = {**vars(sys.modules[self.right.__module__]), "right": self.right}
        takes = ", ".join(self.names)
        known = [(code, sentence) for code, sentence in self.said.items() if code[0] == "`"]
        return [(eval(f"lambda {takes}: {code[1:-1]}", scope), s) for code, s in known]

    def __call__(self, answer: Any) -> Mark:
        """What there is to say of a learner's function."""
        return marked(self._judge, answer)

    def _judge(self, answer: Any) -> str:
        mine = answer if callable(answer) or self.names else lambda: answer
        _fits(mine, self.names)
        labels = list(self.cases())
        right = [self.right(*self._given(k)) for k in range(len(labels))]
        found: list[Any] = []
        changed: list[str] = []
        for k in range(len(labels)):
            given, kept = self._given(k), self._given(k)
            try:
                found.append(ask(mine, *given))
            except NotYet as reason:
                if self._first_wrong(found, right) is not None:
                    break  # what was wrong before says more
                raise NotYet(self._so_far(k) + str(reason)) from reason
            pairs = zip(self.names, given, kept, strict=True)
            changed += [name for name, a, b in pairs if results.has_changed(a, b)]
        if (wrong := self._first_wrong(found, right)) is not None:
            raise NotYet(self._why(mine, wrong, found, right[: len(found)]))
        self._check_kinds(found, right)
        if changed:
            too = f"`{changed[0]}` is changed too; write into a copy"
            raise NotYet(f"the result is right, but {too}.")
        self._check_gradient(mine)
        if flaw := self._remark("but", 0, found[0], right[0]):
            raise NotYet(flaw)
        return self.said["right"]

    def _given(self, case: int) -> tuple[Any, ...]:
        """The arguments of a case, made anew: whatever got them may have changed them."""
        return list(self.cases().values())[case]

    def _first_wrong(self, found: Sequence[Any], right: Sequence[Any]) -> int | None:
        return next((k for k, a in enumerate(found) if not self.same(a, right[k])), None)

    def _check_kinds(self, found: Sequence[Any], right: Sequence[Any]) -> None:
        for a, b in zip(found, right, strict=True):
            results.check_kind(a, b, self.said.get("shape", ""))

    def _check_gradient(self, mine: Solution) -> None:
        if not self.gradient:
            return
        given = self._given(0)
        inputs = [given[self.names.index(name)].requires_grad_() for name in self.gradient]
        loss = mine(*given).square().sum()
        slopes = torch.autograd.grad(loss, inputs, allow_unused=True) if loss.requires_grad else ()
        if not slopes or any(slope is None or not slope.any() for slope in slopes):
            raise NotYet(self.said["gradient"])

    def _remark(self, kind: str, case: int, found: Any, right: Any, otherwise: str = "") -> str:
        """The first sentence of its section whose condition holds, with its numbers; or none."""
        scope = {**vars(sys.modules[self.right.__module__]), "found": found, "wanted": right}
        scope |= dict(zip(self.names, self._given(case), strict=True))
        scope["at"] = results.farthest(found, right)
        for key, sentence in self.said.items():
            word, _, condition = key.partition(" ")
            if (word == kind and eval(condition[1:-1], scope)) or key == otherwise:
                return str(eval(f"f{sentence!r}", scope))
        return ""

    def _so_far(self, case: int) -> str:
        """What stands before a sentence on a later case, if the earlier ones were right."""
        first, *_ = labels = list(self.cases())
        return f"right for {first}, but not for {labels[case]}: " if case else ""

    def _why(self, mine: Solution, k: int, found: list[Any], right: list[Any]) -> str:
        """What is wrong, seen first in case `k`."""
        if _dots_left(mine):
            return f"the exercise {_EMPTY}"
        # A mistake that explains all cases; else one of them, if it is no yes or no.
        for some in (range(len(found)), [] if isinstance(right[k], bool | str) else [k]):
            for wrong, sentence in (*self.mistakes, *self._swapped()):
                with suppress(Exception):
                    if some and all(self.same(found[i], wrong(*self._given(i))) for i in some):
                        return sentence
        self._check_kinds(found, right)
        label = list(self.cases())[k]
        own = self._remark("when", k, found[k], right[k], "otherwise")
        sentence = own or relation(found, right) or f"for {label} {difference(found[k], right[k])}"
        before = "" if label in sentence else self._so_far(k)
        parts = (sentence, "" if own else self._unused(mine), self.said.get("hint"))
        return before + "; ".join(filter(None, parts)) + "."

    def _swapped(self) -> Iterator[tuple[Solution, str]]:
        """Two arguments taken for one another."""
        for i, j in combinations(range(len(self.names)), 2):
            order = [*range(len(self.names))]
            order[i], order[j] = j, i
            said = f"you take `{self.names[i]}` for `{self.names[j]}`, and the other way round."
            yield lambda *given, order=order: self.right(*(given[k] for k in order)), said

    def _unused(self, mine: Solution) -> str:
        """Whether a number of the text stands in place of an argument."""
        unused = []
        for i, name in enumerate(self.names if len(self.cases()) > 1 else ()):

            def changes(f: Solution, i: int = i) -> bool:
                one, two = self._given(0), self._given(1)
                other = f(*one[:i], two[i], *one[i + 1 :])
                return not self.same(other, f(*self._given(0)))

            with suppress(Exception):
                if changes(self.right) and not changes(mine):
                    unused.append(f"`{name}`")
        return f"your result does not depend on {' and '.join(unused)}" if unused else ""


@cache
def sections() -> dict[str, dict[str, str]]:
    """The sections of mistakes.md, on exercises and on errors: what stands first in a line, and
    what is said of it."""
    parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.M)[1:]
    line = re.compile(r"^- ((?:\w+ )?`.+?`|\w+): (.+)$", re.M)
    return {part.split("\n")[0]: dict(line.findall(part)) for part in parts}


def exercise(cases: Callable[[], Cases], **more: Any) -> Callable[[Solution], Exercise]:
    """Of a solution make its `Exercise`."""
    return lambda right: Exercise(right, cases, **more)


def ask(mine: Solution, *given: Any) -> Any:
    """What a learner's function returns; `NotYet` if it stops, or returns nothing."""
    try:
        found = mine(*given)
    except Exception as error:
        raise NotYet(f"your code stopped with {_explained(error, mine)}.") from error
    if found is not None and found is not ...:
        return found
    if _dots_left(mine):
        raise NotYet(f"the exercise {_EMPTY}")
    if _returns(mine):
        raise NotYet("what you return is None: print() and what works in place give nothing back.")
    raise NotYet("your function returns nothing: is `return` missing?")


def _fits(mine: Solution, names: Sequence[str]) -> None:
    if not callable(mine):
        raise NotYet(f"hand over the function itself, without calling it; this is {kind_of(mine)}.")
    with suppress(ValueError):
        signature = inspect.signature(mine)
        try:
            signature.bind(*names)
        except TypeError as error:
            taken = ", ".join(signature.parameters)
            raise NotYet(
                f"your function is called with ({', '.join(names)}), and it takes ({taken})."
            ) from error


def _code(mine: Solution) -> CodeType | None:
    while isinstance(mine, partial):
        mine = mine.func
    return getattr(mine, "__code__", None)


def _dots_left(mine: Solution) -> bool:
    """Whether nothing is written yet, or `...` stands where code should."""
    code = _code(mine)
    if code is None:
        return False
    idle = {"RESUME", "NOP", "CACHE", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    if {i.opname for i in dis.get_instructions(code)} <= idle:
        return set(code.co_consts) <= {None, ..., mine.__doc__}
    with suppress(Exception):
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
        dots = (n.value for n in ast.walk(tree) if isinstance(n, ast.Expr))
        return any(isinstance(n, ast.Constant) and n.value is ... for n in dots)
    return False


def _returns(mine: Solution) -> bool:
    """Whether a function has a `return` of something."""
    code = _code(mine)
    steps = list(dis.get_instructions(code)) if code else []
    ends = [i for i, step in enumerate(steps) if step.opname == "RETURN_VALUE"]
    return not steps or any(steps[i - 1].argval is not None for i in ends)


def _explained(error: Exception, mine: Solution | None = None) -> str:
    """An exception, the learner's line, and what was done in it."""
    said = str(error).rstrip(".").split("\n")[0]
    code = _code(mine) if mine else None
    steps = list(walk_tb(error.__traceback__))
    own = [i for i, (f, _) in enumerate(steps) if code and f.f_code.co_filename == code.co_filename]
    where, why = "", ""
    if own:
        frame, number = steps[own[-1]]
        line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        where = f" in the line `{line}`" if line else f" in line {number}"
        why = "".join(_misused(f) for f, _ in steps[own[-1] + 1 : own[-1] + 2])
    rules = sections()["errors"].items()
    known = (sentence for pattern, sentence in rules if re.search(pattern[1:-1], said))
    return f"{type(error).__name__}{where}: {why or next(known, '{said}').format(said=said)}"


def _misused(frame: FrameType) -> str:
    """Whether a function of the library was given its arguments in another order."""
    function = frame.f_globals.get(frame.f_code.co_name)
    if not inspect.isfunction(function) or function.__code__ is not frame.f_code:
        return ""
    parameters = inspect.signature(function).parameters
    for name, parameter in parameters.items():
        wanted, value = parameter.annotation, frame.f_locals.get(name)
        wanted = wanted.strip("'\"") if isinstance(wanted, str) else getattr(wanted, "__name__", "")
        kinds = {c.__name__ for c in type(value).__mro__}
        if wanted in ("Tensor", "Stack", "Problem", "Plane") and wanted not in kinds:
            call = f"{function.__name__}({', '.join(parameters)})"
            return f"`{call}` wants a {wanted} as `{name}`, and you hand it {kind_of(value)}"
    return ""

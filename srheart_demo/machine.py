"""What computing takes of a machine: one thread, no memory that is not in use, and packages."""

import ctypes
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread here, and on as many as before afterwards.

    And with gradients and in float32, whatever the caller has set. For solving: its operations are
    too small to share. Two threads gain a seventh on an idle machine, and where another program
    needs a core they wait for each other, busily, at up to ten times the processor time. Serves as
    a decorator too.
    """
    import torch  # The dashboard's first picture would wait for it.

    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)


def give_back() -> None:
    """Hand freed memory back, where the C library would keep it (glibc); takes 3 ms.

    An iteration's arrays come and go; glibc keeps their room, some 45 MB for each of a server's
    kernels.
    """
    trim = _malloc("malloc_trim")
    if trim is not None:
        trim(0)


def keep_little() -> None:
    """Keep no more than 32 MB of freed memory (glibc), of all threads together.

    Unless it is told, it keeps for each thread twice as much as the largest array that ever was.
    With 8 MB a slider's change takes up to a quarter longer.
    """
    tell = _malloc("mallopt")
    if tell is not None:
        for what, value in ((_ARENAS, 1), (_MAPPED_FROM, 2**24), (_TRIMMED_FROM, 2**25)):
            tell(what, value)


_TRIMMED_FROM, _MAPPED_FROM, _ARENAS = -1, -3, -8  # Of `mallopt`


@cache
def _malloc(name: str) -> "ctypes._NamedFuncPointer | None":
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, name, None)


def installed(needs: Iterable[str], extra: str) -> Iterator[tuple[Any, str | None]]:
    """Requirements that hold with an extra, each with the version that is there, or None."""
    from packaging.requirements import Requirement

    for need in map(Requirement, needs):
        if not need.marker or need.marker.evaluate({"extra": extra}):
            try:
                yield need, metadata.version(need.name)
            except metadata.PackageNotFoundError:
                yield need, None

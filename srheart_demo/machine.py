"""What computing takes of a machine: one thread, and no memory that is not in use."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread here, and on as many as before afterwards.

    For solving: its operations are too small to share. Two threads gain a seventh on an idle
    machine, and where another program needs a core they wait for each other, busily, at up to ten
    times the processor time. Serves as a decorator too.
    """
    import torch  # The dashboard's first picture would wait for it.

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def give_back() -> None:
    """Hand freed memory back, where the C library would keep it (glibc); takes 3 ms.

    An iteration's arrays come and go; glibc keeps their room, some 45 MB for each of a server's
    kernels.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> "ctypes._NamedFuncPointer | None":
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return getattr(library, "malloc_trim", None)

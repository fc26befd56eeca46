"""A kernel's memory: what is freed goes back to the system."""

import ctypes
import sys
from functools import cache


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

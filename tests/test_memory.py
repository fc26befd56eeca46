"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import re
from srheart_demo.memory import give_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1e3

kept = [bytes(100_000) for _ in range(1000)]
last = kept.pop()
full = resident()
del kept
before = resident()
give_back()
print(full, before, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do it by themselves")
def test_what_is_freed_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    full, before, after = map(float, told.stdout.split())
    assert before > full - 10, "what is freed is given back anyway"
    assert after < before - 50

"""Where a lesson opens without installing, once README.md has the owner's address."""

from __future__ import annotations

import re

SERVICES = {
    "Binder": "https://mybinder.org/v2/gh/{repository}/HEAD?labpath={lesson}",
    "Colab": "https://colab.research.google.com/github/{repository}/blob/main/{lesson}",
}


def addresses(readme: str, lesson: str) -> dict[str, str]:
    """Service → address of a lesson; none while README's line of ``git clone`` names no host.

    The lesson is its path in the repository, which lies on GitHub.
    """
    found = re.search(r"^git clone https://github\.com/([\w.-]+/[\w-]+)", readme, re.MULTILINE)
    if not found:
        return {}
    return {
        name: address.format(repository=found[1], lesson=lesson)
        for name, address in SERVICES.items()
    }

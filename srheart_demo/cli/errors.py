"""What a user can put right."""

from collections.abc import Iterable


class BadInput(Exception):
    """One sentence that names the input, says what is wrong and what to do."""


def check_populations(names: Iterable[str]) -> None:
    """Refuse names that no population has.

    Raises:
        BadInput: with the known ones.
    """
    from srheart_demo.population import POPULATIONS

    if unknown := set(names) - set(POPULATIONS):
        raise BadInput(
            f"--population: unknown {', '.join(sorted(unknown))}; known: {', '.join(POPULATIONS)}."
        )

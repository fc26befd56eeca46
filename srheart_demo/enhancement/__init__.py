"""A scan of one's own: restored, checked, written; a cycle, a folder of them."""

from srheart_demo.files import catalogue

SENTENCES = catalogue(__file__, "sentences.toml")


def refusal(key: str, **facts: object) -> str:
    """A sentence of `refusals` in sentences.toml, with its facts."""
    return str(SENTENCES["refusals"][key].format(**facts))

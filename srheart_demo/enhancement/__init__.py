"""A scan of one's own: restored, checked, written; a cycle, a folder of them."""

from srheart_demo.files import read_toml

WORDING = read_toml(__file__, "sentences.toml")


def sentence(key: str, **facts: object) -> str:
    """A sentence of `refusals` in sentences.toml, with its facts."""
    return str(WORDING["refusals"][key].format(**facts))

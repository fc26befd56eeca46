"""A state's text as what follows the address of a page, and back."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

MARK = "#state="
"""What the packed text follows."""
MOST_TEXT = 2**20
"""Characters of a text: of a link of strangers no more is unpacked."""


def link_of(text: str) -> str:
    """The link of a text."""
    return MARK + urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def text_of(link: str) -> str:
    """The text of a link, with its address or without; what is no link, as it is.

    Raises:
        ValueError: the link is broken.
    """
    _, mark, packed = link.strip().rpartition(MARK)
    if not mark:
        return link
    try:
        data = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        return zlib.decompressobj().decompress(data, MOST_TEXT).decode()
    except zlib.error as error:
        raise ValueError("the link is broken") from error

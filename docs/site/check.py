"""What a built site would ask of other hosts, and where its links lead nowhere.

    python docs/site/check.py FOLDER

Links that a reader follows to other hosts are left alone; nobody fetches them here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"src", "srcset", "poster", "data", "background"}
"""Attributes of whatever tag whose address a browser loads by itself, as it does that of a link."""
IN_STYLES = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")
IN_SCRIPTS = re.compile(
    r"""(?:\bfrom|\bimport|\bimport\s*\(|\bfetch\s*\(|\bsrc\s*=)\s*["'`]((?:https?:)?//[^"'`]+)"""
)
ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
METADATA = {"canonical", "prev", "next", "author", "license"}
"""Links in a head that name an address, which no browser loads."""


class Page(HTMLParser):
    """A page's addresses, and the names of its parts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses and the name of a tag."""
        self._within = tag
        known = {name: value for name, value in attrs if value}
        self.loaded += [known[name] for name in LOADED & known.keys()]
        self.loaded += IN_STYLES.findall(known.get("style", ""))
        self.names |= {known[name] for name in ("id", "name") if name in known}
        if tag == "link" and known.get("rel", "").lower() not in METADATA:
            self.loaded.append(known.get("href", ""))
        elif tag in ("image", "use"):
            self.loaded += [known[name] for name in ("href", "xlink:href") if name in known]
        elif tag == "a" and "href" in known:
            self.links.append(known["href"])

    def handle_endtag(self, tag: str) -> None:
        """What follows lies in no style and no script."""
        self._within = ""

    def handle_data(self, data: str) -> None:
        """Keep the addresses in styles and scripts."""
        if self._within == "style":
            self.loaded += IN_STYLES.findall(data)
        elif self._within == "script":
            self.loaded += IN_SCRIPTS.findall(data)


def faults(site: Path) -> Iterator[str]:
    """A sentence for each address that a browser would load from another host, and for each link
    into the site that leads to no file, or to no part of a page."""
    texts = {path.resolve(): path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: Page(text) for path, text in texts.items()}
    for path, page in pages.items():
        name = path.relative_to(site.resolve()).as_posix()
        for address in page.loaded:
            if ELSEWHERE.match(address):
                yield f"{name}: loads {address} from another host"
        for address in page.links + [one for one in page.loaded if not one.startswith("data:")]:
            to = urlsplit(address)
            if to.scheme or to.netloc:
                continue
            file = (path.parent / unquote(to.path)).resolve() if to.path else path
            if file.is_dir():
                file /= "index.html"
            if not file.is_file():
                yield f"{name}: {address} leads to no file"
            elif to.fragment and file in pages and unquote(to.fragment) not in pages[file].names:
                yield f"{name}: {address} leads to no part of that page"
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.js"), *site.rglob("*.svg")]):
        pattern = IN_STYLES if path.suffix == ".css" else IN_SCRIPTS
        for address in pattern.findall(path.read_text("utf-8")):
            if ELSEWHERE.match(address):
                yield f"{path.relative_to(site).as_posix()}: loads {address} from another host"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    sys.exit("\n".join(found) or None)

"""What do the pages put first? Read from a page as it is served, and held against what was planted."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec

from insights.scenarios.scenario import Shown


class StandsFirst(HTMLParser):
    """What a page says stands out.

    Attributes
    ----------
    first : dict of str to list of str
        What it is said of -> what surely stands out there, the most remarkable first; empty where nothing does.
    is_computed : bool
        Whether all that the page asks has been answered.

    >>> page = StandsFirst()
    >>> page.feed('<p data-of="hours" data-first="[&quot;07&quot;]">After 07:00.</p>')
    >>> page.first, page.is_computed
    ({'hours': ['07']}, True)
    """

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, list[str]] = {}
        self.is_computed = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser calls it so
        """See html.parser."""
        named = dict(attrs)
        self.is_computed &= "data-computing" not in named
        if (of := named.get("data-of")) and (first := named.get("data-first")):
            self.first[of] = msgspec.json.decode(first, type=list[str])


def seen_on(page: StandsFirst, shown: Shown) -> bool:
    """Return whether a page puts first what is to be seen on it, in whatever order where it is more than one."""
    wanted = shown.named or shown.first
    return set(page.first.get(shown.of, [])[: len(wanted)]) == set(wanted)

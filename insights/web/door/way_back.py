"""Where does somebody go after they signed in? To the page that they had asked for, if it is one of ours."""

from __future__ import annotations

import re

FIRST = "/"
MOST = 2_000
"""Longest way back, in characters: more than any page with all its filters."""
_PART = r"[A-Za-z0-9._~!$&'()*+,;=:@%-]+"
_OURS = re.compile(rf"/(?:{_PART}(?:/{_PART})*/?)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
"""A path and a query as RFC 3986 writes them. So no backslash, which browsers read as a slash, no blank and no control character, which they skip, and
no two slashes in a row, which would begin another host."""
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
_NOT_AGAIN = ("/sign-in", "/sign-out")


def way_back(asked: str) -> str:
    r"""Return the way back that was asked for, or the first page.

    >>> way_back("/person/ann?lang=zh"), way_back("//evil.example"), way_back("/\\evil.example"), way_back("https://evil.example")
    ('/person/ann?lang=zh', '/', '/', '/')
    """
    ours = len(asked) <= MOST and _OURS.fullmatch(asked) and not _DOTS.search(asked.partition("?")[0])
    return asked if ours and not asked.startswith(_NOT_AGAIN) else FIRST

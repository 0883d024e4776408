"""How does a report become one file to send? Its head, and behind it the page Today and chosen boards, with charts and style; it asks nothing of any server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from insights.web.frame import templates
from insights.web.printed import printed
from insights.web.report.told import Told
from insights.words import Lang, words


def html_of(told: Told, got: Callable[[str], str], lang: Lang, boards: Sequence[str] = (), gone: Sequence[str] = ()) -> str:
    """Return a report as one HTML document.

    Parameters
    ----------
    got : callable
        Gives what the page at a path shows; see `insights.web.report.inside`.
    boards, gone : sequence of str
        Names of the boards that follow, and of those that were chosen and are not there any more.
    """
    first = templates().get_template("report.html").render(w=words(lang), told=told, lang=lang, gone=gone)
    pages = ["/today", *(f"/boards/{quote(name)}" for name in boards)]
    return printed(got, lang, first, pages, title=told.heading(words(lang)))

"""How does a report become one file to send? Its head, and the page Today behind it, with charts and style; it asks nothing of any server."""

from __future__ import annotations

from collections.abc import Callable

from insights.web.frame import templates
from insights.web.printed import printed
from insights.web.report.told import Told
from insights.words import Lang, words

PAGES = ("/today",)


def html_of(told: Told, got: Callable[[str], str], lang: Lang) -> str:
    """Return a report as one HTML document.

    Parameters
    ----------
    got : callable
        Gives what the page at a path shows; see `insights.web.report.inside`.
    """
    first = templates().get_template("report.html").render(w=words(lang), told=told, lang=lang)
    return printed(got, lang, first, PAGES, title=told.heading(words(lang)))

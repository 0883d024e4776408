"""How does a chart stand alone, as in a mail or a saved file? With its title above it, and what it shows, as of when."""

from __future__ import annotations

import re

from markupsafe import Markup

from insights.charts.measure import shortened
from insights.charts.svg import Size, drawing, text

MARGIN, ABOVE = 16, 52
"""Margins on three sides, and above, px."""
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def with_heading(chart: Markup, title: str, note: str) -> Markup:
    """Return a chart of this package with its title and a note above it.

    Parameters
    ----------
    chart : Markup
    title : str
    note : str
        What it shows, and as of when.
    """
    found = _SIZE.search(chart)
    if found is None:
        raise ValueError("not a chart of this package: it has no view box")
    size = Size(float(found[1]) + 2 * MARGIN, float(found[2]) + ABOVE + MARGIN)
    room = size.width - 2 * MARGIN
    body = [
        text(MARGIN, 24, shortened(title, room, 14), fill="ink", size=14, weight=600),
        text(MARGIN, 42, shortened(note, room)),
        str(chart).replace("<svg ", f'<svg x="{MARGIN}" y="{ABOVE}" ', 1),
    ]
    return drawing(size, "".join(body), title=title, desc=note)

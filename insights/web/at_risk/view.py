"""The page At risk, put together: one board and one look into the past make everything that is shown, so its figures cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from insights.live.board import Board, Listed
from insights.live.listing import Filters, Sums, chosen, known_topics, sums, what_leaves_nobody
from insights.past.past import Past
from insights.web.at_risk.asked import PARAMETERS, picks
from insights.web.at_risk.before import look_back
from insights.web.at_risk.figures import OverTime, Right, Share, band_shares, over_time, right, tiles, topic_shares
from insights.web.at_risk.rows import Row, channel_named, row_of, topic_said
from insights.web.filters import Pick
from insights.web.frame import Link
from insights.web.saying import Saying
from insights.web.tile import Tile
from stream.shown import visible

A_PAGE = 25
"""Rows of one page: with charts and figures it weighs some 70 kB."""


class NoMatch(NamedTuple):
    """The filters that leave nobody, in words, and for each a link without it."""

    filters: str
    links: list[tuple[str, str]]


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/at_risk.html`."""

    persons: bool
    picks: list[Pick]
    text: str
    tiles: list[Tile]
    rows: list[Row]
    shown: int
    open: int
    part: str
    pages: str
    before: str
    after: str
    no_match: NoMatch | None
    sorted: str
    as_of: str
    again: str
    csv: str
    stream: str
    ended: str
    bands: list[Share]
    topics: list[Share]
    days: OverTime | None
    right: Right


class View(NamedTuple):
    """What the page is of.

    Attributes
    ----------
    number : int
        Which page of the list, from 1 on.
    persons : bool
        Whether persons are shown.
    threshold : float
        What a risk must reach for an alert, 0 to 1.
    link : callable
        This address with some filters changed.
    """

    board: Board
    wanted: Filters
    number: int
    persons: bool
    threshold: float
    link: Link
    say_it: Saying


class Part(NamedTuple):
    """One page of a list: its rows, its number, of how many, and the place of its first row, from 1 on."""

    rows: Sequence[Listed]
    number: int
    of: int
    first: int


def part_of(rows: Sequence[Listed], number: int) -> Part:
    """Return a page of a list; the last one if it has fewer, since a list gets shorter while somebody reads it."""
    of = max(1, -(-len(rows) // A_PAGE))
    number = min(number, of)
    first = (number - 1) * A_PAGE
    return Part(rows[first : first + A_PAGE], number, of, first + 1)


def page_of(view: View, past: Past) -> Page:
    """Put the page together."""
    board, wanted, link, say_it, w = view.board, view.wanted, view.link, view.say_it, view.say_it.w
    everybody = chosen(board, wanted)
    part, every = part_of(everybody, view.number), sums(everybody)
    is_open = board.open_count(wanted.definition)
    definition = next(one for one in say_it.spec.definitions if one.name == wanted.definition)
    users = [row.alert.user for row in part.rows] if view.persons else []
    before = look_back(past, definition, say_it.spec.lateness_ms, say_it.as_of_ms, is_open, users)
    first_ms = min((row.alert.valid_until_ms for row in board.rows.values() if row.alert.definition == wanted.definition), default=None)
    query = query_of(wanted)

    def without(name: str) -> Sums:
        """Add up as if a filter were not set: the card that sets it says what each of its choices would show."""
        return sums(chosen(board, wanted.without(name))) if getattr(wanted, name) else every

    return Page(
        persons=view.persons,
        picks=[one for one in picks(wanted, known_topics(board.rows.values()), say_it) if view.persons or one.name != "sort"],
        text=wanted.text,
        tiles=tiles(every, before, first_ms, wanted, definition, say_it),
        rows=[row_of(row, before.lines.get(row.alert.user, ()), say_it) for row in part.rows] if view.persons else [],
        shown=len(everybody),
        open=is_open,
        part=_part_said(part, len(everybody), say_it),
        pages=w.t("page of", page=part.number, pages=part.of) if part.of > 1 else "",
        before=link(page=part.number - 1 if part.number > 2 else None) if part.number > 1 else "",
        after=link(page=part.number + 1) if part.number < part.of else "",
        no_match=None if everybody else _no_match(view),
        sorted=w.t("at_risk.list", sort=w.t(f"sort.{wanted.sort}")),
        as_of=w.moment(say_it.as_of_ms, say_it.zone),
        again=link(page=None),
        csv=f"/at-risk.csv?{query}",
        stream=f"/at-risk/stream?{query}&since={board.number}",
        ended=f"/at-risk/ended?{query}&since={board.number}",
        bands=band_shares(without("band"), view.threshold, wanted, link, say_it),
        topics=topic_shares(without("topic"), wanted, link, say_it),
        days=over_time(before.days, wanted, say_it),
        right=right(before.judged, first_ms, wanted, say_it),
    )


def query_of(wanted: Filters) -> str:
    """Return filters as an address has them."""
    named = {PARAMETERS[name]: getattr(wanted, name) for name in PARAMETERS}
    return urlencode({**{name: value for name, value in named.items() if value}, "sort": wanted.sort})


def _part_said(part: Part, of: int, say_it: Saying) -> str:
    if part.of == 1:
        return say_it.w.t("people", n=of)
    return say_it.w.t("at_risk.part", first=part.first, last=part.first + len(part.rows) - 1, n=of)


def _no_match(view: View) -> NoMatch | None:
    names = what_leaves_nobody(view.board, view.wanted)
    if not names:
        return None
    w = view.say_it.w
    said = {name: _filter_said(name, view.wanted, view.say_it) for name in names}
    links = [(w.t("at_risk.without", filter=one), view.link(**{PARAMETERS[name]: None, "page": None})) for name, one in said.items()]
    return NoMatch(w.list_of(said.values()), links)


def _filter_said(name: str, wanted: Filters, say_it: Saying) -> str:
    match name:
        case "channel":
            return channel_named(wanted.channel, say_it.w)
        case "band":
            return say_it.w.t(f"band.{wanted.band}")
        case "topic":
            return topic_said(wanted.topic, say_it)
        case _:
            return f"“{visible(wanted.text)}”"

"""The report as one picture, for a mail or a chat: what stands first on the page Today, drawn without a browser."""

from __future__ import annotations

from collections.abc import Sequence

from insights.charts.png import png
from insights.charts.sheet import Column, Sheet, chips
from insights.web.crowd.lost import Lost
from insights.web.crowd.segments import Segment
from insights.web.report.changes import Change
from insights.web.report.told import Told
from insights.web.tile import Tile
from insights.words import Lang, Words, words

COLOURS = {True: "good", False: "bad", None: "ink3"}
"""Of what is good, bad, and neither."""
COLUMNS = (80.0, 130.0, 120.0)
"""Widths of people, money and silence of a segment, px."""


def picture_of(told: Told, lang: Lang) -> bytes:
    """Return the report as a PNG.

    Raises
    ------
    insights.charts.png.NoFont
        If no font can write it, with what to install.
    """
    return png(svg_of(told, lang), "light", zoom=2)


def svg_of(told: Told, lang: Lang) -> str:
    """Return the picture as a drawing, its colours by name."""
    w, sheet, page = words(lang), Sheet(), told.page
    _head(sheet, told, w)
    _changed(sheet, told.changes, told.since, w)
    if page.tiles:
        _tiles(sheet, page.tiles)
    _charts(sheet, told, w)
    if page.four:
        _tiles(sheet, page.four)
    _below(sheet, told, w)
    return str(sheet.drawn(told.heading(w), page.sentence))


def _head(sheet: Sheet, told: Told, w: Words) -> None:
    top = sheet.column()
    top.say(told.heading(w), size=26, fill="ink", weight=600, after=8)
    if told.page.sentence:
        top.say(told.page.sentence, size=17, fill="ink", after=6)
    if told.page.more:
        top.say(told.page.more, size=13)
    for said in told.known(w):
        top.say(said, size=12, fill="ink3", after=0)
    sheet.put(top)


def _changed(sheet: Sheet, changes: Sequence[Change] | None, since: str, w: Words) -> None:
    (card,) = sheet.cards(1)
    if changes is None:
        card.say(w.t("report.first"), size=13)
    else:
        card.say(since, size=14, fill="ink", weight=600, after=6)
        for one in changes:
            card.say(one.said, size=13, fill="ink", sign=(one.sign, COLOURS[one.good]))
        if not changes:
            card.say(w.t("report.unchanged"), size=13)
    sheet.put_cards([card])


def _tiles(sheet: Sheet, tiles: Sequence[Tile]) -> None:
    cards = sheet.cards(len(tiles))
    for card, tile in zip(cards, tiles, strict=True):
        card.say(tile.name, size=12, fill="ink2", weight=600)
        card.say(f"{tile.value}  ", size=26, fill="ink", weight=600, after=2)
        if tile.beside:
            card.say(tile.beside, size=12, fill="ink3", after=2)
        if tile.change:
            card.say(tile.change, size=12, fill=COLOURS[tile.good], weight=600, after=2)
        card.say(tile.about, size=12, fill="ink3", after=0)
    sheet.put_cards(cards)


def _charts(sheet: Sheet, told: Told, w: Words) -> None:
    page = told.page
    shown = [
        (w.t("crowd.rates"), w.t("crowd.rates.short"), None if page.rates is None else page.rates.chart),
        (w.t("crowd.flows"), "" if page.flows is None else page.flows.sentence, None if page.flows is None else page.flows.chart),
    ]
    cards = sheet.cards(2)
    for card, (title, about, chart) in zip(cards, shown, strict=True):
        if chart is not None:
            card.say(title, size=14, fill="ink", weight=600)
            card.say(about or " ", size=12, fill="ink3", after=8)
    top = max(card.y for card in cards)
    for card, (_, _, chart) in zip(cards, shown, strict=True):
        card.y = top
        if chart is not None:
            card.draw(chart.wide)
    sheet.put_cards(cards)


def _below(sheet: Sheet, told: Told, w: Words) -> None:
    page = told.page
    cards = [card for card, there in zip(sheet.cards(2), (page.stops or page.silence, page.segments), strict=True) if there]
    if page.stops or page.silence:
        card = cards[0]
        card.say(w.t("crowd.lost"), size=14, fill="ink", weight=600, after=8)
        _lost(card, page.stops_are, page.stops)
        _lost(card, w.t("crowd.lost.silence"), page.silence)
    if page.segments:
        _segments(cards[-1], page.segments, w)
    if cards:
        sheet.put_cards(cards)


def _lost(card: Column, heading: str, places: Sequence[Lost]) -> None:
    if places:
        card.say(heading, size=12, fill="ink2", weight=600, after=6)
    for one in places:
        chips(card, one.nodes)
        card.say(f"{one.said} · {one.about}", size=12, fill="ink3", after=8)


def _segments(card: Column, segments: Sequence[Segment], w: Words) -> None:
    card.say(w.t("crowd.who"), size=14, fill="ink", weight=600, after=8)
    heads = [w.t("crowd.customers"), w.t("metric.revenue_share"), w.t("metric.fell_silent")]
    card.row(w.t("crowd.segment"), heads, widths=COLUMNS, strong=True)
    for one in segments:
        card.row(one.name, [one.people, one.revenue, f"{one.silent} ({one.sure})" if one.sure else one.silent], widths=COLUMNS)

"""Who is at risk now: page by page, as one file, or as figures only? From the board and by the filters of the page At risk, so no number can differ."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from churnwatch.answers import AtRisk, AtRiskPage, Sums
from insights.live.board import Listed
from insights.live.listing import Filters, Sort, chosen, placing, sums
from insights.live.people import channel_names
from insights.past.bands import BandName
from insights.web.api import cursors, examples
from insights.web.api.behind import Behind
from insights.web.api.operation import Operation
from insights.web.api.problems import wrong
from insights.web.api.reasons import codes_of
from insights.web.api.risk import Definition, place_of
from insights.web.at_risk.asked import ALL_TOPICS
from insights.web.at_risk.files import csv_of, download, name_of
from insights.web.filters import LONGEST
from insights.web.parts import Parts, as_of, spec_of

MOST_ROWS = 1_000


class PeopleAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which people."""

    definition: Definition = None
    channel: Annotated[str | None, Meta(description="only people of this acquisition channel; `none` and `other` are channels, too")] = None
    band: Annotated[BandName | None, Meta(description="only people in this band of risk")] = None
    reason: Annotated[
        str | None, Meta(description="only people with a reason about this", extra_json_schema={"enum": [*ALL_TOPICS, None]})
    ] = None


class ListAsked(PeopleAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which people, and in which order."""

    q: Annotated[str, Meta(max_length=LONGEST, description="only people whose id has this in it, in upper or lower case")] = ""
    sort: Annotated[Sort, Meta(description="by risk, by value at risk, the newest alerts first, or the least time left first")] = "risk"


class PageAsked(ListAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which people, in which order, and how many at a time."""

    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS, description="people on a page, at most")] = 200
    cursor: Annotated[str, Meta(max_length=4_096, description="`next_cursor` of the page before, with the same filters")] = ""


async def at_risk(behind: Behind, _request: Request, asked: PageAsked) -> AtRiskPage:
    """Page through everybody with an open alert. If the list changes between two pages, only whose own place has moved may be skipped or come twice.

    Before you send anything, ask `risk`: it is read at that moment, and this list is a moment old.
    """
    return await asyncio.to_thread(_page, behind.parts, asked)


async def at_risk_csv(behind: Behind, _request: Request, asked: ListAsked) -> Response:
    """Get everybody who passes the filters as one file. No cell of it is a formula to a spreadsheet."""
    return await asyncio.to_thread(_file, behind.parts, asked)


async def at_risk_sums(behind: Behind, _request: Request, asked: PeopleAsked) -> Sums:
    """Get the figures of the page and nobody's id: how many people are at risk, how many of them are likely to leave, what they would spend, and why."""
    return await asyncio.to_thread(_sums, behind.parts, asked)


def _page(parts: Parts, asked: PageAsked) -> AtRiskPage:
    wanted = _filters(parts, asked, asked.q, asked.sort)
    rows, place = chosen(parts.keeper.board, wanted), placing(wanted.sort)
    begin = 0
    if asked.cursor:
        last = cursors.read(asked.cursor, wanted)
        begin = next((at for at, row in enumerate(rows) if place(row) > last), len(rows))
    shown = rows[begin : begin + asked.limit]
    return AtRiskPage(
        as_of_ms=as_of(parts, parts.engine.view()),
        total=len(rows),
        people=list(map(_person, shown)),
        next_cursor=cursors.written(place(shown[-1]), wanted) if begin + asked.limit < len(rows) else None,
    )


def _file(parts: Parts, asked: ListAsked) -> Response:
    wanted = _filters(parts, asked, asked.q, asked.sort)
    return download(csv_of(chosen(parts.keeper.board, wanted)), name_of(wanted, as_of(parts, parts.engine.view()), "csv"))


def _sums(parts: Parts, asked: PeopleAsked) -> Sums:
    found = sums(chosen(parts.keeper.board, _filters(parts, asked)))
    return Sums(
        as_of_ms=as_of(parts, parts.engine.view()),
        people=found.people,
        leaving=round(found.leaving, 4),
        plus_minus=round(found.plus_minus, 4),
        value=found.value,
        spenders=found.spenders,
        judged=found.judged,
        bands={str(name): count for name, count in found.bands.items()},
        reasons=dict(found.topics),
    )


def _filters(parts: Parts, asked: PeopleAsked, text: str = "", sort: Sort = "risk") -> Filters:
    spec = spec_of(parts.engine.view(), parts.settings)
    for name, value, known in (("channel", asked.channel, channel_names(spec)), ("reason", asked.reason, ALL_TOPICS)):
        if value is not None and value not in known:
            raise wrong(f"address.{name}", f"there is no {name} {value!r}; there are: {', '.join(known)}")
    return Filters(
        definition=spec.definitions[place_of(spec, asked.definition)].name,
        channel=asked.channel or "",
        band=asked.band or "",
        topic=asked.reason or "",
        text=text.strip(),
        sort=sort,
    )


def _person(row: Listed) -> AtRisk:
    alert = row.alert
    return AtRisk(
        user=alert.user,
        definition=alert.definition,
        alert_id=alert.alert_id,
        risk=row.risk,
        band=row.band,
        channel=row.known.channel,
        worth=row.worth,
        value=row.value,
        last_active_ms=row.known.last_active_ms,
        opened_ms=alert.landmark_ms,
        valid_until_ms=alert.valid_until_ms,
        reasons=alert.reasons,
        reason_codes=codes_of(alert),
    )


OPERATIONS = (
    Operation(
        name="at_risk",
        path="/at-risk",
        summary="Everybody at risk",
        scope="read:people",
        asked=PageAsked,
        answers=AtRiskPage,
        words="A page of the list.",
        example=examples.AT_RISK,
        does=at_risk,
    ),
    Operation(
        name="at_risk_csv",
        path="/at-risk.csv",
        summary="Everybody at risk, as a file",
        scope="read:people",
        asked=ListAsked,
        answers={"text/csv": "UTF-8 with a header; times are UTC, an unknown number is empty"},
        words="The list.",
        example=examples.AT_RISK_CSV,
        does=at_risk_csv,
    ),
    Operation(
        name="at_risk_sums",
        path="/at-risk/sums",
        summary="How many are at risk, and why",
        scope="read:aggregates",
        asked=PeopleAsked,
        answers=Sums,
        words="The figures.",
        example=examples.SUMS,
        does=at_risk_sums,
    ),
)

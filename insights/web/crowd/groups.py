"""The page Groups, put together: how the active people of each week come about, customers by what they bought, kinds of people, and what they will spend."""

from __future__ import annotations

from typing import NamedTuple

from insights.web.crowd.behind import Behind
from insights.web.crowd.flows import Flows, in_and_out
from insights.web.crowd.found import Found, as_of_said
from insights.web.crowd.kinds import Kinds, Value, kinds_of, value_of
from insights.web.crowd.questions import FLOW_UNITS, SCHEMES, VALUE_DAYS, OfGroups
from insights.web.crowd.segments import Segment, segments
from insights.web.filters import Pick
from insights.words import Words


class Answers(NamedTuple):
    """What was found; None while an answer is not there yet."""

    lifecycle: Found | None
    rfm: Found | None
    clusters: Found | None
    value: Found | None


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/groups.html`."""

    picks: list[Pick]
    flows: Flows | None
    segments: list[Segment]
    kinds: Kinds | None
    value: Value | None
    as_of: list[str]


def page_of(asked: OfGroups, answers: Answers, currency: str, w: Words, behind: Behind) -> Page:
    """Put the page together."""
    known = next((one for one in answers if one is not None), None)
    return Page(
        picks=[
            Pick("unit", w.t("crowd.cohorts_by"), [(one, w.t(f"crowd.cohorts_by.{one}")) for one in FLOW_UNITS], asked.unit, ""),
            Pick("scheme", w.t("groups.scheme"), [(one, w.t(f"groups.scheme.{one}")) for one in SCHEMES], asked.scheme, ""),
        ],
        flows=None if answers.lifecycle is None else in_and_out(answers.lifecycle, w, asked.unit, all_active=True),
        segments=[] if answers.rfm is None else segments(answers.rfm, asked.rfm, currency, w, behind),
        kinds=None if answers.clusters is None else kinds_of(answers.clusters, currency, w, behind),
        value=None if answers.value is None else value_of(answers.value, currency, VALUE_DAYS, w),
        as_of=[] if known is None else as_of_said(known, w),
    )

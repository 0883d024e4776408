"""The page Journeys, put together: a funnel whose steps stand in the address, the ways through a visit, and what stands before a silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from insights.charts.svg import Drawn
from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, as_of_said
from insights.web.crowd.funnel import Asked, Step, groups_of, steps_of, tiles_of, worst_groups, worst_step
from insights.web.crowd.hours import Hour, hours_of, worst_hours
from insights.web.crowd.lost import window_said
from insights.web.crowd.paths import DEPTH, Before, before_of, ways_of
from insights.web.crowd.standing import Finding
from insights.web.filters import Pick
from insights.web.tile import Tile
from insights.words import Words
from stream.shown import visible

WINDOWS = ("7d", "1d", "14d", "30d", "90d", "same_day")
MOST_STEPS = 6
LEAST_STEPS = 2
GUESSED = 4
"""Steps of a funnel that nobody has chosen, at most."""
PATHS: Mapping[str, object] = {"depth": DEPTH, "limit": 6}


class Answers(NamedTuple):
    """What was found; None while an answer is not there yet."""

    funnel: Found | None
    groups: Found | None
    paths: Found | None
    silence: Found | None
    hours: Found | None = None


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/journeys.html`."""

    steps: list[str]
    empty: int
    known: list[str]
    picks: list[Pick]
    by: str
    guessed: bool
    tiles: list[Tile]
    funnel: list[Step]
    worst_step: Finding | None
    window: str
    worst_groups: Finding | None
    groups: Drawn | None
    group_heads: list[str]
    group_rows: list[list[str]]
    ways: Drawn | None
    way_heads: list[str]
    way_rows: list[list[str]]
    before: list[Before]
    worst_hours: Finding | None
    hours: list[Hour]
    as_of: list[str]


def page_of(asked: Asked, known: Sequence[str], answers: Answers, w: Words, behind: Behind, *, guessed: bool) -> Page:
    """Put the page together.

    Parameters
    ----------
    known : sequence of str
        What people do, for the form.
    guessed : bool
        Whether nobody has chosen the steps.
    """
    any_of = next((one for one in answers if one is not None), None)
    groups, group_heads, group_rows = (None, [], []) if answers.groups is None else groups_of(answers.groups, asked, w)
    drawn, way_heads, way_rows = (None, [], []) if answers.paths is None else ways_of(answers.paths, w)
    return Page(
        steps=[visible(step) for step in asked.steps],
        empty=max(0, min(1, MOST_STEPS - len(asked.steps))) if len(asked.steps) >= LEAST_STEPS else LEAST_STEPS - len(asked.steps),
        known=[visible(one) for one in known],
        picks=[
            Pick(
                "window",
                w.t("journeys.window"),
                [(one, w.t("journeys.within", window=window_said(one, w))) for one in WINDOWS],
                asked.window,
                "",
            )
        ],
        by=asked.by,
        guessed=guessed,
        tiles=[] if answers.funnel is None else tiles_of(answers.funnel, asked, w, behind),
        funnel=[] if answers.funnel is None else steps_of(answers.funnel, asked, w, behind),
        worst_step=None if answers.funnel is None else worst_step(answers.funnel, w),
        window=w.t("journeys.funnel.is", window=window_said(asked.window, w)),
        worst_groups=None if answers.groups is None else worst_groups(answers.groups, asked, w),
        groups=groups,
        group_heads=group_heads,
        group_rows=group_rows,
        ways=drawn,
        way_heads=way_heads,
        way_rows=way_rows,
        before=[] if answers.silence is None else before_of(answers.silence, w, behind),
        worst_hours=None if answers.hours is None else worst_hours(answers.hours, w),
        hours=[] if answers.hours is None else hours_of(answers.hours, w),
        as_of=[] if any_of is None else as_of_said(any_of, w),
    )


def usual_steps(found: Found) -> tuple[str, ...]:
    """Return the steps that most people take one after the other, of the analysis `transitions`: for a funnel that nobody has chosen.

    >>> rows = [("open", "view", 9), ("view", "open", 3), ("view", "buy", 2)]
    >>> usual_steps(Found([{"metric": "people", "source": a, "target": b, "value": n} for a, b, n in rows], None))
    ('open', 'view', 'buy')
    """
    links = sorted(((row["value"], row["source"], row["target"]) for row in found.of("people")), reverse=True)
    if not links:
        return ()
    steps = [links[0][1]]
    while len(steps) < GUESSED:
        following = next((target for _, source, target in links if source == steps[-1] and target not in steps), None)
        if following is None:
            break
        steps.append(following)
    return tuple(steps)


def names_of(found: Found) -> list[str]:
    """Return everything people do, the most frequent first, of the analysis `transitions`."""
    sizes: dict[str, float] = defaultdict(float)
    for row in found.of("people"):
        for end in ("source", "target"):
            sizes[row[end]] = max(sizes[row[end]], row["value"])
    return sorted(sizes, key=lambda name: (-sizes[name], name))

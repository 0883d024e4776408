"""Do people stay who were invited by others, and do those stay who invite? Followed day by day.

Who invited somebody is told of them: the newest value of a trait that `identify` tells, or a field of their first event. The invited, and the others, are followed from their first day;
whoever invites from the day on which the first of theirs came. Back on day k is active on that very day of the calendar; only people whose day k is over count in it. Whoever invited
themselves was invited by nobody.

People who were there before the log is complete are in neither the invited nor the others: nobody knows when they came.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import polars as pl

from insights.analyses.analysis import NONE, Analysis, Cell, Metric, Note, Result
from insights.analyses.crowd import Crowd
from insights.analyses.days import active_sql
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group
from insights.analyses.interval import difference, wilson
from insights.analyses.match import Bound
from insights.analyses.spans import day_starts, instant
from stream.faults import UsageFault

ROLES = {"invited_back": "invited", "others_back": "others", "inviters_back": "inviters"}
"""Metric of who came back -> whom it follows."""


class Inviters(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/inviters.py`."""

    inviter: str = "traits.invited_by"
    on_days: tuple[int, ...] = (1, 7, 30)
    activity: str = ""
    since: str | None = None
    until: str | None = None
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    by: str | None = None
    limit: int = LIMIT


def run(crowd: Crowd, asked: Inviters) -> Result:
    """Return of each group how many were invited and how many invite, and for each day the shares that were back and by how much more the invited were."""
    every = people(crowd, asked)
    parts = [_counts(every), *(_back(crowd, every, k) for k in asked.on_days)]
    rows = pl.concat(parts, how="diagonal_relaxed").sort("group", "k", maintain_order=True)
    censored = crowd.left_censored()
    notes = (Note("note.left_censored", {"n": censored}),) if censored else ()
    return INVITERS.result(crowd, asked, rows, notes)


def people(crowd: Crowd, asked: Inviters) -> pl.DataFrame:
    """Return whom to follow, and when they were back.

    Returns
    -------
    pl.DataFrame
        `user`, `role` (invited, others, inviters; an inviter is in two), `entered` (number of the day from which they are followed), `invited` (how many they invited; null of the others),
        `back` (list of the days k on which they were active), `group` (null without a breakdown).

    Raises
    ------
    UsageFault
        If a field or a day cannot be read, or a day k is not after the first.
    """
    if min(asked.on_days, default=1) < 1:
        raise UsageFault("on_days must be 1 or more, got {got}", got=min(asked.on_days))
    bound, unit = Bound(), crowd.unit("day")
    starts = day_starts(crowd, asked.since, asked.until) or [0, 0]
    first, last = bound(unit.number(instant(starts[0]))), bound(unit.number(instant(starts[-1])) - 1)
    since = bound(crowd.as_of.complete_from or datetime(1, 1, 1, tzinfo=UTC))
    found = crowd.frame(
        f"""
        WITH active AS ({active_sql(crowd, unit, asked.activity, bound, asked.where, asked.without)}),
        firsts AS (SELECT user, min(unit) AS entered FROM active GROUP BY user),
        told AS ({first_value_sql(asked.inviter, bound)}),
        new AS (
            SELECT firsts.user AS user, entered, CASE WHEN grp <> '{NONE}' AND grp <> firsts.user THEN grp END AS inviter
            FROM firsts LEFT JOIN told ON told.user = firsts.user
            WHERE firsts.user IN (SELECT user FROM users WHERE first_ts >= {since}::TIMESTAMPTZ)
        ),
        inviting AS (
            SELECT inviter AS user, min(entered) AS entered, count(*) AS invited FROM new WHERE inviter IN (SELECT user FROM firsts) GROUP BY inviter
        ),
        followed AS (
            SELECT user, CASE WHEN inviter IS NULL THEN 'others' ELSE 'invited' END AS role, entered, NULL AS invited FROM new
            UNION ALL SELECT user, 'inviters', entered, invited FROM inviting
        )
        SELECT
            followed.user AS user, role, CAST(entered AS BIGINT) AS entered, CAST(invited AS BIGINT) AS invited,
            list_sort(list(CAST(unit - entered AS BIGINT)) FILTER (WHERE unit > entered)) AS back
        FROM followed LEFT JOIN active ON active.user = followed.user AND list_contains({bound(list(asked.on_days))}, unit - entered)
        WHERE entered BETWEEN {first} AND {last}
        GROUP BY followed.user, role, entered, invited ORDER BY role, user
        """,
        bound.values,
    ).with_columns(pl.col("back").cast(pl.List(pl.Int64)).fill_null([]))
    if asked.by is None:
        return found.with_columns(group=pl.lit(None, pl.String))
    bound = Bound()
    found = found.join(crowd.frame(first_value_sql(asked.by, bound), bound.values), on="user", how="left", maintain_order="left")
    found = found.with_columns(pl.col("grp").fill_null(NONE))
    sizes = found.filter(pl.col("role") != "inviters").group_by("grp").len().rows()
    return found.with_columns(named("grp", kept(sizes, asked.limit)).alias("group"))


def _counts(every: pl.DataFrame) -> pl.DataFrame:
    """Return how many were invited, how many invite, and how many people each of these brought."""
    counted = every.group_by("group").agg(
        *((pl.col("role") == role).sum().cast(pl.Float64).alias(role) for role in ("invited", "inviters")),
        pl.col("invited").mean().alias("each"),
    )
    people, done, none = pl.col("inviters").cast(pl.Int64), pl.lit("complete"), pl.lit(None, pl.Int64)
    known = pl.when(pl.col("each").is_null()).then(pl.lit("none")).otherwise(done)
    return pl.concat(
        [
            counted.select("group", k=none, metric=pl.lit("invited_people"), n=pl.lit(None, pl.Int64), value="invited", state=done),
            counted.select("group", k=none, metric=pl.lit("inviter_people"), n=pl.lit(None, pl.Int64), value="inviters", state=done),
            counted.select("group", k=none, metric=pl.lit("invited_each"), n=people, value="each", state=known),
        ]
    )


def _over(crowd: Crowd, every: pl.DataFrame, k: int) -> pl.Series:
    """Return of each whether their day k is over."""
    unit = crowd.unit("day")
    ends = {day: crowd.knows(unit.start(day + k + 1)) for day in every["entered"].unique().to_list()}
    return pl.Series("over", [ends[day] for day in every["entered"].to_list()], pl.Boolean)


def _back(crowd: Crowd, every: pl.DataFrame, k: int) -> pl.DataFrame:
    """Return the rows of one day k."""
    judged = every.with_columns(_over(crowd, every, k), pl.col("back").list.contains(k).alias("is_back"))
    roles = {role: (pl.col("role") == role) & pl.col("over") for role in ROLES.values()}
    counted = judged.group_by("group").agg(
        *(is_in.sum().cast(pl.Int64).alias(f"of_{role}") for role, is_in in roles.items()),
        *((is_in & pl.col("is_back")).sum().cast(pl.Int64).alias(role) for role, is_in in roles.items()),
        *(((pl.col("role") == role) & ~pl.col("over")).any().alias(f"open_{role}") for role in roles),
    )
    parts = []
    for metric, role in ROLES.items():
        n, back = pl.col(f"of_{role}"), pl.col(role)
        parts.append(_row(counted, metric, k, back / pl.when(n > 0).then(n), n, wilson(back, n), pl.col(f"open_{role}")))
    value, low, high = difference(*(pl.col(name) for name in ("invited", "of_invited", "others", "of_others")))
    both, is_open = pl.col("of_invited") + pl.col("of_others"), pl.col("open_invited") | pl.col("open_others")
    return pl.concat([*parts, _row(counted, "invited_against_others", k, value, both, (low, high), is_open)])


def _row(
    counted: pl.DataFrame, metric: str, k: int, value: pl.Expr, n: pl.Expr, interval: tuple[pl.Expr, pl.Expr], is_open: pl.Expr
) -> pl.DataFrame:
    state = pl.when(value.is_null()).then(pl.lit("none")).when(is_open).then(pl.lit("open")).otherwise(pl.lit("complete"))
    return counted.select(
        "group",
        metric=pl.lit(metric),
        k=pl.lit(k, pl.Int64),
        n=n,
        value=value.cast(pl.Float64),
        low=interval[0],
        high=interval[1],
        state=state,
    )


def behind(crowd: Crowd, asked: Inviters, cell: Cell) -> pl.DataFrame:
    """Return the people whom a number counts: of a share those who were back, of the difference the invited ones; with the day from which they are followed and how many they invited."""
    every = people(crowd, asked)
    roles = {**ROLES, "invited_against_others": "invited", "invited_people": "invited"}
    role = roles.get(cell.metric, "inviters")
    if cell.metric in {*ROLES, "invited_against_others"}:
        if cell.k is None:
            raise UsageFault("name a day: `--users k=N`, from 1 on")
        every = every.filter(pl.col("back").list.contains(cell.k) & _over(crowd, every, cell.k))
    unit = crowd.unit("day")
    found = of_group(every, cell.group, lambda: people(crowd, asked)).filter(pl.col("role") == role).sort("user")
    days = pl.Series("entered", [unit.label(day) for day in found["entered"].to_list()], pl.String)
    return found.select("user", days, *(("invited",) if role == "inviters" else ()))


INVITERS = Analysis(
    name="inviters",
    parameters=Inviters,
    run=run,
    metrics=(
        Metric("invited_back", "share"),
        Metric("others_back", "share"),
        Metric("invited_against_others", "points"),
        Metric("inviters_back", "share"),
        Metric("invited_people", "people"),
        Metric("inviter_people", "people"),
        Metric("invited_each", "number"),
    ),
    behind=behind,
    example=("inviters", "--on-days", "1", "--on-days", "7"),
)

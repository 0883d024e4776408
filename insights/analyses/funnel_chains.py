"""What can be asked of a funnel, and the best chain of each user: how far they came, when they did each step, whether they may still go on.

SQL says which steps each event fits; the compiled pass of `passes/funnel.py` finds the chain (docs/decisions/0022).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import NONE
from insights.analyses.crowd import Crowd
from insights.analyses.days import events_sql
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_user
from insights.analyses.labels import labels, labels_sql
from insights.analyses.match import Bound, field_sql, match_of, match_sql
from insights.analyses.passes.chains import FOREVER
from insights.analyses.passes.funnel import ORDERS, Shape, best_chains
from insights.analyses.passes.matching import MOST_STEPS
from insights.analyses.passes.timelines import people, timelines
from insights.analyses.spans import day_starts, instant, micros, micros_of
from insights.history.tables import RESERVED
from stream.faults import UsageFault

NOT_REACHED = "(not reached)"
"""Group of who did not reach the step whose value tells the groups apart."""
SAME_DAY = "same_day"
_EXCLUSION = re.compile(r"^(\d+)-(\d+):(.*)$", re.DOTALL)


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/analyses.py`."""

    steps: tuple[str, ...]
    window: str = "7d"
    since: str | None = None
    until: str | None = None
    order: Literal["ordered", "strict", "any"] = "ordered"
    among: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    first_entry: bool = False
    where: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    by: str | None = None
    by_step: int = 1
    limit: int = LIMIT
    by_day: bool = False


def chains(crowd: Crowd, asked: Funnel) -> pl.DataFrame:
    """Return the chain of each user who entered, by day of entry if that is asked.

    Returns
    -------
    pl.DataFrame
        `user`, `cohort` (day of entry, or null), `reached` (steps done; 0: excluded), `t1`, `t2`, ... (microseconds, null if not reached; `t1` always),
        `ripe` (whether nothing that comes can take them further), `group` (null without a breakdown).
    """
    _check(asked)
    steps = len(asked.steps)
    days = day_starts(crowd, asked.since, asked.until)
    if not days:
        return _finished(crowd, asked, _frame(steps))
    window = FOREVER if asked.window == SAME_DAY else micros_of(asked.window)
    by_day = asked.by_day or asked.window == SAME_DAY
    exclude = [_exclusion(text, steps) for text in asked.exclude]
    shape = Shape(
        steps=steps,
        order=ORDERS.index(asked.order),
        window=window,
        cuts=np.array(days if by_day else [days[0], days[-1]], np.int64),
        within_period=asked.window == SAME_DAY,
        first_entry=asked.first_entry,
        exclude=np.array([between for between, _ in exclude], np.int64).reshape(-1, 2),
        value_step=asked.by_step - 1,
    )
    bound = Bound()
    picked = _picked_sql(
        crowd, asked, [match for _, match in exclude], days[0], days[-1] + (0 if asked.window == SAME_DAY else window), bound
    )
    none = np.empty(0, np.int32)
    parts = [_frame(steps)]
    for lines in timelines(crowd, picked, bound.values):
        found = best_chains(lines, lines.more.get("spoil", none), lines.more.get("value", none), shape)
        parts.append(
            pl.DataFrame(
                {
                    "who": lines.who[found.line],
                    "period": found.period,
                    "reached": found.reached,
                    **{f"t{k + 1}": found.times[:, k] for k in range(steps)},
                    "deadline": found.deadline,
                    "value": found.value,
                }
            )
        )
    whole = pl.concat(parts)
    if by_day and not asked.by_day:  # the best of a user's days
        best = pl.struct(-pl.col("reached"), *(pl.col(f"t{k + 1}") for k in range(steps)))
        whole = whole.with_columns(pl.col("deadline").max().over("who")).sort("who", best).unique("who", keep="first", maintain_order=True)
    return _finished(crowd, asked, whole)


def _frame(steps: int) -> pl.DataFrame:
    names = ("who", "period", "reached", *(f"t{k + 1}" for k in range(steps)), "deadline", "value")
    return pl.DataFrame(schema=dict.fromkeys(names, pl.Int64))


def _check(asked: Funnel) -> None:
    if not 1 <= len(asked.steps) <= MOST_STEPS:
        raise UsageFault("a funnel has 1 to {most} steps, got {got}", most=MOST_STEPS, got=len(asked.steps))
    if asked.exclude and asked.order != "ordered":
        raise UsageFault('exclude needs order "ordered": in order "{order}" a chain has no place for what comes between', order=asked.order)
    if asked.among and asked.order != "strict":
        raise UsageFault('among says which types may not lie between steps; it needs order "strict"')
    if not 1 <= asked.by_step <= len(asked.steps):
        raise UsageFault("by_step must be a step from 1 to {last}, got {got}", last=len(asked.steps), got=asked.by_step)


def _exclusion(text: str, steps: int) -> tuple[tuple[int, int], str]:
    """Read ``2-3:refund``: the steps between which (0 is the first), and which events; without steps between the first and the last."""
    found = _EXCLUSION.match(text)
    first, last, match = (int(found[1]), int(found[2]), found[3]) if found else (1, steps, text)
    if not 1 <= first < last <= steps:
        raise UsageFault(
            "exclude {text!r}: write two steps from 1 to {steps}, the lower first, and which events, as in 1-2:refund",
            text=text,
            steps=steps,
        )
    return (first - 1, last - 1), match


def _picked_sql(crowd: Crowd, asked: Funnel, exclude: list[str], begin: int, end: int, bound: Bound) -> str:
    """Return the SQL of the events that matter: their steps as bits, their exclusions as bits, the number of their value."""

    def bits(matches: tuple[str, ...] | list[str]) -> str:
        cases = (
            f"CASE WHEN {match_sql(match_of(match), crowd.as_of.activity, bound)} THEN {1 << k} ELSE 0 END"
            for k, match in enumerate(matches)
        )
        return " + ".join(cases)

    grp = f", {_value_sql(asked, bound)} AS grp" if _by_value(asked) else ""
    spoil = f", {bits(exclude)} AS spoil" if exclude else ""
    matters = "code <> 0 OR spoil <> 0" if exclude else "code <> 0"
    if asked.order == "strict":  # what lies between matters too
        matters = (
            f"code <> 0 OR type IN ({', '.join(map(bound, asked.among))})"
            if asked.among
            else f"type NOT IN ({', '.join(map(bound, RESERVED))})"
        )
    bounds = f"epoch_us(ts) >= {bound(begin)} AND epoch_us(ts) <= {bound(end)}"
    coded = f"""
        SELECT user, epoch_us(ts) AS us, type, {bits(asked.steps)} AS code{spoil}{grp}
        FROM {events_sql(asked.where, asked.without, bound)}
        WHERE {bounds}
    """
    columns = f"user, us, code{', spoil' if exclude else ''}"
    if not _by_value(asked):
        return f"SELECT {columns} FROM ({coded}) WHERE {matters}"
    return f"""
        WITH coded AS ({coded})
        SELECT {columns}, coalesce(number, -1) AS value
        FROM coded LEFT JOIN ({labels_sql(_value_sql(asked, bound))}) AS labels ON labels.label = coded.grp
        WHERE {matters}
    """


def _by_value(asked: Funnel) -> bool:
    """Whether groups are values of events: all but the channel, which is a user's first, and what is told of a user."""
    return asked.by is not None and asked.by != "channel" and not of_user(asked.by)


def _value_sql(asked: Funnel, bound: Bound) -> str:
    return f"nullif({field_sql(asked.by or '', bound)}, '')"


def _finished(crowd: Crowd, asked: Funnel, found: pl.DataFrame) -> pl.DataFrame:
    """Put names to numbers: users, days, groups; what was not reached is null."""
    known = -1 if crowd.as_of.watermark is None else micros(crowd.as_of.watermark)
    days = day_starts(crowd, asked.since, asked.until)
    unit = crowd.unit("day")
    names = {k: unit.label(unit.number(instant(start))) for k, start in enumerate(days)} if asked.by_day else {}
    users = people(crowd)
    found = found.with_columns(
        users.gather(found["who"]).alias("user"),
        pl.col("period").replace_strict(names, default=None, return_dtype=pl.String).alias("cohort"),
        (pl.col("deadline") < known).alias("ripe"),
        *(pl.when(pl.col("reached") > k).then(pl.col(f"t{k + 1}")).alias(f"t{k + 1}") for k in range(1, len(asked.steps))),
        _group(crowd, asked, found).alias("group"),
    )
    return found.drop("who", "period", "deadline", "value").sort("user", "cohort")


def _group(crowd: Crowd, asked: Funnel, found: pl.DataFrame) -> pl.Series:
    """Return each row's group: the largest by name, by their entrants, the others together."""
    if asked.by is None:
        return pl.Series("group", [None] * found.height, pl.String)
    bound = Bound()
    if _by_value(asked):
        names = dict(enumerate(labels(crowd, _value_sql(asked, bound), bound))) | {-1: NONE, -2: NOT_REACHED}
        group = found.select(pl.col("value").replace_strict(names, return_dtype=pl.String))
    else:
        users = pl.DataFrame({"user": people(crowd).gather(found["who"])})
        group = users.join(
            crowd.frame(first_value_sql(asked.by, bound), bound.values), on="user", how="left", maintain_order="left"
        ).select("grp")
    group = group.select(pl.first().alias("group"))
    entrants = group.filter(found["reached"] > 0).filter(pl.col("group") != NOT_REACHED).group_by("group").len().rows()
    keep = [*kept(entrants, asked.limit), NOT_REACHED]
    return group.select(named("group", keep).alias("group"))["group"]

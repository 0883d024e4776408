"""What people say, beside what they do: scores by group, and who left of those who gave a low one, a middling one, a high one.

Feedback is events of the type `feedback`: a survey, a review, a ticket, sent by whichever system has it. It is never activity (docs/decisions/0023): nobody comes back by being written
about. Each person counts once, by their first feedback with a score in the range (else by their first): the first does not know what came after, as a last one before a silence would.

Leaving is no activity within the horizon after it, once that is over, of those who had been active in the horizon before it. Whoever had not was gone already, as people are who answer
a survey on why they left: they have a number of their own.
"""

from __future__ import annotations

import msgspec
import polars as pl

from insights.analyses.analysis import NONE, Analysis, Cell, Metric, Result
from insights.analyses.crowd import PLACE, Crowd
from insights.analyses.groups import LIMIT, first_value_sql, kept, named, of_group, of_user, value_sql
from insights.analyses.interval import Z, difference, wilson
from insights.analyses.landmarks import horizon_micros, known_micros
from insights.analyses.match import Bound, field_sql, match_of, match_sql
from insights.analyses.spans import day_starts
from stream.faults import UsageFault

LEVELS = ("low", "middle", "high")


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/feedback.py`."""

    feedback: str = "feedback"
    score: str = "value"
    low: float = 2.0
    high: float = 4.0
    since: str | None = None
    until: str | None = None
    without: tuple[str, ...] = ()
    by: str | None = None
    limit: int = LIMIT


def run(crowd: Crowd, asked: Feedback) -> Result:
    """Return of each group how many said something, their mean score, the shares of low and high ones, who was gone before, and who left by score; the largest group first."""
    told = people(crowd, asked)
    scored, level = pl.col("level").is_not_null(), pl.col("level")
    judged = scored & pl.col("was_there") & pl.col("over")
    table = told.group_by("group").agg(
        pl.len().cast(pl.Int64).alias("people"),
        scored.sum().cast(pl.Int64).alias("scored"),
        pl.col("score").mean().alias("mean"),
        pl.col("score").std().alias("deviation"),
        (scored & ~pl.col("was_there")).sum().cast(pl.Int64).alias("gone"),
        *((level == one).sum().cast(pl.Int64).alias(one) for one in LEVELS),
        *((judged & (level == one)).sum().cast(pl.Int64).alias(f"of_{one}") for one in LEVELS),
        *((judged & (level == one) & ~pl.col("came")).sum().cast(pl.Int64).alias(f"left_{one}") for one in LEVELS),
        *(((level == one) & pl.col("was_there") & ~pl.col("over")).any().alias(f"open_{one}") for one in LEVELS),
    ).sort(-pl.col("people"), "group")  # fmt: skip
    n, half = pl.col("scored"), Z * pl.col("deviation") / pl.col("scored").sqrt()
    none, done = pl.lit(None, pl.Float64), pl.lit(value=False)
    parts = [
        _said(table, "feedback_people", pl.col("people"), None, (none, none), done),
        _said(table, "mean_score", pl.col("mean"), "scored", (pl.col("mean") - half, pl.col("mean") + half), done),
        *(_said(table, f"{one}_score", pl.col(one) / n, "scored", wilson(pl.col(one), n), done) for one in ("low", "high")),
        _said(table, "gone_before", pl.col("gone") / n, "scored", wilson(pl.col("gone"), n), done),
    ]
    for one in LEVELS:
        left, of = pl.col(f"left_{one}"), pl.col(f"of_{one}")
        parts.append(_said(table, f"left_{one}", left / of, f"of_{one}", wilson(left, of), pl.col(f"open_{one}")))
    value, low, high = difference(*(pl.col(name) for name in ("left_low", "of_low", "left_high", "of_high")))
    both = table.with_columns((pl.col("of_low") + pl.col("of_high")).alias("of_both"))
    parts.append(_said(both, "left_low_against_high", value, "of_both", (low, high), pl.col("open_low") | pl.col("open_high")))
    return FEEDBACK.result(crowd, asked, pl.concat(parts))


def _said(
    table: pl.DataFrame, metric: str, value: pl.Expr, n: str | None, interval: tuple[pl.Expr, pl.Expr], is_open: pl.Expr
) -> pl.DataFrame:
    """Return the rows of a metric; a share of nobody is not known."""
    value = value.cast(pl.Float64)
    known = value if n is None else pl.when(pl.col(n) > 0).then(value)
    state = pl.when(known.is_null()).then(pl.lit("none")).when(is_open).then(pl.lit("open")).otherwise(pl.lit("complete"))
    of = pl.lit(None, pl.Int64) if n is None else pl.col(n)
    return table.select("group", metric=pl.lit(metric), n=of, value=known, low=interval[0], high=interval[1], state=state)


def people(crowd: Crowd, asked: Feedback) -> pl.DataFrame:
    """Return who gave feedback in the range.

    Returns
    -------
    pl.DataFrame
        `user`, `said_at`, `score` (null without one), `level` (low, middle, high, or null), `was_there` (active in the horizon before), `over` (whether the horizon after is), `came` (active in it),
        `group` (null without a breakdown).

    Raises
    ------
    UsageFault
        If a field, a match or a day cannot be read, or no score is middling.
    """
    if asked.low >= asked.high:
        raise UsageFault("low must be below high, got {low} and {high}", low=asked.low, high=asked.high)
    bound = Bound()
    starts = day_starts(crowd, asked.since, asked.until) or [0, 0]
    score = f"TRY_CAST({field_sql(asked.score, bound)} AS DOUBLE)"
    is_own = asked.by is not None and asked.by != "channel" and not of_user(asked.by)
    value = value_sql(asked.by or "", bound) if is_own else "NULL"
    others = f" AND user NOT IN ({', '.join(map(bound, asked.without))})" if asked.without else ""
    horizon, known = bound(horizon_micros(crowd)), known_micros(crowd)
    found = crowd.frame(
        f"""
        WITH told AS (
            SELECT user, ts, epoch_us(ts) AS us, CASE WHEN isfinite({score}) THEN {score} END AS score, {PLACE} AS place, {value} AS grp
            FROM events WHERE {match_sql(match_of(asked.feedback), crowd.as_of.activity, bound)}{others}
        ),
        firsts AS (
            SELECT user, ts AS said_at, us, score, CAST(grp AS VARCHAR) AS grp FROM told WHERE us >= {bound(starts[0])} AND us < {bound(starts[-1])}
            QUALIFY row_number() OVER (PARTITION BY user ORDER BY score IS NULL, place) = 1
        ),
        active AS (SELECT user, epoch_us(ts) AS acted FROM events WHERE {match_sql(match_of(""), crowd.as_of.activity, bound)})
        SELECT
            firsts.user AS user, said_at, score, grp, us + {horizon} < {bound(-(2**62) if known is None else known)} AS over,
            coalesce(bool_or(acted > us - {horizon} AND acted <= us), FALSE) AS was_there, coalesce(bool_or(acted > us AND acted <= us + {horizon}), FALSE) AS came
        FROM firsts LEFT JOIN active ON active.user = firsts.user GROUP BY firsts.user, said_at, us, score, grp ORDER BY user
        """,
        bound.values,
    )
    level = pl.when(pl.col("score") <= asked.low).then(pl.lit("low")).when(pl.col("score") >= asked.high).then(pl.lit("high"))
    found = found.with_columns(pl.when(pl.col("score").is_not_null()).then(level.otherwise(pl.lit("middle"))).alias("level"))
    if asked.by is None:
        return found.with_columns(group=pl.lit(None, pl.String))
    if not is_own:
        bound = Bound()
        found = found.drop("grp").join(
            crowd.frame(first_value_sql(asked.by, bound), bound.values), on="user", how="left", maintain_order="left"
        )
        found = found.with_columns(pl.col("grp").fill_null(NONE))
    return found.with_columns(named("grp", kept(found.group_by("grp").len().rows(), asked.limit)).alias("group"))


def behind(crowd: Crowd, asked: Feedback, cell: Cell) -> pl.DataFrame:
    """Return the people whom a number counts, with their score and when they gave it: of a share those who fit, of the mean those with a score."""
    every = people(crowd, asked)
    found, level = of_group(every, cell.group, lambda: every), pl.col("level")
    left = pl.col("was_there") & pl.col("over") & ~pl.col("came")
    fits = {
        "mean_score": level.is_not_null(),
        "gone_before": level.is_not_null() & ~pl.col("was_there"),
        "left_low_against_high": (level == "low") & left,
        **{f"{one}_score": level == one for one in LEVELS},
        **{f"left_{one}": (level == one) & left for one in LEVELS},
    }
    if cell.metric in fits:
        found = found.filter(fits[cell.metric])
    return found.select("user", "score", "said_at").sort("user")


FEEDBACK = Analysis(
    name="feedback",
    parameters=Feedback,
    run=run,
    metrics=(
        Metric("feedback_people", "people"),
        Metric("mean_score", "number"),
        Metric("low_score", "share"),
        Metric("high_score", "share"),
        Metric("gone_before", "share"),
        *(Metric(f"left_{one}", "share") for one in LEVELS),
        Metric("left_low_against_high", "points"),
    ),
    behind=behind,
    example=("feedback", "--by", "props.kind"),
)

"""What did a release do? How many more came again than their risk had promised, less what such promises were off by in the weeks before; and plainly, before and after.

A risk is said before anybody knew of the release, so each person is their own control, and an answer is there within days. Where nobody was judged, only before and after are
compared, which a holiday moves as well. Of a campaign no effect is stated: it chose whom it went to, and without a hold-out nobody knows how others like them went on.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Column, Metric, Note, Result
from insights.analyses.crowd import Crowd
from insights.analyses.release import Release, release_of
from insights.analyses.release_people import held, is_over, plain
from insights.analyses.resampled import Floats, interval_over_people
from insights.analyses.risks import definition_of
from stream.faults import UsageFault

MOST_DAYS = 60


class Releases(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/changes.py`."""

    releases: tuple[str, ...] = ()
    return_within: int = 7
    weeks_before: int = 4
    definition: str = ""
    without: tuple[str, ...] = ()
    least_people: int = 20


def releases_asked(crowd: Crowd, asked: Releases) -> list[Release]:
    """Return the releases that are asked about, else those of the settings, the newest first.

    Raises
    ------
    stream.faults.UsageFault
        For a text that is none, two of one name, and days or weeks out of range.
    """
    if not (1 <= asked.return_within <= MOST_DAYS and 0 <= asked.weeks_before <= MOST_DAYS):
        raise UsageFault(
            "return_within must be 1 to {most} and weeks_before 0 to {most}, got {within} and {before}",
            most=MOST_DAYS,
            within=asked.return_within,
            before=asked.weeks_before,
        )
    found = [release_of(text, crowd.as_of.zone) for text in asked.releases or crowd.as_of.releases]
    if len({one.name for one in found}) < len(found):
        raise UsageFault("two releases have the same name; give each a name of its own")
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def run(crowd: Crowd, asked: Releases) -> Result:
    """Return for each release its effect, what it is made of, and the plain comparison; of a campaign its time."""
    found = releases_asked(crowd, asked)
    definition, notes = _judged_by(crowd, asked)
    rows: list[dict[str, Any]] = []
    for one in found:
        who = {
            "group": one.name,
            "cohort": crowd.unit("day").label(crowd.unit("day").number(one.at)),
            "kind": "campaign" if one.is_campaign else "release",
        }
        if one.is_campaign:
            rows.append({**who, "metric": "effect", "n": 0, "value": None, "state": "none"})
            continue
        if definition is not None:
            rows += [{**who, **row} for row in _promised(crowd, asked, one, definition)]
        rows += [{**who, **row} for row in _plain(crowd, asked, one)]
    if any(one.is_campaign for one in found):
        notes.append(Note("note.campaign", {}))
    schema: dict[str, Any] = {"group": pl.String, "cohort": pl.String, "kind": pl.String, "metric": pl.String, "n": pl.Int64, OF_PEOPLE: pl.Int64, "value": pl.Float64,
                              "low": pl.Float64, "high": pl.Float64, "state": pl.String}  # fmt: skip
    return RELEASES.result(crowd, asked, pl.DataFrame(rows, schema=schema), tuple(notes))


def _judged_by(crowd: Crowd, asked: Releases) -> tuple[str | None, list[Note]]:
    """Return the definition whose risks are used; None, with a note, where nobody was ever judged."""
    if not asked.definition and crowd.frame("SELECT 1 FROM scores LIMIT 1").is_empty():
        return None, [Note("note.only_plain", {})]
    return definition_of(crowd, asked.definition), []


def _promised(crowd: Crowd, asked: Releases, one: Release, definition: str) -> list[dict[str, Any]]:
    now = held(crowd, one, asked.return_within, definition, asked.without)
    if now.height < asked.least_people:
        return [{"metric": "effect", "n": now.height, "value": None, "state": "none"}]
    weeks = range(1, asked.weeks_before + 1)
    before = pl.concat([now.clear(), *(held(crowd, one, asked.return_within, definition, asked.without, back) for back in weeks)])
    sums = _sums_by_user(now, before)

    def values(sums: Floats) -> Floats:
        came, promised, n, came_before, promised_before, n_before = sums.T
        excess, excess_before = (came - promised) / n, (came_before - promised_before) / n_before
        return np.stack([excess - excess_before, excess, excess_before, came / n, promised / n], axis=1)

    counts = (now.height, now.height, before.height, now.height, now.height)
    earlier = before["user"].n_unique()
    people = (min(now.height, earlier), now.height, earlier, now.height, now.height)
    state = "complete" if is_over(crowd, one, asked.return_within) else "open"
    return _rows(("effect", "excess", "excess_before", "observed", "promised"), sums, values, counts, people, state)


def _sums_by_user(now: pl.DataFrame, before: pl.DataFrame) -> Floats:
    """Return ``float64[people, 6]``: who came, what was promised, how often; of the release, then of the weeks before."""
    parts = [
        frame.group_by("user").agg(pl.col("came").sum().cast(pl.Float64).alias(f"c{at}"), pl.col("promised").sum().alias(f"p{at}"), pl.len().cast(pl.Float64).alias(f"n{at}"))
        for at, frame in enumerate((now, before))
    ]  # fmt: skip
    return parts[0].join(parts[1], on="user", how="full", coalesce=True).fill_null(0.0).sort("user").drop("user").to_numpy()


def _plain(crowd: Crowd, asked: Releases, one: Release) -> list[dict[str, Any]]:
    people, pairs = plain(crowd, one, asked.return_within, asked.without)

    def values(sums: Floats) -> Floats:
        before, of_before, after, of_after = sums.T
        return np.stack([after / of_after - before / of_before, after / of_after, before / of_before], axis=1)

    sums = people.drop("user").to_numpy()
    of_before, of_after = (int(people[name].sum()) for name in ("of_before", "of_after"))
    before, after = (int((people[name] > 0).sum()) for name in ("of_before", "of_after"))
    state = "complete" if pairs == asked.return_within else "open"
    return _rows(
        ("plain_change", "plain_after", "plain_before"),
        sums,
        values,
        (of_after, of_after, of_before),
        (min(before, after), after, before),
        state,
    )


def _rows(
    metrics: tuple[str, ...], sums: Floats, values: Any, counts: tuple[int, ...], people: tuple[int, ...], state: str
) -> list[dict[str, Any]]:
    with np.errstate(divide="ignore", invalid="ignore"):
        stated = values(sums.sum(0, keepdims=True))[0]
    low, high = interval_over_people(sums, values)
    return [
        {"metric": metric, "n": n, OF_PEOPLE: of, "value": None, "state": "none"}
        if not np.isfinite(value)
        else {"metric": metric, "n": n, OF_PEOPLE: of, "value": float(value), "low": _known(first), "high": _known(last), "state": state}
        for metric, n, of, value, first, last in zip(metrics, counts, people, stated, low, high, strict=True)
    ]


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def behind(crowd: Crowd, asked: Releases, cell: Cell) -> pl.DataFrame:
    """Return the people whom a release found, by what chance they were to come again, and whether they did."""
    one = next((one for one in releases_asked(crowd, asked) if one.name == cell.group), None)
    if one is None or one.is_campaign:
        raise UsageFault("name a release: `--users group=NAME`")
    return (
        held(crowd, one, asked.return_within, definition_of(crowd, asked.definition), asked.without)
        .select("user", "came", chance="promised")
        .rename({"came": "came_back"})
    )


RELEASES = Analysis(
    name="releases",
    parameters=Releases,
    run=run,
    metrics=(
        Metric("effect", "points"),
        Metric("excess", "points"),
        Metric("excess_before", "points"),
        Metric("observed", "share"),
        Metric("promised", "share"),
        Metric("plain_change", "points"),
        Metric("plain_after", "share"),
        Metric("plain_before", "share"),
    ),
    columns=(Column("kind", "text", pl.String),),
    behind=behind,
    followed=True,
    example=("releases", "--releases", "2.0,at=2026-03-02", "--releases", "spring,at=2026-03-09,kind=campaign"),
)

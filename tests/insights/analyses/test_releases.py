"""Releases are judged as somebody would who goes from person to person; and a release that did nothing shows nothing, one that did something shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from insights.analyses import release
from insights.analyses.analysis import Cell
from insights.analyses.crowd import Crowd, crowd_of
from insights.analyses.release import release_of
from insights.analyses.releases import RELEASES, Releases, behind
from insights.analyses.resampled import interval_over_people
from stream.faults import UsageFault
from stream.settings import releases
from tests.insights.analyses.logs import CHANGES, as_of_log, events_of_log, logs
from tests.oracles.analyses import releases as oracle
from tests.oracles.analyses.log import Event, Log

HORIZON = timedelta(days=14)
START = datetime(2024, 3, 4, tzinfo=UTC)


def crowd_with(log: Log, risks: oracle.Risks, releases: tuple[str, ...] = ()) -> Crowd:
    rows = [
        {
            "user": user,
            "definition": "churn14",
            "landmark": at,
            "risk": risk,
            "matured": at + HORIZON,
            "lineage": "0",
            "shard": 0,
            "number": number,
        }
        for number, (user, at, risk) in enumerate((user, at, risk) for user, some in risks.items() for at, risk in some)
    ]
    as_of = as_of_log(log)
    said = {"scores": pl.DataFrame(rows)} if rows else None
    return crowd_of(
        events_of_log(log), type(as_of)(**{name: getattr(as_of, name) for name in as_of.__slots__} | {"releases": releases}), said
    )


@st.composite
def judged_logs(draw: st.DrawFn) -> tuple[Log, oracle.Risks]:
    log = draw(logs(most=60))
    start = CHANGES[log.zone]
    log = replace(log, watermark=start + timedelta(hours=draw(st.integers(100, 1000))))
    marks = st.tuples(st.integers(0, 14 * 24).map(lambda hours: start + timedelta(hours=hours)), st.sampled_from([0.0, 0.25, 0.9, 1.0]))
    return log, {user: sorted(draw(st.lists(marks, min_size=3, max_size=14, unique_by=lambda one: one[0]))) for user in "abcd"}


def check(log: Log, risks: oracle.Risks, at: datetime, days: int, weeks: int, *, is_touched: bool) -> int:
    """Hold all that is said of a release against the oracle; return how many people it found."""
    touched = ("plan", "pro") if is_touched else None
    text = f"2.0,at={at.isoformat()}" + (",touched=props.plan=pro" if is_touched else "")
    crowd, asked = crowd_with(log, risks, (text,)), Releases(return_within=days, weeks_before=weeks, least_people=1)
    said = {row["metric"]: row for row in RELEASES.run(crowd, asked).rows.to_dicts()}
    now, *before = (oracle.held(log, risks, at, days, HORIZON, touched, back) for back in range(weeks + 1))
    were = [one for some in before for one in some]
    assert ("observed" in said) == bool(now)
    assert said["effect"]["n"] == len(now)
    if now:
        excess, excess_before = ([one.came - one.promised for one in some] for some in (now, were))
        assert said["observed"]["value"] == pytest.approx(np.mean([one.came for one in now]))
        assert said["promised"]["value"] == pytest.approx(np.mean([one.promised for one in now]))
        assert said["excess"]["value"] == pytest.approx(np.mean(excess))
        assert said["excess_before"]["n"] == len(were)
        assert said["effect"]["value"] == (pytest.approx(np.mean(excess) - np.mean(excess_before)) if were else None)
        found = behind(crowd, asked, Cell(metric="effect", group="2.0")).rows()
        assert found == [(one.user, one.came, pytest.approx(one.promised)) for one in now]
    for name, side in zip(("plain_before", "plain_after"), oracle.plain(log, at, days, touched), strict=True):
        value = pytest.approx(np.mean([again for _, again in side])) if side else None
        assert (said[name]["n"], said[name]["value"]) == (len(side), value)
    crowd.close()
    return len(now)


def test_releases_are_those_of_people_looked_at_one_by_one(full: bool) -> None:
    found = 0

    @settings(max_examples=300 if full else 15)
    @given(judged_logs(), st.integers(0, 14 * 4), st.sampled_from([1, 3, 7, 9]), st.booleans(), st.integers(0, 2))
    def random(judged: tuple[Log, oracle.Risks], hours: int, days: int, is_touched: bool, weeks: int) -> None:
        nonlocal found
        log, risks = judged
        found += check(log, risks, CHANGES[log.zone] + timedelta(hours=6 * hours), days, weeks, is_touched=is_touched)

    random()
    assert found > 5, "logs must hold people who were judged just before"
    log, risks, at = made(0.5, people=60)
    for is_touched in (False, True):
        assert check(log, risks, at, 3, 2, is_touched=is_touched) > 5


def made(effect: float, seed: int = 3, people: int = 400) -> tuple[Log, dict[str, list[tuple[datetime, float]]], datetime]:
    """People who come each day by a chance of their own, which a release on day 40 moves; risks are right but for a fault that all of them share."""
    chance = np.random.default_rng(seed)
    release = START + timedelta(days=40)
    events: list[Event] = []
    risks: dict[str, list[tuple[datetime, float]]] = {}
    for n in range(people):
        own, user = float(chance.uniform(0.02, 0.12)), f"p{n:03}"
        for day in range(60):
            at = START + timedelta(days=day, hours=12)
            if day == 0 or chance.random() < own * (1 + effect * (at > release)):
                events.append(Event(user, at, "open", props={"plan": "pro"} if n % 2 else {}))
            risks.setdefault(user, []).append((at + timedelta(hours=1), (1 - own) ** 14 * 0.8))
    return Log(events, watermark=START + timedelta(days=60)), risks, release


@pytest.mark.parametrize("effect", [0.0, -0.6, 0.9])
def test_an_effect_is_found_where_there_is_one_and_none_where_there_is_none(effect: float) -> None:
    log, risks, at = made(effect)
    rows = RELEASES.run(crowd_with(log, risks), Releases(releases=(f"2.0,at={at.isoformat()}",))).rows
    said = {row["metric"]: row for row in rows.to_dicts()}
    low, high = said["effect"]["low"], said["effect"]["high"]
    assert (low > 0, high < 0) == (effect > 0, effect < 0)
    assert said["effect"]["state"] == said["plain_change"]["state"] == "complete"
    assert said["excess"]["value"] < said["effect"]["value"], "all risks are too low, so that everybody seems to come too seldom"


def test_an_interval_over_people_is_that_of_a_library() -> None:
    chance = np.random.default_rng(5)
    of = chance.integers(1, 9, 300).astype(float)
    sums = np.stack([chance.binomial(of.astype(int), chance.beta(2, 3, 300)).astype(float), of], axis=1)
    low, high = interval_over_people(sums, lambda one: one[:, :1] / one[:, 1:])
    right = bootstrap(
        (sums[:, 0], sums[:, 1]), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, method="percentile", random_state=1
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx((right.low, right.high), abs=0.006)
    again = interval_over_people(sums, lambda one: one[:, :1] / one[:, 1:])
    assert (again[0][0], again[1][0]) == (low[0], high[0]), "the same question has the same answer"


def test_a_release_is_open_until_everybody_had_the_time() -> None:
    log, risks, at = made(0.0)

    def state(days_known: int) -> Any:
        known = Log(log.events, watermark=at + timedelta(days=days_known))
        rows = RELEASES.run(crowd_with(known, risks), Releases(releases=(f"2.0,at={at.isoformat()}",))).rows
        return {row["metric"]: row["state"] for row in rows.to_dicts()}

    assert state(0)["effect"] == "none"
    assert state(2)["effect"] == "open"
    assert state(7)["effect"] == "complete"
    assert state(7)["plain_change"] == "none", "no day after it has had its week"
    assert state(9)["plain_change"] == "open"


def test_a_campaign_is_a_mark_and_without_risks_only_before_and_after_are_compared() -> None:
    log, _, at = made(0.0)
    campaign = f"sale,at={at.isoformat()},kind=campaign"
    found = RELEASES.run(crowd_with(log, {}, (campaign, f"2.0,at={at.isoformat()}")), Releases())
    rows = found.rows.to_dicts()
    assert [(row["metric"], row["value"], row["kind"]) for row in rows if row["group"] == "sale"] == [("effect", None, "campaign")]
    assert {row["metric"] for row in rows if row["group"] == "2.0"} == {"plain_change", "plain_after", "plain_before"}
    assert [note.key for note in found.notes] == ["note.only_plain", "note.campaign"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2.0", "says no time"),
        ("2.0,at=soon", "says no time"),
        (",at=2024-03-01", "is no release"),
        ("2.0,at=2024-03-01,kind=party", "release, campaign"),
        ("2.0,at=2024-03-01,colour=red", "is no release"),
        ("2.0,at=2024-03-01,touched=pro", "is no condition"),
    ],
)
def test_what_is_no_release_is_refused_with_how_to_write_one(text: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says):
        release_of(text, "UTC")


def test_settings_know_the_same_kinds() -> None:
    assert release.KINDS == releases.KINDS


def test_what_cannot_be_asked_says_why() -> None:
    log, risks, at = made(0.0)
    crowd, text = crowd_with(log, risks), f"2.0,at={at.isoformat()}"
    for asked, says in (
        (Releases(releases=(text,), return_within=0), "return_within must be 1"),
        (Releases(releases=(text, text)), "same name"),
        (Releases(releases=(text,), definition="churn7"), "no scores of a definition"),
    ):
        with pytest.raises(UsageFault, match=says):
            RELEASES.run(crowd, asked)
    with pytest.raises(UsageFault, match="name a release"):
        behind(crowd, Releases(releases=(text,)), Cell(metric="effect", group="3.0"))

"""Who was invited, who invites, and who of them was back are those of people followed one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, crowd_of
from insights.analyses.inviters import INVITERS, ROLES, Inviters, behind
from stream.faults import UsageFault
from tests.insights.analyses.logs import crowd_of_log, for_logs
from tests.oracles.analyses.inviters import followed
from tests.oracles.analyses.log import Event, Log

FIRST = datetime(2024, 1, 1, 8, tzinfo=UTC)


def with_invites(log: Log) -> Log:
    """The same log, in which many events name somebody who invited: others, the user, strangers."""
    chance = random.Random(repr(log))
    return replace(
        log, events=[replace(event, props={**event.props, "by": chance.choice(["", "a", "b", "c", "d", "x"])}) for event in log.events]
    )


def test_people_are_those_followed_one_by_one(full: bool) -> None:
    def check(plain: Log) -> None:
        log = with_invites(plain)
        crowd, asked = crowd_of_log(log), Inviters(inviter="props.by", on_days=(1, 3))
        said = {(row["metric"], row["k"]): row for row in INVITERS.run(crowd, asked).rows.to_dicts()}
        every = followed(log)
        if not every:
            assert not said
            return
        inviters = [one for one in every if one.role == "inviters"]
        assert said["invited_people", None]["value"] == sum(one.role == "invited" for one in every)
        assert said["inviter_people", None]["value"] == len(inviters)
        each = said["invited_each", None]["value"]
        assert each == (pytest.approx(sum(one.invited for one in inviters) / len(inviters)) if inviters else None)
        for k in (1, 3):
            shares = {}
            for metric, role in ROLES.items():
                here = [one for one in every if one.role == role]
                over = [one for one in here if log.known(log.ends_at(one.entered + timedelta(days=k)))]
                back = sorted(one.user for one in over if one.entered + timedelta(days=k) in one.days)
                row = said[metric, k]
                shares[role] = len(back) / len(over) if over else None
                assert (row["n"], row["value"]) == (len(over), None if not over else pytest.approx(shares[role]))
                assert row["state"] == ("none" if not over else "complete" if len(over) == len(here) else "open")
                assert behind(crowd, asked, Cell(metric=metric, k=k))["user"].to_list() == back
            more = said["invited_against_others", k]["value"]
            known = None not in (shares["invited"], shares["others"])
            assert more == (pytest.approx(shares["invited"] - shares["others"]) if known else None)

    for_logs(full, check)


def test_groups_add_up(full: bool) -> None:
    def check(plain: Log) -> None:
        crowd = crowd_of_log(with_invites(plain))
        whole, parts = (
            INVITERS.run(crowd, Inviters(inviter="props.by", on_days=(2,), by=by, limit=1))
            .rows.group_by("metric")
            .agg(pl.col("n").sum())
            .sort("metric")
            for by in (None, "channel")
        )
        assert whole.equals(parts)

    for_logs(full, check)


def test_a_trait_tells_who_invited() -> None:
    rows = [
        ("ann", 0, "view", None),
        ("bob", 1, "identify", '{"invited_by": "ann"}'),
        ("bob", 1, "view", None),
        ("bob", 2, "view", None),
        ("ann", 2, "view", None),
    ]
    events = pl.DataFrame(
        {"user": [one[0] for one in rows], "ts": [FIRST + timedelta(days=one[1]) for one in rows], "type": [one[2] for one in rows], "props": [one[3] for one in rows]}
    )  # fmt: skip
    crowd = crowd_of(events, AsOf(zone="UTC", watermark=FIRST + timedelta(days=60)))
    said = {row["metric"]: row for row in INVITERS.run(crowd, Inviters(on_days=(1,))).rows.to_dicts()}
    assert (said["invited_back"]["value"], said["inviters_back"]["value"], said["others_back"]["value"]) == (1, 1, 0)
    assert behind(crowd, Inviters(), Cell(metric="inviter_people")).rows() == [("ann", "2024-01-02", 1)]


def test_an_inviter_is_followed_from_the_day_the_first_of_theirs_came() -> None:
    days = {"ann": (0, 2), "bob": (1,), "cid": (5,)}
    events = [
        Event(user, FIRST + timedelta(days=day), "view", props={"by": "" if user == "ann" else "ann"})
        for user, on in days.items()
        for day in on
    ]
    rows = INVITERS.run(
        crowd_of_log(Log(events, watermark=FIRST + timedelta(days=60))), Inviters(inviter="props.by", on_days=(1,))
    ).rows.to_dicts()
    said = {row["metric"]: row for row in rows}
    assert (said["inviters_back"]["n"], said["inviters_back"]["value"], said["invited_each"]["value"]) == (1, 1, 2)


def test_what_cannot_be_asked_says_why() -> None:
    crowd = crowd_of_log(Log([Event("ann", FIRST, "view")], watermark=FIRST))
    with pytest.raises(UsageFault, match="on_days must be 1 or more"):
        INVITERS.run(crowd, Inviters(on_days=(0,)))
    with pytest.raises(UsageFault, match="there is no field"):
        INVITERS.run(crowd, Inviters(inviter="friend"))
    with pytest.raises(UsageFault, match="name a day"):
        behind(crowd, Inviters(), Cell(metric="invited_back"))

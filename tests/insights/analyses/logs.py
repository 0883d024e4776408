"""Random small logs, for analyses and oracles alike: ties, repeats, late arrivals, days of 23 and 25 hours, a log that begins late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.crowd import AsOf, Crowd, crowd_of
from tests.oracles.analyses.log import Event, Log

CHANGES = {
    "UTC": datetime(2024, 2, 29, tzinfo=UTC),
    "Europe/Berlin": datetime(2024, 3, 30, tzinfo=UTC),  # 31 March has 23 hours
    "America/Los_Angeles": datetime(2024, 11, 2, tzinfo=UTC),  # 3 November has 25 hours
    "Asia/Kolkata": datetime(2023, 12, 30, tzinfo=UTC),  # half an hour beside the others
    "America/Havana": datetime(2024, 3, 9, tzinfo=UTC),  # 10 March begins at 01:00
}
TYPES = ("view", "join", "buy", "identify")


@st.composite
def logs(draw: st.DrawFn, days: int = 40, most: int = 40) -> Log:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    start = CHANGES[zone]
    # most events lie close together, around midnights: there the days are decided
    minute = st.one_of(
        st.integers(0, days * 1440), st.builds(lambda day, hour: day * 1440 + hour * 30, st.integers(0, 6), st.integers(0, 47))
    )
    event = st.builds(
        Event,
        user=st.sampled_from("abcd"),
        ts=minute.map(lambda minutes: start + timedelta(minutes=minutes)),
        type=st.sampled_from(TYPES),
        channel=st.sampled_from([None, "", "ads", "web"]),
        value=st.sampled_from([None, 5.0]),
        event_id=st.sampled_from([None, None, "1", "2"]),
        props=st.sampled_from([{}, {"plan": "pro"}, {"plan": "free"}]),
    )
    known = draw(st.one_of(st.none(), st.integers(0, days * 1440), st.just(days * 14400)))
    since = draw(st.one_of(st.none(), st.none(), st.integers(0, 5 * 1440)))
    return Log(
        draw(st.lists(event, max_size=most)),
        zone,
        draw(st.sampled_from(["monday", "sunday"])),
        None if known is None else start + timedelta(minutes=known),
        None if since is None else start + timedelta(minutes=since),
        draw(st.sampled_from([(), (), ("view", "buy")])),
    )


def events_of_log(log: Log) -> pl.DataFrame:
    rows = [
        {
            "user": event.user,
            "ts": event.ts,
            "type": event.type,
            "channel": event.channel,
            "value": event.value,
            "event_id": event.event_id,
            "props": msgspec.json.encode(event.props).decode() if event.props else None,
        }
        for event in log.events
    ]
    schema = {"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "channel": pl.String, "value": pl.Float64,
              "event_id": pl.String, "props": pl.String}  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def as_of_log(log: Log) -> AsOf:
    return AsOf(
        watermark=log.watermark,
        zone=log.zone,
        week_start=log.week_start,
        complete_from=log.complete_from,
        activity=log.activity,
    )


def crowd_of_log(log: Log) -> Crowd:
    return crowd_of(events_of_log(log), as_of_log(log))


def for_logs(full: bool, check: Callable[[Log], None], *, days: int = 40, most: int = 40) -> None:
    """Check something on random logs: on few, since each is a database of its own; under --full on many."""
    settings(max_examples=300 if full else 20)(given(logs(days, most))(check))()

"""Scores are fifths counted one by one; every score has a segment; segments add up; bounds and moves are what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.analyses.analysis import Cell
from insights.analyses.crowd import AsOf, Crowd, crowd_of
from insights.analyses.rfm import RFM, Rfm, behind, customers, segments
from insights.words import words
from stream.faults import UsageFault

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
UNTIL = START.date() + timedelta(days=60)


def shop(rows: list[tuple[str, int, str, float | None]], watermark_day: int = 61) -> Crowd:
    """A log of (user, day, type, value)."""
    events = [(user, START + timedelta(days=day), kind, value) for user, day, kind, value in rows]
    schema = {"user": pl.String, "ts": pl.Datetime("us", "UTC"), "type": pl.String, "value": pl.Float64}
    return crowd_of(pl.DataFrame(events, schema=schema, orient="row"), AsOf(watermark=START + timedelta(days=watermark_day)))


BUYS = st.lists(
    st.tuples(
        st.sampled_from("abcdefghij"), st.integers(0, 60), st.sampled_from(["purchase", "open"]), st.sampled_from([None, 0.0, 5.0, 20.0])
    ),
    max_size=40,
)


def fifth(values: dict[str, float], user: str) -> int:
    """The fifth in which the lowest of equal values lies."""
    return sum(value < values[user] for value in values.values()) * 5 // len(values) + 1


def test_scores_are_fifths_counted_one_by_one(full: bool) -> None:
    @settings(max_examples=300 if full else 25, deadline=None)
    @given(BUYS)
    def holds(rows: list[tuple[str, int, str, float | None]]) -> None:
        crowd = shop(rows)
        bought = [row for row in rows if row[2] == "purchase"]
        users = {row[0] for row in bought}
        recent = {user: -min(60 - day for who, day, _, _ in bought if who == user) for user in users}
        often = {user: len({day for who, day, _, _ in bought if who == user}) for user in users}
        money = {user: sum(value or 0 for who, _, _, value in bought if who == user) for user in users}
        for purchases in ("purchase", "purchase,value!=none"):  # from the derived table, and from the events
            found = customers(crowd, Rfm(purchases=purchases), UNTIL)
            assert found["user"].to_list() == sorted(users)
            for row in found.to_dicts():
                user = row["user"]
                assert (row["recency_days"], row["purchase_days"], row["revenue"]) == (-recent[user], often[user], money[user])
                assert (row["r"], row["f"], row["m"]) == (fifth(recent, user), fifth(often, user), fifth(money, user))
        result = RFM.run(crowd, Rfm(until=str(UNTIL))).rows
        sizes = result.filter(pl.col("metric") == "segment_people")
        assert sizes["value"].sum() == len(users)
        assert result.filter(pl.col("metric") == "came_from")["value"].sum() == len(users)
        assert sum(money.values()) == pytest.approx(result.filter(pl.col("metric") == "segment_revenue")["value"].sum())
        for row in sizes.to_dicts():
            assert behind(crowd, Rfm(until=str(UNTIL)), Cell(metric="segment_people", group=row["group"])).height == row["value"]

    holds()


@pytest.mark.parametrize(("scheme", "names"), [("usual", 10), ("five", 5)])
def test_every_score_has_a_segment_with_a_name(scheme: str, names: int) -> None:
    table = segments()[scheme]
    assert len({segment.key for segment in table}) == names == len(table)
    for r, f, m in product(range(1, 6), repeat=3):
        fits = [s.key for s in table if s.r[0] <= r <= s.r[1] and s.f[0] <= f <= s.f[1] and s.m[0] <= m <= s.m[1]]
        assert fits
        assert scheme == "five" or len(fits) == 1
    for segment in table:
        assert words("zh").t(f"segment.{segment.key}") != segment.key


def test_the_five_of_the_brief_are_by_recency_and_money() -> None:
    rows = [(f"u{k}", 6 * k + n, "purchase", 101.0 if k in {1, 3, 7, 9} else 1.0) for k in range(10) for n in range(2)]
    found = customers(shop(rows), Rfm(scheme="five"), UNTIL)
    said = dict(found.select("user", "segment").rows())
    assert said["u9"] == said["u7"] == "high_active"
    assert said["u1"] == said["u3"] == "high_silent"
    assert said["u8"] == "low_active"
    assert said["u0"] == "low_silent"
    assert said["u5"] == "between"


def test_fixed_bounds_are_reached_at_their_number() -> None:
    rows = [("a", 60, "purchase", 10.0), ("b", 53, "purchase", 9.9), ("c", 52, "purchase", 500.0)]
    found = customers(shop(rows), Rfm(recency_bounds=(90, 30, 14, 7), money_bounds=(10, 20, 30, 500)), UNTIL)
    assert found["r"].to_list() == [5, 5, 4]
    assert found["m"].to_list() == [2, 1, 5]
    with pytest.raises(UsageFault, match="four numbers"):
        customers(shop(rows), Rfm(recency_bounds=(7, 14, 30, 90)), UNTIL)


def test_who_fell_silent_was_in_the_segment_a_horizon_ago() -> None:
    rows = [("a", 40, "purchase", 1.0), ("b", 40, "purchase", 1.0), ("b", 50, "open", None), ("c", 50, "purchase", 1.0)]
    crowd, asked = shop(rows), Rfm(until=str(UNTIL))
    (row,) = RFM.run(crowd, asked).rows.filter(pl.col("metric") == "fell_silent").to_dicts()
    assert (row["n"], row["value"]) == (2, 0.5)
    assert behind(crowd, asked, Cell(metric="fell_silent", group=row["group"]))["user"].to_list() == ["a"]
    moves = RFM.run(crowd, asked).rows.filter(pl.col("metric") == "came_from")
    assert moves.filter(pl.col("source").is_null())["value"].to_list() == [1.0]
    assert behind(crowd, asked, Cell(metric="came_from"))["user"].to_list() == ["c"]


def test_an_empty_log_has_no_rows() -> None:
    assert RFM.run(shop([]), Rfm()).rows.is_empty()

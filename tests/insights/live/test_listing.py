"""The list and every figure beside it come from the same rows."""

from __future__ import annotations

from math import isclose, sqrt

from hypothesis import given
from hypothesis import strategies as st

from insights.live.board import Board
from insights.live.listing import SORTS, SURE, Filters, chosen, sums, what_leaves_nobody
from insights.live.people import Known
from insights.past.bands import NAMES
from tests.insights.live.alerts import alert

CHANNELS = ("ads", "organic", "none")
people = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(CHANNELS), st.none() | st.floats(0, 1e4), st.sampled_from(["silence", "errors", "spent"]),
        st.sampled_from(["churn14", "other"]),
    ),
    max_size=25,
)  # fmt: skip


def board_of(some: list[tuple[float, str, float | None, str, str]]) -> Board:
    board = Board().after(
        len(some), [alert(n, risk=risk, codes=(code,), definition=name) for n, (risk, _, _, code, name) in enumerate(some, 1)]
    )
    return board.with_known({f"{n:032x}": Known(risk, channel, money, n) for n, (risk, channel, money, _, _) in enumerate(some, 1)})


@given(people, st.sampled_from(["", *CHANNELS]), st.sampled_from(["", *NAMES]), st.sampled_from(SORTS))
def test_a_list_has_exactly_those_who_pass_in_the_order_asked_for(
    some: list[tuple[float, str, float | None, str, str]], channel: str, band: str, sort: str
) -> None:
    board = board_of(some)
    rows = chosen(board, Filters(definition="churn14", channel=channel, band=band, sort=sort))  # type: ignore[arg-type]  # of a strategy
    wanted = {
        row.alert.alert_id
        for row in board.rows.values()
        if row.alert.definition == "churn14" and channel in {"", row.known.channel} and band in {"", row.band}
    }
    assert {row.alert.alert_id for row in rows} == wanted
    assert len(rows) == len(wanted)
    keys = {
        "risk": [-row.risk for row in rows],
        "value": [-(row.value or 0.0) for row in rows],
        "newest": [-row.alert.landmark_ms for row in rows],
        "left": [row.alert.valid_until_ms for row in rows],
    }
    assert keys[sort] == sorted(keys[sort])


@given(people)
def test_figures_add_up_to_the_list(some: list[tuple[float, str, float | None, str, str]]) -> None:
    board = board_of(some)
    rows = chosen(board, Filters(definition="churn14"))
    found = sums(rows)
    assert found.people == len(rows) == board.open_count("churn14") == sum(found.bands.values())
    for band, count in found.bands.items():
        assert count == len(chosen(board, Filters(definition="churn14", band=band)))
    for topic, count in found.topics:
        assert count == len(chosen(board, Filters(definition="churn14", topic=topic)))
    assert isclose(found.leaving, sum(row.risk for row in rows))
    assert isclose(found.plus_minus, SURE * sqrt(sum(row.risk * (1 - row.risk) for row in rows)))
    assert (found.value is None) == all(row.value is None for row in rows)


def test_somebody_is_found_by_part_of_their_id_in_any_case() -> None:
    board = Board().after(2, [alert(1, "Ann-1"), alert(2, "bob")])
    assert [row.alert.user for row in chosen(board, Filters(definition="churn14", text="ANN"))] == ["Ann-1"]


def test_the_filter_that_leaves_nobody_is_named() -> None:
    board = board_of([(0.9, "ads", 1.0, "silence", "churn14"), (0.75, "organic", None, "errors", "churn14")])
    assert what_leaves_nobody(board, Filters(definition="churn14", channel="ads")) == ()
    assert what_leaves_nobody(board, Filters(definition="churn14", channel="ads", text="nobody")) == ("text",)
    assert what_leaves_nobody(board, Filters(definition="churn14", channel="ads", band="high")) == ("channel", "band")
    assert what_leaves_nobody(board, Filters(definition="other")) == ()

"""The board is what was opened and has not ended; it says what is new to whoever saw an earlier one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insights.live.board import KEPT_ENDINGS, Board, Since
from insights.live.people import Known
from insights.past.rows import AlertRow
from tests.insights.live.alerts import alert

KNOWN = Known(risk=0.9, channel="ads", money=2.0, last_active_ms=5)


def everybody(_: object) -> bool:
    return True


def ended(number: int, of: int) -> AlertRow:
    return alert(number, of=of, cause="returned")


def users(board: Board) -> list[str]:
    return [row.alert.user for row in board.rows.values()]


def test_what_was_opened_is_on_the_board_until_it_ends() -> None:
    board = Board().after(2, [alert(1), alert(2)])
    assert users(board) == ["user-1", "user-2"]
    after = board.after(3, [ended(3, of=1)])
    assert users(after) == ["user-2"]
    assert len(board.rows) == 2, "a board never changes"
    assert (after.number, after.edition) == (3, 2)


def test_an_alert_that_opens_and_ends_between_two_looks_is_never_on_the_board() -> None:
    board = Board().after(2, [ended(2, of=1)])
    assert not board.rows
    assert board.since(0, everybody) == Since(0, {}, whole=True)


def test_an_open_alert_that_changes_is_not_new_again() -> None:
    seen = Board().after(1, [alert(1)])
    assert seen.after(2, [alert(2, of=1)]).since(seen.number, everybody).new == 0


def test_until_redis_has_spoken_the_risk_is_that_of_the_alert() -> None:
    board = Board().after(1, [alert(1, risk=0.7)])
    (row,) = board.rows.values()
    assert (row.risk, row.band, row.value) == (0.7, "high", None)
    (row,) = board.with_known({row.alert.alert_id: KNOWN}).rows.values()
    assert (row.risk, row.band, row.worth, row.value) == (0.9, "critical", 180.0, 0.9 * 180.0)


def test_what_redis_said_before_makes_no_new_board() -> None:
    board = Board().after(1, [alert(1)]).with_known({f"{1:032x}": KNOWN})
    assert board.with_known({f"{1:032x}": KNOWN}) is board
    assert board.with_known({f"{9:032x}": KNOWN}) is board, "of whom is not on it"


def test_what_is_new_is_counted_from_the_board_that_was_seen() -> None:
    seen = Board().after(2, [alert(1), alert(2)])
    board = seen.after(5, [alert(3), ended(4, of=1), alert(5)])
    assert board.since(seen.number, everybody) == Since(2, {f"{1:032x}": "returned"}, whole=True)
    assert board.since(board.number, everybody) == Since(0, {}, whole=True)
    assert board.since(seen.number, lambda row: row.alert.user == "user-3").new == 1


def test_a_page_that_is_too_old_is_told_so() -> None:
    board = Board()
    for number in range(1, 2 * KEPT_ENDINGS + 20, 2):
        board = board.after(number, [alert(number)]).after(number + 1, [ended(number + 1, of=number)])
    assert len(board.ended) == KEPT_ENDINGS
    assert not board.since(1, everybody).whole
    assert board.since(board.ended[0].number - 1, everybody).whole


def test_alerts_that_the_past_no_longer_has_leave_the_board() -> None:
    board = Board().after(2, [alert(1), alert(2)]).with_known({f"{2:032x}": KNOWN})
    only = board.only([alert(2), alert(3)])
    assert users(only) == ["user-2", "user-3"]
    assert only.rows[f"{2:032x}"].known == KNOWN
    assert only.only([alert(3), alert(2)]) is only


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=40), st.integers(0, 40))
def test_the_board_is_the_same_however_the_changes_are_cut(steps: list[tuple[bool, int]], cut: int) -> None:
    changes = [alert(n, of=100 + of, cause=None if opens else "returned") for n, (opens, of) in enumerate(steps, 1)]
    one_by_one = Board()
    for change in changes:
        one_by_one = one_by_one.after(change.change_no, [change])
    is_open = {change.alert_id: change.cause is None for change in changes}
    assert one_by_one.rows.keys() == {alert_id for alert_id, opens in is_open.items() if opens}
    in_two = Board().after(cut, changes[:cut]).after(len(changes), changes[cut:])
    assert in_two.rows == one_by_one.rows

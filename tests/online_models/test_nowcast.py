"""The memory samples evenly, early outcomes are whose they are, and the shift follows the world before its labels do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.users.catalog import INDEX, WIDTH, value_table
from online_models.memory import FADE, Memory
from online_models.nowcast import AFTER_MS, LEAST, NEWEST, SPAN_MS, Nowcast, Outcomes, judged
from online_models.scorer import log_odds

SILENCE = INDEX["active_recency_s"]


def vectors_of(silence_ms: list[float]) -> npt.NDArray[np.uint8]:
    values = np.nan_to_num(value_table()[SILENCE], nan=1e18) * 1000
    vectors = np.zeros((len(silence_ms), WIDTH), np.uint8)
    vectors[:, SILENCE] = [int(np.abs(values - one).argmin()) for one in silence_ms]
    return vectors


# -- memory ------------------------------------------------------------------------------------------------------


def filled(memory: Memory, n: int, batch: int = 256) -> Memory:
    for at in range(0, n, batch):
        vectors = np.zeros((min(batch, n - at), WIDTH), np.uint8)
        memory.push(vectors, (np.arange(at, at + len(vectors)) % 2).astype(np.uint8))
    return memory


def test_everything_is_remembered_until_it_is_full() -> None:
    memory = filled(Memory(size=1_000), 900)
    assert (memory.size, memory.seen, memory.churned) == (900, 900, 450)


def test_a_full_memory_holds_all_times_and_forgets_evenly() -> None:
    memory = filled(Memory(size=1_000), 3_000)
    third = [len(memory.newest(n)) for n in (1_000, 2_000, 3_000)]
    assert third[2] == 1_000
    assert abs(third[0] - 333) < 60, "up to size / FADE it is a sample of all"
    filled(memory, 100_000)
    half_life = int(np.log(2) * 1_000 / FADE)
    assert abs(len(memory.newest(half_life)) - 500) < 60


def test_a_memory_goes_on_from_its_state() -> None:
    one, again = filled(Memory(1, size=500), 2_000), Memory(2, size=500)
    again.restore(one.state())
    for memory in (one, again):
        filled(memory, 3_000)
    assert np.array_equal(one.labels, again.labels)
    assert np.array_equal(one.newest(400), again.newest(400))


# -- early outcomes ----------------------------------------------------------------------------------------------


def test_who_came_back_within_a_day_is_known_after_a_day_whatever_it_was() -> None:
    book = Outcomes()
    # ann comes back at noon of the first day; bob never does
    book.arrived([0, 0], ["ann", "bob"], vectors_of([3_600_000, 3_600_000]))
    assert list(book.settle(AFTER_MS)) == [], "neither outcome is known before the other"
    book.arrived([AFTER_MS] * 2, ["ann", "bob"], vectors_of([DAY_MS / 2, 3_600_000 + DAY_MS]))
    assert list(book.settle(AFTER_MS + 1)) == [((0, "ann"), False), ((0, "bob"), True)]


def test_a_user_who_is_judged_no_more_was_silent() -> None:
    book = Outcomes()
    book.arrived([0], ["ann"], vectors_of([13.9 * DAY_MS]))
    assert [silent for _, silent in book.settle(AFTER_MS + 1)] == [True]


def test_outcomes_go_on_from_their_state() -> None:
    book, again = Outcomes(), Outcomes()
    book.arrived([0, 7], ["ann", "bob"], vectors_of([1e6, 1e6]))
    again.restore(book.state())
    assert list(book.settle(DAY_MS * 9)) == list(again.settle(DAY_MS * 9))


# -- the shift ---------------------------------------------------------------------------------------------------

HORIZON_MS = 14 * DAY_MS


def world(n: int, shift: float, seed: int, share: float = 0.26, rise: float = 1.2) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Stated risks, and who was silent at first in a world whose log of hazard is `shift` above them."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 2, n)
    return risk, rng.random(n) < np.exp(-share * np.exp(rise * (np.log(-np.log(risk)) + shift)))


def told(nowcast: Nowcast, risk: npt.NDArray[np.float64], silent: npt.NDArray[np.bool_], at_ms: int = 0) -> Nowcast:
    for one, was in zip(risk.tolist(), silent.tolist(), strict=True):
        nowcast.seen(at_ms, one, was)
    return nowcast


def shift_after(shift: float) -> float:
    nowcast = told(Nowcast(HORIZON_MS), *world(NEWEST, shift, 2))
    nowcast.look(AFTER_MS + 1)
    return nowcast.shift


def test_the_shift_follows_the_world_before_any_label() -> None:
    assert abs(shift_after(0.0)) < 0.1
    assert 0.5 < shift_after(0.8) < 0.9
    assert -0.9 < shift_after(-0.8) < -0.3


def test_few_outcomes_move_little() -> None:
    nowcast = told(Nowcast(HORIZON_MS), *world(8, 1.0, 2))
    nowcast.look(AFTER_MS + 1)
    assert abs(nowcast.shift) < 0.15


def test_outcomes_of_long_ago_move_nothing() -> None:
    nowcast = told(Nowcast(HORIZON_MS), *world(NEWEST, 1.0, 2))
    nowcast.look(AFTER_MS + 1)
    assert nowcast.shift > 0.5
    told(nowcast, *world(LEAST, 0.0, 3), at_ms=3 * SPAN_MS)
    nowcast.look(3 * SPAN_MS + AFTER_MS)
    assert abs(nowcast.shift) < 0.25


def test_the_bridge_learns_where_users_return_late() -> None:
    def found(batches: int) -> float:
        nowcast = Nowcast(HORIZON_MS)
        for seed in range(batches):
            risk, silent = world(256, 0.0, seed, share=0.1)
            nowcast.matured(log_odds(risk), silent.astype(float))
        told(nowcast, *world(NEWEST, 0.0, 99, share=0.1)).look(AFTER_MS + 1)
        return nowcast.shift

    assert found(0) < -0.5, "what it begins with overstates who returns on the first day"
    assert abs(found(128)) < 0.4 * abs(found(0))


def test_only_silence_that_all_are_watched_for_is_read_early() -> None:
    gone = ChurnDefinition(name="gone")
    other = [
        ChurnDefinition(name="part", segment=("tenure_days > 3",)),
        ChurnDefinition(name="buys", activity=("purchase",)),
        ChurnDefinition(name="cancelled", kind="did_event", target=("cancel",)),
        ChurnDefinition(name="paid", kind="external"),
    ]
    assert judged([gone, *other], daily=True).keys() == {"gone"}


def test_a_nowcast_goes_on_from_its_state() -> None:
    one, again = Nowcast(HORIZON_MS), Nowcast(HORIZON_MS)
    risk, silent = world(1_500, 0.5, 3)
    one.matured(log_odds(risk), silent.astype(float))
    told(one, risk, silent)
    again.restore(one.state())
    for nowcast in (one, again):
        nowcast.matured(log_odds(risk[:99]), silent[:99].astype(float))
        nowcast.look(AFTER_MS + 1)
    assert one.shift == again.shift != 0

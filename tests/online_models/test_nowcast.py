"""The memory samples evenly, early outcomes are whose they are, and the shift follows the world before its labels do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.catalog import INDEX, WIDTH, value_table
from features.definition import DAY_MS
from online_models.memory import FADE, Memory
from online_models.nowcast import AFTER_MS, EVERY, Nowcast, Outcomes

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


def test_who_came_back_within_two_days_is_known_after_two_days_whatever_it_was() -> None:
    book = Outcomes()
    day = [0, DAY_MS, 2 * DAY_MS]
    # ann comes back on day 2; bob never does
    book.arrived([0, 0], ["ann", "bob"], vectors_of([3_600_000, 3_600_000]))
    book.arrived(day[1:2] * 2, ["ann", "bob"], vectors_of([3_600_000 + DAY_MS] * 2))
    assert list(book.settle(AFTER_MS)) == [], "neither outcome is known before the other"
    book.arrived(day[2:] * 2, ["ann", "bob"], vectors_of([3_600_000, 3_600_000 + 2 * DAY_MS]))
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


def world(
    n: int, rise: float, seed: int, told: float = 1.5
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Stated log-odds, labels that are `rise` above them, and early silence that comes with the label."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1, n)
    label = rng.random(n) < 1 / (1 + np.exp(-(odds + rise)))
    silent = rng.random(n) < 1 / (1 + np.exp(-(-1 + told * (odds + rise))))
    return odds, label, silent


def shift_after(rise: float, told: float = 1.5) -> float:
    nowcast = Nowcast()
    odds, _, silent = world(2_048, 0.0, 1, told)
    nowcast.matured(odds, silent.astype(float), 1.0, 0.0)
    odds, _, silent = world(1_024, rise, 2, told)
    for number, (one, was) in enumerate(zip(odds.tolist(), silent.tolist(), strict=True)):
        if nowcast.seen(one, was):
            assert (number + 1) % EVERY == 0
            nowcast.look(1.0, 0.0)
    return nowcast.shift


def test_the_shift_follows_the_world() -> None:
    assert abs(shift_after(0.0)) < 0.15
    assert 0.4 < shift_after(1.0) < 1.1
    assert -1.1 < shift_after(-1.0) < -0.4


def test_silence_that_says_nothing_of_the_label_moves_nothing() -> None:
    assert abs(shift_after(1.0, told=0.0)) < 0.1


def test_a_nowcast_goes_on_from_its_state() -> None:
    one, again = Nowcast(), Nowcast()
    odds, _, silent = world(1_500, 0.5, 3)
    one.matured(odds, silent.astype(float), 1.0, 0.0)
    for pair in zip(odds.tolist(), silent.tolist(), strict=True):
        one.seen(*pair)
    again.restore(one.state())
    for nowcast in (one, again):
        nowcast.look(1.1, 0.1)
    assert one.shift == again.shift != 0

"""Each state says what is so, what happens next and when, in both languages."""

from __future__ import annotations

from datetime import UTC
from typing import get_args

import pytest

from insights.live.state import Kind, Learning, State
from insights.web.strip import COMMANDS, strip_of
from insights.words import LANGUAGES, Lang, words

NOW = 1_795_772_100_000  # 2026-11-27 09:35 UTC
DAY_MS = 86_400_000


def made(kind: Kind, **values: object) -> State:
    state = State(
        kind, as_of_ms=NOW - 3_600_000, answered_ms=NOW - 60_000, learning=Learning(left=61, stayed=1_840, needed=200, version=128)
    )
    return state._replace(**values)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("until_ms", [None, NOW + 480_000])
def test_every_state_says_what_is_so_and_what_comes_next(kind: Kind, lang: Lang, until_ms: int | None) -> None:
    strip = strip_of(made(kind, until_ms=until_ms, quiet_ms=1_320_000, waiting=6_000, records=7), words(lang), UTC, NOW)
    assert strip.dot
    assert bool(strip.command) == (kind in COMMANDS)
    said = [strip.title, strip.body, strip.next]
    assert all(said) if kind != "well" else not any(said)
    assert "{" not in "".join(said)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (made("warming", until_ms=NOW + 23 * DAY_MS), "At this pace a model takes over about Dec 20, 2026."),
        (made("warming", until_ms=NOW + 7 * DAY_MS, learning=Learning()), "The first outcomes are known on Dec 4, 2026."),
        (made("warming"), "When a model takes over cannot be said yet."),
        (made("silent", until_ms=NOW + 480_000, quiet_ms=1_320_000), "If none comes by 09:43, time goes on"),
        (made("silent", until_ms=NOW + 480_000, quiet_ms=1_320_000), "No events for 22 minutes"),
        (made("going_on", until_ms=NOW - 1_200_000, quiet_ms=3_000_000), "Time goes on again since 09:15"),
        (made("behind", until_ms=NOW + 180_000, waiting=61_234), "Catching up: 61,234 events wait"),
        (made("behind", until_ms=NOW + 180_000, waiting=61_234), "up to date in 3 minutes"),
        (made("unreadable", unreadable=(3, 11)), "cannot be read: partition 3 and 11"),
        (made("redis"), "figures about now are of Nov 27, 2026, 09:34 UTC"),
        (made("redis", answered_ms=0), "has not answered since this page was started"),
        (made("ended", quiet_ms=9 * DAY_MS), "The events end on Nov 27, 2026, 08:35 UTC"),
        (made("rejected", records=1), "1 record came, and it cannot be used."),
        (made("stopped", waiting=12), "12 events wait."),
    ],
)  # fmt: skip
def test_with_its_date(state: State, says: str) -> None:
    strip = strip_of(state, words("en"), UTC, NOW)
    assert says in f"{strip.title} {strip.body} {strip.next}"


def test_the_meter_is_that_of_the_outcome_that_is_scarcer() -> None:
    meter = strip_of(made("warming"), words("en"), UTC, NOW).meter
    assert meter is not None
    assert meter.words == "61 of 200 outcomes of the scarcer kind"
    assert 'width="30.5%"' in meter.drawn


def test_the_foot_of_the_rail_says_who_serves() -> None:
    def dot(**learning: object) -> str:
        return strip_of(made("well", learning=Learning(version=128, rule=False)._replace(**learning)), words("en"), UTC, NOW).dot

    assert [dot(), dot(pinned=True), dot(rule=True)] == ["Model v128 · serving", "Model v128 · pinned", "Rhythm rule · serving"]

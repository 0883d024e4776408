"""Erasing somebody of several ids: all that counts as theirs goes, nothing of others does, and no later alias brings any of it back."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from insights.history.derived import derive_all, snapshot
from insights.history.erasing import delete, erase_all, pending
from insights.history.erasures import ERASE, Erasures
from insights.history.events import Events
from insights.history.live.verify import joins
from insights.history.persons import told_of
from insights.history.table import Table
from insights.history.tables import EVENTS
from stream.cli import app
from tests.insights.history.histories import BERLIN, asked, tend
from tests.insights.history.test_erasures import HOUR_MS, START_MS, found_in
from tests.oracles.history_ids import Told, persons


class Said(NamedTuple):
    """A record of one partition; times in ms, `arrived_ms` not falling."""

    user: str
    ts_ms: int
    kind: str
    arrived_ms: int
    off: int
    previous: str | None = None


def left(log: Sequence[Said]) -> list[int]:
    """Return the offsets of the rows that stay: one record after the other, each erasure of all ids that are joined when it comes."""
    rows: list[Said] = []
    until: dict[str, int] = {}
    away: set[str] = set()

    def whole_person(user: str, more: Sequence[Said] = ()) -> set[str]:
        whose = persons([Told(one.previous, one.user, one.ts_ms, one.off) for one in (*rows, *more) if one.previous])
        person = whose.get(user, user)
        return {user, person, *(one for one, other in whose.items() if other == person)}

    def erase(users: set[str], at_ms: int) -> None:
        nonlocal rows
        rows = [one for one in rows if one.user not in users and one.previous not in users]
        until.update(dict.fromkeys(users, at_ms))
        away.update(users)

    for one in log:
        if one.kind == "erase":
            if one.ts_ms > until.get(one.user, -1):
                erase(whole_person(one.user), one.arrived_ms)
            continue
        if one.kind == "consent" and one.ts_ms > until.get(one.user, -1):
            away.discard(one.user)
        if one.user in away or one.ts_ms <= until.get(one.user, -1):
            if one.previous:
                erase({other for other in whole_person(one.user, [one]) - {one.user} if other not in away}, one.arrived_ms)
            continue
        if one.previous and (one.previous in away or one.ts_ms <= until.get(one.previous, -1)):
            continue
        rows.append(one)
    return sorted(one.off for one in rows)


def frame(log: Sequence[Said]) -> pl.DataFrame:
    def times(ms: list[int]) -> pl.Series:
        return pl.Series([one * 1000 for one in ms], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))

    rows = pl.DataFrame(
        {
            "user": pl.Series([one.user for one in log], dtype=pl.String),
            "ts": times([one.ts_ms for one in log]),
            "type": pl.Series([one.kind for one in log], dtype=pl.String),
            "props": pl.Series([json.dumps({"previous_id": one.previous}) if one.previous else None for one in log], dtype=pl.String),
            "arrived": times([one.arrived_ms for one in log]),
            "part": pl.Series([0] * len(log), dtype=pl.Int32),
            "off": pl.Series([one.off for one in log], dtype=pl.Int64),
        }
    )
    return rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in EVENTS.columns.items() if name not in rows.columns and name != "day"
    )


def put(events: Events, log: Sequence[Said]) -> None:
    events.append(frame(log), {}, {}, events.table.standing)


def made_up(seed: int, count: int = 40) -> list[Said]:
    chance = random.Random(seed)
    names, now, log = ["anon-1", "anon-2", "anon-3", "ann", "bob"], START_MS, list[Said]()
    for off in range(count):
        now += chance.choice([1, 60_000, HOUR_MS, 20 * HOUR_MS])
        kind = chance.choice(["view"] * 4 + ["alias"] * 3 + ["erase", "consent"])
        ts = now - chance.choice([0, 0, 0, HOUR_MS])
        log.append(Said(chance.choice(names), ts, kind, now, off, chance.choice(names) if kind == "alias" else None))
    return log


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
@example(seed=23)
@example(seed=234)
@example(seed=613)  # somebody is let back whose alias is gone with the one it joined them to
def test_what_is_left_is_what_a_plain_reading_leaves(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, chance = tmp_path_factory.mktemp("history"), random.Random(seed)
    log, at, events = made_up(seed), 0, Events(folder, BERLIN)
    while at < len(log):
        size = chance.choice([1, 3, 20])
        put(events, log[at : at + size])
        at += size
        tend(folder, chance)
        events.renew()
    erase_all(folder)
    stays = left(log)
    assert sorted(off for (off,) in asked(folder, "select off from events")) == stays
    assert pending(folder) == 0
    whose = persons([Told(one.previous, one.user, one.ts_ms, one.off) for one in log if one.previous and one.off in stays])
    assert dict(asked(folder, "select id, person from ids")) == whose
    assert joins(snapshot(folder), told_of(Table.open(folder, EVENTS)))[1] == 0
    people = {whose.get(one.user, one.user) for one in log if one.off in stays and one.kind == "view"}
    assert {user for (user,) in asked(folder, 'select "user" from users')} == people


HISTORY = [
    Said("anon-4711", START_MS, "view", START_MS, 0),
    Said("ann-4711", START_MS + HOUR_MS, "alias", START_MS + HOUR_MS, 1, "anon-4711"),
    Said("ann-4711", START_MS + HOUR_MS, "view", START_MS + HOUR_MS, 2),
    Said("bob", START_MS + 2 * HOUR_MS, "alias", START_MS + 2 * HOUR_MS, 3, "anon-4711"),  # on the same device: without effect
    Said("bob", START_MS + 3 * HOUR_MS, "view", START_MS + 3 * HOUR_MS, 4),
]


@pytest.mark.parametrize("named", ["ann-4711", "anon-4711"])
@pytest.mark.parametrize("way", ["record", "noted only for one id"])
def test_of_an_erased_person_no_id_is_in_any_byte_and_of_others_all_is(tmp_path: Path, named: str, way: str) -> None:
    events, at = Events(tmp_path, BERLIN), START_MS + 10 * HOUR_MS
    put(events, HISTORY)
    derive_all(tmp_path)
    assert found_in(tmp_path, "anon-4711")
    if way == "record":
        put(events, [Said(named, at, "erase", at, 9)])
    else:
        when = datetime.fromtimestamp(at / 1000, UTC)
        Erasures.make(tmp_path).register([(named, ERASE, when, when, -1, 0)])
    delete(erase_all(tmp_path).left, 0)
    assert (found_in(tmp_path, "anon-4711"), found_in(tmp_path, "ann-4711")) == ([], [])
    assert asked(tmp_path, 'select "user", off from events') == [("bob", 4)]
    events.renew()
    put(events, [Said("anon-4711", at + 1, "view", at + 1, 10), Said("ann-4711", at + 1, "alias", at + 1, 11, "anon-4712")])
    put(events, [Said("anon-4712", at + 2, "view", at + 2, 12)])
    assert asked(tmp_path, 'select "user", off from events') == [("bob", 4)]


def test_the_command_erases_every_id_of_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_HISTORY", str(tmp_path / "history"))
    monkeypatch.chdir(tmp_path)
    put(Events(tmp_path / "history", BERLIN), HISTORY)
    done = CliRunner().invoke(app, ["history", "erase", "ann-4711", "--yes", "--now", "--patience", "0"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "1 more ids are theirs" in done.output
    assert asked(tmp_path / "history", 'select "user", off from events') == [("bob", 4)]

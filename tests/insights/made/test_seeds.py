"""The settings file gives questions, boards and segments; what people have made theirs stays theirs; and what is written back is what there is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.analyses.plain import Cell
from insights.asked.questions import judge_question
from insights.made.seeds import BY, plant, seeds_of, toml_of
from insights.made.shelf import every, one, save, users_of
from insights.made.things import Board, Question, Segment
from insights.store.store import Store
from stream.faults import UsageFault
from stream.settings import SettingsError, load_settings

ENTRIES = {one.name: entry_of(one) for one in CATALOG.values()}
FILE = """
[[boards]]
name = "monday"
title = "Every Monday"
questions = ["back", "next-week"]

[[questions]]
name = "back"
title = "Do they come back"
analysis = "retention"
parameters = { unit = "week", segment = "payers", brackets = ["1", "7"] }
shown = "chart"

[[questions]]
name = "next-week"
title = "In the next week"
analysis = "retention"
parameters = { unit = "week" }
shown = "number"
cell = { metric = "overall", k = 1 }

[[segments]]
name = "payers"
title = "Who paid"
rule = ["purchases >= 1", "channel = ads"]

[[segments]]
name = "called"
title = "Called"
users = ["bob", "ann \\"x\\""]
"""


def judged(text: str) -> list[Any]:
    return seeds_of(tomllib.loads(text), lambda one: judge_question(one.analysis, one.parameters, one.cell, ENTRIES))


def test_the_file_gives_what_it_says_and_once(store: Store) -> None:
    with store.write() as db:
        assert plant(db, judged(FILE), 1) == []
        assert plant(db, judged(FILE), 2) == []
        assert one(db, Board, "monday").what.questions == ("back", "next-week")
        assert one(db, Question, "next-week").what.cell == Cell(metric="overall", k=1)
        assert users_of(db, "called") == ('ann "x"', "bob")
        assert {(made.author, made.revision, made.made_ms) for made in every(db, Question)} == {(BY, 1, 1)}


def test_a_change_of_the_file_is_taken_but_not_over_what_people_have_changed(store: Store) -> None:
    changed = FILE.replace("Who paid", "Paid").replace("In the next week", "W1").replace('"bob", ', "")
    with store.write() as db:
        plant(db, judged(FILE), 1)
        mine = save(db, Question(title="Mine", analysis="rfm"), by="ann", now_ms=2, name="next-week", seen=1)
        assert plant(db, judged(changed), 3) == ["next-week"]
        assert one(db, Question, "next-week") == mine
        assert (one(db, Segment, "payers").what.title, one(db, Segment, "payers").revision) == ("Paid", 2)
        assert users_of(db, "called") == ('ann "x"',)


def test_what_is_written_back_is_what_there_is(store: Store) -> None:
    with store.write() as db:
        plant(db, judged(FILE), 1)
        save(
            db,
            Question(title='"] 渠道 \\', analysis="funnel", parameters={"steps": ["a", 'b"\x7f'], "by_day": True, "by": None}),
            by="ann",
            now_ms=1,
        )
        written = toml_of(db)
    again = judged(written)
    assert {(seed.name, type(seed.what)) for seed in again} >= {(seed.name, type(seed.what)) for seed in judged(FILE)}
    with store.write() as db:
        assert plant(db, again, 9) == ["渠道"]
        kept = {seed.name: seed.what for seed in again if isinstance(seed.what, Question)}
        there = {made.name: made.what for made in every(db, Question)}
        assert kept.keys() == there.keys()
        assert kept["渠道"].parameters == {"steps": ["a", 'b"\x7f'], "by_day": True}
        assert (kept["渠道"].title, kept["back"], kept["next-week"]) == (there["渠道"].title, there["back"], there["next-week"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('analysis = "retention"', 'analysis = "retantion"', r"questions\[0\]: .*did you mean retention"),
        ('unit = "week", segment', 'unit = "year", segment', r"questions\[0\]: unit"),
        ('title = "Who paid"', "", r"segments\[0\]: .*title"),
        ("purchases >= 1", "purchases", r"segments\[0\]: 'purchases' is no condition"),
        ('users = ["bob"', 'rule = ["purchases >= 1"]\nusers = ["bob"', "either a rule"),
        ('metric = "overall"', 'metric = "fame"', r"questions\[1\]: retention has no metric 'fame'"),
        ('name = "called"', 'name = "payers"', "segments: 'payers' is there twice"),
        ('name = "monday"', 'name = "Mon day"', r"boards\[0\]: 'Mon day' is no name"),
        ('name = "monday"', 'name = "monday"\ncolour = "red"', r"boards\[0\]: .*colour"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, says: str) -> None:
    assert old in FILE
    with pytest.raises(UsageFault, match=says):
        judged(FILE.replace(old, new, 1))


def settings_of(folder: Path, text: str) -> Any:
    (folder / "churnwatch.toml").write_text(text)
    return load_settings(folder / "churnwatch.toml", {})


def test_a_definition_may_take_a_segment_of_the_file(tmp_path: Path) -> None:
    definition = '[[definitions]]\nname = "paying"\nsegment = ["segment.paid"]\n'
    paid = '[[segments]]\nname = "paid"\ntitle = "Paid"\nrule = ["purchases >= 1"]\n'
    found = settings_of(tmp_path, definition + paid)
    assert found.definitions[0].segment == ("purchases >= 1",)
    assert found.made["segments"][0]["title"] == "Paid"
    for segment, says in (
        ("", "no segment 'paid'"),
        (paid.replace('rule = ["purchases >= 1"]', 'users = ["ann"]'), "a list of users: a definition takes rules over features only"),
        (paid.replace("purchases >= 1", "traits.plan = pro"), "segment"),
        (paid.replace("purchases >= 1", "first_day >= 2026-03-01"), "no feature 'first_day'"),
    ):
        with pytest.raises(SettingsError, match=says):
            settings_of(tmp_path, definition + segment)
    with pytest.raises(SettingsError, match="boards: must be tables"):
        settings_of(tmp_path, "boards = 1")

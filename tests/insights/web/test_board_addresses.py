"""A kept question is an address of the page Explore, and back, for every analysis."""

from __future__ import annotations

import pytest

from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.made.things import Question
from insights.web.boards.address import query_of, question_of
from stream.faults import UsageFault


@pytest.mark.parametrize("name", CATALOG)
def test_a_question_is_an_address_and_back(name: str) -> None:
    entry = entry_of(CATALOG[name])
    given: dict[str, object] = {p.name: ["open", "a,b"] for p in entry.parameters if p.required}
    given |= {p.name: True for p in entry.parameters if p.reads == "flag"} | {p.name: "x y&z" for p in entry.parameters if p.name == "by"}
    entries = {one.name: entry_of(one) for one in CATALOG.values()}
    question = question_of(query_of(name, given), entries, title=" T ", shown="table")
    assert question == Question(title="T", analysis=name, parameters=given)


def test_a_question_keeps_only_what_it_was_given() -> None:
    entries = {one.name: entry_of(one) for one in CATALOG.values()}
    assert question_of("analysis=retention&unit=week&lang=zh&by=", entries, title="T", shown="table").parameters == {"unit": "week"}
    with pytest.raises(UsageFault):
        question_of("analysis=retention&unit=x", entries, title="T", shown="table")

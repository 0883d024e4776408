"""Every case of a kind that has an analysis holds, and the runner can tell when one does not."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from tests.insights.cases.__main__ import fault_of, main
from tests.insights.cases.case import Case, holds, read_cases
from tests.insights.cases.kinds import KINDS

FILE = Path(__file__).parents[4] / "shared" / "cases" / "analysis_cases.jsonl"
CASES = [case for case in read_cases(FILE) if case.query["kind"] in KINDS] if FILE.exists() else []


def test_the_cases_are_there() -> None:
    if not CASES and os.environ.get("CI") != "true":
        pytest.skip("no ../shared/cases: the cases are not part of the project")
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_holds(case: Case) -> None:
    assert fault_of(case) is None


def test_a_case_that_does_not_hold_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    events = '[{"user": "a", "ts": "2024-02-28T12:00:00Z", "type": "open"}]'
    query = '{"kind": "active_users", "day": "2024-02-28"}'
    file.write_text(
        f'{{"name": "right", "events": {events}, "query": {query}, "expected": {{"dau": 1, "wau": null}}}}\n'
        f'{{"name": "wrong", "events": {events}, "query": {query}, "expected": {{"dau": 2}}}}\n'
        f'{{"name": "new", "events": [], "query": {{"kind": "fortune"}}, "expected": {{}}}}\n'
    )
    assert main([str(file)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "1 of 3 cases hold"
    assert [line.split(":")[0].strip() for line in said[1:]] == ["wrong", "new"]


def test_a_number_is_right_to_the_digits_that_were_written() -> None:
    assert holds(Decimal("0.243"), 0.24259)
    assert not holds(Decimal("0.243"), 0.2424)
    assert not holds(Decimal("1.0"), None)
    assert not holds(0, None)
    assert not holds([1, 2], [1, 2, 3])

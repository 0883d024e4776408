"""Foreign text on its way to people: the helpers, the log, and that there is no other door."""

from __future__ import annotations

import ast
import csv
import io
import json
import logging
import unicodedata
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from stream.cli.context import FieldFormatter
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shown import csv_line, json_text, visible

ROOT = Path(__file__).parents[2]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
"""Any characters, lone surrogates too."""
TEXT = st.text(max_size=40)


def acts(text: str) -> list[str]:
    return [one for one in text if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


@given(ANY_TEXT)
def test_whatever_is_shown_is_visible_and_in_one_line(text: str) -> None:
    shown = visible(text)
    assert not acts(shown)
    assert len(shown.splitlines()) <= 1
    shown.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=40))
def test_a_text_that_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_a_line_of_csv_is_one_row_without_a_formula(cells: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_line(cells))))
    assert len(rows) <= 1
    found = rows[0] if rows else [""]
    assert len(found) == len(cells)
    for cell in found:
        assert not cell.startswith(("=", "@", "\t", "\r", "＝", "＋", "－", "＠"))  # noqa: RUF001 - the wide forms are meant
        if cell.startswith(("+", "-")):
            float(cell)


@pytest.mark.parametrize("number", ["-3.5", "+1", "-1e5", "0", -3.5, 7])
def test_a_number_stays_a_number(number: object) -> None:
    assert csv_line([number]) == str(number)


@given(st.dictionaries(TEXT, TEXT | st.integers(-(2**53), 2**53) | st.none(), max_size=4), st.sampled_from([-1, 2]))
def test_json_is_printed_as_the_same_value_and_cannot_act(value: dict[str, object], indent: int) -> None:
    printed = json_text(msgspec.json.encode(value), indent)
    assert json.loads(printed) == value
    assert not acts(printed.replace("\n", ""))
    assert indent > 0 or "\n" not in printed


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        json_text(b"\x1b[2J")


def shown_in(width: int) -> Screen:
    return Screen(
        Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    )


def printed(screen: Screen) -> list[str]:
    file = screen.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_long_id_is_shortened_and_a_number_never(width: int) -> None:
    screen = shown_in(width)
    screen.table([Column("user", shortened=True), Column("risk", right=True)], [("x" * 300, "0.123"), ("[/]", "0.500")])
    lines = printed(screen)
    assert len(lines) == 3
    assert all(len(line) <= width for line in lines)
    assert [line.split()[-1] for line in lines] == ["risk", "0.123", "0.500"]
    assert lines[1].split()[0].endswith("…")
    assert lines[2].startswith("[/]")


def test_a_window_too_narrow_for_the_numbers_shows_them_all() -> None:
    screen = shown_in(20)
    screen.table([Column("one"), Column("two"), Column("three")], [("1" * 15, "2" * 15, "3" * 15)])
    assert [cell for line in printed(screen) for cell in line.split()] == ["one", "two", "three", "1" * 15, "2" * 15, "3" * 15]


def test_an_entry_that_does_not_fit_goes_on_under_its_head() -> None:
    screen = shown_in(40)
    screen.entry(["head"], "word " * 12, margin=4)
    first, *rest = printed(screen)
    assert first.strip() == "head"
    assert all(line.startswith("    word") and len(line) <= 40 for line in rest)
    wide = shown_in(120)
    wide.entry(["head"], "word " * 12, margin=4)
    assert len(printed(wide)) == 1


def record(message: str, *, error: BaseException | None = None, **fields: object) -> str:
    made = logging.makeLogRecord({"name": "stream", "levelname": "ERROR", "msg": message, **fields})
    made.exc_info = None if error is None else (type(error), error, error.__traceback__)
    return FieldFormatter("%(asctime)s %(levelname)s %(name)s %(message)s").format(made)


@given(ANY_TEXT, ANY_TEXT)
def test_no_field_of_a_log_record_begins_a_second_line(message: str, field: str) -> None:
    line = record(message.replace("%", ""), why=field)
    assert len(line.splitlines()) == 1
    assert not acts(line)


USER = "ann@example.org"


def raised(error: Exception) -> Exception:
    def quote() -> None:
        raise KeyError(f"{USER}\n2026-01-01 00:00:00,000 ERROR forged")

    def fail() -> None:
        try:
            quote()
        except KeyError as cause:
            raise error from cause

    with pytest.raises(type(error)):
        fail()
    return error


def test_a_stack_in_the_log_quotes_no_payload_and_forges_no_record() -> None:
    text = record("stopping", error=raised(ValueError(f'bad payload {{"user": "{USER}"}}')))
    assert USER not in text
    first, *rest = text.splitlines()
    assert first.endswith("stopping")
    assert all(line.startswith("  ") for line in rest)
    assert [line.strip() for line in rest if "--debug" in line] == [
        "KeyError (--debug says the rest)",
        "ValueError (--debug says the rest)",
    ]
    assert any("raise error from cause" in line for line in rest)


def test_an_error_of_ours_says_what_it_is() -> None:
    assert record("stopping", error=raised(UsageFault("say either"))).splitlines()[-1].strip() == "UsageFault: say either"


DOORS = {"print", "echo", "secho", "Console", "Table", "Markdown", "Progress"}


@pytest.mark.parametrize("room", ["cli", "demo", "backtest", "intake"])
def test_nothing_is_shown_but_through_the_screen(room: str) -> None:
    """A new command that prints in a way of its own would be a new way in for markup and control characters."""
    for file in (ROOT / "stream" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert name not in DOORS, f"{file.relative_to(ROOT)}:{node.lineno} calls {name}: use stream.screen.Screen"

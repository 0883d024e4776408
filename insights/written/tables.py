"""Which tables do people see? A triangle of cohorts, a series of days, or rows as they are; with a line a group where people are told apart.

A cell knows its share, so that a terminal or a page can shade it, and whether its time is not over: then it is marked, and never shown as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich.cells import cell_len

from insights.analyses.plain import LONG_TEXTS, Cell, Entry, Found, Kind, Rows
from insights.words.language import DASH, Words

OPEN = "*"
"""Follows a value that is still moving."""
PREFERRED = (0, 1, 7, 30, 3, 14, 2, 60, 90, 28, 21, 4, 5, 6, 12, 10, 8, 9, 11, 24)
"""Units after the entry in the order in which they are worth a column."""
MARGIN = 2
"""Blanks between two columns of a terminal."""


class Shown(NamedTuple):
    """One cell: its text, the share it stands for (0 to 1, None: none), whether it is still open, and what names the people behind it, if it is a number of people."""

    text: str
    share: float | None = None
    is_open: bool = False
    cell: Cell | None = None


class Table(NamedTuple):
    """One table: a title, a head, rows of cells. All columns but the first `left` are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    left: int = 1
    hidden: int = 0
    """Columns left out, for they do not fit the width."""


def tables_of(entry: Entry, found: Found, words: Words, width: int | None = None) -> list[Table]:
    """Return what people see of a result.

    Parameters
    ----------
    width : int, optional
        Characters of a line. Columns that do not fit are left out, the least wanted first; None: all fit.
    """
    if not found.rows.height:
        return [Table(words.t(f"analysis.{entry.name}"), (), ())]
    layouts: dict[str, Callable[[Entry, Found, Words, int | None], list[Table]]] = {
        "triangle": _triangle, "series": _series, "steps": _steps, "list": _list
    }  # fmt: skip
    return layouts[entry.layout](entry, found, words, width)


def people_table(people: Rows, words: Words) -> Table:
    """Return a list of people as a table: user first, what else is known behind it."""
    head = tuple(words.t(f"people.{name}") for name in people.columns)
    rows = tuple(tuple(Shown(_plain(value, words)) for value in row) for row in people.tuples())
    return Table(words.t("written.people", n=people.height), head, rows, len(head))


def _plain(value: object, words: Words) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool):
        return words.t("yes") if value else words.t("no")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    return words.number(value) if isinstance(value, int | float) else str(value)


def said(value: float | None, kind: Kind, words: Words) -> str:
    """Write a value as its kind is written.

    >>> from insights.words import words
    >>> said(0.256, "share", words("en")), said(1234.0, "people", words("en")), said(None, "share", words("en")) == DASH
    ('26%', '1,234', True)
    >>> said(0.021, "points", words("en")), said(20.4, "seconds", words("en")), said(600, "seconds", words("zh"))
    ('+2.1', '20.4 s', '10 分钟')
    """
    if value is None:
        return DASH
    if kind == "share":
        return words.percent(value)
    if kind == "points":
        return f"{'+' if value > 0 else ''}{words.number(100 * value, 1)}"
    if kind == "seconds":
        return words.duration(value) if value >= 60 else words.t("span.seconds", n=words.number(value))
    return words.number(value)


def _cell(row: dict[str, Any], kind: Kind, words: Words) -> Shown:
    if row["value"] is None:
        return Shown("" if row["state"] == "none" else DASH)
    is_open = row["state"] == "open"
    text = said(row["value"], kind, words) + (OPEN if is_open else "")
    return Shown(text, row["value"] if kind == "share" else None, is_open, named(row))


def named(row: dict[str, Any]) -> Cell:
    """Return the name of the people behind a row."""
    return Cell(**{name: row[name] for name in Cell.__struct_fields__ if row.get(name) is not None})


def _triangle(entry: Entry, found: Found, words: Words, width: int | None) -> list[Table]:
    """A line a cohort, a column a k. Where people are told apart: a line a group, over all cohorts."""
    unit = found.parameters.get("unit", "day")
    counted = unit if found.parameters.get("window", "calendar") == "calendar" else "day"
    rows = found.rows.dicts()
    hide_zero = not found.parameters.get("same_unit", False)
    ks = sorted({(row["k"], row.get("to", row["k"])) for row in rows if not (hide_zero and row["k"] == 0)})
    groups = list(dict.fromkeys(row["group"] for row in rows))
    is_grouped = found.parameters.get("by") is not None
    overall: dict[str | None, dict[int, dict[str, Any]]] = {}
    cohorts: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows:
        if row["metric"] == "overall":
            overall.setdefault(row["group"], {})[row["k"]] = row
        elif not is_grouped:
            cohorts.setdefault(row["cohort"], {})[row["k"]] = row
    heads = {k: words.t(f"k.{counted}", k=str(k)) if k == to else words.t(f"k.{counted}", k=f"{k}-{to}") for k, to in ks}
    lines: list[tuple[str, dict[int, dict[str, Any]]]]
    if is_grouped:
        lines = [(group or DASH, overall.get(group, {})) for group in groups]
        lines.sort(key=lambda line: -_size(line[1]))
    else:
        lines = [(words.t("metric.overall"), overall.get(None, {})), *cohorts.items()]
    texts = {(name, k): _cell(cells[k], "share", words) if k in cells else Shown("") for name, cells in lines for k, _ in ks}
    if is_grouped:  # to compare groups one must know how sure each share is
        texts = {(name, k): _with_interval(shown, dict(lines)[name].get(k), words) for (name, k), shown in texts.items()}
    first = max([cell_len(name) for name, _ in lines], default=0)
    broad = max([cell_len(heads[k]) for k, _ in ks] + [cell_len(one.text) for one in texts.values()], default=0) + MARGIN
    room = None if width is None else max(1, (width - first - 9 - MARGIN) // broad)
    shown_ks = choose([k for k, _ in ks], room)
    body = tuple((Shown(name), _people(cells, words), *(texts[name, k] for k in shown_ks)) for name, cells in lines)
    label = str(found.parameters.get("by", "")) if is_grouped else words.t(f"unit.{unit}")
    title = words.t(f"analysis.{entry.name}")
    return [Table(title, (label, words.t("column.count"), *(heads[k] for k in shown_ks)), body, 1, len(ks) - len(shown_ks))]


def _size(cells: dict[int, dict[str, Any]]) -> int:
    return int(cells[min(cells)]["n"] or 0) if cells else 0


def _people(cells: dict[int, dict[str, Any]], words: Words) -> Shown:
    """How many people a line is of; more may still come while their unit is not over."""
    if not cells:
        return Shown(DASH)
    first = cells[min(cells)]
    is_open = first["state"] == "open"
    return Shown(words.number(_size(cells)) + (OPEN if is_open else ""), None, is_open)


def _with_interval(shown: Shown, row: dict[str, Any] | None, words: Words) -> Shown:
    if row is None or row["value"] is None or row["low"] is None:
        return shown
    return shown._replace(text=f"{shown.text} {words.interval(row['low'], row['high'])}")


def choose(ks: Sequence[int], room: int | None) -> list[int]:
    """Return the ks that get a column, in order.

    >>> choose(range(1, 31), 4), choose([1, 2, 3], None)
    ([1, 3, 7, 30], [1, 2, 3])
    """
    if room is None or len(ks) <= room:
        return list(ks)
    rank = {k: number for number, k in enumerate(PREFERRED)}
    wanted = sorted(ks, key=lambda k: (rank.get(k, len(rank)), k))
    return sorted(wanted[:room])


def _series(entry: Entry, found: Found, words: Words, width: int | None) -> list[Table]:
    """A line a cohort, a column a metric. Where people are told apart: a line a group, of the newest cohort that is complete."""
    rows = found.rows.dicts()
    kinds = {metric.name: metric.kind for metric in entry.metrics}
    names = list(dict.fromkeys(row["metric"] for row in rows))
    names.sort(key=list(kinds).index)
    title, by = words.t(f"analysis.{entry.name}"), found.parameters.get("by")
    key = "cohort" if by is None else "group"
    if by is not None and rows:
        done = [row["cohort"] for row in rows if row["state"] == "complete"]
        newest = max(done or [row["cohort"] for row in rows])
        rows = [row for row in rows if row["cohort"] == newest]
        title = words.t("series.on", title=title, cohort=newest)
    lines: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        lines.setdefault(row[key] or DASH, {})[row["metric"]] = row
    body = tuple(
        (Shown(name), *(_cell(cells[one], kinds[one], words) if one in cells else Shown("") for one in names))
        for name, cells in lines.items()
    )
    label = by or words.t(f"unit.{found.parameters.get('unit', 'day')}")
    return _fitting(Table(title, (label, *(words.t(f"metric.{name}") for name in names)), body), width)


def _steps(entry: Entry, found: Found, words: Words, width: int | None) -> list[Table]:
    """A line a step, a column a metric; a table for each group and cohort. What is not of one step stands in a last line."""
    kinds = {metric.name: metric.kind for metric in entry.metrics}
    there = set(found.rows.columns["metric"])
    names = [name for name in kinds if name in there]
    parts: dict[tuple[str | None, str | None], list[dict[str, Any]]] = {}
    for row in found.rows.dicts():
        parts.setdefault((row["cohort"], row["group"]), []).append(row)
    tables: list[Table] = []
    for (cohort, group), rows in parts.items():
        lines: dict[int | None, dict[str, dict[str, Any]]] = {}
        for row in rows:
            lines.setdefault(row["k"], {})[row["metric"]] = row
        body = []
        for k, cells in lines.items():
            name = "" if k is None else f"{k} {next(iter(cells.values()))['step']}"
            body.append((Shown(name), *(_cell(cells[one], kinds[one], words) if one in cells else Shown("") for one in names)))
        title = ", ".join([words.t(f"analysis.{entry.name}"), *(str(one) for one in (cohort, group) if one is not None)])
        head = (words.t("column.step"), *(words.t(f"metric.{name}") for name in names))
        tables += _fitting(Table(title, head, tuple(body)), width)
    return tables


def _list(entry: Entry, found: Found, words: Words, width: int | None) -> list[Table]:
    """A line for whatever the rows tell apart; of one metric with its interval, of several with a column each. Columns that are empty in all rows are left out."""
    columns = found.rows.columns
    metrics = set(columns["metric"])
    if len(metrics) > 1:
        return _metrics_side_by_side(entry, found, words, width)
    kinds = {metric.name: metric.kind for metric in entry.metrics}
    extra = dict(entry.columns)
    there = [name for name in columns if name not in {"low", "high", "state", "metric"} and _says(columns[name])]
    title = f"{words.t(f'analysis.{entry.name}')}: {words.t(f'metric.{next(iter(metrics))}')}"
    has_interval = _says(columns["low"])
    texts = [name for name in there if name in _texts(entry)]
    order = [*texts, *(name for name in there if name not in texts and name != "value"), *(["value"] if "value" in there else [])]
    head = [words.t(f"column.{name}") for name in order] + ([words.t("column.interval")] if has_interval else [])
    body = []
    for row in found.rows.dicts():
        kind = kinds[row["metric"]]
        cells = []
        for name in order:
            if name == "value":
                cells.append(_cell(row, kind, words))
            elif name in texts:
                cells.append(Shown(row[name] or ""))
            else:
                cells.append(Shown(said(row[name], extra.get(name, "number"), words)))
        if has_interval:
            cells.append(Shown(words.interval(row["low"], row["high"])))
        body.append(tuple(cells))
    return _fitting(Table(title, tuple(head), tuple(body), max(1, len(texts))), width)


def _says(column: list[Any]) -> bool:
    return any(value is not None for value in column)


def _texts(entry: Entry) -> set[str]:
    return {*LONG_TEXTS, *(name for name, kind in entry.columns if kind == "text")}


def _metrics_side_by_side(entry: Entry, found: Found, words: Words, width: int | None) -> list[Table]:
    kinds = {metric.name: metric.kind for metric in entry.metrics}
    columns = found.rows.columns
    told_apart = ["cohort", "group", *(name for name, _ in entry.columns if name in _texts(entry)), "k"]
    keys = [name for name in told_apart if _says(columns[name])]
    there = set(columns["metric"])
    names = [name for name in kinds if name in there]
    lines: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in found.rows.dicts():
        lines.setdefault(tuple(row[name] for name in keys), {})[row["metric"]] = row
    body = tuple(
        (
            *(Shown("" if one is None else str(one)) for one in key),
            *(_cell(cells[name], kinds[name], words) if name in cells else Shown("") for name in names),
        )
        for key, cells in lines.items()
    )
    head = (*(words.t(f"column.{name}") for name in keys), *(words.t(f"metric.{name}") for name in names))
    return _fitting(Table(words.t(f"analysis.{entry.name}"), head, body, max(1, len(keys) - ("k" in keys))), width)


def _fitting(table: Table, width: int | None) -> list[Table]:
    """Cut a table that is too wide into several that follow each other, each with the columns on its left."""
    if width is None:
        return [table]
    wide = [max([cell_len(table.head[at]), *(cell_len(row[at].text) for row in table.rows)]) + MARGIN for at in range(len(table.head))]
    left = list(range(table.left))
    parts: list[list[int]] = [[]]
    for at in range(table.left, len(wide)):
        if parts[-1] and sum(wide[one] for one in [*left, *parts[-1], at]) - MARGIN > width:
            parts.append([])
        parts[-1].append(at)

    def picked(row: Sequence[Any], columns: Iterable[int]) -> tuple[Any, ...]:
        return tuple(row[at] for at in (*left, *columns))

    return [
        Table(
            table.title if number == 0 else "", picked(table.head, columns), tuple(picked(row, columns) for row in table.rows), table.left
        )
        for number, columns in enumerate(parts)
    ]

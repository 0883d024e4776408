"""Files of a result, by their ending: .parquet, .xlsx, .csv, .html, .json. A file is there whole or not at all."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
import xlsxwriter

from insights.analyses.as_plain import rows_of
from insights.analyses.plain import Known
from insights.words.language import Words
from insights.written.rows import as_of_of, csv_of, json_of_rows
from insights.written.tables import Shown, Table
from stream.faults import UsageFault
from stream.shown import visible

ENDINGS = (".parquet", ".xlsx", ".csv", ".html", ".json")


def write(path: Path, known: Known, frame: pl.DataFrame, name: str, page: Callable[[], str]) -> None:
    """Write rows of a result, or the people behind one of its cells, into a file.

    Parameters
    ----------
    path : Path
        Its ending says the form.
    known : Known
        As of what the rows hold.
    frame : pl.DataFrame
        Rows of a result, or people.
    name : str
        What they are called in JSON: "rows", or "users".
    page : callable
        Makes the page for .html.

    Raises
    ------
    stream.faults.UsageFault
        For another ending, and when the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise UsageFault(f"cannot write {path.suffix or 'a file without an ending'}: take one of {', '.join(ENDINGS)}")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(beside, path.suffix, known, frame, name, page)
        beside.replace(path)
    except OSError as error:
        raise UsageFault(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)


def _write(path: Path, ending: str, known: Known, frame: pl.DataFrame, name: str, page: Callable[[], str]) -> None:
    if ending == ".parquet":
        frame.write_parquet(path, metadata={"churnwatch.as_of": msgspec.json.encode(as_of_of(known)).decode()})
    elif ending == ".xlsx":
        _excel(path, known, frame)
    elif ending == ".csv":
        path.write_text("".join(f"{line}\n" for line in csv_of(rows_of(frame))), encoding="utf-8")
    elif ending == ".html":
        path.write_text(page(), encoding="utf-8")
    else:
        path.write_bytes(json_of_rows(known, rows_of(frame), name))


def _excel(path: Path, known: Known, frame: pl.DataFrame) -> None:
    """Two sheets: the rows, and what was known. No text is taken for a formula or an address."""
    with (
        path.open("wb") as file,
        xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}) as book,
    ):
        # a workbook has no zones: times stand in UTC
        plain = frame.with_columns(pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None))
        plain.write_excel(workbook=book, worksheet="rows")
        sheet = book.add_worksheet("as of")
        for number, (name, value) in enumerate(as_of_of(known).items()):
            sheet.write_string(number, 0, name)
            sheet.write_string(
                number, 1, "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
            )


STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .25rem .6rem; text-align: right; font-variant-numeric: tabular-nums }
th { font-weight: 600 } .left { text-align: left } .open { font-style: italic } p { margin: .2rem 0; opacity: .8 }
"""


def page_of(tables: list[Table], lines: list[str], title: str, words: Words) -> str:
    """Return a page of its own: no script, no request, everything escaped."""
    parts = [f'<!doctype html><html lang="{words.tag}"><meta charset="utf-8"><title>{_text(title)}</title><style>{STYLE}</style>']
    parts += [f"<h1>{_text(title)}</h1>"]
    for table in tables:
        head = "".join(f'<th scope="col"{_class(at < table.left)}>{_text(name)}</th>' for at, name in enumerate(table.head))
        body = "".join("<tr>" + "".join(_td(cell, at < table.left) for at, cell in enumerate(row)) + "</tr>" for row in table.rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return "\n".join([*parts, *(f"<p>{_text(line)}</p>" for line in lines), "</html>\n"])


def _text(text: str) -> str:
    """Return a text for a page, with what a browser would act upon spelled out."""
    return html.escape(visible(text))


def _class(is_left: bool) -> str:
    return ' class="left"' if is_left else ""


def _td(cell: Shown, is_left: bool) -> str:
    shade = (
        f' style="background: rgb(57 119 191 / {min(1.0, cell.share) * 0.75:.2f})"' if cell.share is not None and not cell.is_open else ""
    )
    kind = ' class="open"' if cell.is_open else _class(is_left)
    return f"<td{kind}{shade}>{_text(cell.text)}</td>"

"""What can be said about a file of events, for every command that reads one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.faults import UsageFault

if TYPE_CHECKING:
    from features.files.options import ReadOptions
    from stream.settings import Settings

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="CSV, TSV, JSON, JSONL or Parquet, also .gz and .zst; several, a folder, a pattern, or - for standard input",
    ),
]
Spill = Annotated[Path | None, typer.Option(help="folder for what does not fit into memory; default: that for temporary files")]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="which column is which field, such as user=user_id,ts=event_time,type=event_type (dots lead into nested JSON, a bar to a second choice); or a .toml or .json file of that",
    ),
]
Type = Annotated[str, typer.Option("--type", help="the type of all rows, for a log without a column for it")]
TsUnit = Annotated[str, typer.Option("--ts-unit", help="unit of times that are numbers: s, ms, us or ns; default ms")]
TsFormat = Annotated[str, typer.Option("--ts-format", help="form of times, such as '%d/%m/%Y %H:%M'; default RFC 3339 and its kin")]
Tz = Annotated[str, typer.Option("--tz", help="IANA zone of times that have none; default features.timezone")]
Oldest = Annotated[str, typer.Option("--oldest", help="times before this date are mistakes; default features.oldest")]
Encoding = Annotated[
    str, typer.Option("--encoding", help="of text files, such as latin-1 or utf-16; default UTF-8, or as the file's mark says")
]
Sep = Annotated[str, typer.Option("--sep", help="between columns; default: found from the header (, ; | or tab)")]
SkipBad = Annotated[int, typer.Option("--skip-bad", min=0, help="go on without unusable rows, if there are no more than this")]


def read_options(
    settings: Settings, *, mapping: list[str] | None = None, constant_type: str = "", ts_unit: str = "", ts_format: str = "",
    tz: str = "", oldest: str = "", encoding: str = "", separator: str = "", allow_future: bool = False,
) -> ReadOptions:  # fmt: skip
    """Put together what was said; everything that cannot be is refused before a file is opened.

    Raises
    ------
    UsageFault
        For an option that cannot be.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from features.files.blocks import is_text_encoding
    from features.files.faults import FileRefused
    from features.files.mapping import read_mapping
    from features.files.options import ReadOptions
    from features.files.times import UNITS, readable_form

    zone = tz or settings["features.timezone"]
    try:
        ZoneInfo(zone)
        told = read_mapping(mapping or [])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if isinstance(error, FileRefused):
            raise UsageFault(str(error)) from None
        raise UsageFault(f"--tz: {zone!r} is no IANA zone such as Europe/Berlin") from None
    if encoding and not is_text_encoding(encoding):
        raise UsageFault(f"--encoding: no encoding is called {encoding!r}; there are utf-8, utf-16, latin-1, cp1252 and others")
    if ts_unit and ts_unit not in UNITS:
        raise UsageFault(f"--ts-unit: {ts_unit!r} is none of {', '.join(UNITS)}")
    if ts_format and "%Z" in ts_format:
        raise UsageFault(
            "--ts-format: names of zones (%Z) are not read, since many have several meanings; write the name as it stands (UTC), or say --tz"
        )
    if ts_format and not readable_form(ts_format):
        raise UsageFault(f"--ts-format: {ts_format!r} is no form that tells a day, such as '%d/%m/%Y %H:%M' or '%m/%d/%Y %I:%M %p'")
    separator = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
    if separator and (len(separator) != 1 or not separator.isascii() or separator in '"\n\r'):
        raise UsageFault(f"--sep: one character is asked for, such as ; or | or tab, got {separator!r}")
    return ReadOptions(
        now_ms=time.time_ns() // 1_000_000,
        mapping=told,
        constant_type=constant_type.strip(),
        zone=zone,
        zone_given=bool(tz),
        ts_unit=ts_unit,
        ts_format=ts_format,
        oldest_ms=_moment(oldest, zone) if oldest else settings["features.oldest"],
        oldest_given=bool(oldest),
        encoding=encoding,
        separator=separator,
        not_users=frozenset(settings["features.not_users"]),
        known_types=frozenset(settings.rules().for_senders().strict_types or ()),
        allow_future=allow_future,
    )


def _moment(text: str, zone: str) -> int:
    """Read a date, a time or milliseconds."""
    import numpy as np
    import polars as pl

    from features.files.cells import packed
    from features.files.times import LOCAL, NUMBER, ZONED, local_to_utc, read_texts

    kind, ms = np.zeros(1, np.uint8), np.zeros(1, np.int64)
    read_texts(*packed(pl.Series([text])), kind, ms)
    if kind[0] not in {LOCAL, NUMBER, ZONED} or (kind[0] == NUMBER and len(text.strip()) in {4, 6, 8}):  # 2019, 201910, 20191001
        raise UsageFault(f"--oldest: {text!r} is no date such as 1995-01-01")
    return int(local_to_utc(ms, zone)[0] if kind[0] == LOCAL else ms[0])

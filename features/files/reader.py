"""Files of events, read and judged. Every log that comes from a disk enters the project here.

file -> form (delimited, JSON, Parquet) -> plan (which column is which field) -> chunks of cells -> judgement -> frames of usable rows, a `Summary`
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from features.files.blocks import Blocks
from features.files.chunk import Fault
from features.files.faults import FileRefused, words_of
from features.files.json_rows import JsonRows
from features.files.judgement import Judge, Seen
from features.files.mapping import plan_of
from features.files.options import ReadOptions
from features.files.parquet import ParquetRows
from features.files.shapes import HEADLESS, Plan
from features.files.summary import Days, Distinct, Summary
from features.files.tables import Table

ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
PACKED = ("", ".gz", ".zst")
STDIN = "-"
_DAY = r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
HINTS = {
    _DAY: "ts: {} looks like year, month and day: say --ts-format %Y%m%d",
    _DAY + r"([01]\d|2[0-3])[0-5]\d[0-5]\d": "ts: {} looks like year, month, day and time: say --ts-format %Y%m%d%H%M%S",
    r"[2-5]\d{4}([.,]\d+)?": "ts: {} looks like days as a spreadsheet counts them: format the column as 2019-10-31 13:05:07 there, and export it again",
}
"""What numbers are that are no times in milliseconds, by their form."""
Frames = Iterator[pl.DataFrame]
Progress = Callable[[int], None]


def files_of(names: list[str]) -> list[Path]:
    """Return the files that are named, in order of their names.

    A name is that of a file, of a folder (for all files of events below it), a pattern with a star, or - for standard input.

    Raises
    ------
    FileRefused
        If a file does not exist, no file fits a pattern, or a folder has no files of events.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if name == STDIN or path.is_file() or path.is_fifo():  # a shell turns <(command) into a named pipe
            found.append(path)
        elif path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file() and _is_log(one) and not _is_hidden(one.relative_to(path)))
            if not inside:
                raise FileRefused(f"{name}: no file that ends in {', '.join(ENDINGS)} is in this folder")
            found += inside
        elif any(sign in name for sign in "*?["):
            base = Path(path.anchor or ".")
            matched = sorted(one for one in base.glob(str(path.relative_to(path.anchor) if path.anchor else path)) if one.is_file())
            if not matched:
                raise FileRefused(f"{name}: no file fits this pattern")
            found += matched
        else:
            raise FileRefused(f"{name}: no such file")
    return list(dict.fromkeys(found))


def _is_log(path: Path) -> bool:
    name = path.name.lower()
    return any(name.endswith(ending + packed) for ending in ENDINGS for packed in PACKED)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


@dataclass(slots=True)
class EventFile:
    """One file of events.

    Attributes
    ----------
    summary : Summary
        Complete once `frames` has been read to its end.
    """

    path: Path
    options: ReadOptions
    summary: Summary
    stdin: BinaryIO | None = None
    bounds: tuple[int, int] | None = None
    """First and last time (ms) that is no outlier, known once the file has been read; None if there are no outliers."""
    float_ids: tuple[str, ...] = ()
    """Id columns whose numbers end in .0, which is to be removed; known once the file has been read."""
    in_order: bool = True

    def frames(self, progress: Progress = lambda _: None) -> Frames:
        """Yield the usable rows, with those columns of `judgement.SCHEMA` that the file has, and fill in the summary.

        Only the whole file shows which rows are outliers, so these are still among the rows; `settled` removes them.
        """
        summary = self.summary
        try:
            with self._stream() as stream:
                yield from self._judged(stream, progress)
        except FileRefused as error:
            summary.refused = str(error)
        except OSError as error:
            summary.refused = f"cannot be read: {error.strerror or error}"
        if not summary.rows and not summary.refused:
            summary.refused = "there are no events in it"

    @contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        if str(self.path) == STDIN and self.stdin is not None:
            yield self.stdin
        else:
            with self.path.open("rb") as stream:
                yield stream

    def _judged(self, stream: BinaryIO, progress: Progress) -> Frames:
        summary, options = self.summary, self.options
        if stream.seekable() and not stream.read(1):
            raise FileRefused("the file is empty", "empty")
        if stream.seekable():
            stream.seek(0)
        blocks = Blocks(stream, options.encoding)
        form = form_of(self.path, blocks, stream, options.separator)
        plan = _plan(form, options)
        judge, days, users = Judge(plan, options), Days(), Distinct()
        summary.notes += plan.notes
        last = None
        for chunk in form.chunks(plan.paths):
            frame, faults, rows, lines = judge.judge(chunk)
            summary.rows += len(chunk.rows) + len(chunk.faults)
            summary.usable += frame.height
            for fault in faults:
                summary.add(fault)
            judge.seen.not_finite += chunk.lax
            if frame.height:
                ts = frame["ts"].to_numpy()
                days.add(ts, rows, lines)
                users.add(frame["user"])
                for kind, count in frame["type"].value_counts().iter_rows():
                    summary.types[kind] += count
                self.in_order = self.in_order and (last is None or ts[0] >= last) and bool((np.diff(ts) >= 0).all())
                last = ts[-1]
                yield frame
            progress(stream.tell() if stream.seekable() else 0)
        if blocks.damage:
            summary.rows += 1
            summary.add(Fault("damaged", "", summary.rows, 0, blocks.damage))
        self._conclude(judge, days, users)

    def _conclude(self, judge: Judge, days: Days, users: Distinct) -> None:
        """Add to the summary what only the whole file shows."""
        summary, seen = self.summary, judge.seen
        self.bounds = days.bounds_ms()
        if self.bounds is not None:
            for fault in days.outliers(self.bounds):
                summary.add(fault)
                summary.usable -= fault.count
            days.forget(self.bounds)
        summary.first_ms, summary.last_ms = days.span_ms()
        summary.users = len(users)
        self.float_ids = tuple(name for name in seen.pointed if name not in seen.plain_ids)
        summary.notes += notes_of(judge, summary, self.float_ids, in_order=self.in_order)

    def settled(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame without outliers and with ids of float columns as whole numbers; call it once the whole file has been read."""
        if self.bounds is not None:
            frame = frame.filter(pl.col("ts").is_between(*self.bounds))
        if self.float_ids:
            frame = frame.with_columns(pl.col(name).str.replace(r"\.0+$", "") for name in self.float_ids if name in frame.columns)
        return frame


def table_of(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Read some columns of a file that does not hold events but, say, labels: as text, or with the types of a Parquet file.

    Raises
    ------
    FileRefused
        If the file cannot be read, lacks a column, or has a row without the right form.
    """
    if not path.is_file():
        raise FileRefused("no such file")
    with path.open("rb") as stream:
        blocks = Blocks(stream)
        form = form_of(path, blocks, stream, "")
        missing = [name for name in columns if name not in form.columns]
        if missing:
            raise FileRefused(f"no column {', '.join(missing)}", "columns")
        frames = []
        for chunk in form.chunks([(name,) for name in columns]):
            if chunk.faults:
                fault = chunk.faults[0]
                raise FileRefused(f"line {fault.line}: {words_of(fault.reason)}: {fault.value}", fault.reason)
            frames.append(pl.DataFrame({name: chunk.cells[name,].values for name in columns}))
        if blocks.damage:
            raise FileRefused(blocks.damage, "damaged")
    return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def form_of(path: Path, blocks: Blocks, stream: BinaryIO, separator: str) -> Table | JsonRows | ParquetRows:
    """Return a reader for the form of a file. Its first bytes say which form it is; where they leave a doubt, its name does."""
    if blocks.is_parquet:
        return ParquetRows(path if stream.seekable() and str(path) != STDIN else io.BytesIO(blocks.head + stream.read()))
    name = path.name.lower()
    for packed in PACKED[1:]:
        name = name.removesuffix(packed)
    if name.endswith(".parquet"):
        raise FileRefused("this is not a Parquet file: it does not begin like one", "damaged")
    text = blocks.head.decode("utf-16" if blocks.head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace").lstrip()
    # The name decides only if the beginning of the file is damaged, and an object stands on a later line.
    by_name = name.endswith((".json", ".jsonl", ".ndjson")) and any(line.lstrip().startswith("{") for line in text.splitlines())
    if text[:1] in {"{", "["} or by_name:
        return JsonRows(blocks)
    return Table(blocks, separator, HEADLESS)


def _plan(form: Table | JsonRows | ParquetRows, options: ReadOptions) -> Plan:
    """Decide where each field is read; of objects that only wrap a list of others, say how to get at these."""
    try:
        return plan_of(form.columns, options.mapping, nested=isinstance(form, JsonRows), constant_type=options.constant_type)
    except FileRefused as error:
        if not isinstance(form, JsonRows) or not form.lists:
            raise
        name = form.lists[0]
        within = f"if the events are the list within {name!r}, make it a file of its own: jq -c '.{name}[]' FILE > events.jsonl"
        raise FileRefused(f"{error}; {within}", error.reason) from None


def _hint(summary: Summary) -> str:
    """What a number that is no time in milliseconds may be, by the first one that is unusable."""
    for reason in ("ts_implausible", "ts_out_of_range", "wrong_type"):
        fault = summary.faults.get((reason, "ts"))
        for pattern, says in HINTS.items():
            if fault is not None and re.fullmatch(pattern, fault.value.strip()):
                return says.format(fault.value.strip())
    return ""


def _warnings(seen: Seen) -> list[str]:
    """What another program may have done to a column before."""
    notes = []
    if seen.invisible:
        ids = counted(seen.invisible, "id holds", "ids hold")
        notes.append(f"user: {ids} invisible characters, which make another user of the same name")
    if seen.rounded:
        ids = counted(seen.rounded, "id looks", "ids look")
        notes.append(
            f"user: {ids} like 1.23457E+12, which is what a spreadsheet makes of long numbers: different users may have become one; "
            "export the column as text"
        )
    if seen.coarse:
        notes.append("ts: a column of 32-bit floats holds milliseconds only to a minute or two: write it with 64 bits")
    return notes


def notes_of(judge: Judge, summary: Summary, float_ids: tuple[str, ...], *, in_order: bool) -> list[str]:
    """Return what was noticed in a file, as sentences for people."""
    seen, notes = judge.seen, []
    unit = judge.looks_like()
    if unit:
        names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
        notes.append(f"ts looks like {names[unit]}: say --ts-unit {unit}")
    reasons = {reason for reason, _ in summary.faults}
    if ("wrong_type", "ts") in summary.faults or "ts_ambiguous" in reasons:
        notes.append(
            "a time of another form, or one whose day and month could be swapped, is read when its form is given: "
            "--ts-format '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M' or the like"
        )
    hint = _hint(summary)
    if hint:
        notes.append(hint)
    elif "ts_implausible" in reasons:
        notes.append("times that far back are read with --oldest and a date, such as --oldest 1970-01-01")
    if "future" in reasons and seen.local:
        notes.append(f"times ahead of now: if they are of another zone than {judge.zone}, name it with --tz")
    if "not_utf8" in reasons:
        notes.append("some rows are not UTF-8: say --encoding latin-1, or cp1252, or what the file was written in")
    if seen.local:
        where = judge.zone if judge.options.zone_given else f"{judge.zone}; --tz names another"
        notes.append(f"{counted(seen.local, 'time has', 'times have')} no zone: read in {where}")
    notes += [f"{name}: blanks around {counted(count, 'id', 'ids')} trimmed" for name, count in seen.trimmed.items() if count]
    notes += [
        f"{name}: {counted(count, 'id', 'ids')} with accents written apart, now composed (NFC)"
        for name, count in seen.composed.items()
        if count
    ]
    notes += _warnings(seen)
    whole = dict.fromkeys([*(name for name, count in seen.whole.items() if count), *float_ids])
    notes += [f"{name}: a number such as 123.0 is taken as the id 123" for name in whole]
    if seen.not_finite:
        notes.append(f"value: {counted(seen.not_finite, 'row has', 'rows have')} NaN or infinity, taken as no value")
    notes += [f"value: {word!r} ({count:,}) is taken as no value" for word, count in seen.no_value.most_common(3)]
    if seen.nobody:
        shown = ", ".join(f"{name!r} ({count:,})" for name, count in sorted(seen.nobody.items(), key=lambda one: (-one[1], one[0]))[:8])
        notes.append(f"users that look like nobody in particular: {shown}; features.not_users in churnwatch.toml rejects them")
    if not in_order:
        notes.append("not in order of time: sorted (rows of the same time keep their order)")
    return notes


def counted(count: int, one: str, many: str) -> str:
    """Write a count with its noun.

    >>> counted(1, "row", "rows"), counted(2000, "row", "rows")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {one if count == 1 else many}"

"""Delimited text (CSV, TSV and the like) as columns of text. No types are inferred from the first rows.

block -> `lines.scan` -> records with the right number of fields -> polars, every column as text
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from features.files.blocks import Blocks
from features.files.cells import Cells
from features.files.chunk import Chunk, Fault, Path_, shortened
from features.files.faults import FileRefused
from features.files.lines import MAX_RECORD_BYTES, ODD_QUOTE, OPEN_QUOTE, SOUND, scan

SEPARATORS = (",", ";", "\t", "|")
MOST_RECORDS = 1 << 18
"""Most records of one chunk."""
csv.field_size_limit(MAX_RECORD_BYTES)


def separator_of(header: str) -> str:
    """Return the separator that occurs most often in the header outside quotes; a comma if none occurs.

    >>> separator_of("user;ts;type"), separator_of('"a,b"|c|d'), separator_of("user")
    (';', '|', ',')
    """
    outside = "".join(part for i, part in enumerate(header.split('"')) if i % 2 == 0)
    return max(SEPARATORS, key=outside.count)


class Table:
    """A delimited file.

    Parameters
    ----------
    blocks : Blocks
    separator : str
        One character; if empty, it is found from the header.
    headless : mapping
        For tab-separated files without a header: number of columns -> {position: name}.

    Raises
    ------
    FileRefused
        If the header has the same column twice, or there is none.
    """

    def __init__(self, blocks: Blocks, separator: str = "", headless: Mapping[int, Mapping[int, str]] | None = None) -> None:
        self._blocks, self._source = blocks, iter(blocks)
        self._rest, self._last = self._next(b"")
        self._only_cr = b"\r" in self._rest and b"\n" not in self._rest
        if self._only_cr:
            self._rest = self._rest.replace(b"\r", b"\n")
        self._line = self._row = 0
        names = self._known(headless or {}) if separator in {"", "\t"} else []
        self._quoted = not names  # in the known files without a header, quotes have no meaning
        self.separator = "\t"
        if not names:
            header = self._take_header()
            if header[:4].lower() == "sep=" and len(header) == 5:  # Excel's own first line
                separator, header = separator or header[4], self._take_header()
            self.separator = separator or separator_of(header)
            names = [name.strip() for name in _split(header, self.separator)]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise FileRefused(
                f"the same column twice: {', '.join(map(shortened, twice))}; rename one of them in the header", "column_twice"
            )
        if not any(names):
            raise FileRefused("there are no events in it", "empty")
        self.columns: list[str] = names

    def _next(self, rest: bytes) -> tuple[bytes, bool]:
        block = next(self._source, None)
        if block is None:
            return rest, True
        return (rest + block if rest else block), False

    def _known(self, headless: Mapping[int, Mapping[int, str]]) -> list[str]:
        """Return the column names of a known export without a header, known by its number of columns; empty for any other file."""
        first = self._rest[:MAX_RECORD_BYTES].lstrip(b"\r\n").split(b"\n", 1)[0].decode(errors="replace").strip("\r").split("\t")
        known = headless.get(len(first))
        if known is None or set(known.values()) & {name.strip().strip('"') for name in first}:
            return []
        return [known.get(i, "") for i in range(len(first))]

    def _take_header(self) -> str:
        """Take the first record off the text, and return it."""
        while True:
            starts, ends, fields, states, lines = (np.zeros(1, np.int64) for _ in range(5))
            count, consumed, passed = scan(np.frombuffer(self._rest, np.uint8), 44, True, self._last, starts, ends, fields, states, lines)
            if count or self._last:
                break
            if len(self._rest) > MAX_RECORD_BYTES:
                raise FileRefused("the first line has more than a million bytes: this is not a table with a header", "no_header")
            self._rest, self._last = self._next(self._rest)
        if not count:
            raise FileRefused("the file is empty", "empty")
        record = self._rest[starts[0] : ends[0]]
        self._rest, self._line = self._rest[consumed:], self._line + passed
        try:
            text = record.decode()
        except UnicodeDecodeError:
            raise FileRefused(
                "the first line is not UTF-8 text: if the file is text, say --encoding (latin-1, cp1252, utf-16)", "not_utf8"
            ) from None
        if "\0" in text:
            raise FileRefused("the first line holds zero bytes: this is not text", "not_utf8")
        return text

    def chunks(self, paths: Sequence[Path_]) -> Iterator[Chunk]:
        """Yield all rows in chunks, with the columns that are asked for."""
        wanted = sorted({self.columns.index(path[0]) for path in paths})
        by_path = {path: wanted.index(self.columns.index(path[0])) for path in paths}
        size = MOST_RECORDS
        starts, ends, fields, states, lines = (np.zeros(size, np.int64) for _ in range(5))
        while self._rest or not self._last:
            buffer = np.frombuffer(self._rest, np.uint8)
            count, consumed, passed = scan(buffer, ord(self.separator), self._quoted, self._last, starts, ends, fields, states, lines)
            if not count and not consumed:
                if self._last:
                    return
                self._more()
                continue
            block = self._rest[:consumed]
            yield self._chunk(block, starts[:count], ends[:count], fields[:count], states[:count], lines[:count] + self._line + 1, wanted, by_path)  # fmt: skip
            self._line += passed
            self._row += count
            self._rest = self._rest[consumed:]
            if not self._last and count < size:
                self._more()

    def _more(self) -> None:
        before = len(self._rest)
        self._rest, self._last = self._next(self._rest)
        if self._only_cr:
            self._rest = self._rest[:before] + self._rest[before:].replace(b"\r", b"\n")

    def _chunk(
        self, block: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], fields: npt.NDArray[np.int64],
        states: npt.NDArray[np.int64], lines: npt.NDArray[np.int64], wanted: list[int], by_path: dict[Path_, int],
    ) -> Chunk:  # fmt: skip
        rows = np.arange(self._row + 1, self._row + len(starts) + 1)
        bad = np.zeros(len(starts), np.bool_)
        faults: list[Fault] = []

        def reject(mask: npt.NDArray[np.bool_], reason: str, says: str = "{0}") -> None:
            for i in np.flatnonzero(mask & ~bad).tolist():
                text = block[starts[i] : ends[i]].decode(errors="replace")
                faults.append(Fault(reason, "", int(rows[i]), int(lines[i]), shortened(says.format(text, fields[i]))))
            bad[mask] = True

        if not block.isascii() and not _is_utf8(block):
            reject(np.array([not _is_utf8(block[s:e]) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]), "not_utf8")
        reject(states == OPEN_QUOTE, "open_quote")
        reject((fields != len(self.columns)) & (states == SOUND), "ragged")
        good = np.flatnonzero(~bad)
        if (states[good] == ODD_QUOTE).any():
            parsed = [_split(block[starts[i] : ends[i]].decode(), self.separator) for i in good.tolist()]
            short = np.zeros(len(starts), np.bool_)
            short[good[[len(one) != len(self.columns) for one in parsed]]] = True
            reject(short, "ragged")
            sound = [one for one in parsed if len(one) == len(self.columns)]
            frame = pl.DataFrame(
                {str(j): [one[j] or None for one in sound] for j in wanted}, schema=dict.fromkeys(map(str, wanted), pl.String)
            )
            good = np.flatnonzero(~bad)
        else:
            frame = self._parsed(block, wanted, starts, ends, good)
        series = frame.get_columns()
        return Chunk(rows[good], lines[good], {path: Cells(series[at]) for path, at in by_path.items()}, faults)

    def _parsed(
        self, block: bytes, wanted: list[int], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], good: npt.NDArray[np.intp]
    ) -> pl.DataFrame:
        if not len(good):
            return pl.DataFrame(schema=dict.fromkeys(map(str, wanted), pl.String))
        if len(good) == len(starts):
            frame = self._by_polars(block[starts[0] :], wanted)  # by its first line polars counts the columns: an empty one has none
            if frame.height == len(good):
                return frame
        return self._by_polars(b"\n".join([block[s:e] for s, e in zip(starts[good].tolist(), ends[good].tolist(), strict=True)]), wanted)

    def _by_polars(self, text: bytes, wanted: list[int]) -> pl.DataFrame:
        return pl.read_csv(
            io.BytesIO(text), has_header=False, separator=self.separator, quote_char='"' if self._quoted else None, columns=wanted,
            infer_schema=False, truncate_ragged_lines=True,
        )  # fmt: skip


def _split(record: str, separator: str) -> list[str]:
    """Return the fields of one record; odd quotes are no error."""
    try:
        return next(csv.reader([record], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a carriage return within the record: it is split without regard to quotes
        return record.split(separator)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True

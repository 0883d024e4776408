"""JSON objects, one a line or in an array, as columns of text. Each value that is asked for is cut out of its object as it is written there.

block -> records -> the raw text of each value asked for -> text; a value without quotes is known to be a number
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from features.files.blocks import Blocks
from features.files.cells import Cells
from features.files.chunk import Chunk, Fault, Path_, shortened
from features.files.lines import scan, scan_values

MOST_RECORDS = 1 << 17
LOOKED_AT = 1_000
"""How many objects are looked at to find the columns; a key may also come later for the first time."""
DEEP = 3
_MISSING = msgspec.Raw(b"")
_SEPARATOR_OF_NOTHING = 0


class JsonRows:
    """A file of JSON objects.

    Attributes
    ----------
    columns : list of str
        Keys of the first objects; a nested key has dots.
    lists : list of str
        Keys of the first objects under which a list of objects stands; these may be the events.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._source = iter(blocks)
        self._rest, self._last, self._line, self._row = b"", False, 0, 0
        self._more()
        self._by_lines = _one_a_line(self._rest)
        self._lists: dict[str, None] = {}
        self.columns = list(self._keys())
        self.lists = list(self._lists)

    def _more(self) -> None:
        block = next(self._source, None)
        if block is None:
            self._last = True
        else:
            self._rest += block
        if b"\n" not in self._rest and b"\r" in self._rest:
            self._rest = self._rest.replace(b"\r", b"\n")

    def _keys(self) -> dict[str, None]:
        starts, ends, _, _, _ = self._places(LOOKED_AT)
        while len(starts) < LOOKED_AT and not self._last:
            self._more()
            starts, ends, _, _, _ = self._places(LOOKED_AT)
        found: dict[str, None] = {}
        for s, e in zip(starts.tolist(), ends.tolist(), strict=True):
            try:
                one = msgspec.json.decode(self._rest[s:e])
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
            _names(one, "", found, DEEP)
            if isinstance(one, dict):
                self._lists |= dict.fromkeys(
                    name for name, inner in one.items() if isinstance(inner, list) and inner and isinstance(inner[0], dict)
                )
        return found

    def _places(self, most: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], int, int]:
        buffer = np.frombuffer(self._rest, np.uint8)
        starts, ends, lines = (np.zeros(most, np.int64) for _ in range(3))
        if self._by_lines:
            fields, states = np.zeros(most, np.int64), np.zeros(most, np.int64)
            count, consumed, passed = scan(buffer, _SEPARATOR_OF_NOTHING, False, self._last, starts, ends, fields, states, lines)
        else:
            count, consumed, passed = scan_values(buffer, self._last, starts, ends, lines)
        return starts[:count], ends[:count], lines[:count], consumed, passed

    def chunks(self, paths: Sequence[Path_]) -> Iterator[Chunk]:
        """Yield all rows in chunks, with the places that are asked for."""
        cutter = _Cutter(paths)
        while self._rest or not self._last:
            starts, ends, lines, consumed, passed = self._places(MOST_RECORDS)
            if not len(starts) and not consumed:
                if self._last:
                    return
                self._more()
                continue
            records = [self._rest[s:e] for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
            filled = np.array([not one.isspace() for one in records], np.bool_)
            yield self._chunk(cutter, [one for one in records if not one.isspace()], lines[filled] + self._line + 1)
            self._line += passed
            self._rest = self._rest[consumed:]
            if not self._last and len(starts) < MOST_RECORDS:
                self._more()

    def _chunk(self, cutter: _Cutter, records: list[bytes], lines: npt.NDArray[np.int64]) -> Chunk:
        rows = np.arange(self._row + 1, self._row + len(records) + 1)
        self._row += len(records)
        faults: list[Fault] = []
        good: list[int] = []
        objects: list[Any] = []
        lax = 0
        for i, record in enumerate(records):
            try:
                objects.append(cutter.decode(record))
                if not record.isascii():
                    record.decode()
                good.append(i)
                continue
            except UnicodeDecodeError:
                objects.pop()
                reason: str | None = "not_utf8"
            except (msgspec.MsgspecError, ValueError, RecursionError):
                mended, reason = _laxly(cutter, record)
                if mended is not None:
                    objects.append(mended)
                    good.append(i)
                    lax += 1
                    continue
            faults.append(Fault(reason or "not_json", "", int(rows[i]), int(lines[i]), shortened(record.decode(errors="replace"))))
        return Chunk(rows[good], lines[good], cutter.cells(objects), faults, lax)


def _one_a_line(text: bytes) -> bool:
    """Whether objects stand one a line: the first line that is not blank must be an object, or at least neither an array nor a lone bracket."""
    first = next((line for line in text[: 1 << 20].splitlines() if line.strip()), b"").strip()
    if first.startswith(b"["):
        return False
    if first == b"{" or (first.startswith(b"{") and first.endswith(b",")):
        return False
    return not _goes_on(first)


def _goes_on(line: bytes) -> bool:
    """Whether an object ends on a line and another begins behind it."""
    try:
        text = line.decode(errors="replace")
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip(", \t").startswith("{")


def _names(value: object, before: str, found: dict[str, None], depth: int) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            found[before + name] = None
            if depth > 1:
                _names(inner, f"{before}{name}.", found, depth - 1)


def _laxly(cutter: _Cutter, record: bytes) -> tuple[Any, str | None]:
    """Read an object once more, with every NaN or Infinity as null; or return the reason why it cannot be read."""
    try:
        one = json.loads(record, parse_constant=lambda _: None)
        if not isinstance(one, dict):
            return None, "wrong_type"
        return cutter.decode(json.dumps(one).encode()), None
    except RecursionError:
        return None, "too_deep"
    except (ValueError, msgspec.MsgspecError):
        return None, "not_json"


class _Cutter:
    """Cuts the places that are asked for out of objects."""

    def __init__(self, paths: Sequence[Path_]) -> None:
        self._names = list(dict.fromkeys(path[0] for path in paths))
        self._here = {path[0] for path in paths if len(path) == 1}
        self._below = {name: [path[1:] for path in paths if path[0] == name and len(path) > 1] for name in self._names}
        fields = [(f"f{i}", msgspec.Raw, _MISSING) for i in range(len(self._names))]
        kind = msgspec.defstruct("Row", fields, rename={f"f{i}": name for i, name in enumerate(self._names)}, gc=False)
        self.decode = msgspec.json.Decoder(kind).decode

    def cells(self, objects: Sequence[Any]) -> dict[Path_, Cells]:
        """Return one column for each place."""
        return {path: cells_of(tokens) for path, tokens in self._tokens(objects).items()}

    def _tokens(self, objects: Sequence[Any]) -> dict[Path_, list[bytes]]:
        found: dict[Path_, list[bytes]] = {}
        for i, name in enumerate(self._names):
            attribute = f"f{i}"
            tokens = [bytes(getattr(one, attribute)) for one in objects]
            if name in self._here:
                found[name,] = tokens
            if self._below[name]:
                inner = _Cutter(self._below[name])
                empty = inner.decode(b"{}")
                nested = [inner.decode(token) if token[:1] == b"{" else empty for token in tokens]
                found |= {(name, *path): below for path, below in inner._tokens(nested).items()}
        return found


def cells_of(tokens: Sequence[bytes]) -> Cells:
    r"""Return the raw texts of JSON values as cells.

    >>> cells = cells_of([b'"a\\u0041"', b"7.0", b"null", b"", b"[1]"])
    >>> cells.values.to_list(), cells.numbers.to_list(), cells.odd.to_list()
    (['aA', '7.0', None, None, '[1]'], [False, True, False, False, False], [False, False, False, False, True])
    """
    raw = pl.Series(tokens, dtype=pl.Binary).cast(pl.String)
    first = raw.str.slice(0, 1)
    quoted = first == '"'
    nothing = first.is_in(["", "n"])
    odd = first.is_in(["t", "f", "{", "["])
    text = raw.to_frame("raw").select(
        pl.when(nothing).then(None).when(quoted).then(pl.col("raw").str.strip_prefix('"').str.strip_suffix('"')).otherwise(pl.col("raw"))
    ).to_series()  # fmt: skip
    escaped = (quoted & raw.str.contains("\\", literal=True)).arg_true()
    if len(escaped):
        text = text.scatter(escaped, [_unescaped(raw[i]) for i in escaped])
    numbers = ~(quoted | nothing | odd)
    return Cells(text, odd if odd.any() else None, numbers if numbers.any() else None)


def _unescaped(token: str) -> str:
    text = json.loads(token)
    # A lone half of a surrogate pair is not a character and has no UTF-8, so the replacement character stands for it.
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

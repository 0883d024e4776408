"""Which rows are events by the rules of `features.events.event`, and what is wrong with each other row. Whole columns are judged at once.

cells -> trimmed and composed text, times in ms, values as numbers -> the first reason that applies to each row -> usable rows, faults of the rest
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from features.events.event import MAX_DEPTH, MAX_FUTURE_MS, MAX_PAYLOAD_BYTES, MAX_TS_MS, MAX_USER_BYTES, depth_of
from features.files.cells import Cells, coalesced, packed
from features.files.chunk import Chunk, Fault, shortened
from features.files.options import ReadOptions
from features.files.shapes import Plan
from features.files.times import AMBIGUOUS, DECIMAL, EMPTY, LOCAL, NUMBER, UNITS, UNREADABLE, ZONED, by_form, local_to_utc, read_texts

IDS = ("user", "type", "item", "session", "channel", "event_id")
NOTHING = frozenset({"", "null", "none", "nan", "n/a", "na", "undefined", "nil", "\\n", "-", "(null)", "<null>", "#n/a"})
"""Words that programs write where there is no value, in lower case."""
NOBODY = NOTHING | {
    "anonymous",
    "anon",
    "guest",
    "unknown",
    "0",
    "-1",
    "test",
    "(not set)",
    "(none)",
    "[object object]",
    "00000000-0000-0000-0000-000000000000",
}
"""Ids, in lower case, that stand for no particular user. A note warns of them; they are rejected only if the settings say so."""
_LONGEST_NOBODY = max(map(len, NOBODY))
SCHEMA = {"user": pl.String, "ts": pl.Int64, "type": pl.String, "value": pl.Float64, "item": pl.String, "session": pl.String, "channel": pl.String, "event_id": pl.String, "props": pl.String}  # fmt: skip
"""Columns of usable rows, and their types."""
_INVISIBLE = r"[\x{00ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]"
"""Widths of nothing, and directions; not the joiners, which scripts and emoji need."""
_PARTS = ("", "s", "", "ms", "", "us", "", "ns", "")
_OWN_BYTES = 256
"""Most bytes that a payload takes beside its texts: names, quotes, numbers, and an event id made here."""
_LONG = 4_000


@dataclass(slots=True)
class Seen:
    """What was noticed in all rows of a file so far, for its notes."""

    units: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(_PARTS), np.int64))
    """How many numbers would be times between 2000 and tomorrow in each unit of `_PARTS`, or in none ("")."""
    example: str = ""
    local: int = 0
    trimmed: Counter[str] = field(default_factory=Counter)
    composed: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)
    not_finite: int = 0
    no_value: Counter[str] = field(default_factory=Counter)
    nobody: Counter[str] = field(default_factory=Counter)
    invisible: int = 0
    """Users with characters that nobody sees."""
    rounded: int = 0
    """Users such as 1.23457E+12."""
    coarse: bool = False
    """Whether times are floats of 32 bits or fewer."""
    pointed: dict[str, bool] = field(default_factory=dict)
    """Id columns in which some text is a number with a point, such as 123.0, as columns of floats are written."""
    plain_ids: set[str] = field(default_factory=set)
    """Id columns in which some text is not a whole number, with or without a point; these were not floats."""


class Judge:
    """Judges one file, chunk by chunk."""

    def __init__(self, plan: Plan, options: ReadOptions) -> None:
        self.plan, self.options, self.seen = plan, options, Seen()
        self.zone = options.zone if options.zone_given or not plan.zone else plan.zone
        self._units = (options.ts_unit,) if options.ts_unit else plan.units
        self._guess = not options.ts_unit and not options.oldest_given
        self._other_parts = [i for i, unit in enumerate(_PARTS) if unit and unit not in self._units]
        low, high = 946_684_800_000, options.now_ms + 86_400_000
        self._edges = np.array([edge * 1_000_000 / UNITS[unit] for unit in UNITS for edge in (low, high)])

    def judge(self, chunk: Chunk) -> tuple[pl.DataFrame, list[Fault], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the usable rows, the faults of all others (several rows with the same fault may share one), and number and line of each usable row."""
        n = len(chunk.rows)
        cells = {name: coalesced([chunk.cells[path] for path in paths]) for name, paths in self.plan.places.items()}
        if self.plan.constant_type:
            cells["type"] = Cells(pl.Series([self.plan.constant_type], dtype=pl.String).new_from_index(0, n))
        verdict = _Verdict(chunk, cells)
        texts: dict[str, pl.Series] = {}
        for name in IDS:
            if name in cells:
                texts[name] = self._id(name, cells[name], verdict)
        if self.plan.instead and "type" in texts:
            texts["type"] = self._true_type(texts["type"], chunk)
        self._user(texts["user"], verdict)
        ts = self._times(cells["ts"], verdict)
        verdict.mark(_empty(texts["type"]), "missing_field", "type")
        if self.options.known_types:
            verdict.mark(~texts["type"].is_in(list(self.options.known_types)), "unknown_type", "type")
        value = self._value(cells["value"], verdict) if "value" in cells else None
        props = self._props(cells["props"], verdict) if "props" in cells else None
        if "event_id" in texts:
            texts["event_id"] = self._event_ids(texts["event_id"])
        columns = {"user": texts["user"], "ts": pl.Series(ts), "type": texts["type"]}
        columns |= {"value": value} if value is not None else {}
        columns |= {name: texts[name].set(_as_mask(texts[name] == ""), None) for name in IDS[2:] if name in texts}
        columns |= {"props": props} if props is not None else {}
        frame = pl.DataFrame(columns)
        self._size(frame, verdict)
        keep = verdict.codes == 0
        if not keep.all():
            frame = frame.filter(pl.Series(keep))
        return frame, verdict.faults(), chunk.rows[keep], chunk.lines[keep]

    def _id(self, name: str, cells: Cells, verdict: _Verdict) -> pl.Series:
        """Return an id as text: whole numbers without a point, blanks at both ends removed, characters composed (NFC)."""
        text = cells.values
        if cells.odd is not None:
            verdict.mark(cells.odd, "wrong_type", name)
        if not cells.is_text:
            return self._typed_id(name, cells, verdict)
        if cells.numbers is not None:
            text = self._counted(name, text, cells.numbers, verdict)
        else:
            self._look_for_points(name, text)
        trimmed = text.str.strip_chars()
        shorter = (trimmed.str.len_bytes() != text.str.len_bytes()).sum()
        self.seen.trimmed[name] += int(shorter)
        if trimmed.str.len_bytes().sum() != trimmed.str.len_chars().sum():
            composed = trimmed.str.normalize("NFC")
            self.seen.composed[name] += int((composed != trimmed).sum())
            trimmed = composed
            self.seen.invisible += int(trimmed.str.contains(_INVISIBLE).sum() or 0) if name == "user" else 0
        if name == "user" and trimmed.str.contains("E+", literal=True).any():
            self.seen.rounded += int(trimmed.str.contains(r"^\d(\.\d+)?E\+\d+$").sum() or 0)
        return trimmed

    def _look_for_points(self, name: str, text: pl.Series) -> None:
        """Notice whether a column holds whole numbers of which some have a point, as if it had been floats. Only the end of the file shows it."""
        if name in self.seen.plain_ids:
            return
        filled = text.filter(_as_mask(text.str.len_bytes() > 0))
        if not len(filled):
            return
        if not filled.str.contains(r"^-?\d+(\.0+)?$").all():
            self.seen.plain_ids.add(name)
        elif filled.str.contains(".", literal=True).any():
            self.seen.pointed[name] = True

    def _counted(self, name: str, text: pl.Series, numbers: pl.Series, verdict: _Verdict) -> pl.Series:
        """Return ids that are numbers of JSON as text: 7.0 and 7 are the same id, 7.5 is a fault."""
        pointed = (numbers & text.str.contains(r"[.eE]")).fill_null(value=False)
        at = pointed.arg_true()
        if not len(at):
            return text
        numeric = text.gather(at).cast(pl.Float64, strict=False)
        whole = _as_mask((numeric == numeric.floor()) & (numeric.abs() < 2**53))
        self.seen.whole[name] += int(whole.sum())
        wrong = np.zeros(len(text), np.bool_)
        wrong[at.filter(~whole).to_numpy()] = True
        verdict.mark(pl.Series(wrong), "wrong_type", name)
        return text.scatter(at.filter(whole), numeric.filter(whole).cast(pl.Int64).cast(pl.String))

    def _typed_id(self, name: str, cells: Cells, verdict: _Verdict) -> pl.Series:
        values = cells.values
        if values.dtype.is_float():
            most = 2**53 if values.dtype == pl.Float64 else 2**24 if values.dtype == pl.Float32 else 2**11  # exact up to here
            values = values.cast(pl.Float64).fill_nan(None)
            whole = (values == values.floor()) & (values.abs() < most)
            verdict.mark(~whole, "wrong_type", name)
            self.seen.whole[name] += int(whole.sum() or 0)
            return values.set(~_as_mask(whole), None).cast(pl.Int64).cast(pl.String)
        if values.dtype.is_decimal():
            text = values.cast(pl.String).str.replace(r"\.0+$", "")
            verdict.mark(text.str.contains(".", literal=True), "wrong_type", name)
            return text
        if values.dtype.is_temporal():
            verdict.mark(values.is_not_null(), "wrong_type", name)
        return values.cast(pl.String)

    def _true_type(self, types: pl.Series, chunk: Chunk) -> pl.Series:
        for kind, path in self.plan.instead:
            other = chunk.cells[path].values.cast(pl.String, strict=False).str.strip_chars()
            here = _as_mask((types == kind) & (other.str.len_bytes() > 0))
            if here.any():
                types = types.to_frame("a").with_columns(b=other, c=here).select(pl.when("c").then("b").otherwise("a")).to_series()
        return types

    def _user(self, user: pl.Series, verdict: _Verdict) -> None:
        verdict.mark(_empty(user), "user_empty", "user")
        verdict.mark(user.str.len_bytes() > MAX_USER_BYTES, "user_too_long", "user")
        short = user.filter(_as_mask(user.str.len_bytes() <= _LONGEST_NOBODY))
        different = short.unique()
        suspects = different.filter(different.str.to_lowercase().is_in(list(NOBODY)))
        if len(suspects):
            counts = short.filter(short.is_in(suspects.implode())).value_counts()
            self.seen.nobody.update({name: count for name, count in counts.iter_rows() if name})
        if self.options.not_users:
            verdict.mark(user.is_in(list(self.options.not_users)), "user_reserved", "user")

    def _times(self, cells: Cells, verdict: _Verdict) -> npt.NDArray[np.int64]:
        """Return times in milliseconds since the epoch; 0 where there is none."""
        values = cells.values
        n = len(values)
        if cells.odd is not None:
            verdict.mark(cells.odd, "wrong_type", "ts")
        dtype = values.dtype
        if isinstance(dtype, pl.Date | pl.Datetime):
            verdict.mark(values.is_null(), "missing_field", "ts")
            zone = getattr(dtype, "time_zone", None)
            ms = values.cast(pl.Datetime("ms", zone)).dt.epoch("ms").fill_null(0).to_numpy()
            if zone is None:
                self.seen.local += n - values.null_count()
                ms = local_to_utc(ms, self.zone)
            return self._plausible(ms, np.ones(n, np.bool_), verdict)
        if dtype.is_integer() and self.options.ts_format:  # such as 20191031
            return self._texts_in_ms(values.cast(pl.String), verdict)
        if not cells.is_text:
            verdict.mark(values.is_null() | values.cast(pl.Float64).is_nan(), "missing_field", "ts")
            if dtype.is_integer():
                wide = values.cast(pl.Int64, strict=False)
                verdict.mark(wide.is_null(), "ts_out_of_range", "ts")
                return self._plausible(self._in_ms(wide.fill_null(0).to_numpy(), verdict), _mask(wide.is_not_null()), verdict)
            self.seen.coarse = dtype.is_float() and dtype != pl.Float64
            return self._plausible(self._floats_in_ms(values.cast(pl.Float64), verdict), _mask(values.is_not_null()), verdict)
        return self._texts_in_ms(values, verdict)

    def _texts_in_ms(self, values: pl.Series, verdict: _Verdict) -> npt.NDArray[np.int64]:
        n = len(values)
        buffer, ends = packed(values)
        kind, ms = np.zeros(n, np.uint8), np.zeros(n, np.int64)
        read_texts(buffer, ends, kind, ms)
        if self.options.ts_format:
            times, zoned = by_form(values, self.options.ts_format)
            read = _mask(times.is_not_null())
            kind[read], ms[read] = (ZONED if zoned else LOCAL), times.dt.epoch("ms").fill_null(0).to_numpy()[read]
        verdict.mark(kind == EMPTY, "missing_field", "ts")
        verdict.mark(kind == AMBIGUOUS, "ts_ambiguous", "ts")
        verdict.mark(kind == UNREADABLE, "wrong_type", "ts")
        local = kind == LOCAL
        if local.any():
            self.seen.local += int(local.sum())
            ms[local] = local_to_utc(ms[local], self.zone)
        numbers, decimals = kind == NUMBER, kind == DECIMAL
        if numbers.any():
            ms = np.where(numbers, self._in_ms(ms, verdict, numbers), ms)
        if decimals.any():
            floats = values.str.strip_chars().set(pl.Series(~decimals), None).cast(pl.Float64, strict=False)
            ms = np.where(decimals, self._floats_in_ms(floats, verdict, decimals), ms)
        return self._plausible(ms, (kind == ZONED) | local | numbers | decimals, verdict)

    def _in_ms(self, numbers: npt.NDArray[np.int64], verdict: _Verdict, here: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        self._weigh(numbers.astype(np.float64), verdict, here)
        ms = np.zeros(len(numbers), np.int64)
        units = self._unit_of(numbers)
        for i, unit in enumerate(self._units):
            factor = UNITS[unit]
            chosen = units == i
            if factor >= 1_000_000:
                times = factor // 1_000_000
                # A number that is too large to be multiplied is too large to be a time, so it may become any large one.
                ms[chosen] = np.where(np.abs(numbers[chosen]) < 2**62 // times, numbers[chosen], 2**62 // times) * times
            else:
                ms[chosen] = numbers[chosen] // (1_000_000 // factor)
        return ms

    def _floats_in_ms(self, values: pl.Series, verdict: _Verdict, here: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
        numbers = values.fill_null(0.0).fill_nan(0.0).to_numpy()
        self._weigh(numbers, verdict, here)
        units = self._unit_of(numbers)
        factors = np.array([UNITS[unit] / 1_000_000 for unit in self._units])[units]
        scaled = numbers * factors
        beyond = ~(np.abs(scaled) < 2**62)
        scaled = np.where(beyond, 2.0**62, scaled)
        # Seconds have their milliseconds behind the point. A double may be off by less than a thousandth of a millisecond, so that much is added.
        whole = np.floor(scaled + 0.001)
        broken = (factors == 1.0) & (numbers != np.floor(numbers)) & ~beyond
        if here is not None:
            broken &= here
        verdict.mark(broken, "wrong_type", "ts")
        return whole.astype(np.int64)

    def _unit_of(self, numbers: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return which of the allowed units each number is in. If several are allowed its size decides, for each gives numbers a thousand times larger."""
        if len(self._units) == 1:
            return np.zeros(len(numbers), np.int64)
        tops = [100_000_000_000_000_000_000 // UNITS[unit] for unit in self._units[:-1]]
        return np.searchsorted(np.array(tops, np.float64), np.abs(numbers.astype(np.float64)), side="right")

    def _weigh(self, numbers: npt.NDArray[np.float64], verdict: _Verdict, here: npt.NDArray[np.bool_] | None) -> None:
        """Count in which unit the numbers would be times. One that would be a time in another unit, and not in the file's, is a fault (`ts_unit`)."""
        if not self._guess:
            return
        part = np.searchsorted(self._edges, numbers, side="right")
        if here is not None:
            part = np.where(here, part, -1)
        self.seen.units += np.bincount(part[part >= 0], minlength=len(_PARTS))
        other = np.isin(part, self._other_parts)
        verdict.mark(other, "ts_unit", "ts")

    def looks_like(self) -> str:
        """Return the unit that the median of the numbers is in, or "" if that is the file's unit or none."""
        total = int(self.seen.units.sum())
        if not total:
            return ""
        middle = int(np.searchsorted(self.seen.units.cumsum(), (total - 1) // 2, side="right"))
        return _PARTS[middle] if middle in self._other_parts else ""

    def _plausible(self, ms: npt.NDArray[np.int64], there: npt.NDArray[np.bool_], verdict: _Verdict) -> npt.NDArray[np.int64]:
        verdict.mark(there & ((ms > MAX_TS_MS) | (ms < 0)), "ts_out_of_range", "ts")
        verdict.mark(there & (ms < self.options.oldest_ms), "ts_implausible", "ts")
        if not self.options.allow_future:
            verdict.mark(there & (ms > self.options.now_ms + MAX_FUTURE_MS), "future", "ts")
        return ms

    def _value(self, cells: Cells, verdict: _Verdict) -> pl.Series:
        values = cells.values
        if cells.odd is not None:
            verdict.mark(cells.odd, "wrong_type", "value")
        if values.dtype.is_temporal():
            verdict.mark(values.is_not_null(), "wrong_type", "value")
            return pl.Series([None], dtype=pl.Float64).new_from_index(0, len(values))
        if cells.is_text:
            text = values.str.strip_chars()
            numeric = text.cast(pl.Float64, strict=False)
            unread = numeric.is_null() & _as_mask(text.str.len_bytes() > 0)
            if unread.any():
                words = text.filter(unread).str.to_lowercase().is_in(list(NOTHING))
                if words.any():
                    at = unread.arg_true().filter(words)
                    self.seen.no_value.update(text.gather(at).to_list())
                    unread = unread.scatter(at, False)
                verdict.mark(unread, "wrong_type", "value")
        else:
            numeric = values.cast(pl.Float64, strict=False)
        finite = numeric.is_finite()
        odd = int((~finite).sum() or 0)
        if odd:
            self.seen.not_finite += odd
            numeric = numeric.set(~_as_mask(finite), None)
        return numeric

    def _props(self, cells: Cells, verdict: _Verdict) -> pl.Series:
        """Return objects as their JSON, null where there is none; anything else is a fault."""
        text = cells.values.cast(pl.String, strict=False).str.strip_chars()
        text = text.set(_as_mask(text.str.len_bytes() == 0), None)
        filled = text.is_not_null()
        wrong = filled & ~_as_mask(text.str.starts_with("{"))
        for i in (filled & ~wrong).arg_true().to_list():
            payload = text[i].encode()
            try:
                msgspec.json.decode(payload)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                wrong[i] = True
                continue
            if len(payload) > 2 * MAX_DEPTH and depth_of(payload) >= MAX_DEPTH:
                verdict.mark_one(i, "too_deep", "props")
        if wrong.any():
            words = _as_mask(text.str.to_lowercase().is_in(list(NOTHING)))
            text = text.set(words, None)
            verdict.mark(wrong & ~words, "wrong_type", "props")
        return text.set(_as_mask(text == "{}"), None)

    def _event_ids(self, ids: pl.Series) -> pl.Series:
        """Return event ids, without those that are words for nothing: else the second event with such an id would be a repeat of the first."""
        short = _as_mask(ids.str.len_bytes() <= 9)
        if not short.any():
            return ids
        words = short & _as_mask(ids.str.to_lowercase().is_in(list(NOTHING)))
        return ids.set(words, None) if words.any() else ids

    def _size(self, frame: pl.DataFrame, verdict: _Verdict) -> None:
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        lengths = frame.select(pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in texts).alias("n")).to_series()
        if not (lengths >= _LONG).any():
            return
        # Escaping turns a byte into six at most. Only a row that could become too large by it is written out and measured.
        for i in (lengths * 6 > MAX_PAYLOAD_BYTES - _OWN_BYTES).arg_true().to_list():
            row = frame.row(i, named=True)
            written = sum(
                len(msgspec.json.encode(row[name])) if name != "props" else len(row[name].encode())
                for name in texts
                if row[name] is not None
            )
            if written > MAX_PAYLOAD_BYTES - _OWN_BYTES:
                verdict.mark_one(i, "too_large", max(texts, key=lambda name: len(row[name] or "")))


class _Verdict:
    """The first reason that applies to each row, as a number; 0 for none."""

    def __init__(self, chunk: Chunk, cells: dict[str, Cells]) -> None:
        self._chunk, self._cells = chunk, cells
        self.codes = np.zeros(len(chunk.rows), np.uint16)
        self._kinds: list[tuple[str, str]] = []

    def mark(self, where: pl.Series | npt.NDArray[np.bool_], reason: str, name: str) -> None:
        """Give a reason to each marked row that has none yet."""
        mask = where if isinstance(where, np.ndarray) else _mask(where)
        if mask.any():
            self._kinds.append((reason, name))
            self.codes[mask & (self.codes == 0)] = len(self._kinds)

    def mark_one(self, i: int, reason: str, name: str) -> None:
        """Give a reason to one row, unless it has one already."""
        self._kinds.append((reason, name))
        self.codes[i] = self.codes[i] or len(self._kinds)

    def faults(self) -> list[Fault]:
        """Return the faults of rows without the right form, and one fault for each reason and field, with its first row and their number."""
        found = list(self._chunk.faults)
        for code, (reason, name) in enumerate(self._kinds, 1):
            at = np.flatnonzero(self.codes == code)
            if len(at):
                i = int(at[0])
                shown = shortened(self._cells[name].text_at(i)) if name in self._cells else ""
                found.append(Fault(reason, name, int(self._chunk.rows[i]), int(self._chunk.lines[i]), shown, len(at)))
        return found


def _mask(where: pl.Series) -> npt.NDArray[np.bool_]:
    return where.fill_null(value=False).to_numpy()


def _as_mask(where: pl.Series) -> pl.Series:
    return where.fill_null(value=False)


def _empty(text: pl.Series) -> pl.Series:
    return (text.is_null() | (text == "")).fill_null(value=True)

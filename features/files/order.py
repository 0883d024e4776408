"""Events in order of time, however many there are. They are sorted in runs, and the runs are merged by stretches of time.

    frames -> pending (unsorted) -> runs (sorted, cut into parts) -> batches in order of time; rows of one time keep the order in which they came

What does not fit into memory goes into a folder, in parts of about 65,000 rows. The free space of the folder is checked before anything is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from features.files.faults import FileRefused

RUN_ROWS = 1 << 20
PART_ROWS = 1 << 16
Settle = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(slots=True)
class _Part:
    """A stretch of a run, in memory or in a file."""

    first_ms: int
    last_ms: int
    frame: pl.DataFrame | None
    path: Path | None = None
    settle: Settle | None = None

    def read(self) -> pl.DataFrame:
        frame = self.frame if self.frame is not None else pl.read_ipc(self.path) if self.path is not None else pl.DataFrame()
        return frame if self.settle is None else self.settle(frame)


@dataclass(slots=True)
class _Run:
    """Parts in order of time; `frame` is the one that is being read, from row `at` on."""

    parts: list[_Part]
    frame: pl.DataFrame | None = None
    at: int = 0

    @property
    def first_ms(self) -> int:
        """Time of the next row, ms."""
        return int(self.frame["ts"][self.at]) if self.frame is not None else self.parts[0].first_ms

    def load(self) -> bool:
        """Load the part with the next row if necessary; return False if there are no more rows."""
        while self.frame is None or self.at >= self.frame.height:
            if not self.parts:
                self.frame = None
                return False
            self.frame, self.at = self.parts.pop(0).read(), 0
        return True

    def take(self, until_ms: int | None, *, inclusive: bool) -> pl.DataFrame:
        """Take the loaded rows before a time (ms), or up to it if `inclusive`; None stands for all."""
        if self.frame is None:
            raise RuntimeError("rows were taken from a run before it was loaded")
        ts = self.frame["ts"].to_numpy()
        end = len(ts) if until_ms is None else int(np.searchsorted(ts, until_ms, side="right" if inclusive else "left"))
        cut = self.frame.slice(self.at, max(end - self.at, 0))
        self.at = max(end, self.at)
        return cut


@dataclass(slots=True)
class Order:
    """Puts frames in order of `ts`.

    Attributes
    ----------
    spill : Path
        An empty folder that exists.
    memory_bytes : int
        Up to this size, frames are kept in memory.
    run_rows, part_rows : int
        Rows of a run, at least, and of a part, at most.
    rows, spilled : int
        How many rows came, and how many of them went into the folder.
    """

    spill: Path
    memory_bytes: int = 600 << 20
    run_rows: int = RUN_ROWS
    part_rows: int = PART_ROWS
    rows: int = 0
    spilled: int = 0
    _pending: list[tuple[pl.DataFrame, Settle | None]] = field(default_factory=list)
    _pending_rows: int = 0
    _runs: list[_Run] = field(default_factory=list)
    _kept_bytes: int = 0

    def add(self, frame: pl.DataFrame, settle: Settle | None = None) -> None:
        """Take in a frame. `settle` is applied to its rows when they come out again, for what only the whole file shows.

        Raises
        ------
        FileRefused
            If the folder has not enough room, or cannot be written.
        """
        self.rows += frame.height
        self._pending.append((frame, settle))
        self._pending_rows += frame.height
        if self._pending_rows >= self.run_rows:
            self._close()

    def _close(self) -> None:
        """Make runs of what is pending, a run for each stretch of frames with the same `settle`, because a part can have only one."""
        groups: list[tuple[Settle | None, list[pl.DataFrame]]] = []
        for frame, settle in self._pending:
            if groups and groups[-1][0] == settle:
                groups[-1][1].append(frame)
            else:
                groups.append((settle, [frame]))
        self._pending, self._pending_rows = [], 0
        for settle, frames in groups:
            joined = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
            if not joined.height:
                continue
            ts = joined["ts"].to_numpy()
            if not bool((np.diff(ts) >= 0).all()):
                joined = joined.sort("ts", maintain_order=True)
            self._kept_bytes += int(joined.estimated_size())
            parts = [self._part(one, settle) for one in joined.iter_slices(self.part_rows)]
            self._runs.append(_Run(parts))
            if self._kept_bytes > self.memory_bytes:
                self._spill()

    def _part(self, frame: pl.DataFrame, settle: Settle | None) -> _Part:
        return _Part(int(frame["ts"][0]), int(frame["ts"][-1]), frame, settle=settle)

    def _spill(self) -> None:
        """Write every part that is in memory into the folder."""
        free = shutil.disk_usage(self.spill).free
        if free < self._kept_bytes:
            raise FileRefused(
                f"{self.spill} has {free / 1e9:.1f} GB free, but {self._kept_bytes / 1e9:.1f} GB more must go there: "
                "say --spill with a folder that has more room", "no_room"
            )  # fmt: skip
        for run in self._runs:
            for part in run.parts:
                if part.frame is not None:
                    part.path = self.spill / f"{self.spilled}.arrow"
                    try:
                        part.frame.write_ipc(part.path, compression="lz4")
                    except OSError as error:
                        raise FileRefused(
                            f"{self.spill} cannot be written: {error}. Say --spill with a folder that has room", "no_room"
                        ) from error
                    self.spilled += part.frame.height
                    part.frame = None
        self._kept_bytes = 0

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield all rows in order of time, in frames of some thousands. Rows can be read only once."""
        self._close()
        waiting = sorted(range(len(self._runs)), key=lambda i: (self._runs[i].first_ms, i))
        active: list[int] = []
        while active or waiting:
            until = self._until(active, waiting)
            cuts = [cut for i in active if (cut := self._runs[i].take(until, inclusive=False)).height]
            if cuts:
                yield self._merged(cuts)
            else:  # every row that can be taken has the same time, so they come run by run, in the order in which they came
                yield from self._of_one_time(active, until)
            active = [i for i in active if self._runs[i].load()]

    def _until(self, active: list[int], waiting: list[int]) -> int | None:
        """Return the time (ms) before which all rows are loaded, or None if all loaded rows come next; runs that begin by then become active."""
        while True:
            lasts = {i: int(frame["ts"][-1]) for i in active if (frame := self._runs[i].frame) is not None}
            bounds = [last for i, last in lasts.items() if self._runs[i].parts]
            limit = min(bounds) if bounds else max(lasts.values(), default=None)
            if not waiting or (limit is not None and self._runs[waiting[0]].first_ms > limit):
                return min(bounds) if bounds else None
            first = waiting.pop(0)
            if self._runs[first].load():
                active.append(first)
                active.sort()

    @staticmethod
    def _merged(cuts: list[pl.DataFrame]) -> pl.DataFrame:
        if len(cuts) == 1:
            return cuts[0]
        return pl.concat(cuts, how="diagonal").sort("ts", maintain_order=True)

    def _of_one_time(self, active: list[int], until: int | None) -> Iterator[pl.DataFrame]:
        for i in active:
            run = self._runs[i]
            while run.load() and run.first_ms == until:
                cut = run.take(until, inclusive=True)
                if cut.height:
                    yield cut

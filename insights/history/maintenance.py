"""What goes on by itself beside the writing: few files in place of many, derived tables up to date, files that nobody needs taken away."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from insights.history.faults import HistoryMissing
from insights.history.table import DataFile, Table, saying
from insights.history.tables import EVENTS, TABLES

MERGE_AT = 8
"""So many files of about one size in a day are merged, so that each row is written again only when its file has grown about eightfold."""
LARGE_BYTES = 128 << 20
"""Files of this size are not merged any more."""
GRACE_HOURS = 24
"""How long a file stays after the last snapshot that names it; no question may take longer."""


def crowded(files: Iterable[DataFile], merge_at: int = MERGE_AT) -> list[DataFile]:
    """Return files of one day that are to become one; none if there is nothing to gain.

    >>> small = [DataFile(f"{n}", "2025-01-01", 1000, 1) for n in range(3)]
    >>> len(crowded(small, 3)), len(crowded(small, 4)), len(crowded([*small, DataFile("x", "2025-01-01", 1 << 30, 1)], 4))
    (3, 0, 0)
    """
    tiers: dict[int, list[DataFile]] = defaultdict(list)
    for one in files:
        if one.size_bytes < LARGE_BYTES:
            tiers[one.size_bytes.bit_length() // 3].append(one)
    return next((tier for _, tier in sorted(tiers.items()) if len(tier) >= merge_at), [])


def compact(table: Table, *, over_before: str = "") -> int:
    """Merge the files of the first day that has many; return how many were merged, 0 if no day has.

    Parameters
    ----------
    over_before : str
        Days before this one are over, so all their files become one.

    Raises
    ------
    HistoryStale
        If another writer committed meanwhile.
    """
    for day in sorted({one.partition for one in table.files()}):
        files = table.files_of(day)
        chosen = crowded(files)
        if not chosen and day < over_before:
            small = [one for one in files if one.size_bytes < LARGE_BYTES]
            chosen = small if len(small) > 1 else []
        if chosen:
            merge(table, day, chosen)
            return len(chosen)
    return 0


def merge(table: Table, partition: str, files: Sequence[DataFile]) -> None:
    """Make one file of several; no row changes, so nothing that was derived from them becomes old."""
    rows = table.read(files).sort(table.spec.order)
    changed = max(one.changed for one in files)
    table.commit(table.standing, adds=[table.write(partition, rows, changed=changed)], removes=files, changes=False)


def vacuum(table: Table, after_hours: int = GRACE_HOURS) -> int:
    """Delete files that no snapshot of the last hours names, and those of commits that never were; return how many."""
    gone = table.delta.vacuum(
        retention_hours=after_hours, dry_run=False, enforce_retention_duration=False, full=True,
        commit_properties=saying(table.standing, table.version, {}),
    )  # fmt: skip
    table.renew()
    return len(gone)


def tidy(folder: Path, events: Table, after_hours: int = GRACE_HOURS) -> int:
    """Vacuum every table of a history; return how many files were deleted."""
    gone = vacuum(events, after_hours)
    for spec in TABLES:
        if spec is EVENTS:
            continue
        with contextlib.suppress(HistoryMissing):
            gone += vacuum(Table.open(folder, spec), after_hours)
    return gone

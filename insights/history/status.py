"""What a history holds and how far it is, for whoever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from insights.history.derived import Snapshot, snapshot
from insights.history.erasing import pending
from insights.history.table import Table


def status(folder: Path) -> dict[str, Any]:
    """Return it as plain data: times in ms since the epoch, sizes in bytes.

    Raises
    ------
    HistoryMissing
        If there is no history in the folder.
    """
    at = snapshot(folder)
    files, standing = at.events.files(), at.events.standing
    days = sorted({one.partition for one in files})
    return {
        "folder": str(folder),
        "version": at.events.version,
        "timezone": at.rules.timezone,
        "events": sum(one.rows for one in files),
        "repeats": standing.repeats,
        "late": standing.late,
        "rejected": standing.rejected,
        "first_day": days[0] if days else None,
        "last_day": days[-1] if days else None,
        "days": len(days),
        "files": len(files),
        "bytes": sum(one.size_bytes for one in files),
        "watermark_ms": standing.watermark_ms,
        "complete_from_ms": standing.complete_from_ms,
        "offsets": standing.ends,
        "days_to_derive": len(at.dirty),
        "rows_erased": standing.erased,
        "users_to_erase": pending(folder),
        **_ids(at),
        "followed": {name: _rows(table) for name, table in at.followed.items()},
    }


def _ids(at: Snapshot) -> dict[str, int]:
    """Return how many ids count under another, and how many alias events are without effect; as of when the derived tables were made."""
    rows = pl.DataFrame(schema={"person": pl.String}) if at.ids is None else at.ids.read(at.ids.files(), ["person"])
    return {"ids_joined": rows["person"].count(), "aliases_without_effect": rows["person"].null_count()}


def _rows(table: Table) -> dict[str, Any]:
    files, standing = table.files(), table.standing
    known = {"rows": sum(one.rows for one in files), "files": len(files), "bytes": sum(one.size_bytes for one in files)}
    return {**known, "lost": standing.lost, "watermark_ms": standing.watermark_ms, "offsets": standing.ends}

"""The list as a file: everybody who passes the filters, or those who were ticked. A row a person, for a spreadsheet or a mailing system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from starlette.responses import Response, StreamingResponse

from insights.live.board import VALUE_DAYS, Board, Listed
from insights.live.listing import Filters
from stream.shown import csv_line, visible

BOM = "\ufeff"
"""By it a spreadsheet reads UTF-8."""
COLUMNS = (
    "person", "definition", "channel", "risk", "band", f"spend_in_{VALUE_DAYS}_days", "value_at_risk", "reasons", "last_active", "flagged",
    "valid_until", "alert_id",
)  # fmt: skip
"""Names of the columns, the same in every language: files are read by programs too."""
MOST_TICKED = 1_000
"""Most rows of one selection."""
AT_ONCE = 500
"""Rows that are sent at once: each part costs a switch to another thread."""
NO_STORE = {"Cache-Control": "private, no-store"}


def csv_of(rows: Sequence[Listed]) -> Iterator[str]:
    """Yield the file, some lines at a time. Reasons are in English as the alert has them; times are UTC; an unknown number is empty."""
    yield BOM + csv_line(COLUMNS) + "\r\n"
    for at in range(0, len(rows), AT_ONCE):
        yield "".join(map(_line, rows[at : at + AT_ONCE]))


def download(lines: Iterator[str], name: str) -> Response:
    """Return what gives somebody a CSV file of a name."""
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


def ids_of(rows: Iterable[Listed]) -> Iterator[str]:
    """Yield ids, one a line; what would break the line is spelled out."""
    for row in rows:
        yield visible(row.alert.user) + "\n"


def ticked(board: Board, alert_ids: Sequence[str]) -> list[Listed]:
    """Return the rows that were ticked, in that order, each once. Whoever came back meanwhile is left out: nobody writes to them now."""
    return [row for alert_id in dict.fromkeys(alert_ids) if (row := board.rows.get(alert_id)) is not None]


def name_of(wanted: Filters, as_of_ms: int | None, ending: str) -> str:
    """Return the name of a file: what it holds, and as of when.

    >>> name_of(Filters(definition="churn14", band="high"), 0, "csv")
    'at-risk-churn14-high-1970-01-01.csv'
    """
    when = () if as_of_ms is None else (f"{datetime.fromtimestamp(as_of_ms / 1000, UTC):%Y-%m-%d}",)
    return "-".join(("at-risk", wanted.definition, *((wanted.band,) if wanted.band else ()), *when)) + f".{ending}"


def _line(row: Listed) -> str:
    alert, known = row.alert, row.known
    cells: tuple[object, ...] = (
        alert.user, alert.definition, known.channel, round(row.risk, 4), row.band, _money(row.worth), _money(row.value),
        ". ".join(alert.reasons), _time(known.last_active_ms), _time(alert.landmark_ms), _time(alert.valid_until_ms), alert.alert_id,
    )  # fmt: skip
    return csv_line(cells) + "\r\n"


def _money(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 2)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""What a report has told is kept by its name and day."""

from __future__ import annotations

from insights.store import reported
from insights.store.reported import KEPT, Reported
from insights.store.store import Store


def test_the_last_report_is_the_newest_of_an_earlier_day(store: Store) -> None:
    with store.write() as db:
        for day in ("2026-11-19", "2026-11-26", "2026-11-12"):
            reported.keep(db, "", Reported(day, 1, f'{{"{day}":1}}'))
        reported.keep(db, "", Reported("2026-11-26", 2, "{}"))
        reported.keep(db, "other", Reported("2026-11-25", 3, "{}"))
        assert reported.last_before(db, "", "2026-11-26") == Reported("2026-11-19", 1, '{"2026-11-19":1}')
        assert reported.last_before(db, "", "2026-12-03") == Reported("2026-11-26", 2, "{}")
        assert reported.last_before(db, "", "2026-11-12") is None
        for day in range(KEPT + 5):
            reported.keep(db, "many", Reported(f"{day:010d}", 1, "{}"))
        assert reported.last_before(db, "many", "0000000005") is None
        assert reported.last_before(db, "many", "0000000006") == Reported("0000000005", 1, "{}")

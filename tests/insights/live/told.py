"""A past that is told of alerts as its consumer would tell it: through messages, and the page's own store."""

from __future__ import annotations

from pathlib import Path

from features.users.spec import FeatureSpec
from insights.past.fold.batch import Batch
from insights.past.hold import Source
from insights.past.past import Past
from insights.past.rows import AlertRow
from insights.past.writer import Writer
from insights.store.store import Store, open_store
from stream.alerts.message import Alert, entry_of
from stream.position import Position

SPEC = FeatureSpec()


class Teller:
    """Tells the past in a store of the alerts of an app."""

    def __init__(self, store: Store, app: str = "app") -> None:
        self._app, self._writer, self._offset = app, Writer(store, Source(app, "c", "t", ("alerts", "examples"), "UTC"), "test"), 0

    def tell(self, *alerts: AlertRow, now_ms: int = 0) -> None:
        """Tell of alerts that were opened, or of their end."""
        standing = self._writer.take(now_ms)
        assert standing is not None
        batch = Batch(self._app, SPEC.hash, standing)
        for one in alerts:
            entry = entry_of(self._app, Position(self._offset, one.landmark_ms, one.user, 0), message_of(one))
            batch.add_alert(entry.value, entry.headers)
            self._offset += 1
            batch.passed("alerts", 0, self._offset)
        self._writer.commit(batch, now_ms, {})


class Told(Teller):
    """A store, and the past in it."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(f"sqlite:///{folder / 'page.db'}")
        self.past = Past(self.store, lambda: SPEC)
        super().__init__(self.store)


def message_of(row: AlertRow) -> Alert:
    """Return the message that makes a row, or ends it."""
    opened = row.cause is None
    return Alert(
        alert_id=row.alert_id,
        type="opened" if opened else "resolved",
        cause=row.cause,
        user=row.user,
        definition=row.definition,
        risk=row.risk if opened else None,
        threshold=row.threshold if opened else None,
        horizon_ms=row.valid_until_ms - row.landmark_ms,
        landmark_ms=row.landmark_ms,
        valid_until_ms=row.valid_until_ms,
        event_time_ms=row.landmark_ms if row.ended_ms is None else row.ended_ms,
        scored_ms=row.scored_ms,
        reasons=row.reasons if opened else [],
        reason_codes=row.reason_codes if opened else [],
        model=row.model,
        model_version=row.model_version,
        partition=row.partition,
        input_offset=0,
    )

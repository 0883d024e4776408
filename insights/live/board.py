"""Who has an open alert now? A board that never changes: each change makes the next one, so a page reads one board and all its figures agree.

::

    board.after(number, changed)    the alerts that were opened and that ended since
    board.with_known(known)         what Redis says of the people on it
    board.since(number, passes)     what is new to somebody who saw an earlier one

Pure: alerts come in, boards come out. `insights.live.keeper` holds the present one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from insights.live.people import Asked, Known
from insights.past.bands import BandName, band_of
from insights.past.rows import AlertRow, Cause
from stream.alerts.reasons import ROWS

VALUE_DAYS = 90
"""What somebody is worth is what they spend in so many days, at the pace they have had so far."""
KEPT_ENDINGS = 5_000
"""Endings that are remembered, for pages that were drawn before them."""
TOPICS = {row.code: row.topic for row in ROWS}
"""What a reason is about, by its code."""
NOT_KNOWN = Known(None, "none", None, None)


class Ended(msgspec.Struct, frozen=True):
    """An alert that has ended, because the person returned or because their horizon has passed; `number` is that of the change."""

    number: int
    alert_id: str
    cause: Cause


class Listed(msgspec.Struct, frozen=True):
    """One row of the list.

    Attributes
    ----------
    alert : AlertRow
        The alert as the past has it.
    number : int
        Number of the change that brought it to the board.
    known : Known
        What Redis says of the person, or `NOT_KNOWN` while it has not been asked.
    risk : float
        The last stated risk, 0 to 1; until somebody has looked it up, that of the alert.
    band : BandName
        The band of the risk.
    topics : tuple of str
        What the reasons are about, the strongest first.
    """

    alert: AlertRow
    number: int
    known: Known
    risk: float
    band: BandName
    topics: tuple[str, ...]

    @property
    def worth(self) -> float | None:
        """What the person spends in `VALUE_DAYS` days at the pace so far; None where that is not known."""
        return None if self.known.money is None else self.known.money * VALUE_DAYS

    @property
    def value(self) -> float | None:
        """Value at risk: the risk times what the person is worth; None where that is not known."""
        return None if self.worth is None else self.risk * self.worth


class Since(msgspec.Struct, frozen=True):
    """What is new to somebody who saw an earlier board.

    Attributes
    ----------
    new : int
        Alerts of theirs that were opened since and are still open.
    ended : dict of str to cause
        By alert id, the alerts that have ended since.
    whole : bool
        Whether everything since then is remembered; if not, the page must be drawn anew.
    """

    new: int
    ended: dict[str, Cause]
    whole: bool


class Board(msgspec.Struct, frozen=True):
    """All open alerts at one moment.

    Attributes
    ----------
    number : int
        Number of the last change that is in it: the same for every process that reads the same store.
    edition : int
        Grows with every change, what Redis says included; 0 before the first look.
    rows : dict of str to Listed
        By alert id.
    ended : tuple of Ended
        The last endings, oldest first.
    from_number : int
        Every ending after this change is in `ended`.
    """

    number: int = 0
    edition: int = 0
    rows: Mapping[str, Listed] = {}
    ended: tuple[Ended, ...] = ()
    from_number: int = 0

    def after(self, number: int, changed: Iterable[AlertRow]) -> Board:
        """Return the board after some changes, of which `number` is the last.

        An alert that has opened and ended meanwhile was never on the board, and ends without a trace.
        """
        rows, gone = dict(self.rows), []
        for alert in changed:
            if alert.cause is None:
                before = rows.get(alert.alert_id)
                rows[alert.alert_id] = listed(alert, alert.change_no, NOT_KNOWN) if before is None else before
            elif rows.pop(alert.alert_id, None) is not None:
                gone.append(Ended(alert.change_no, alert.alert_id, alert.cause))
        kept = (*self.ended, *gone)
        from_number = kept[-KEPT_ENDINGS - 1].number if len(kept) > KEPT_ENDINGS else self.from_number
        return Board(number, self.edition + 1, rows, kept[-KEPT_ENDINGS:], from_number)

    def only(self, open_alerts: Iterable[AlertRow]) -> Board:
        """Return the board with exactly the alerts that are open, in case the past was made anew and no longer has some. It is this one if they agree."""
        now = {alert.alert_id: alert for alert in open_alerts}
        if now.keys() == self.rows.keys():
            return self
        rows = {alert_id: self.rows.get(alert_id) or listed(alert, alert.change_no, NOT_KNOWN) for alert_id, alert in now.items()}
        return msgspec.structs.replace(self, edition=self.edition + 1, rows=rows)

    def with_known(self, known: Mapping[str, Known]) -> Board:
        """Return the board with what Redis says, by alert id. It is this board itself when nothing is new."""
        new = {
            alert_id: listed(row.alert, row.number, one)
            for alert_id, one in known.items()
            if (row := self.rows.get(alert_id)) is not None and row.known != one
        }
        return msgspec.structs.replace(self, edition=self.edition + 1, rows={**self.rows, **new}) if new else self

    def since(self, number: int, passes: Callable[[Listed], bool]) -> Since:
        """Return what is new to somebody who saw the board of a number, of the rows that pass their filters."""
        new = sum(row.number > number and passes(row) for row in self.rows.values())
        ended = {one.alert_id: one.cause for one in self.ended if one.number > number}
        return Since(new, ended, whole=number >= self.from_number)

    def open_count(self, definition: str) -> int:
        """Return how many alerts of a definition are open."""
        return sum(row.alert.definition == definition for row in self.rows.values())


def listed(alert: AlertRow, number: int, known: Known) -> Listed:
    """Return the row of an alert."""
    topics = tuple(dict.fromkeys(TOPICS[one.code] for one in alert.reason_codes if one.code in TOPICS))
    risk = alert.risk if known.risk is None else known.risk
    return Listed(alert, number, known, risk, band_of(risk), topics)


def to_ask(rows: Iterable[Listed]) -> tuple[list[str], list[Asked]]:
    """Return ids of alerts, and what to look up for each."""
    alerts = [row.alert for row in rows]
    return [one.alert_id for one in alerts], [Asked(one.user, one.partition, one.definition, one.landmark_ms) for one in alerts]

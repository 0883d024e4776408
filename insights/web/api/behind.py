"""What stands behind the API: what it asks, opened once by `make_api`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

from churnwatch.answers import ReasonCode
from features.events.columns import ColumnReader
from insights.live.standings import Standings
from insights.web.api.clicks import Clicks
from insights.web.api.limits import Buckets
from insights.web.parts import Parts


class Said(NamedTuple):
    """Why an alert was opened: sentences, and the same for programs."""

    reasons: list[str]
    codes: list[ReasonCode]


@dataclass(frozen=True, slots=True)
class Behind:
    """See the module.

    Attributes
    ----------
    parts : Parts
        What the program has opened.
    app : str
        The workers' ``app.name``.
    threshold : float
        Least risk that opens an alert.
    standings : Standings
        Where users stand now.
    said : callable
        Why an open alert was opened, by its id; None where that has not been read yet.
    clicks : Clicks
        Sends events to Kafka.
    reader : ColumnReader
        Judges events by the app's rules.
    judging : Executor
        Where batches are judged, so that whoever asks about a user need not wait.
    events : Buckets
        How many events each token may send.
    monotonic : callable
        Seconds of a clock that never jumps.
    """

    parts: Parts
    app: str
    threshold: float
    standings: Standings
    said: Callable[[str], Said | None]
    clicks: Clicks
    reader: ColumnReader
    judging: Executor
    events: Buckets
    monotonic: Callable[[], float]

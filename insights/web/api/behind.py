"""What stands behind the API: what it asks, opened once by `make_api`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from features.events.columns import ColumnReader
from insights.live.standings import Standings
from insights.web.api.clicks import Clicks
from insights.web.api.limits import Buckets
from insights.web.api.streams import Streams
from insights.web.parts import Parts


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
    clicks : Clicks
        Sends events to Kafka.
    reader : ColumnReader
        Judges events by the app's rules.
    judging : Executor
        Where batches are judged, so that whoever asks about a user need not wait.
    events : Buckets
        How many events each token may send.
    streams : Streams
        How many streams each token has open.
    monotonic : callable
        Seconds of a clock that never jumps.
    """

    parts: Parts
    app: str
    threshold: float
    standings: Standings
    clicks: Clicks
    reader: ColumnReader
    judging: Executor
    events: Buckets
    streams: Streams
    monotonic: Callable[[], float]

"""What a process says to Prometheus: rows of a table, the metrics made of them, and the same table for the docs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)
"""Bounds of a histogram of seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of a table: in base units, with bounded labels, and never with a user id."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = SECONDS


class Metrics:
    """The metrics of a table.

    Attributes
    ----------
    registry : CollectorRegistry
        What `/metrics` shows.
    """

    def __init__(self, table: Iterable[Metric]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody reads
        self.registry = CollectorRegistry()
        makers = {"counter": Counter, "gauge": Gauge}
        self._of = {
            row.name: Histogram(row.name, row.help, row.labels, buckets=row.buckets, registry=self.registry)
            if row.kind == "histogram"
            else makers[row.kind](row.name, row.help, row.labels, registry=self.registry)
            for row in table
        }

    def counter(self, name: str) -> Counter:
        """Return one counter of the table."""
        metric = self._of[name]
        assert isinstance(metric, Counter)  # noqa: S101 - the table says so
        return metric

    def gauge(self, name: str) -> Gauge:
        """Return one gauge of the table."""
        metric = self._of[name]
        assert isinstance(metric, Gauge)  # noqa: S101 - the table says so
        return metric

    def histogram(self, name: str) -> Histogram:
        """Return one histogram of the table."""
        metric = self._of[name]
        assert isinstance(metric, Histogram)  # noqa: S101 - the table says so
        return metric


def markdown(table: Iterable[Metric]) -> str:
    """Return a table as the docs show it."""
    lines = ["| metric | kind | labels | what |", "|---|---|---|---|"]
    lines += [
        f"| `{row.name}{'_total' if row.kind == 'counter' else ''}` | {row.kind} | {', '.join(row.labels)} | {row.help} |" for row in table
    ]
    return "\n".join(lines) + "\n"

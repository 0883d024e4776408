"""The past as plain dicts, made from all records at once: slow, obvious, and without a line in common with the product."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.definitions.definition import DAY_MS
from features.users.landmarks import PHASE_STEP_MS, phase_of
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from stream.alerts.message import decode_alert
from tests.insights.past.history import ALERTS, APP, SPEC, Record

KEPT_MS = 90 * DAY_MS
BERLIN = ZoneInfo(SPEC.timezone)


def local_day(ms: int) -> int:
    return (datetime.fromtimestamp(ms / 1000, UTC).astimezone(BERLIN).date() - date(1970, 1, 1)).days


def names_us(record: Record) -> bool:
    """Whether it names our app, or none."""
    for name, value in record.headers:
        if name == "cw-app":
            return value.decode() == APP
        if name == "ce_source":
            return value.decode().split("/")[2] == APP
    return True


@dataclass
class Oracle:
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    watermarks: dict[int, int] = field(default_factory=dict)
    stamps: dict[int, int] = field(default_factory=dict)
    numbers: set[tuple[int, str, int]] = field(default_factory=set)
    lineages: dict[int, str] = field(default_factory=dict)
    offsets: set[int] = field(default_factory=set)

    def read(self, partitions: Mapping[tuple[str, int], Iterable[Record]]) -> Oracle:
        for (topic, _), records in partitions.items():
            for record in records:
                if names_us(record) and not record.value.startswith(b"{broken"):
                    (self._alert if topic == ALERTS else self._examples)(record)
        return self

    def _alert(self, record: Record) -> None:
        alert = decode_alert(record.value)
        if alert.type == "opened":
            self.alerts.setdefault(alert.alert_id, {"said": alert, "ended_ms": None, "cause": None})
        elif alert.alert_id in self.alerts and self.alerts[alert.alert_id]["ended_ms"] is None:
            self.alerts[alert.alert_id].update(ended_ms=alert.event_time_ms, cause=alert.cause)

    def _examples(self, record: Record) -> None:
        block = unpack_record(record.value)
        if isinstance(block, LabelBlock):
            for one in block.labels:
                if one.offset not in self.offsets:
                    self.offsets.add(one.offset)
                    days = range(one.landmark_ms // DAY_MS - 1, one.landmark_ms // DAY_MS + 1)
                    landmarks = [day * DAY_MS + phase_of(one.user) * PHASE_STEP_MS for day in days]
                    landmark = max(at for at in landmarks if at <= one.landmark_ms)
                    self.entries[one.definition, one.user, landmark]["left"] = one.label
            return
        shard = block.partition
        self.watermarks[shard] = max(block.watermark_ms, self.watermarks.get(shard, -1))
        self.stamps[shard] = record.stamp_ms
        items = block.items
        for index in range(len(items)):
            number = (shard, block.lineage, block.first_number + index)
            if number in self.numbers:
                continue
            self.numbers.add(number)
            entry = self.entries[block.definitions[items.definition[index]], items.users[index], int(items.landmark_ms[index])]
            entry.setdefault("risk", (int(items.risk[index]), int(items.model_version[index])))
            if items.kind[index] == 1:
                entry["up"] = True
                if items.label[index] != 255:
                    entry["left"] = int(items.label[index])

    @property
    def kept_from(self) -> int:
        return max(0, max(self.watermarks.values(), default=0) - KEPT_MS)

    @property
    def as_of(self) -> int | None:
        newest = max(self.stamps.values(), default=0)
        return min((mark for shard, mark in self.watermarks.items() if newest - self.stamps[shard] <= 600_000), default=None)

    def left(self, definition: str, user: str, landmark: int) -> bool | None:
        entry = self.entries.get((definition, user, landmark), {})
        return bool(entry["left"]) if entry.keys() >= {"risk", "up", "left"} else None

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Every alert that is kept: what it said, how it ended, what came true."""
        return {
            key: (one["said"], one["ended_ms"], one["cause"], self.left(one["said"].definition, one["said"].user, one["said"].landmark_ms))
            for key, one in self.alerts.items()
            if one["said"].landmark_ms >= self.kept_from
        }

    def line(self, user: str, definition: str) -> list[tuple[int, float, int, bool | None]]:
        newest = max(self.watermarks.values(), default=0)
        return [
            (landmark, entry["risk"][0] / 65_535, entry["risk"][1], self.left(name, who, landmark))
            for (name, who, landmark), entry in sorted(self.entries.items())
            if (name, who) == (definition, user) and "risk" in entry and self.kept_from <= landmark <= newest
        ]

    def known(self, definition: str) -> list[tuple[int, int, bool]]:
        """(local day, risk, left) of every outcome that is known and kept."""
        return [
            (local_day(landmark), entry["risk"][0], bool(entry["left"]))
            for (name, _, landmark), entry in self.entries.items()
            if name == definition and entry.keys() >= {"risk", "up", "left"} and local_day(landmark) >= local_day(self.kept_from)
        ]

    def by_band(self, definition: str, first: int, last: int) -> dict[str, tuple[int, float, int]]:
        found: dict[str, list[tuple[float, bool]]] = {"critical": [], "high": [], "elevated": [], "low": []}
        for said, _, _, left in self.rows().values():
            if said.definition == definition and first <= said.landmark_ms < last and left is not None:
                band = "critical" if said.risk >= 0.845 else "high" if said.risk >= 0.695 else "elevated" if said.risk >= 0.495 else "low"
                found[band].append((said.risk, left))
        return {
            band: (len(some), math.fsum(risk for risk, _ in some) / max(1, len(some)), sum(left for _, left in some))
            for band, some in found.items()
        }

    def came_back(self, definition: str, first: int, last: int) -> tuple[int, int]:
        up = [
            cause
            for said, _, cause, _ in self.rows().values()
            if said.definition == definition
            and first <= said.landmark_ms < last
            and said.landmark_ms + said.horizon_ms + SPEC.lateness_ms < (self.as_of or 0)
        ]
        return len(up), Counter(up)["returned"]

    def day(self, definition: str, day: int) -> tuple[int, int, int, int]:
        """(open at the end, flagged, came back, expired) of a local day."""
        counts = [0, 0, 0, 0]
        for one in self.alerts.values():
            said, ended = one["said"], one["ended_ms"]
            if said.definition != definition or said.valid_until_ms < self.kept_from:
                continue
            opened_day, ended_day = local_day(said.landmark_ms), None if ended is None else local_day(ended)
            counts[0] += opened_day <= day and (ended_day is None or ended_day > day)
            counts[1] += opened_day == day
            counts[2] += ended_day == day and one["cause"] == "returned"
            counts[3] += ended_day == day and one["cause"] == "horizon"
        return tuple(counts)  # type: ignore[return-value]  # of four

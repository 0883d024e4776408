"""A small log as a list, and what is asked of it again and again: local days, what counts, what is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SYSTEMS = ("identify", "alias", "consent", "erase", "feedback")
"""Types by which systems tell something of a user; nobody is active by them."""


@dataclass(frozen=True)
class Event:
    user: str
    ts: datetime
    type: str
    channel: str | None = None
    value: float | None = None
    event_id: str | None = None
    props: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Log:
    """Events in the order in which they arrived, and what was known."""

    events: list[Event]
    zone: str = "UTC"
    week_start: str = "monday"
    watermark: datetime | None = None
    complete_from: datetime | None = None
    activity: tuple[str, ...] = ()

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def counted(self) -> list[tuple[int, Event]]:
        """Events with their place; of those with one id on one day of one user only the first."""
        seen: set[tuple[str, str, date]] = set()
        kept = []
        for place, event in enumerate(self.events):
            key = (event.user, event.event_id or "", self.day(event.ts))
            if event.event_id is not None and key in seen:
                continue
            seen.add(key)
            kept.append((place, event))
        return kept

    def in_order(self) -> list[Event]:
        """Events by time; of one instant by arrival."""
        return [event for _, event in sorted(self.counted(), key=lambda one: (one[1].ts, one[0]))]

    def is_active(self, event: Event) -> bool:
        return event.type in self.activity if self.activity else event.type not in SYSTEMS

    def ends_at(self, day: date) -> datetime:
        """When a local day ends."""
        following = day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def known(self, until: datetime) -> bool:
        return self.watermark is not None and until <= self.watermark

    def first_day(self) -> date | None:
        """The first day that the log has whole, or is taken to have."""
        days = [self.day(event.ts) for _, event in self.counted() if event.type not in SYSTEMS]
        if not days:
            return None
        if self.complete_from is None:
            return min(days)
        day = self.day(self.complete_from)
        begins = self.ends_at(day - timedelta(days=1))
        return max(min(days), day if begins == self.complete_from else day + timedelta(days=1))

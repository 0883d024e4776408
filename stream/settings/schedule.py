"""When does something come by itself? A name, a time of day in a zone, and a weekday or every day: what reports and tables have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.settings.lists import Field
from stream.settings.values import nearest, text_of

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAME = re.compile(r"^[^\s\x00-\x1f/\\:]([^\x00-\x1f/\\:]{0,62}[^\s\x00-\x1f/\\:])?$")
_AT = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled(ABC):
    """One thing that comes by itself.

    Attributes
    ----------
    weekday : int or None
        0 is Monday; None for every day.
    hour, minute : int
        Of the zone's clock.
    zone : str
        IANA name.
    """

    name: str
    weekday: int | None
    hour: int
    minute: int
    zone: str
    kind: ClassVar[str]
    """What it is."""
    repeatable: ClassVar[bool] = False
    """Whether it may be delivered again when nobody knows if it has been: it takes the place of what it left before."""

    @property
    def what(self) -> str:
        """What it is called among deliveries, and for Prometheus."""
        return f"{self.kind} {self.name}"

    @property
    @abstractmethod
    def recipients(self) -> list[str]:
        """Who gets it."""


def schedule_fields(at: str, zone: str) -> tuple[Field, ...]:
    """Return the settings of a schedule, with the time and the zone of one that names none."""
    return Field("every", "day", text_of), Field("on", "", text_of), Field("at", at, text_of), Field("zone", zone, text_of)


def schedule_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return `weekday`, `hour`, `minute` and `zone` of values in which nothing is wrong."""
    hour, minute = (int(part) for part in values["at"].split(":"))
    weekday = WEEKDAYS.index(values["on"] or "monday") if values["every"] == "week" else None
    return {"weekday": weekday, "hour": hour, "minute": minute, "zone": values["zone"]}


def schedule_faults(where: str, values: dict[str, Any], thing: str) -> list[str]:
    """Judge `every`, `on`, `at` and `zone` of a thing, such as "report"."""
    wrong = []
    if values["every"] not in {"day", "week"}:
        wrong.append(f'{where}.every: "day" or "week", got {values["every"]!r}')
    if values["on"] and values["on"] not in WEEKDAYS:
        wrong.append(f'{where}.on: a day such as "monday", got {values["on"]!r}{nearest(values["on"], list(WEEKDAYS))}')
    elif values["on"] and values["every"] == "day":
        wrong.append(f'{where}.on: a daily {thing} comes on every day; for one day a week set every = "week"')
    if not _AT.match(values["at"]):
        wrong.append(f'{where}.at: a time of day such as "08:00", got {values["at"]!r}')
    try:
        ZoneInfo(values["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        wrong.append(f"{where}.zone: no zone {values['zone']!r}; IANA names look like Europe/Berlin")
    return wrong


def name_faults(where: str, name: str) -> list[str]:
    """Judge a name, which becomes part of files and labels."""
    return [] if _NAME.match(name) else [f'{where}.name: give it one, at most 64 signs without / \\ or :, such as "monday", got {name!r}']

"""Which reports come by themselves? The tables `[[reports]]` of the settings, each read into one `ScheduledReport`, and the mail server in `[mail]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.settings.values import is_loopback, names_of, nearest, text_of

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS = ("name", "every", "on", "at", "zone", "lang", "to", "folder", "boards")
TLS = ("starttls", "tls", "none")
MOST = 50
"""Reports: each of them is a label of a metric."""
_NAME = re.compile(r"^[^\s\x00-\x1f/\\:]([^\x00-\x1f/\\:]{0,62}[^\s\x00-\x1f/\\:])?$")
_AT = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
_MAILBOX = re.compile(r"^[^\s<>,;:\"()\[\]\\@]+@[^\s<>,;:\"()\[\]\\@]+$")
_HOST = re.compile(r"^[A-Za-z0-9.:_-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledReport:
    """One report that comes by itself.

    Attributes
    ----------
    weekday : int or None
        0 is Monday; None for every day.
    hour, minute : int
        Of the zone's clock.
    zone : str
        IANA name.
    to : tuple of str
        Addresses of mail.
    folder : str
        Where it is written, too; "" for nowhere.
    boards : tuple of str
        Names of boards that it shows behind Today.
    """

    name: str
    weekday: int | None
    hour: int
    minute: int
    zone: str
    lang: Literal["en", "zh"]
    to: tuple[str, ...]
    folder: str
    boards: tuple[str, ...] = ()


def reports_of(raw: Sequence[object], zone: str, faults: list[str]) -> tuple[ScheduledReport, ...]:
    """Read the tables.

    Parameters
    ----------
    zone : str
        Of a report that names none.
    faults : list of str
        What is wrong is added, each with what to do.
    """
    found = [one for index, table in enumerate(raw) if (one := _report(f"reports[{index}]", table, zone, faults)) is not None]
    names = [one.name for one in found]
    faults += [
        f"reports: two are called {name!r}; what was sent is known by the name" for name in {one for one in names if names.count(one) > 1}
    ]
    if len(found) > MOST:
        faults.append(f"reports: at most {MOST}, got {len(found)}")
    return tuple(found)


def _report(where: str, raw: object, zone: str, faults: list[str]) -> ScheduledReport | None:
    if not isinstance(raw, dict):
        faults.append(f"{where}: must be a table, [[reports]]")
        return None
    wrong = [f"{where}.{name}: unknown setting{nearest(name, list(KEYS))}" for name in raw if name not in KEYS]
    values: dict[str, Any] = {}
    for name, default, read in (
        ("name", "", text_of), ("every", "day", text_of), ("on", "", text_of), ("at", "08:00", text_of), ("zone", zone, text_of),
        ("lang", "en", text_of), ("to", (), names_of), ("folder", "", text_of), ("boards", (), names_of),
    ):  # fmt: skip
        try:
            values[name] = read(raw.get(name, default))
        except ValueError as error:
            wrong.append(f"{where}.{name}: {error}")
            values[name] = default
    wrong += _judged(where, values)
    faults += wrong
    if wrong:
        return None
    hour, minute = (int(part) for part in values["at"].split(":"))
    weekday = WEEKDAYS.index(values["on"] or "monday") if values["every"] == "week" else None
    return ScheduledReport(
        name=values["name"], weekday=weekday, hour=hour, minute=minute, zone=values["zone"], lang=values["lang"], to=values["to"],
        folder=values["folder"], boards=values["boards"],
    )  # fmt: skip


def name_faults(where: str, name: str) -> list[str]:
    """Judge a name, which becomes part of files and labels."""
    return [] if _NAME.match(name) else [f'{where}.name: give it one, at most 64 signs without / \\ or :, such as "monday", got {name!r}']


def mailbox_faults(where: str, to: tuple[str, ...]) -> list[str]:
    """Judge addresses of mail."""
    wrong = [f'{where}.to: must be addresses such as "ann@example.org", got {one!r}' for one in to if not _MAILBOX.match(one)]
    return wrong + [f"{where}.to: {one!r} stands there twice" for one in sorted({one for one in to if to.count(one) > 1})]


def _judged(where: str, values: dict[str, Any]) -> list[str]:
    wrong = name_faults(where, values["name"])
    if values["every"] not in {"day", "week"}:
        wrong.append(f'{where}.every: "day" or "week", got {values["every"]!r}')
    if values["on"] and values["on"] not in WEEKDAYS:
        wrong.append(f'{where}.on: a day such as "monday", got {values["on"]!r}{nearest(values["on"], list(WEEKDAYS))}')
    elif values["on"] and values["every"] == "day":
        wrong.append(f'{where}.on: a daily report comes on every day; for one day a week set every = "week"')
    if not _AT.match(values["at"]):
        wrong.append(f'{where}.at: a time of day such as "08:00", got {values["at"]!r}')
    try:
        ZoneInfo(values["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        wrong.append(f"{where}.zone: no zone {values['zone']!r}; IANA names look like Europe/Berlin")
    if values["lang"] not in {"en", "zh"}:
        wrong.append(f'{where}.lang: "en" or "zh", got {values["lang"]!r}')
    if not values["to"] and not values["folder"]:
        wrong.append(f'{where}: nobody would get it: name addresses in to = ["ann@example.org"], or a folder')
    return wrong + mailbox_faults(where, values["to"])


def judge_mail(values: dict[str, Any], senders: Sequence[str], faults: list[str]) -> None:
    """Judge how mail is sent; `senders` are the tables that send some, such as `reports[0].to`."""
    if values["mail.tls"] not in TLS:
        faults.append(f"mail.tls: one of {', '.join(TLS)}, got {values['mail.tls']!r}{nearest(values['mail.tls'], list(TLS))}")
    if values["mail.host"] and not _HOST.match(values["mail.host"]):
        faults.append(f"mail.host: must be the name of a host, without a port, got {values['mail.host']!r}")
    if values["mail.password"] and not values["mail.user"]:
        faults.append("mail.user: a password is of no use without its user")
    if values["mail.user"] and values["mail.tls"] == "none" and not is_loopback(values["mail.host"]):
        faults.append("mail.tls: none would show the password to everybody on the way: set starttls or tls")
    if senders and not values["mail.host"]:
        faults.append(f"mail.host: {senders[0]} sends mail, so name the server that takes it")
    if senders and not _MAILBOX.match(values["mail.from"]):
        faults.append(
            f'mail.from: {senders[0]} sends mail, so name who it comes from, such as "churnwatch@example.org", got {values["mail.from"]!r}'
        )

"""What does a value of a setting say? Texts, numbers, durations, times and lists, as a file and the environment have them."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from features.definitions.definition import DAY_MS
from stream.settings.table import Kind, Setting

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}


def duration_ms(text: object) -> int:
    """Read a duration such as "30m"; return it in milliseconds. Raises ValueError for any other text.

    >>> duration_ms("14d") // DAY_MS, duration_ms("50ms"), duration_ms("1.5h") // 60_000
    (14, 50, 90)
    """
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'must be a duration such as "14d", "30m" or "50ms", got {text!r}')
    return round(float(match[1]) * _UNITS_MS[match[2]])


def duration_text(ms: int) -> str:
    """Write a duration as the settings file has it, in the largest unit of which it is a whole number.

    >>> duration_text(14 * DAY_MS), duration_text(90 * 60_000), duration_text(50), duration_text(0)
    ('14d', '90m', '50ms', '0s')
    """
    if not ms:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS_MS.items()) if ms % size == 0)
    return f"{ms // _UNITS_MS[unit]}{unit}"


def read(setting: Setting, value: object) -> Any:
    """Return a value as its setting has it. Raises ValueError, which says what it must be."""
    readers: dict[Kind, Callable[[object], Any]] = {
        "text": text_of, "secret": text_of, "int": _int, "share": _number, "duration": duration_ms, "names": names_of, "flag": _flag,
        "time": _time
    }  # fmt: skip
    read = readers[setting.kind](value)
    if setting.kind in {"int", "share", "duration"} and not setting.low <= read <= setting.high:
        raise ValueError(f"must be between {setting.low:g} and {setting.high:g}, got {value}")
    return read


def text_of(value: object) -> str:
    """Return a text; see `read`."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, got {value!r}")
    return value


def table_of(value: object) -> dict[str, Any]:
    """Return a table; see `read`."""
    if not isinstance(value, dict):
        raise ValueError(f'must be a table such as {{ unit = "week" }}, got {value!r}')
    return value


def _int(value: object) -> int:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, got {value!r}")
    return value


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # anything that is no number raises
    except (TypeError, ValueError):
        raise ValueError(f"must be a number, got {value!r}") from None


def names_of(value: object) -> tuple[str, ...]:
    """Return a list of names; see `read`."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f'must be a list of names such as ["click", "purchase"], got {value!r}')
    return tuple(value)


def _time(value: object) -> int:
    """Return milliseconds since the epoch for a date, or a time with its zone: as text, or as the values that TOML has for both."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        at = datetime.fromisoformat(f"{text}T00:00:00+00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text)
        at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except (ValueError, TypeError):  # TypeError: no zone
        at_ms = -1
    if at_ms < 0:
        raise ValueError(
            f'must be a date or a time with its zone, from 1970 on, such as "2000-01-01" or "2000-01-01T00:00:00Z", got {value!r}'
        )
    return at_ms


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError(f"must be true or false, got {value!r}")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def nearest(name: str, known: list[str]) -> str:
    """Return a question that names the nearest known name; empty when none is near.

    >>> nearest("logistc", ["logistic", "tree"])
    ', did you mean logistic?'
    """
    near = difflib.get_close_matches(name, known, 1, 0.4)
    return f", did you mean {near[0]}?" if near else ""

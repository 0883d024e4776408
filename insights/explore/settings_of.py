"""A guess as settings: the file that an exploration runs by, and that a real deployment may begin with."""

from __future__ import annotations

import json

from insights.explore.guess import Guess


def toml_of(found: Guess, zone: str) -> str:
    """Return a settings file that says what was guessed.

    Parameters
    ----------
    zone : str
        IANA zone of days and hours.
    """
    days = found.horizon_days
    return f"""# What a log suggested. `churnwatch config example` prints every other setting.

[features]
timezone = {json.dumps(zone)}
key_events = {_list(found.key_events)}
revenue_events = {_list(found.revenue)}
funnel = {_list(found.funnel)}

[history]
dir = "history"  # as seen from the folder of this file: `cd` there, and every other command asks this log

[[definitions]]
name = "gone{days}"
active_window = "{days}d"
horizon = "{days}d"
"""


def _list(names: tuple[str, ...]) -> str:
    return json.dumps(list(names), ensure_ascii=False)

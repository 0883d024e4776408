"""What do Today, Retention and Groups ask? The same for every language and for whoever looks, so it can be computed before anybody does (`insights.asked.ahead`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

Parameters: TypeAlias = Mapping[str, object]
Question: TypeAlias = tuple[str, Parameters]
"""The name of an analysis, and what is asked of it."""

RATES: Parameters = {"unit": "week", "window": "days", "brackets": ("1", "7", "30")}
"""Of `retention`: weekly cohorts, with days counted since each person's own first day; with `by` for groups."""
BY = "channel"
"""By what people are told apart unless an address says otherwise."""
RFM: Parameters = {"scheme": "five"}
LIFECYCLE: Parameters = {"unit": "week"}
VALUE_DAYS = 90
VALUE: Parameters = {"ahead_days": VALUE_DAYS}
CHANNELS: Parameters = {**RATES, "by": BY}
FORECAST: Parameters = {"unit": "week"}
"""Of `retention_forecast`: where the open cells of weekly cohorts will close."""
LEAST_STEPS = 2
COHORT_UNITS = ("week", "day", "month")
KINDS = ("first", "recurring")
MODES = ("on", "on_or_after")
SCHEMES = ("usual", "five")
FLOW_UNITS = ("week", "month", "day")


class OfRetention(NamedTuple):
    """What an address of Retention asks for."""

    unit: str = COHORT_UNITS[0]
    kind: str = KINDS[0]
    mode: str = MODES[0]
    by: str = BY

    @property
    def table(self) -> Parameters:
        """What is asked of `retention` for the table and its curves."""
        return {"unit": self.unit, "cohort": self.kind, "mode": self.mode}

    @property
    def rates(self) -> Parameters:
        """What is asked for the three figures."""
        return RATES if self.kind == "first" else {**RATES, "cohort": self.kind}

    @property
    def groups(self) -> Parameters:
        """What is asked for the groups."""
        return {**self.rates, "by": self.by}

    @property
    def all(self) -> list[Question]:
        """All of it."""
        return [("retention", self.table), ("retention", self.rates), ("retention", self.groups)]


class OfGroups(NamedTuple):
    """What an address of Groups asks for."""

    unit: str = FLOW_UNITS[0]
    scheme: str = SCHEMES[0]

    @property
    def lifecycle(self) -> Parameters:
        """What is asked of `lifecycle`."""
        return {"unit": self.unit}

    @property
    def rfm(self) -> Parameters:
        """What is asked of `rfm`."""
        return {"scheme": self.scheme}

    @property
    def all(self) -> list[Question]:
        """All of it."""
        return [("lifecycle", self.lifecycle), ("rfm", self.rfm), ("clusters", {}), ("value", VALUE)]


class OfToday(NamedTuple):
    """What Today asks for; `steps` are those of the funnel that is configured."""

    steps: Sequence[str]

    @property
    def funnel(self) -> Parameters:
        """What is asked of `funnel`, and of `loss_to_come`."""
        return {"steps": self.steps, "window": "7d"}

    @property
    def has_funnel(self) -> bool:
        """Whether a funnel is configured."""
        return len(self.steps) >= LEAST_STEPS

    @property
    def all(self) -> list[Question]:
        """All of it."""
        funnel = [("funnel", self.funnel), ("loss_to_come", self.funnel)] if self.has_funnel else []
        return [
            ("retention", RATES),
            ("retention", CHANNELS),
            ("retention_forecast", FORECAST),
            ("lifecycle", LIFECYCLE),
            ("daily_states", {}),
            *funnel,
            ("paths_into_silence", {}),
            ("rfm", RFM),
        ]


def asked_daily(steps: Sequence[str]) -> list[Question]:
    """Return what these pages ask where an address names nothing; `steps` are those of the funnel that is configured.

    >>> from collections import Counter
    >>> Counter(name for name, _ in asked_daily(["open", "buy"])).most_common(2), len(asked_daily([])) == len(asked_daily(["open", "buy"])) - 2
    ([('retention', 3), ('rfm', 2)], True)
    """
    found = [*OfToday(steps).all, *OfRetention().all, *OfGroups().all]
    return [one for at, one in enumerate(found) if one not in found[:at]]

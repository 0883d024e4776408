"""Which analysis answers which kind of query? A row a kind; what a kind's fields are called as parameters stands in the file of its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights.analyses.crowd import Crowd
from tests.insights.cases import active_users, funnel, lifecycle, paths, retention, value

Answer = Callable[[Crowd, dict[str, Any]], Any]

KINDS: dict[str, Answer] = {
    "active_users": active_users.answer,
    "retention": retention.triangle,
    "retention_maturity": retention.maturity,
    "lifecycle": lifecycle.lifecycle,
    "daily_states": lifecycle.daily_states,
    "state_rates": lifecycle.state_rates,
    "stickiness": lifecycle.stickiness,
    "overall": retention.overall,
    "day_offset": retention.day_offset,
    "funnel": funnel.answer,
    "funnel_by_entry_day": funnel.by_entry_day,
    "funnel_ripeness": funnel.ripeness,
    "paths": paths.answer,
    "bgnbd_fit": value.fit,
    "bgnbd_predict": value.predict,
    "gamma_gamma_fit": value.fit,
    "gamma_gamma_expect": value.expect,
}

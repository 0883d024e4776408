"""Which analyses are there? One list, from which the command line, the API, the documentation and tests derive.

To add one: a file with its parameters, its function and its entry; a row here; its words in `insights/words/analyses.py`. A test names what is missing.
"""

from __future__ import annotations

import difflib
from typing import Any

from insights.analyses.active_users import ACTIVE_USERS
from insights.analyses.after_drop_off import AFTER_DROP_OFF
from insights.analyses.analysis import Analysis
from insights.analyses.clusters import CLUSTERS
from insights.analyses.daily_states import DAILY_STATES
from insights.analyses.errors_by_step import ERRORS_BY_STEP
from insights.analyses.feature_use import FEATURE_USE
from insights.analyses.feedback import FEEDBACK
from insights.analyses.funnel import FUNNEL
from insights.analyses.hours import HOURS_OF_DAY
from insights.analyses.inviters import INVITERS
from insights.analyses.lifecycle import LIFECYCLE
from insights.analyses.loss_to_come import LOSS_TO_COME
from insights.analyses.paths import PATHS
from insights.analyses.paths_into_silence import PATHS_INTO_SILENCE
from insights.analyses.reasons import REASONS
from insights.analyses.releases import RELEASES
from insights.analyses.retained_against_churned import RETAINED_AGAINST_CHURNED
from insights.analyses.retention import RETENTION
from insights.analyses.retention_forecast import RETENTION_FORECAST
from insights.analyses.rfm import RFM
from insights.analyses.stickiness import STICKINESS
from insights.analyses.tenure_by_frequency import TENURE_BY_FREQUENCY
from insights.analyses.transitions import TRANSITIONS
from insights.analyses.value import VALUE
from insights.analyses.visits import VISITS
from stream.faults import UsageFault

_ALL = (
    ACTIVE_USERS,
    STICKINESS,
    RETENTION,
    RETENTION_FORECAST,
    LIFECYCLE,
    DAILY_STATES,
    FUNNEL,
    VISITS,
    PATHS,
    AFTER_DROP_OFF,
    TRANSITIONS,
    PATHS_INTO_SILENCE,
    FEATURE_USE,
    RETAINED_AGAINST_CHURNED,
    HOURS_OF_DAY,
    ERRORS_BY_STEP,
    REASONS,
    LOSS_TO_COME,
    RELEASES,
    VALUE,
    RFM,
    CLUSTERS,
    TENURE_BY_FREQUENCY,
    FEEDBACK,
    INVITERS,
)
CATALOG: dict[str, Analysis[Any]] = {one.name: one for one in _ALL}


def analysis_of(name: str) -> Analysis[Any]:
    """Return the analysis of a name, written with "_" or "-".

    Raises
    ------
    stream.faults.UsageFault
        For a name that there is not, with the nearest one.

    >>> analysis_of("active-users").name
    'active_users'
    """
    found = CATALOG.get(name.replace("-", "_"))
    if found is None:
        near = difflib.get_close_matches(name.replace("-", "_"), CATALOG, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageFault(f"there is no analysis {name!r}{hint} There are: {', '.join(CATALOG)}")
    return found

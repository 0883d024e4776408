"""A state record as people and feature stores read it: features by name in their own units, and risks and alerts by definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from features.definitions.calendar import offset_at, zone_table
from features.users.catalog import NAMES, WIDTH
from features.users.habits import Habits, habits_of
from features.users.state import FLAG_ARMED, NEVER
from features.users.vector import code_vector, raw_vector

RISK_STEPS = 65_535
"""A risk of 1 is stored as this number in the state record."""


class DefinitionView(msgspec.Struct, frozen=True):
    """What one churn definition says of a user.

    Attributes
    ----------
    risk : float or None
        Last stated probability of churn, 0 to 1; None before the first score.
    model_version : int
        Version of the model that stated the risk; 0 is the rule.
    last_active_ms : int or None
        Event time of the last event that counts as activity.
    alert_open : bool
    opened_ms : int or None
        Landmark (ms) at which the last alert was opened.
    """

    risk: float | None
    model_version: int
    last_active_ms: int | None
    alert_open: bool
    opened_ms: int | None


class UserView(msgspec.Struct, frozen=True):
    """One user.

    Attributes
    ----------
    as_of_ms : int
        Time that the features are stated for: the time asked for, or that of the newest event if it is later.
    first_ms, seen_ms, scored_ms : int or None
        Event time of the first event, of the newest one, and of the last score.
    armed : bool
        Whether landmarks are due; a dormant user has none until their next event.
    features : dict
        All features by name, in the catalog's order; None is missing.
    definitions : dict of DefinitionView
        By definition name.
    partition : int
        The shard that saw the user last.
    habits : Habits
        When they are usually there.
    also_in : tuple of int
        Other shards that have a state of this user too. If there are any, the producer does not key its records by user, and the user's history is
        divided among these shards.
    """

    user: str
    as_of_ms: int
    first_ms: int | None
    seen_ms: int | None
    scored_ms: int | None
    armed: bool
    definitions: dict[str, DefinitionView]
    features: dict[str, float | None]
    partition: int
    habits: Habits
    also_in: tuple[int, ...] = ()


def named_features(state: Any, at_ms: int, timezone: str) -> dict[str, float | None]:
    """Return every feature of the catalog in its own unit, by name; None is missing.

    Parameters
    ----------
    state : record of `features.users.state.state_dtype`
    at_ms : int
        Time to state the features for; at least the record's `seen_ms`.
    timezone : str
        IANA name, as in the feature spec.
    """
    raw = np.empty(WIDTH, np.float64)
    raw_vector(state, at_ms, int(offset_at(*zone_table(timezone), at_ms)), raw)
    return {name: None if math.isnan(value) else value for name, value in zip(NAMES, raw.tolist(), strict=True)}


def coded_features(features: Mapping[str, float | None]) -> npt.NDArray[np.uint8]:
    """Return named features as the vector that models score, uint8 (F,).

    >>> coded_features(dict.fromkeys(NAMES)).tolist() == [0] * WIDTH
    True
    """
    raw = np.array([math.nan if (value := features[name]) is None else value for name in NAMES])
    vector = np.zeros(WIDTH, np.uint8)
    code_vector(raw, vector)
    return vector


def definition_view(state: Any, k: int) -> DefinitionView:
    """Return what the k-th definition of the feature spec says of a state record."""
    return DefinitionView(
        risk=None if state["scored_ms"] == NEVER else float(state["risk"][k]) / RISK_STEPS,
        model_version=int(state["model_version"][k]),
        last_active_ms=time_or_none(state["last_active_ms"][k]),
        alert_open=bool(state["alert_open"][k]),
        opened_ms=time_or_none(state["opened_ms"][k]),
    )


def user_view(
    user: str, state: Any, definitions: Sequence[str], at_ms: int, timezone: str, partition: int, also_in: Sequence[int] = ()
) -> UserView:
    """Return a state record as a `UserView`; `definitions` has the names in the order of the feature spec."""
    as_of_ms = max(at_ms, int(state["seen_ms"]), int(state["first_ms"]))
    return UserView(
        user=user,
        as_of_ms=as_of_ms,
        first_ms=time_or_none(state["first_ms"]),
        seen_ms=time_or_none(state["seen_ms"]),
        scored_ms=time_or_none(state["scored_ms"]),
        armed=bool(state["flags"] & FLAG_ARMED),
        definitions={name: definition_view(state, k) for k, name in enumerate(definitions)},
        features=named_features(state, as_of_ms, timezone),
        partition=partition,
        habits=habits_of(state, as_of_ms, timezone),
        also_in=tuple(also_in),
    )


def mirror_fields(values: Mapping[str, float | None]) -> dict[str, str]:
    """Return named features as the fields of a Redis hash. A missing one is the empty string, so that it replaces the value stored before.

    >>> mirror_fields({"recency_s": 1.5, "gap_z": None})
    {'recency_s': '1.5', 'gap_z': ''}
    """
    return {name: "" if value is None else repr(float(value)) for name, value in values.items()}


def value_from_mirror(field: bytes | None) -> float | None:
    """Read one field of the mirror back; None is missing.

    >>> value_from_mirror(b"1.5"), value_from_mirror(b""), value_from_mirror(None)
    (1.5, None, None)
    """
    return float(field) if field else None


def time_or_none(value: Any) -> int | None:
    """Return a time of a state record; None for what has not happened."""
    return None if value == NEVER else int(value)

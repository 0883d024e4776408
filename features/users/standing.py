"""Where do users stand by each churn definition? Risks and alerts of many state records at once, without their features.

A program that asks before it sends a message needs a few numbers, and it asks often: this reads whole columns, where `features.users.named` states
every feature of one user.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from features.users.named import RISK_STEPS, DefinitionView
from features.users.state import NEVER


class Standing(msgspec.Struct, frozen=True):
    """One user, as `features.users.named.UserView` without features.

    Attributes
    ----------
    seen_ms, scored_ms : int or None
        Event time of the newest event that was not late, and of the last score.
    definitions : tuple of DefinitionView
        In the order of the feature spec.
    partition : int
        The shard that saw the user last.
    """

    user: str
    partition: int
    seen_ms: int | None
    scored_ms: int | None
    definitions: tuple[DefinitionView, ...]


def standings(users: Sequence[str], partitions: Sequence[int], states: npt.NDArray[np.void]) -> list[Standing]:
    """Return where some users stand.

    Parameters
    ----------
    users : n user ids
    partitions : n shards
        The shard that each record is from.
    states : array of `features.users.state.state_dtype`, (n,)
    """
    seen, scored = _times(states["seen_ms"]), _times(states["scored_ms"])
    views = [_views(states, k, scored) for k in range(states["risk"].shape[1])]
    return list(map(Standing, users, partitions, seen, scored, zip(*views, strict=True)))


def together(parts: Sequence[Standing]) -> Standing:
    """Return where one user stands whom several shards know, each from a part of their events.

    The shard that saw them last tells, but its alert is over as soon as any shard knows of later activity: nobody who came back is at risk,
    wherever that was noticed.
    """
    if len(parts) == 1:
        return parts[0]
    last = max(parts, key=lambda one: (NEVER if one.seen_ms is None else one.seen_ms, -one.partition))
    return msgspec.structs.replace(
        last, definitions=tuple(map(_closed, zip(*(one.definitions for one in parts), strict=True), last.definitions))
    )


def _closed(views: tuple[DefinitionView, ...], last: DefinitionView) -> DefinitionView:
    active_ms = max((one.last_active_ms for one in views if one.last_active_ms is not None), default=NEVER)
    came_back = last.opened_ms is None or active_ms > last.opened_ms
    return msgspec.structs.replace(last, alert_open=False) if last.alert_open and came_back else last


def _views(states: npt.NDArray[np.void], k: int, scored: Sequence[int | None]) -> Iterator[DefinitionView]:
    risks = (states["risk"][:, k] / RISK_STEPS).tolist()
    return map(
        DefinitionView,
        (None if at is None else risk for risk, at in zip(risks, scored, strict=True)),
        states["model_version"][:, k].tolist(),
        _times(states["last_active_ms"][:, k]),
        (states["alert_open"][:, k] != 0).tolist(),
        _times(states["opened_ms"][:, k]),
    )


def _times(times: npt.NDArray[np.int64]) -> list[int | None]:
    return [None if at == NEVER else at for at in times.tolist()]

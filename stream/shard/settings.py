"""The settings of a shard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from features.definitions.rules import NO_RULES, Rules
from features.users.spec import FeatureSpec
from stream.alerts.policy import PolicySettings

Mirror = Literal["none", "alerted", "all"]
"""Whose named features are also kept as a Redis hash, for look-ups by others."""
BUDGET = 2_000
"""Most timers of one commit."""


@dataclass(frozen=True, slots=True)
class ShardSettings:
    """What a shard belongs to, which features and policy it has, how much it keeps in memory, and what it rejects from here on.

    Attributes
    ----------
    capacity : int
        Users kept in memory.
    budget : int
        Most timers of one commit.
    rules : Rules
        What is rejected from the next record on.
    """

    app: str
    partition: int
    spec: FeatureSpec
    policy: PolicySettings
    capacity: int = 1 << 18
    budget: int = BUDGET
    mirror: Mirror = "none"
    rules: Rules = NO_RULES
    clicks: str = "clicks"
    """Name of its input topic, for messages."""

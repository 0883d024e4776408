"""Everything that a step says to the world, in order of position, and what it changes in the states of the users concerned.

`write_policy` is the one place that writes risks, models and alerts into states. Everything else here, and whatever it calls, only reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from features.definitions.reason import Reason
from features.events.event import REJECTS
from features.users.catalog import NAMES, WIDTH, value_table
from features.users.named import mirror_fields
from stream.alerts.policy import Adopted, DayCount, Opened
from stream.outbox import Entry
from stream.shard.dead_letters import dead_letter
from stream.shard.decisions import Decisions, decisions
from stream.shard.examples import ForTrainer, examples
from stream.shard.meta import ShardMeta
from stream.shard.moments import Risks, StepFacts, risks, u16_of

_VALUES = value_table()


@dataclass(slots=True)
class StepOutputs:
    """Everything a step says."""

    entries: list[Entry] = field(default_factory=list)
    """Alerts and dead letters in order of position, without those already published."""
    for_trainer: ForTrainer = field(default_factory=ForTrainer)
    opened_today: list[DayCount] = field(default_factory=list)
    """Counts after the step, one for each definition."""
    decided: dict[tuple[int, str], int] = field(default_factory=dict)
    """Alerts decided, by (definition index, "opened" or "resolved")."""
    capped: int = 0
    """Alerts not opened because the day's cap was used up."""
    too_old: int = 0
    """Alerts not opened because their landmark lies too far back."""
    mirror: dict[str, dict[str, str]] = field(default_factory=dict)
    """user -> named features as text in their own units, for the users whom the settings mirror."""


def step_outputs(facts: StepFacts, taken: int, adopted: Adopted, meta: ShardMeta, censored_before_ms: int) -> StepOutputs:
    """Return what a step says, and write what follows from it into the states.

    Parameters
    ----------
    taken : int
        Index of the first record not taken.
    meta : ShardMeta
        The meta as it was before the step.
    censored_before_ms : int
        See `stream.shard.meta.ShardMeta`, as it is after the step.
    """
    definitions = len(facts.champions)
    opened_today = [*meta.opened_today, *(DayCount() for _ in range(definitions - len(meta.opened_today)))]
    entries = list(dead_letters(facts, taken))
    outputs = StepOutputs(opened_today=opened_today)
    if facts.count or len(facts.matured.slots):
        stated = risks(facts)
        outputs.for_trainer = examples(facts, stated, censored_before_ms, meta.examples_after)
        decided = decisions(facts, stated, adopted, opened_today)
        write_policy(facts, stated, decided)
        entries += decided.entries
        outputs.opened_today = [verdict.count for verdict in decided.verdicts]
        outputs.decided = _counted(decided)
        outputs.capped = sum(verdict.capped for verdict in decided.verdicts)
        outputs.too_old = decided.too_old
        mirrored = {"all": stated.rows.tolist(), "alerted": decided.alerted, "none": ()}[facts.settings.mirror]
        outputs.mirror = mirror(facts, mirrored)
    outputs.entries = sorted((entry for entry in entries if not adopted.covers(entry.position)), key=lambda entry: entry.position)
    return outputs


def write_policy(facts: StepFacts, stated: Risks, decided: Decisions) -> None:
    """Write the fields of the states that depend on the present model (`features.users.state.POLICY_FIELDS`); nothing else writes them.

    A user's risk is that of their last moment. Alerts open and end here, as the policy decided.
    """
    states, touched = facts.arena.states, facts.arena.touched
    slots = facts.moments.slot[: facts.count][stated.rows]
    for k, (champion, verdict) in enumerate(zip(facts.champions, decided.verdicts, strict=True)):
        states["risk"][slots, k] = u16_of(stated.stated[k, stated.rows])
        states["model_version"][slots, k] = champion.version
        for slot, (is_open, opened_ms) in verdict.alert.items():
            states["alert_open"][slot, k], states["opened_ms"][slot, k] = is_open, opened_ms
            touched[slot] = 1


def dead_letters(facts: StepFacts, taken: int) -> Iterator[Entry]:
    """Yield a dead letter for each record that was rejected. A duplicate was applied before, and what is set aside is good."""
    records = facts.records
    for i in (records.columns.code[facts.first : taken].nonzero()[0] + facts.first).tolist():
        reason = Reason(int(records.columns.code[i]))
        if reason in REJECTS:
            at = int(records.offsets[i]), reason, int(records.columns.append[i])
            yield dead_letter(facts.settings.partition, *at, records.values[i])


def mirror(facts: StepFacts, rows: Sequence[int]) -> dict[str, dict[str, str]]:
    """Return the named features of some moments, by user; a user's last moment counts."""
    found = {}
    for row in rows:
        values = _VALUES[np.arange(WIDTH), facts.moments.vectors[row]].tolist()
        named = {name: None if value != value else value for name, value in zip(NAMES, values, strict=True)}  # noqa: PLR0124 - NaN
        found[facts.arena.users[facts.moments.slot[row]]] = mirror_fields(named)
    return found


def _counted(decided: Decisions) -> dict[tuple[int, str], int]:
    counts: dict[tuple[int, str], int] = {}
    for k, verdict in enumerate(decided.verdicts):
        for one in verdict.decisions:
            key = k, "opened" if isinstance(one, Opened) else "resolved"
            counts[key] = counts.get(key, 0) + 1
    return counts

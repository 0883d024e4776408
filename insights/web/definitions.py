"""What does a definition of churn mean? One sentence for whoever reads a figure."""

from __future__ import annotations

from features.definitions.definition import ChurnDefinition
from insights.words import Words
from stream.shown import visible


def outcome_said(definition: ChurnDefinition, w: Words) -> str:
    """Say what the risk by a definition is the chance of.

    >>> from insights.words import words
    >>> outcome_said(ChurnDefinition(), words("en"))
    'churn14: the chance of no activity in the 14 days after a judgement, of people who were active in the 14 days before it'
    """
    values = {
        "name": definition.name,
        "horizon": w.duration(definition.horizon_ms / 1000),
        "window": w.duration(definition.active_window_ms / 1000),
        "events": w.list_of(visible(one) for one in (definition.target if definition.kind == "did_event" else definition.activity)),
    }
    if definition.kind == "inactivity":
        return w.t("definition.events" if definition.activity else "definition.inactivity", **values)
    return w.t(f"definition.{definition.kind}", **values)

"""How is a watch said? What it watches, what opened it, and when; for a mail, the page Data and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from insights.watches.core import Event, State
from insights.words import DASH, Words
from stream.settings.watches import Watch
from stream.shown import visible


class Row(NamedTuple):
    """One watch on the page Data."""

    name: str
    state: str
    health: Literal["good", "bad", ""]
    about: str


def sentence(event: Event, w: Words) -> str:
    """Say an event.

    >>> from insights.words import words
    >>> event = Event("a", "opened", "below", "d7", "retention", {}, "retention", {"k": 7}, "complete", "below", 0.2, "2026-03-02", 0.15, 80, 0.25, "2026-03-02")
    >>> sentence(event, words("en"))
    'Retention, k 7: 0.15 in 2026-03-02 (80 people; 0.25 before); it opens below 0.2'
    """
    before = w.t("watch.before", value=_number(event.before)) if event.before is not None else ""
    key = "watch.changed" if event.cause == "changed" else f"watch.{event.type}"
    return w.t(
        key, what=_what(event.analysis, event.metric, event.cell, w), value=_number(event.value), cohort=event.cohort, people=event.n, before=before,
        rule=_rule(event.rule, event.bound, w), since=event.opened_cohort,
    )  # fmt: skip


def row_of(watch: Watch, state: State, looked_ms: int, w: Words) -> Row:
    """Say how a watch stands."""
    about = w.t(
        "watch.about",
        what=_what(watch.analysis, watch.metric, watch.cell, w),
        rule=_rule(watch.rule, watch.bound, w),
        least=watch.least,
    )
    if state.opened is not None:
        said = w.t("watch.is_open", value=_number(state.opened.value), cohort=state.opened.cohort)
        return Row(visible(watch.name), said, "bad", about)
    if not state.judged or not looked_ms:
        return Row(visible(watch.name), w.t("watch.is_new"), "", about)
    return Row(visible(watch.name), w.t("watch.is_closed", cohort=state.judged), "good", about)


def _what(analysis: str, metric: str, cell: Mapping[str, object], w: Words) -> str:
    """Name the number. What was opened by a build that knew other analyses stands as it is called."""
    names = [(f"analysis.{analysis}", analysis), (f"metric.{metric}", metric)]
    others = [f"{w.t(key) if (key := f'column.{name}') in w else name} {value}" for name, value in sorted(cell.items())]
    comma = ", " if w.lang == "en" else "，"  # noqa: RUF001 - Chinese has a comma of its own
    return visible(comma.join([*dict.fromkeys(w.t(key) if key in w else name for key, name in names), *others]))


def _rule(rule: str, bound: float, w: Words) -> str:
    return w.t(f"watch.rule.{rule}", bound=_number(bound) if rule in {"above", "below"} else w.percent(bound))


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:,.4g}"

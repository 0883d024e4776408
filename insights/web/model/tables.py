"""What did each candidate and each version do? Tables of the figures that the trainer graded them by, each with its definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from insights.live.models import Served
from insights.web.saying import Saying
from insights.words.model import WORDS
from online_models.catalog import NAMES
from online_models.checkpoint import Header
from stream.shown import visible

SHARES = frozenset({"base_rate"})
WHOLE = frozenset({"n"})
WHY = frozenset({"asked for", "enough labels", "worse than the rule", "better over the window"})
"""Why a champion changed, as `online_models.champion` says it; each has words of its own."""
SHOWN = ("n", "base_rate", "auc", "lift_10", "ece", "log_loss")
"""Figures of candidates and segments that the page shows, of `online_models.quality.FIGURES`."""


class Head(NamedTuple):
    """A heading, and what the figures under it mean."""

    name: str
    means: str


class Row(NamedTuple):
    """A row of figures; `is_it` marks the one that serves."""

    name: str
    cells: list[str]
    is_it: bool = False


class Version(NamedTuple):
    """One kept version."""

    number: str
    model: str
    learned: str
    outcomes: str
    log_loss: str
    notes: str
    serves: bool


def heads_of(say_it: Saying) -> list[Head]:
    """Return the headings of figures, with their definitions."""
    return [Head(say_it.w.t(f"figure.{name}"), say_it.w.t(f"figure.{name}.is")) for name in SHOWN]


def candidates_of(header: Header, say_it: Saying) -> list[Row]:
    """Return how good each candidate was over the window, the least surprised first."""

    def loss(name: str) -> float:
        found = header.figures[name].get("log_loss")
        return float("inf") if found is None else found

    return [
        Row(model_said(name, say_it), _cells(header.figures[name], say_it), name == header.champion)
        for name in sorted(header.figures, key=loss)
    ]


def segments_of(header: Header, say_it: Saying) -> list[Row]:
    """Return how good the one that serves was among some groups of people."""
    return [Row(segment_said(name, say_it), _cells(row, say_it)) for name, row in header.segments.items() if row.get("n")]


def versions_of(served: Served, say_it: Saying) -> list[Version]:
    """Return the kept versions, newest first."""
    w = say_it.w
    found = []
    for one in served.headers:
        serves = one.number == served.champion.version
        notes = [w.t("model.serves")] if serves else []
        notes += [w.t("model.pinned")] if one.number == served.wish.version else []
        notes += [why_said(one.why, say_it)] if one.why else []
        notes += [w.t("model.drifts", n=one.drifts)] if one.drifts else []
        found.append(
            Version(
                str(one.number),
                model_said(one.champion, say_it),
                w.moment(one.learned_until_ms, say_it.zone),
                w.t("model.learned.of", n=one.labels, left=one.churned),
                w.number(one.figures.get(one.champion, {}).get("log_loss"), 3),
                w.list_of(notes),
                serves,
            )
        )
    return found


def why_said(why: str, say_it: Saying) -> str:
    """Say why a champion changed; what a newer build wrote stays as it is."""
    return say_it.w.t(f"model.why.{why}") if why in WHY else visible(why)


def model_said(name: str, say_it: Saying) -> str:
    """Return the name of a candidate; one that this build does not know stays as it is."""
    return say_it.w.t(f"model.{name}") if name in NAMES else visible(name)


def segment_said(name: str, say_it: Saying) -> str:
    """Return the name of a group of people.

    >>> from insights.words import words
    >>> from datetime import UTC
    >>> from features.users.spec import FeatureSpec
    >>> say_it = Saying(words("en"), FeatureSpec(), UTC, "USD", 0)
    >>> segment_said("score .7-1", say_it), segment_said("channel ads", say_it), segment_said("tenure 2-7 days", say_it)
    ('risk 70–100%', 'channel “ads”', 'here for 2 to 7 days')
    """
    w, (kind, _, rest) = say_it.w, name.partition(" ")
    if kind == "score":
        low, _, high = rest.partition("-")
        return w.t("segment.score", interval=w.interval(float(low), float(high)))
    if kind == "channel":
        return w.t("segment.channel", name=visible(rest))
    return w.t(f"segment.{name}") if f"segment.{name}" in WORDS else visible(name)


def _cells(row: Mapping[str, float | None], say_it: Saying) -> list[str]:
    w = say_it.w
    return [
        w.number(row.get(name), 0) if name in WHOLE else w.percent(row.get(name)) if name in SHARES else w.number(row.get(name), 1 if name == "lift_10" else 3)
        for name in SHOWN
    ]  # fmt: skip


def drifted(headers: Iterable[Header]) -> Sequence[Header]:
    """Return the versions before which a change of the world was found, newest first."""
    return [one for one in headers if one.drifts]

"""The page Model, put together: who serves and since when, how right it was, whether the world has changed, and what is still to be learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, overload

from features.definitions.definition import ChurnDefinition
from features.users.state import NEVER
from insights.live.engine import EngineView
from insights.live.models import Served
from insights.live.state import Learning
from insights.past.rows import JudgedDay, JudgedRisk
from insights.web.definitions import outcome_said
from insights.web.intervals import interval_of
from insights.web.model.right import Right, by_day, by_risk, in_words, sum_of
from insights.web.model.tables import Head, Row, Version, candidates_of, drifted, heads_of, model_said, segments_of, versions_of
from insights.web.saying import Saying
from insights.web.tile import Tile
from online_models.checkpoint import Header


class ModelsPast(Protocol):
    """What the past knows of how right the model was; see `insights.past.past.Past`."""

    @overload
    def calibration(self, definition: str, by: Literal["day"]) -> list[JudgedDay]: ...
    @overload
    def calibration(self, definition: str, by: Literal["risk"]) -> list[JudgedRisk]: ...
    def calibration(self, definition: str, by: Literal["day", "risk"]) -> list[JudgedDay] | list[JudgedRisk]:
        """Return stated risks against what came true, of everybody whose time is up."""
        ...


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/model.html`."""

    definition: str
    means: str
    since: str
    sentence: str
    tiles: list[Tile]
    by_risk: Right | None
    by_day: Right | None
    none: str
    drift: str
    heads: list[Head]
    candidates: list[Row]
    graded: str
    segments: list[Row]
    versions: list[Version]


class Asked(NamedTuple):
    """What is looked at."""

    view: EngineView
    definition: ChurnDefinition
    served: Served
    learning: Learning


def page_of(asked: Asked, past: ModelsPast, say_it: Saying) -> Page:
    """Put the page together."""
    w, served, definition = say_it.w, asked.served, asked.definition
    risks, days = past.calibration(definition.name, "risk"), past.calibration(definition.name, "day")
    graded = served.header or next(iter(served.headers), None)
    return Page(
        definition=definition.name,
        means=outcome_said(definition, w),
        since=since_said(definition, asked.view, say_it),
        sentence=in_words(risks, say_it),
        tiles=[_serves(served, say_it), _learned(graded, say_it), _known(asked.learning, definition, say_it), _level(days, say_it)],
        by_risk=by_risk(risks, say_it) if risks else None,
        by_day=by_day(days, say_it) if days else None,
        none=_none(asked.learning, say_it),
        drift=_drift(served, say_it),
        heads=heads_of(say_it),
        candidates=[] if graded is None else candidates_of(graded, say_it),
        graded="" if graded is None else w.t("model.candidates.is", version=str(graded.number)),
        segments=[] if graded is None else segments_of(graded, say_it),
        versions=versions_of(served, say_it),
    )


def _serves(served: Served, say_it: Saying) -> Tile:
    w, since = say_it.w, served.since
    about = (
        w.t("model.cadence.is")
        if since is None
        else w.t("model.since", moment=w.moment(since.learned_until_ms, say_it.zone), version=str(since.number))
    )
    beside = w.t("model.version", version=str(served.champion.version)) if served.champion.version else ""
    return Tile(w.t("Serves now"), model_said(served.name, say_it), about, w.t("model.serves.means"), beside)


def _learned(graded: Header | None, say_it: Saying) -> Tile:
    w, name, means = say_it.w, say_it.w.t("Learned until"), say_it.w.t("model.until.means")
    if graded is None:
        return Tile(name, w.percent(None), w.t("model.until.none"), means)
    about = w.t("model.learned", n=graded.labels, left=graded.churned)
    return Tile(name, w.date(graded.learned_until_ms, say_it.zone), f"{w.ago(graded.learned_until_ms, say_it.as_of_ms)} · {about}", means)


def _known(learning: Learning, definition: ChurnDefinition, say_it: Saying) -> Tile:
    w = say_it.w
    about = w.t("model.known.about", left=learning.left, stayed=learning.stayed)
    if learning.rule and learning.scarcer < learning.needed:
        about = f"{about} · {w.t('model.needed', n=learning.needed)}"
    means = w.t("model.outcome.is", horizon=w.duration(definition.horizon_ms / 1000))
    return Tile(w.t("Outcomes known"), w.number(learning.left + learning.stayed), about, means)


def _level(days: Sequence[JudgedDay], say_it: Saying) -> Tile:
    w, name, means = say_it.w, say_it.w.t("model.level"), say_it.w.t("model.level.means")
    whole = sum_of(days)
    interval = interval_of(whole.left, whole.n)
    if interval is None:
        return Tile(name, w.percent(None), w.t("model.level.none"), means)
    beside = w.t("model.level.beside", left=w.percent(whole.left / whole.n, 1), interval=w.interval(*interval, 1))
    return Tile(name, w.percent(whole.said, 1), w.t("model.level.about", n=whole.n), means, beside)


def _none(learning: Learning, say_it: Saying) -> str:
    w = say_it.w
    if learning.first_ms is None or learning.first_ms <= say_it.as_of_ms:
        return w.t("model.none_known.soon")
    return w.t("model.none_known", date=w.date(learning.first_ms, say_it.zone))


def _drift(served: Served, say_it: Saying) -> str:
    w, found = say_it.w, drifted(served.headers)
    if not served.headers:
        return w.t("model.drift.not_yet")
    if found:
        return w.t("model.drift.found", moment=w.moment(found[0].learned_until_ms, say_it.zone), n=sum(one.drifts for one in found))
    return w.t("model.drift.none", moment=w.moment(served.headers[-1].learned_until_ms, say_it.zone))


def since_said(definition: ChurnDefinition, view: EngineView, say_it: Saying) -> str:
    """Say since when a definition is followed in all shards, and from when on it knows everybody."""
    w = say_it.w
    since: Mapping[int, int | None] = {
        partition: next((one.since_ms for one in meta.definitions if one.name == definition.name), None)
        for partition, meta in view.metas.items()
    }
    missing = [str(partition) for partition, at_ms in since.items() if at_ms is None]
    if missing:
        return w.t("definition.not_yet", shards=w.list_of(missing))
    at_ms = max((one for one in since.values() if one is not None), default=NEVER)
    if at_ms == NEVER:
        return w.t("definition.always")
    return w.t("definition.since", moment=w.moment(at_ms, say_it.zone), known=w.moment(at_ms + definition.active_window_ms, say_it.zone))

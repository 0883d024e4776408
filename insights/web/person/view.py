"""The page of one person, put together: everything in the reader's language, as of the events' own present time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from features.definitions.definition import ChurnDefinition
from features.users.named import DefinitionView, UserView
from features.users.spec import FeatureSpec
from insights.past.bands import band_of
from insights.past.rows import AlertRow, RiskPoint
from insights.web.definitions import outcome_said
from insights.web.person.alerts import Life, ended_in_words, lives_of
from insights.web.person.habits import Fact, HabitsCard, habits_card
from insights.web.person.line import Line, line_of
from insights.web.person.moves import Moves, moves_of
from insights.web.saying import Saying, channel_said
from insights.web.tile import Tile
from stream.ownership.risk_now import RiskNow
from stream.shown import visible


class PersonsPast(Protocol):
    """What the past knows of a person; see `insights.past.past.Past`."""

    def risk_line(self, user: str, definition: str) -> list[RiskPoint]:
        """Return all stated risks, oldest first."""
        ...

    def alerts_of(self, user: str) -> list[AlertRow]:
        """Return all alerts, newest first."""
        ...


class ByDefinition(NamedTuple):
    """What one definition says of the person."""

    name: str
    means: str
    risk: str
    alert: str
    href: str
    chosen: bool


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/person.html`."""

    user: str
    notes: list[str]
    tiles: list[Tile]
    line: Line | None
    line_none: str
    moves: Moves | None
    moves_about: str
    habits: HabitsCard | None
    lives: list[Life]
    facts: list[Fact]
    definitions: list[ByDefinition]
    as_of: str


class Asked(NamedTuple):
    """Who and what is looked at.

    Attributes
    ----------
    view : UserView
        As of the events' present time.
    now : mapping of definition name to RiskNow
        What the models say at that time; empty where no model can be read.
    definition : ChurnDefinition
        By which one the page is shown.
    threshold : float
        Risk from which on an alert opens, 0 to 1.
    rules : collection of int
        Versions in which the rule serves.
    """

    view: UserView
    now: Mapping[str, RiskNow]
    definition: ChurnDefinition
    threshold: float
    rules: Collection[int] = ()


def page_of(asked: Asked, past: PersonsPast, links: Mapping[str, str], say_it: Saying) -> Page:
    """Put the page together.

    Parameters
    ----------
    links : mapping of definition name to str
        The address of this page by each definition.
    """
    view, definition, w = asked.view, asked.definition, say_it.w
    alerts = [one for one in past.alerts_of(view.user) if one.definition == definition.name]
    stated = view.definitions[definition.name]
    now = asked.now.get(definition.name)
    threshold = alerts[0].threshold if alerts else asked.threshold
    return Page(
        user=visible(view.user),
        notes=_notes(view, say_it),
        tiles=_tiles(asked, stated, alerts, say_it),
        line=line_of(_ending(past.risk_line(view.user, definition.name), stated, view), alerts, threshold, say_it),
        line_none=w.t("person.line.none"),
        moves=None if now is None else moves_of(now, say_it),
        moves_about=w.t("person.moves.is", moment=w.moment(view.as_of_ms, say_it.zone)),
        habits=habits_card(view, say_it),
        lives=lives_of(alerts, say_it),
        facts=_facts(view, say_it),
        definitions=[_by(one, view, links, definition, say_it) for one in say_it.spec.definitions],
        as_of=w.moment(view.as_of_ms, say_it.zone),
    )


def past_of(user: str, note: str, definition: ChurnDefinition, past: PersonsPast, threshold: float, say_it: Saying) -> Page | None:
    """Put together what is left when nothing is known of somebody now: their risk line and their alerts; None where the past knows nothing either.

    Parameters
    ----------
    note : str
        Key of the words that say why nothing else is known.
    """
    alerts = [one for one in past.alerts_of(user) if one.definition == definition.name]
    points = past.risk_line(user, definition.name)
    if not alerts and not points:
        return None
    threshold = alerts[0].threshold if alerts else threshold
    return Page(
        user=visible(user),
        notes=[say_it.w.t(note)],
        tiles=[],
        line=line_of(points, alerts, threshold, say_it),
        line_none=say_it.w.t("person.line.none"),
        moves=None,
        moves_about="",
        habits=None,
        lives=lives_of(alerts, say_it),
        facts=[],
        definitions=[],
        as_of=say_it.w.moment(say_it.as_of_ms, say_it.zone),
    )


def _ending(points: Sequence[RiskPoint], stated: DefinitionView, view: UserView) -> list[RiskPoint]:
    """Return the line with the last risk that was stated, which an action between two judgements may have renewed: it is the one that tiles show."""
    if stated.risk is None or view.scored_ms is None or (points and view.scored_ms <= points[-1].landmark_ms):
        return list(points)
    return [*points, RiskPoint(view.scored_ms, stated.risk, stated.model_version, None)]


def _notes(view: UserView, say_it: Saying) -> list[str]:
    w = say_it.w
    notes = [] if view.armed else [w.t("person.dormant")]
    if view.also_in:
        shards = w.list_of(map(str, sorted((view.partition, *view.also_in))))
        notes.append(w.t("person.shards", shards=shards))
    return notes


def _tiles(asked: Asked, stated: DefinitionView, alerts: Sequence[AlertRow], say_it: Saying) -> list[Tile]:
    return [
        _risk(asked, stated, say_it),
        _alert(stated, alerts, say_it),
        _silence(asked.view, stated, say_it),
        _spend(asked.view.features, say_it),
    ]


def _risk(asked: Asked, stated: DefinitionView, say_it: Saying) -> Tile:
    w, definition, view = say_it.w, asked.definition, asked.view
    means = outcome_said(definition, w)
    if stated.risk is None or view.scored_ms is None:
        return Tile(w.t("Risk"), w.percent(None), w.t("person.not_scored"), means)
    by_rule = not stated.model_version or stated.model_version in asked.rules
    by = w.t("person.by_rule") if by_rule else w.t("person.by_model", version=str(stated.model_version))
    now = asked.now.get(definition.name)
    return Tile(
        w.t("Risk"),
        w.percent(stated.risk),
        w.t("person.stated", moment=w.moment(view.scored_ms, say_it.zone), by=by),
        means,
        beside="" if now is None or not view.armed else w.t("person.if_now", risk=w.percent(now.risk)),
        band=band_of(stated.risk),
    )


def _alert(stated: DefinitionView, alerts: Sequence[AlertRow], say_it: Saying) -> Tile:
    w, name, means = say_it.w, say_it.w.t("Alert"), say_it.w.t("person.alert.means")
    if not alerts:
        # the message may be on its way to the page while the state has it already
        value = w.t("person.alert.is_open") if stated.alert_open else w.t("No open alert")
        return Tile(name, value, w.t("person.alerts.none") if not stated.alert_open else "", means)
    last = alerts[0]
    value = w.t("person.alert.is_open") if last.ended_ms is None else w.t("No open alert")
    opened = w.t("person.alert.opened", moment=w.moment(last.landmark_ms, say_it.zone), risk=w.percent(last.risk))
    return Tile(name, value, f"{opened} · {ended_in_words(last, say_it)}", means)


def _silence(view: UserView, stated: DefinitionView, say_it: Saying) -> Tile:
    w, name, means = say_it.w, say_it.w.t("person.silence"), say_it.w.t("person.silence.means")
    if stated.last_active_ms is None:
        return Tile(name, w.percent(None), w.t("person.silence.never"), means)
    usual = view.features["gap_mean_s"]
    about = w.t("person.usually", duration=w.duration(max(60.0, usual))) if usual is not None else w.t("person.usually.none")
    return Tile(name, w.duration((view.as_of_ms - stated.last_active_ms) / 1000), about, means)


def _spend(features: Mapping[str, float | None], say_it: Saying) -> Tile:
    w, name, means = say_it.w, say_it.w.t("person.spent"), say_it.w.t("person.spent.means")
    if not say_it.spec.revenue_events:
        return Tile(name, w.percent(None), w.t("person.spent.none"), means)
    bought, ago = features["purchases"] or 0, features["purchase_recency_days"]
    about = (
        w.t("person.purchases", n=round(bought))
        if ago is None
        else w.t("person.purchases.last", n=round(bought), duration=w.duration(ago * 86_400))
    )
    return Tile(name, w.money(features["revenue"] or 0.0, say_it.currency), about, means)


def _by(one: ChurnDefinition, view: UserView, links: Mapping[str, str], chosen: ChurnDefinition, say_it: Saying) -> ByDefinition:
    w, said = say_it.w, view.definitions[one.name]
    alert = w.t("person.alert.is_open") if said.alert_open else w.t("No open alert")
    return ByDefinition(one.name, outcome_said(one, w), w.percent(said.risk), alert, links[one.name], one == chosen)


def _facts(view: UserView, say_it: Saying) -> list[Fact]:
    w, features = say_it.w, view.features

    def when(at_ms: int | None) -> tuple[str, str]:
        return (w.t("never"), "") if at_ms is None else (w.moment(at_ms, say_it.zone), w.ago(at_ms, view.as_of_ms))

    facts = [
        Fact(w.t("Channel"), channel_said(round(features["channel"] or 0), say_it), w.t("person.channel.is")),
        Fact(w.t("First seen"), *when(view.first_ms)),
        Fact(w.t("Last active"), *when(next(iter(view.definitions.values())).last_active_ms)),
        Fact(w.t("person.actions"), w.number(features["count_total"]), w.t("person.actions.all")),
        Fact(w.t("person.active_days"), w.number(features["active_days_total"]), w.t("person.active_days.is")),
        Fact(w.t("person.errors"), w.percent(features["error_share"]), w.t("person.errors.is")),
    ]
    step = round(features["funnel_step"] or 0)
    if say_it.spec.funnel:
        facts.append(Fact(w.t("person.funnel"), _step(step, say_it.spec) or w.t("None"), w.t("person.funnel.is")))
    facts.append(Fact(w.t("person.shard"), w.number(view.partition), w.t("person.shard.is")))
    return facts


def _step(step: int, spec: FeatureSpec) -> str:
    return visible(spec.funnel[step - 1]) if 0 < step <= len(spec.funnel) else ""

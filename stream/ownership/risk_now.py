"""How high is a user's risk at this moment, who says so, and what raises and lowers it? One answer for the command line, the page and the API.

Nothing here asks a server: the view comes from `features.reader.UserReader`, the models from a `ModelSource`, which a process keeps, and refreshes
now and then in a thread of its own::

    source = ModelSource(registry, spec.definitions, spec.hash, model_key(settings))
    source.refresh()                                          # reads Redis
    for one in risk_now(view, source, spec):
        for reason, log_odds in one.raises:
            print(say(reason, spec, "en"), exp(log_odds))

A call costs less than a millisecond for each definition. The first one of a process loads compiled functions, which takes a few tenths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.definitions.definition import ChurnDefinition
from features.users.named import UserView, coded_features
from features.users.spec import FeatureSpec
from stream.alerts.message import ReasonCode
from stream.alerts.reasons import contributions
from stream.ownership.served import ModelSource

NEWEST = 2**62
"""A watermark that no model has learned beyond."""


@dataclass(frozen=True, slots=True)
class RiskNow:
    """What one definition's champion says of a user as of the time of a view.

    Attributes
    ----------
    risk : float
        Chance of churn, 0 to 1.
    model, version : str, int
        The champion; version 0 is the rule that serves before anything was learned.
    raises, lowers : list of (ReasonCode, float)
        What raises the risk most and what lowers it most, at most three each, with what it adds to the log-odds compared with the crowd's
        usual: above 0 in `raises`, below 0 in `lowers`. `stream.alerts.sentences.say` makes a sentence of each.
    """

    definition: ChurnDefinition
    risk: float
    model: str
    version: int
    raises: list[tuple[ReasonCode, float]]
    lowers: list[tuple[ReasonCode, float]]


def risk_now(view: UserView, source: ModelSource, names: FeatureSpec) -> list[RiskNow]:
    """Score a user for every definition, as a worker would at the time of the view.

    Parameters
    ----------
    view : UserView
        The user, as of the time that is asked about.
    source : ModelSource
        The newest versions that it has loaded are asked.
    names : FeatureSpec
        The app's spec: names the key events, funnel steps and channels that a reason may speak of.
    """
    vector = coded_features(view.features)
    found = []
    for definition, champion in zip(source.definitions, source.champions(NEWEST), strict=True):
        raises, lowers = contributions(champion.scorer.terms(vector), vector, names)
        risk = float(champion.scorer.risk(vector[None])[0])
        found.append(RiskNow(definition, risk, champion.scorer.name, champion.version, raises, lowers))
    return found

"""Which model says the risks? In a few numbers, for programs."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from churnwatch.answers import Model, Version
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.operation import Nothing, Operation
from insights.web.parts import Parts


async def model(behind: Behind, _request: Request, _asked: Nothing) -> Model:
    """See which model serves each definition, and how much it has learned from; version 0 is the rule, before a learned one is better."""
    return await asyncio.to_thread(_model, behind.parts)


def _model(parts: Parts) -> Model:
    view = parts.engine.view()
    found = []
    for name in view.definitions:
        served = parts.models.served(view, name)
        if served is not None:
            header = served.header
            found.append(
                Version(
                    definition=name,
                    model=served.name,
                    version=served.champion.version,
                    learned_until_ms=None if header is None else header.learned_until_ms,
                    labels=0 if header is None else header.labels,
                    churned=0 if header is None else header.churned,
                )
            )
    return Model(view.as_of_ms, found)


OPERATIONS = (
    Operation(
        name="model",
        path="/model",
        summary="Which model says the risks",
        scope="read:aggregates",
        asked=Nothing,
        answers=Model,
        words="By definition, in the order of the settings.",
        example=examples.MODEL,
        does=model,
    ),
)

"""Is this user at risk at this moment? Asked by whoever is about to send a win-back, so it is read from Redis then, never from a cache."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request

from churnwatch.answers import Risk, Risks
from features.events.event import MAX_USER_BYTES
from features.users.spec import FeatureSpec
from features.users.standing import Standing
from features.users.state import NEVER
from insights.live.engine import EngineView
from insights.live.standings import Stand
from insights.web.api import examples
from insights.web.api.behind import Behind
from insights.web.api.body import UNREADABLE, body_of, read_as
from insights.web.api.operation import Nothing, Operation
from insights.web.api.problems import wrong
from insights.web.api.reasons import codes_of
from stream.alerts.message import alert_id

MOST_USERS = 1_000
MOST_BYTES = MOST_USERS * (6 * MAX_USER_BYTES + 8)
"""Of a body: JSON may spell a byte in six."""
UserId = Annotated[str, Meta(min_length=1, max_length=MAX_USER_BYTES, description="the user's id, at most 256 bytes of UTF-8")]
Definition = Annotated[str | None, Meta(description="a churn definition by its name; the first one by default")]
NOT_NOW = ("no-redis", "not-started", "damaged")


class RiskAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom one asks about."""

    user: UserId
    definition: Definition = None


class UsersAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Users to ask about."""

    users: Annotated[list[UserId], Meta(max_length=MOST_USERS)]
    definition: Definition = None


_read = msgspec.json.Decoder(UsersAsked)


async def one(behind: Behind, _request: Request, asked: RiskAsked) -> Risk:
    """Ask right before you send. The state is read from Redis at that moment: whoever came back, and whose event the engine has counted, is not at risk."""
    _refuse_long(asked.user, "address.user")
    stand = await behind.standings.of((asked.user,))
    return _risk(behind, stand, place_of(stand.spec, asked.definition), asked.user, stand.users[0])


async def many(behind: Behind, request: Request, _asked: Nothing) -> Risks:
    """Ask about up to 1,000 users at once; all of them are read from Redis in one round trip."""
    asked = read_as(await body_of(request, MOST_BYTES), _read)
    for at, user in enumerate(asked.users):
        _refuse_long(user, f"body.users[{at}]")
    stand = await behind.standings.of(asked.users)
    k = place_of(stand.spec, asked.definition)
    return Risks([_risk(behind, stand, k, user, standing) for user, standing in zip(asked.users, stand.users, strict=True)])


OPERATIONS = (
    Operation(
        name="risk",
        path="/users/{user:text}/risk",
        summary="One user, at this moment",
        scope="read:people",
        asked=RiskAsked,
        answers=Risk,
        words="What the engine has counted by now. Somebody whom nobody has seen is not at risk, and `known` is false.",
        example=examples.RISK,
        does=one,
        problems=NOT_NOW,
    ),
    Operation(
        name="risks",
        method="POST",
        path="/risks",
        summary="Many users, at this moment",
        scope="read:people",
        asked=Nothing,
        bodies=(UsersAsked,),
        answers=Risks,
        words="The users in the order asked for, unknown ones among them.",
        example=examples.RISKS,
        does=many,
        problems=(*NOT_NOW, *UNREADABLE),
    ),
)


def place_of(spec: FeatureSpec, definition: str | None) -> int:
    """Return the place of a definition in the feature spec; None is the first one.

    Raises
    ------
    Refused
        There is none of this name.
    """
    names = [one.name for one in spec.definitions]
    if definition is None:
        return 0
    if definition not in names:
        raise wrong("definition", f"there is no churn definition {definition!r}; there are: {', '.join(names)}")
    return names.index(definition)


def _refuse_long(user: str, where: str) -> None:
    if len(user) > MAX_USER_BYTES // 4 and len(user.encode()) > MAX_USER_BYTES:
        raise wrong(where, f"a user id has at most {MAX_USER_BYTES} bytes")


def _risk(behind: Behind, stand: Stand, k: int, user: str, standing: Standing | None) -> Risk:
    definition, view = stand.spec.definitions[k], stand.view
    at_risk, alert, valid_until_ms, risk, version = False, None, None, None, None
    listed = None
    if standing is not None:
        now = standing.definitions[k]
        at_risk, risk, version = now.alert_open, now.risk, now.model_version
        if now.alert_open and now.opened_ms is not None:
            alert = alert_id(behind.app, definition.name, user, now.opened_ms)
            valid_until_ms = now.opened_ms + definition.horizon_ms
            listed = behind.parts.keeper.board.rows.get(alert)
    return Risk(
        user=user,
        definition=definition.name,
        known=standing is not None,
        at_risk=at_risk,
        alert_id=alert,
        risk=risk,
        threshold=behind.threshold,
        valid_until_ms=valid_until_ms,
        as_of_ms=view.as_of_ms,
        counted_until_ms=_counted_until(view, standing),
        model_version=version,
        reasons=[] if listed is None else listed.alert.reasons,
        reason_codes=[] if listed is None else codes_of(listed.alert),
    )


def _counted_until(view: EngineView, standing: Standing | None) -> int | None:
    """Return the time before which every event is counted: that of the user's shard, or for a user of no shard, of the one that is furthest behind.

    None where it is not known: a shard that cannot be read may be anywhere.
    """
    metas = view.metas
    if view.unreadable and (standing is None or standing.partition not in metas):
        return None
    known = [metas[standing.partition]] if standing is not None and standing.partition in metas else metas.values()
    return min((meta.max_ms for meta in known if meta.max_ms != NEVER), default=None)
